"""Who is asking, and may they: tokens, client certificates, impersonation, and RBAC over the stored roles."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubetrace.playground.http import Request
from kubetrace.playground.status import ApiError, qualified
from kubetrace.playground.storage import Store
from kubetrace.playground.tokens import ISSUER, Signer
from kubetrace.wire.go_quote import quote

RBAC = "rbac.authorization.k8s.io"


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


_IN_PROTOCOL = "base64url.bearer.authorization.k8s.io."
_ABOUT = "authentication.kubernetes.io/"
"""How the extra facts begin that a token knows of its user."""


class Authenticator:
    def __init__(self, tokens: dict[str, tuple[str, tuple[str, ...]]], signer: Signer, store: Store) -> None:
        self._tokens = tokens
        self._signer = signer
        self._store = store

    def identify(self, request: Request) -> User:
        """The user of a request: a certificate's, else a token's. Raises 401 for a token that is not known; without
        credentials it is anonymous."""
        known = _from_certificate(request.certificate)
        if known is not None:
            return known
        tokens = [_bearer(request), _websocket_bearer(request)]
        users = [self.by_token(token) for token in tokens if token]
        found = next(filter(None, users), None)
        if users and found is None:
            raise ApiError(401, "Unauthorized")
        return found or ANONYMOUS

    def by_token(self, token: str, wanted: Sequence[str] = (ISSUER,)) -> User | None:
        found = self._tokens.get(token)
        if found is not None:
            return User(found[0], (*found[1], "system:authenticated"))
        claims = self._claims(token)
        if claims is None or not set(claims["aud"]) & set(wanted):
            return None
        account = self._account(claims)
        return account if isinstance(account, User) else None

    def problem(self, token: str, wanted: Sequence[str]) -> str:
        """Why a token is refused that is signed by us; empty for others."""
        claims = self._claims(token)
        if claims is None:
            return ""
        if not set(claims["aud"]) & set(wanted):
            lists = [f"[{' '.join(map(quote, names))}]" for names in (claims["aud"], wanted)]
            return f"token audiences {lists[0]} is invalid for the target audiences {lists[1]}"
        found = self._account(claims)
        return "" if isinstance(found, User) else found

    def audiences(self, token: str) -> list[str]:
        """Whom a token is for; empty where it is none that holds."""
        if token in self._tokens:
            return [ISSUER]
        claims = self._claims(token)
        known = claims is not None and isinstance(self._account(claims), User)
        return list(claims["aud"]) if claims is not None and known else []

    def _claims(self, token: str) -> dict[str, Any] | None:
        return self._signer.read(token) if token.count(".") == 2 else None

    def _account(self, claims: dict[str, Any]) -> User | str:
        """The ServiceAccount of a token, where it still is the one that the token was made for, else why it is not
        (pkg/serviceaccount/claims.go)."""
        if claims.get("exp", float("inf")) < time.time():
            return "service account token has expired"
        about = claims["kubernetes.io"]
        namespace, account = about["namespace"], about["serviceaccount"]
        found = self._store.get("serviceaccounts", namespace, account["name"])
        if found is None:
            return f"serviceaccounts {quote(account['name'])} not found"
        if found["metadata"]["uid"] != account["uid"]:
            return f"service account UID ({found['metadata']['uid']}) does not match claim ({account['uid']})"
        extra = {f"{_ABOUT}credential-id": [f"JTI={claims['jti']}"]} if "jti" in claims else {}
        for kind in ("node", "pod", "secret"):
            bound = about.get(kind)
            if bound is None:
                continue
            item = self._store.get(f"{kind}s", "" if kind == "node" else namespace, bound["name"])
            matters = kind != "node" or "pod" not in about  # a pod's node may go before it
            if item is None and matters:
                return "service account token has been invalidated"
            uid = item["metadata"]["uid"] if item is not None else ""
            if matters and uid != bound.get("uid", uid):
                claim = "node ref" if kind == "node" else f"service account {kind} ref"
                return f"{kind} UID ({uid}) does not match {claim} claim ({bound['uid']})"
            if kind != "secret":
                extra |= {f"{_ABOUT}{kind}-name": [bound["name"]], f"{_ABOUT}{kind}-uid": [bound["uid"]]}
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        return User(claims["sub"], groups, account["uid"], extra)


def _bearer(request: Request) -> str:
    """The token of the Authorization header; empty where it has none (apiserver authentication/request/bearertoken)."""
    scheme, *words = request.headers.get("authorization", "").strip().split(" ")[:3]
    if scheme.lower() != "bearer" or not words:
        return ""
    if not words[0]:
        told = "the provided Authorization header contains extra space before the bearer token, and is ignored"
        request.facts["warnings"].append(told)
    return words[0]


def _websocket_bearer(request: Request) -> str:
    """The token that a browser's WebSocket brings as a protocol (apiserver authentication/request/websocket)."""
    if request.headers.get("upgrade", "").lower() != "websocket":
        return ""
    protocols = [name.strip() for name in request.headers.get("sec-websocket-protocol", "").split(",")]
    packed = [name.removeprefix(_IN_PROTOCOL) for name in protocols if name.startswith(_IN_PROTOCOL)]
    try:
        return base64.b64decode(f"{packed[0]}==", "-_", validate=True).decode() if len(packed) == 1 else ""
    except ValueError:
        return ""


def _from_certificate(certificate: dict[str, Any] | None) -> User | None:
    if not certificate:
        return None
    parts = [pair for group in certificate.get("subject", ()) for pair in group]
    names = [value for key, value in parts if key == "commonName"]
    groups = tuple(value for key, value in parts if key == "organizationName")
    extra = {f"{_ABOUT}credential-id": [f"X509SHA256={certificate['sha256']}"]}
    return User(names[0], (*groups, "system:authenticated"), extra=extra) if names else None


def denial(user: User, attributes: Attributes) -> str:
    """The words of a 403 (apiserver endpoints/handlers/responsewriters/errors.go)."""
    if attributes.path:
        return f'User "{user.name}" cannot {attributes.verb} path "{attributes.path}"'
    resource = f"{attributes.resource}/{attributes.subresource}" if attributes.subresource else attributes.resource
    named = f"{qualified(attributes.resource, attributes.group)} {quote(attributes.name)}"
    start = named if attributes.name else qualified(attributes.resource, attributes.group)
    told = f'{start} is forbidden: User "{user.name}" cannot {attributes.verb} resource "{resource}"'
    told += f' in API group "{attributes.group}"'
    return told + (f' in the namespace "{attributes.namespace}"' if attributes.namespace else " at the cluster scope")


def refused(user: User, attributes: Attributes, why: str = "") -> ApiError:
    """The 403 of a request that is not allowed; `why` is the authorizer's reason."""
    told = denial(user, attributes) + (f": {why}" if why else "")
    details = {"name": attributes.name, "group": attributes.group, "kind": attributes.resource}
    error = ApiError(403, told, details={key: value for key, value in details.items() if value})
    if attributes.path:
        error = ApiError(403, f"forbidden: {told}", details={})
    error.headers.append(("X-Content-Type-Options", "nosniff"))
    return error


class Authorizer:
    """RBAC (plugin/pkg/auth/authorizer/rbac): allowed where any rule of any bound role says so."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.last_modes: dict[str, str] = {}
        """How each user was last allowed to impersonate."""

    def allows(self, user: User, attributes: Attributes) -> bool:
        return self.decide(user, attributes)[0]

    def decide(self, user: User, attributes: Attributes) -> tuple[bool, str]:
        """(allowed, why: the binding that allows it, or the roles that could not be found)"""
        if "system:masters" in user.groups:
            return True, ""
        missing: list[str] = []
        for binding, subject in self._bindings(user, attributes.namespace):
            found = self._role(binding)
            if found is None:
                missing.append(_not_found(binding["roleRef"]))
            elif any(_rule_allows(rule, attributes) for rule in found.get("rules") or ()):
                return True, f"RBAC: allowed by {_described(binding, subject)}"
        told = missing[0] if len(missing) == 1 else f"[{', '.join(missing)}]"
        return False, f"RBAC: {told}" if missing else ""

    def rules(self, user: User, namespace: str) -> list[dict[str, Any]]:
        """Every rule that holds for a user, cluster-wide and in the namespace."""
        roles = [self._role(binding) or {} for binding, _ in self._bindings(user, namespace)]
        return [rule for role in roles for rule in role.get("rules") or ()]

    def _bindings(self, user: User, namespace: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """(binding, the subject that is the user)"""
        found = [*self._store.select(f"clusterrolebindings.{RBAC}")]
        if namespace:
            found += self._store.select(f"rolebindings.{RBAC}", namespace)
        for binding in found:
            subject = _binds(binding, user)
            if subject is not None:
                yield binding, subject

    def _role(self, binding: dict[str, Any]) -> dict[str, Any] | None:
        return self.role(binding["roleRef"], binding["metadata"].get("namespace", ""))

    def role(self, reference: dict[str, Any], namespace: str) -> dict[str, Any] | None:
        """What a binding's roleRef refers to; `namespace` is the binding's."""
        if reference["kind"] == "ClusterRole":
            return self._store.get(f"clusterroles.{RBAC}", "", reference["name"])
        return self._store.get(f"roles.{RBAC}", namespace, reference["name"])


def _not_found(reference: dict[str, Any]) -> str:
    kind = "clusterrole" if reference["kind"] == "ClusterRole" else "role"
    return f'{kind}.{RBAC} "{reference["name"]}" not found'


def _described(binding: dict[str, Any], subject: dict[str, Any]) -> str:
    """As plugin/pkg/auth/authorizer/rbac describes a binding."""
    metadata, reference = binding["metadata"], binding["roleRef"]
    place = metadata.get("namespace", "")
    name, kind = (f"{metadata['name']}/{place}", "RoleBinding") if place else (metadata["name"], "ClusterRoleBinding")
    whom = subject["name"]
    if subject["kind"] == "ServiceAccount":
        whom = f"{whom}/{subject.get('namespace') or place}"
    return f'{kind} "{name}" of {reference["kind"]} "{reference["name"]}" to {subject["kind"]} "{whom}"'


def _binds(binding: dict[str, Any], user: User) -> dict[str, Any] | None:
    """The subject of a binding that is this user."""
    for subject in binding.get("subjects") or ():
        kind, name = subject["kind"], subject["name"]
        if kind == "User" and name == user.name:
            return dict(subject)
        if kind == "Group" and name in user.groups:
            return dict(subject)
        namespace = subject.get("namespace") or binding["metadata"].get("namespace", "")
        if kind == "ServiceAccount" and user.name == f"system:serviceaccount:{namespace}:{name}":
            return dict(subject)
    return None


def _rule_allows(rule: dict[str, Any], attributes: Attributes) -> bool:
    verbs = rule.get("verbs") or ()
    if "*" not in verbs and attributes.verb not in verbs:
        return False
    if attributes.path:
        return any(path_matches(url, attributes.path) for url in rule.get("nonResourceURLs") or ())
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


def path_matches(url: str, path: str) -> bool:
    """Does a rule's nonResourceURL, which may end in "*", stand for a path?"""
    return url in ("*", path) or (url.endswith("*") and path.startswith(url[:-1]))
