"""The smallest set of RBAC rules that allows a trace's requests, each with the requests that need it.

The verbs are the authorizer's (apiserver pkg/endpoints/request/requestinfo.go). What every authenticated user may do by
Kubernetes' own bindings (system:discovery, system:basic-user, system:public-info-viewer) is left out and listed.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from kubetrace.errors import KubetraceError
from kubetrace.trace.body_text import one_line
from kubetrace.trace.endpoint import Endpoint
from kubetrace.trace.exchanges import Recorded
from kubetrace.value import Mutable, fresh

_CITED = 5
_OPEN_PATHS = re.compile(r"/(api|apis|openapi)(/.*)?|/version/?|/healthz|/livez|/readyz")
_BASIC_USER = {
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
}
_STREAMS = frozenset({"exec", "attach", "portforward"})

Key = tuple[str, str]


class _Scope(Mutable):
    """One Role (or, with no namespace, the ClusterRole): (group, resource) → verb → names; None in names is any."""

    verbs: dict[Key, dict[str, set[str | None]]] = fresh(lambda: defaultdict(lambda: defaultdict(set)))
    citations: dict[tuple[Key, str], list[str]] = fresh(lambda: defaultdict(list))
    paths: dict[str, set[str]] = fresh(lambda: defaultdict(set))


def render(exchanges: Iterable[Recorded], name: str = "from-trace", bind_to: str = "") -> Iterator[str]:
    """The roles as YAML documents; `bind_to` ("user:NAME", "group:NAME", "serviceaccount:NAMESPACE:NAME") adds their
    bindings. Raises KubetraceError for another `bind_to`."""
    subject = _subject(bind_to) if bind_to else None
    scopes: dict[str, _Scope] = {}
    free: dict[str, int] = {}
    for recorded in exchanges:
        for where in _needed(recorded):
            if _is_free(where):
                free.setdefault(f"{where.verb} {one_line(where.path)}", recorded.number)
            else:
                _add(scopes, where, recorded)
    if free:
        yield "# Every authenticated user may already:\n"
        yield from (f"#   {one} (#{number})\n" for one, number in list(free.items())[:50])
    for namespace in sorted(scopes):
        yield from _role(scopes[namespace], namespace, name)
        if subject is not None:
            yield from _binding(namespace, name, subject)
    if not scopes:
        yield "# No further permission is needed.\n"


def _needed(recorded: Recorded) -> Iterator[Endpoint]:
    """What the authorizer is asked for one request: mostly one thing."""
    where = recorded.endpoint
    if recorded.status == 401 or (recorded.exchange.response is None and not recorded.exchange.request.url):
        return
    yield where
    # A PUT or a PATCH that made its object was also asked for "create" (handlers/update.go and patch.go), and a
    # WebSocket's GET to a stream, since 1.35, for "create" as well as for "get".
    makes = where.verb in ("update", "patch") and recorded.status == 201
    streams = where.verb == "get" and where.resource == "pods" and where.subresource in _STREAMS
    if makes or streams:
        yield Endpoint("create", where.path, where.group, where.version, where.resource, where.subresource,
                       where.namespace, where.name)  # fmt: skip


def _is_free(where: Endpoint) -> bool:
    if where.resource:
        return where.verb == "create" and (where.group, where.resource) in _BASIC_USER
    return where.verb == "get" and _OPEN_PATHS.fullmatch(where.path) is not None


def _add(scopes: dict[str, _Scope], where: Endpoint, recorded: Recorded) -> None:
    scope = scopes.setdefault(where.namespace, _Scope()) if where.resource else scopes.setdefault("", _Scope())
    cited = f"#{recorded.number} {one_line(recorded.exchange.request.method)} {one_line(where.path)}"
    if recorded.status in (403, 409, 422) or recorded.status >= 500 or not recorded.status:
        cited += f" ({recorded.status or 'no answer'})"
    if not where.resource:
        scope.paths[where.path].add(where.verb)
        scope.citations[("", where.path), where.verb].append(cited)
        return
    key = where.group, where.full_resource
    scope.verbs[key][where.verb].add(where.name or None)
    scope.citations[key, where.verb].append(cited)


def _role(scope: _Scope, namespace: str, name: str) -> Iterator[str]:
    kind = "Role" if namespace else "ClusterRole"
    yield f"---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {json.dumps(name)}\n"
    if namespace:
        yield f"  namespace: {json.dumps(namespace)}\n"
    yield "rules:\n"
    for group, resources, verbs, names in _rules(scope):
        for resource in resources:
            for verb in verbs:
                yield from _cites(scope.citations[(group, resource), verb])
        yield f"- apiGroups: {json.dumps([group])}\n  resources: {json.dumps(resources)}\n"
        if names:
            yield f"  resourceNames: {json.dumps(names)}\n"
        yield f"  verbs: {json.dumps(verbs)}\n"
    for path, path_verbs in sorted(scope.paths.items()):
        for verb in sorted(path_verbs):
            yield from _cites(scope.citations[("", path), verb])
        yield f"- nonResourceURLs: {json.dumps([path])}\n  verbs: {json.dumps(sorted(path_verbs))}\n"


def _cites(requests: list[str]) -> Iterator[str]:
    yield from (f"# {one}\n" for one in requests[:_CITED])
    if len(requests) > _CITED:
        yield f"# … and {len(requests) - _CITED} more\n"


def _rules(scope: _Scope) -> Iterator[tuple[str, list[str], list[str], list[str]]]:
    """(group, resources, verbs, names): no rule allows more than the requests need; equal ones are joined."""
    joined: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource), verbs in sorted(scope.verbs.items()):
        by_names: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for verb, found in sorted(verbs.items()):
            names = () if None in found else tuple(sorted(one for one in found if one is not None))
            by_names[names].append(verb)
        for names, same in sorted(by_names.items()):
            joined[group, names, tuple(same)].append(resource)
    for (group, names, same_verbs), resources in joined.items():
        yield group, resources, list(same_verbs), list(names)


def _subject(text: str) -> dict[str, str]:
    kind, _, rest = text.partition(":")
    namespace, _, name = rest.partition(":")
    if kind == "serviceaccount" and namespace and name:
        return {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    if kind in ("user", "group") and rest:
        return {"kind": kind.capitalize(), "name": rest, "apiGroup": "rbac.authorization.k8s.io"}
    raise KubetraceError(f'--bind-to takes user:NAME, group:NAME or serviceaccount:NAMESPACE:NAME, not "{text}"')


def _binding(namespace: str, name: str, subject: dict[str, str]) -> Iterator[str]:
    role = "Role" if namespace else "ClusterRole"
    yield f"---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {role}Binding\nmetadata:\n  name: {json.dumps(name)}\n"
    if namespace:
        yield f"  namespace: {json.dumps(namespace)}\n"
    yield f"roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: {role}\n  name: {json.dumps(name)}\n"
    yield "subjects:\n- " + "\n  ".join(f"{key}: {json.dumps(value)}" for key, value in subject.items()) + "\n"
