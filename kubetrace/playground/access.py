"""Who is asking, and may they: tokens, client certificates, impersonation, and RBAC over the stored roles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kubetrace.playground.http import Request
from kubetrace.playground.status import ApiError, qualified
from kubetrace.playground.storage import Store
from kubetrace.playground.tokens import Signer

_RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True, slots=True)
class User:
    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, list[str]] = field(default_factory=dict)


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is asked for, as SubjectAccessReview puts it. `path` is set for non-resource requests."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


class Authenticator:
    def __init__(self, tokens: dict[str, tuple[str, tuple[str, ...]]], signer: Signer, store: Store) -> None:
        self._tokens = tokens
        self._signer = signer
        self._store = store

    def identify(self, request: Request) -> User:
        """The user of a request. Raises 401 for a token that is not known; without credentials it is anonymous."""
        header = request.headers.get("authorization", "")
        scheme, _, token = header.partition(" ")
        if scheme.lower() == "bearer" and token:
            found = self.by_token(token.strip())
            if found is None:
                raise ApiError(401, "Unauthorized")
            return found
        if header:
            raise ApiError(401, "Unauthorized")
        return _from_certificate(request.certificate) or ANONYMOUS

    def by_token(self, token: str) -> User | None:
        found = self._tokens.get(token)
        if found is not None:
            return User(found[0], (*found[1], "system:authenticated"))
        claims = self._signer.read(token) if token.count(".") == 2 else None
        return None if claims is None else self._account(claims)

    def _account(self, claims: dict[str, Any]) -> User | None:
        """The ServiceAccount of a token, where it still is the one that the token was made for."""
        about = claims["kubernetes.io"]
        namespace, account = about["namespace"], about["serviceaccount"]
        found = self._store.get("serviceaccounts", namespace, account["name"])
        if found is None or found["metadata"]["uid"] != account["uid"]:
            return None
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        return User(claims["sub"], groups, account["uid"])


def _from_certificate(certificate: dict[str, Any] | None) -> User | None:
    if not certificate:
        return None
    parts = [pair for group in certificate.get("subject", ()) for pair in group]
    names = [value for key, value in parts if key == "commonName"]
    groups = tuple(value for key, value in parts if key == "organizationName")
    return User(names[0], (*groups, "system:authenticated")) if names else None


def impersonated(request: Request, user: User, authorizer: Authorizer) -> User:
    """The user that the Impersonate-* headers name, where `user` may take their place. Raises 403."""
    headers = request.headers
    name = headers.get("impersonate-user", "")
    groups = [part.strip() for part in headers.get("impersonate-group", "").split(",") if part.strip()]
    if not name:
        if groups or headers.get("impersonate-uid"):
            raise ApiError(400, "requested impersonation without impersonating a user")
        return user
    wanted = [("users", name), *(("groups", group) for group in groups)]
    for resource, entry in wanted:
        attributes = Attributes("impersonate", "", resource, name=entry)
        if not authorizer.allows(user, attributes):
            raise ApiError(403, denial(user, attributes), details={"name": entry, "kind": resource})
    if name.startswith("system:serviceaccount:"):
        groups += ["system:serviceaccounts", f"system:serviceaccounts:{name.split(':')[2]}"]
    extra = {k[18:]: [v] for k, v in headers.items() if k.startswith("impersonate-extra-")}
    last = "system:unauthenticated" if name == "system:anonymous" else "system:authenticated"
    return User(name, (*groups, *(() if last in groups else (last,))), headers.get("impersonate-uid", ""), extra)


def denial(user: User, attributes: Attributes) -> str:
    """The words of a 403 (apiserver endpoints/handlers/responsewriters/errors.go)."""
    if attributes.path:
        return f'User "{user.name}" cannot {attributes.verb} path "{attributes.path}"'
    resource = f"{attributes.resource}/{attributes.subresource}" if attributes.subresource else attributes.resource
    named = f'{qualified(attributes.resource, attributes.group)} "{attributes.name}"'
    start = named if attributes.name else qualified(attributes.resource, attributes.group)
    told = f'{start} is forbidden: User "{user.name}" cannot {attributes.verb} resource "{resource}"'
    told += f' in API group "{attributes.group}"'
    return told + (f' in the namespace "{attributes.namespace}"' if attributes.namespace else " at the cluster scope")


class Authorizer:
    """RBAC (plugin/pkg/auth/authorizer/rbac): allowed where any rule of any bound role says so."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def allows(self, user: User, attributes: Attributes) -> bool:
        if "system:masters" in user.groups:
            return True
        return any(_rule_allows(rule, attributes) for rule in self.rules(user, attributes.namespace))

    def rules(self, user: User, namespace: str) -> list[dict[str, Any]]:
        """Every rule that holds for a user, cluster-wide and in the namespace."""
        if "system:masters" in user.groups:
            everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
            return [everything, {"verbs": ["*"], "nonResourceURLs": ["*"]}]
        found: list[dict[str, Any]] = []
        for binding in self._store.select(f"clusterrolebindings.{_RBAC}"):
            if _binds(binding, user):
                found += self._role_rules(binding["roleRef"], "")
        if namespace:
            for binding in self._store.select(f"rolebindings.{_RBAC}", namespace):
                if _binds(binding, user):
                    found += self._role_rules(binding["roleRef"], namespace)
        return found

    def _role_rules(self, reference: dict[str, Any], namespace: str) -> list[dict[str, Any]]:
        kind = "clusterroles" if reference["kind"] == "ClusterRole" else "roles"
        role = self._store.get(f"{kind}.{_RBAC}", "" if kind == "clusterroles" else namespace, reference["name"])
        return list((role or {}).get("rules") or ())


def _binds(binding: dict[str, Any], user: User) -> bool:
    for subject in binding.get("subjects") or ():
        kind, name = subject["kind"], subject["name"]
        if kind == "User" and name == user.name:
            return True
        if kind == "Group" and name in user.groups:
            return True
        namespace = subject.get("namespace") or binding["metadata"].get("namespace", "")
        if kind == "ServiceAccount" and user.name == f"system:serviceaccount:{namespace}:{name}":
            return True
    return False


def _rule_allows(rule: dict[str, Any], attributes: Attributes) -> bool:
    verbs = rule.get("verbs") or ()
    if "*" not in verbs and attributes.verb not in verbs:
        return False
    if attributes.path:
        return any(_path_matches(url, attributes.path) for url in rule.get("nonResourceURLs") or ())
    groups = rule.get("apiGroups") or ()
    if "*" not in groups and attributes.group not in groups:
        return False
    names = rule.get("resourceNames") or ()
    return _resource_matches(rule, attributes) and (not names or attributes.name in names)


def _resource_matches(rule: dict[str, Any], attributes: Attributes) -> bool:
    resources = rule.get("resources") or ()
    if "*" in resources:
        return True
    if not attributes.subresource:
        return attributes.resource in resources
    wanted = f"{attributes.resource}/{attributes.subresource}"
    return wanted in resources or f"*/{attributes.subresource}" in resources


def _path_matches(url: str, path: str) -> bool:
    return url in ("*", path) or (url.endswith("*") and path.startswith(url[:-1]))
