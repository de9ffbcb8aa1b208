"""From a URL to what it asks for: resource, namespace, name, subresource, verb (apiserver request/requestinfo.go)."""

from __future__ import annotations

from dataclasses import dataclass

from kubetrace.playground.access import Attributes
from kubetrace.playground.catalog import Catalog, Resource
from kubetrace.playground.http import Request
from kubetrace.playground.selectors import field_terms
from kubetrace.playground.status import ApiError, no_such_path, not_allowed, not_found, not_supported
from kubetrace.playground.validation.causes import segment_problems

_PLAIN_VERBS = {"GET": "get", "HEAD": "head", "POST": "post", "PUT": "put", "DELETE": "delete", "PATCH": "patch"}
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}
_ACROSS_NAMESPACES = ("list", "watch")


@dataclass(frozen=True, slots=True)
class Target:
    resource: Resource
    verb: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""
    """What follows a subresource's name: the path behind …/proxy/."""

    @property
    def place(self) -> str:
        """The namespace that its objects are stored under; a Namespace's own is none."""
        return self.namespace if self.resource.namespaced else ""


@dataclass(frozen=True, slots=True)
class _Parts:
    """A resource's path, taken apart; nothing is looked up."""

    group: str
    version: str
    resource: str
    namespace: str
    name: str
    subresource: str
    rest: str
    verb: str


def _parts(request: Request) -> _Parts | None:
    """None for paths that are not of resources."""
    parts = request.path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3 and parts[1]:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    special = rest[0] if rest[0] in ("watch", "proxy") and len(rest) > 1 else ""
    rest = rest[1:] if special else rest
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    name = rest[1] if len(rest) > 1 else ""
    if rest[0] == "namespaces" and name:
        namespace = name
    subresource = rest[2] if len(rest) > 2 else ""
    verb = special or _verb(request, name, request.flag("watch") and not name)
    return _Parts(group, version, rest[0], namespace, name, subresource, "/".join(rest[3:]), verb)


def attributes_of(request: Request) -> Attributes:
    """What a request asks for, as authorization sees it: also for resources that do not exist."""
    parts = _parts(request)
    if parts is None:
        return Attributes(_PLAIN_VERBS.get(request.method, request.method.lower()), path=request.path)
    name = parts.name or (_selected_name(request) if parts.verb in ("list", "watch") else "")
    return Attributes(parts.verb, parts.group, parts.resource, parts.subresource, parts.namespace, name)


def _selected_name(request: Request) -> str:
    """The one object that a field selector leaves: whoever may list it by name may list it so."""
    try:
        terms = field_terms(request.parameter("fieldSelector"))
    except ApiError:
        return ""
    named = [value for field, sign, value in terms if field == "metadata.name" and sign != "!="]
    return named[0] if named and not segment_problems(named[0]) else ""


def resolve(request: Request, catalog: Catalog) -> Target | None:
    """None for paths that no resource has: of another kind, or in a group of custom resources, where nobody answers
    them (ServeHTTP in apiextensions-apiserver pkg/apiserver/customresource_handler.go). Raises 404 for unknown
    resources of a built-in group, 405 for verbs that a resource lacks."""
    parts = _parts(request)
    if parts is None or request.path.startswith("//") or not catalog.has_version(parts.group, parts.version):
        return None
    if parts.verb == "proxy":  # there was such a path once
        raise no_such_path()
    resource = catalog.find(parts.group, parts.version, parts.resource)
    inside = parts.namespace and parts.resource != "namespaces"
    if resource is None or (inside and not resource.namespaced):
        if not catalog.is_built_in(parts.group):
            return None
        raise no_such_path()
    if resource.custom is not None and resource.namespaced and not inside and parts.verb not in _ACROSS_NAMESPACES:
        return None
    if parts.namespace in (".", ".."):
        raise ApiError(500, f'invalid key: "/{parts.resource}/{parts.namespace}"', "")
    target = Target(resource, parts.verb, parts.namespace, parts.name, parts.subresource, parts.rest)
    _check(request, target)
    if problems := segment_problems(parts.name):
        raise ApiError(400, f'Name parameter invalid: "{parts.name}": {";".join(problems)}')
    return target


def _verb(request: Request, name: str, watching: bool) -> str:
    """Empty for methods that no resource has."""
    verb = _VERBS.get(request.method, "")
    if verb == "get" and watching:
        return "watch"
    if verb == "get" and not name:
        return "list"
    if verb == "delete" and not name:
        return "deletecollection"
    return verb


def _check(request: Request, target: Target) -> None:
    resource, subresource = target.resource, target.subresource
    if subresource:
        known = resource.subresources.get(subresource)
        if known is None and resource.custom is not None:
            raise not_found(resource.name, resource.group, target.name)
        if known is None or (target.rest and subresource != "proxy"):
            raise no_such_path()
        verbs = known["verbs"]
    else:
        verbs = list(resource.verbs)
    if target.name and not subresource and tuple(resource.verbs) == ("create",):
        raise no_such_path()
    one_place = resource.namespaced and not target.namespace
    if one_place and ("list" not in resource.verbs or (target.name and target.verb == "get")):
        raise no_such_path()  # what can't be listed has no path across namespaces
    nameless_write = target.verb in ("create", "deletecollection") and one_place
    wrong_place = request.method == "POST" and target.name and not subresource
    wrong_place = wrong_place or (target.verb in ("update", "patch") and not target.name)
    no_route = not target.verb or request.method == "HEAD"
    no_route = no_route or (target.verb == "watch" and request.method != "GET")
    if resource.ends and not subresource:
        verbs = [*verbs, "create", "update", "patch"]  # discovery is silent about them
    if resource.custom is not None and target.verb not in verbs:
        raise not_supported(target.verb, resource.name, resource.group)
    if resource.custom is not None and target.verb == "update" and not target.name:
        raise ApiError(400, "name must be provided")
    if no_route or target.verb not in verbs or nameless_write or wrong_place:
        raise not_allowed()
