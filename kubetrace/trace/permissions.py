"""What an API server's authorizer is asked for one exchange (apiserver pkg/endpoints/request/requestinfo.go, and the
places that ask once more: endpoints/handlers/update.go and patch.go, registry/rbac, registry/core/pod/rest,
plugin/pkg/admission/certificates, endpoints/filters/impersonation).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubetrace.trace.endpoint import STREAMS, Endpoint
from kubetrace.trace.exchange import Headers
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.loose_json import listed
from kubetrace.trace.meaning import parsed
from kubetrace.value import Value, replace

RBAC = "rbac.authorization.k8s.io"
_WRITES = frozenset({"create", "update", "patch"})
_ROLES = {"roles": "Role", "clusterroles": "ClusterRole"}
_BINDINGS = {"rolebindings": "RoleBinding", "clusterrolebindings": "ClusterRoleBinding"}
_SERVICE_ACCOUNT = re.compile(r"system:serviceaccount:([^:]+):([^:]+)")


class Permission(Value):
    """One question: may the user do `verb` on this resource ("pods/log"), in this namespace (empty: in the whole
    cluster), on the object of this name (empty: on any)? Without a resource it is about `path`. `why` says what for,
    where it is not the request itself."""

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    why: str = ""


def needed(recorded: Recorded) -> Iterator[Permission]:
    """What the user of a request has to be allowed: mostly one thing. Nothing for requests whose user nobody knew, and
    for those that never had a URL."""
    where = recorded.endpoint
    if recorded.status == 401 or not recorded.exchange.request.url:
        return
    asked = _of(where)
    yield asked
    # A PUT or a PATCH that made its object was asked for "create", too; so is, since 1.35, a WebSocket's GET to a
    # stream, next to "get".
    if where.verb in ("update", "patch") and recorded.status == 201:
        yield replace(asked, verb="create", why="the object was made")
    if where.verb == "get" and where.resource == "pods" and where.subresource in STREAMS:
        yield replace(asked, verb="create", why="a WebSocket needs it since 1.35")
    if where.verb in _WRITES:
        yield from _handed_on(recorded, where)


def _of(where: Endpoint) -> Permission:
    if not where.resource:
        return Permission(where.verb, path=where.path)
    # A namespace is an object in itself and of the cluster: a Role in it cannot be there before it is.
    namespace = "" if where.resource == "namespaces" else where.namespace
    return Permission(where.verb, where.group, where.full_resource, namespace, where.name)


def _handed_on(recorded: Recorded, where: Endpoint) -> Iterator[Permission]:
    """Who hands on rights must have them, or be allowed to hand on what he has not."""
    if where.group == RBAC and where.resource in _ROLES and not where.subresource:
        yield from _granted(_object(recorded, _ROLES[where.resource]), where)
    elif where.group == RBAC and where.resource in _BINDINGS and not where.subresource:
        role = _object(recorded, _BINDINGS[where.resource]).get("roleRef")
        if isinstance(role, dict):
            resource = "clusterroles" if role.get("kind") == "ClusterRole" else "roles"
            name = str(role.get("name") or "")
            yield Permission("bind", RBAC, resource, where.namespace, name, why="to bind it")
    elif where.group == "certificates.k8s.io" and where.subresource in ("approval", "status"):
        spec = _object(recorded, "CertificateSigningRequest").get("spec")
        signer = str(spec.get("signerName") or "") if isinstance(spec, dict) else ""
        verb = "approve" if where.subresource == "approval" else "sign"
        yield Permission(verb, where.group, "signers", name=signer, why="the signer is asked about, too")


def _granted(role: Mapping[str, Any], where: Endpoint) -> Iterator[Permission]:
    rules = role.get("rules")
    if not isinstance(rules, list) or role.get("aggregationRule"):
        yield Permission("escalate", RBAC, where.resource, where.namespace, where.name, why="to grant what it grants")
        return
    why = "to grant it"
    for rule in rules:
        if not isinstance(rule, dict):
            continue
        for verb in _texts(rule, "verbs"):
            yield from (Permission(verb, path=path, why=why) for path in _texts(rule, "nonResourceURLs"))
            for group in _texts(rule, "apiGroups"):
                for resource in _texts(rule, "resources"):
                    for name in _texts(rule, "resourceNames") or ("",):
                        yield Permission(verb, group, resource, where.namespace, name, why=why)


def _texts(rule: Mapping[str, Any], key: str) -> list[str]:
    return [one for one in listed(rule.get(key)) if isinstance(one, str)]


def _object(recorded: Recorded, kind: str) -> Mapping[str, Any]:
    """The object that a write left, or where the answer is another the one that was sent."""
    bodies = ((recorded.exchange.body, "response"), (recorded.exchange.request.body, "request"))
    for body, which in bodies:
        value = None if which in recorded.cut else parsed(body)
        if isinstance(value, dict) and value.get("kind") == kind:
            return value
    return {}


def impersonating(headers: Headers) -> Iterator[Permission]:
    """What the real user of a request with Impersonate-* headers has to be allowed."""
    for header, value in headers:
        name = header.lower()
        if name == "impersonate-user":
            account = _SERVICE_ACCOUNT.fullmatch(value)
            if account:
                yield Permission("impersonate", "", "serviceaccounts", account[1], account[2])
            else:
                yield Permission("impersonate", "", "users", name=value)
        elif name == "impersonate-group":
            yield Permission("impersonate", "", "groups", name=value)
        elif name == "impersonate-uid":
            yield Permission("impersonate", "authentication.k8s.io", "uids", name=value)
        elif name.startswith("impersonate-extra-"):
            key = name.removeprefix("impersonate-extra-")
            yield Permission("impersonate", "authentication.k8s.io", f"userextras/{key}", name=value)
