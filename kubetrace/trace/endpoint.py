"""Which API operation a request is: the server's RequestInfo (apiserver pkg/endpoints/request/requestinfo.go)."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

from kubetrace.trace.exchange import Request
from kubetrace.value import Value

_ROOT = re.compile(r"^(?P<prefix>.*?)/(?:api/(?P<core>[^/]+)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))(?:/|$)")
_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
STREAMS = frozenset({"exec", "attach", "portforward"})
"""Subresources whose answer is a connection."""
CONNECTED = STREAMS | {"proxy"}
"""Subresources that open a connection to something behind the server."""
_NAMESPACE_SUBRESOURCES = ("status", "finalize")


class Endpoint(Value):
    """An operation on a resource, or on a path outside the resources (`resource` empty). `verb` is RBAC's."""

    verb: str
    path: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def full_resource(self) -> str:
        """ "pods/log", as RBAC rules name it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    @property
    def template(self) -> str:
        """The path with names left open, so that calls of one kind fall together."""
        if not self.resource:
            return self.path
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        namespaced = "/namespaces/{namespace}" if self.namespace and self.resource != "namespaces" else ""
        name = "/{name}" if self.name else ""
        sub = f"/{self.subresource}" if self.subresource else ""
        return f"{root}{namespaced}/{self.resource}{name}{sub}"


def endpoint(request: Request) -> Endpoint:
    """The operation that a request asks for."""
    return endpoint_of(request.method, request.url)


def endpoint_of(method: str, url: str) -> Endpoint:
    """The operation that a method asks for at a URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return Endpoint(method.lower(), url)
    path = parts.path or "/"
    match = _ROOT.match(path)
    words = [unquote(word) for word in path[match.end() :].split("/") if word] if match else []
    if match is None or not words:
        return Endpoint(method.lower(), path)
    query = dict(reversed(parse_qsl(parts.query, keep_blank_values=True)))
    verb = _VERBS.get(method, method.lower())
    if words[0] in ("proxy", "watch") and len(words) > 1:
        verb, words = words[0], words[1:]
    namespace = ""
    if words[0] == "namespaces" and len(words) > 1:
        namespace = words[1]
        if len(words) > 2 and words[2] not in _NAMESPACE_SUBRESOURCES:
            words = words[2:]
    resource, name, subresource = [*words[:3], "", ""][:3]
    if not name:
        name = _selected_name(query.get("fieldSelector", "")) if verb == "get" else ""
        verb = _collection_verb(verb, query)
    group, version = match["group"] or "", match["core"] or match["version"]
    return Endpoint(verb, path, group, version, resource, subresource, namespace, name)


def follows_log(request: Request) -> bool:
    """Does a request ask for a container's log as it goes on?"""
    if "follow=" not in request.url or endpoint(request).subresource != "log":
        return False
    follow = dict(reversed(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))).get("follow", "0")
    return follow.lower() not in ("0", "false")


def _collection_verb(verb: str, query: dict[str, str]) -> str:
    if verb == "get":
        return "watch" if query.get("watch", "0").lower() not in ("0", "false") else "list"
    return "deletecollection" if verb == "delete" else verb


def _selected_name(selector: str) -> str:
    """The one name that a field selector asks for, among whatever else."""
    match = re.search(r"(?:^|,)metadata\.name==?([^,!=%/]+)(?:,|$)", selector)
    return match[1] if match and match[1] not in (".", "..") else ""
