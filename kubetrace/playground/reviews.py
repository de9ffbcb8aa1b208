"""Reviews: questions that are answered at once and never stored (who am I, may I, whose token is this)."""

from __future__ import annotations

from typing import Any

from kubetrace.playground.access import Attributes, Authenticator, Authorizer, User
from kubetrace.playground.catalog import Catalog, Resource
from kubetrace.playground.objects import now
from kubetrace.playground.status import ApiError, invalid
from kubetrace.playground.tokens import ISSUER
from kubetrace.playground.validation.causes import Cause, bad
from kubetrace.wire.go_quote import quote

_KINDS = (
    "SelfSubjectAccessReview",
    "SubjectAccessReview",
    "LocalSubjectAccessReview",
    "SelfSubjectRulesReview",
    "SelfSubjectReview",
    "TokenReview",
)


class Reviews:
    def __init__(self, authorizer: Authorizer, authenticator: Authenticator, catalog: Catalog) -> None:
        self._authorizer = authorizer
        self._authenticator = authenticator
        self._catalog = catalog

    @staticmethod
    def serves(resource: Resource) -> bool:
        return resource.kind in _KINDS and resource.group in ("authorization.k8s.io", "authentication.k8s.io")

    def answer(self, resource: Resource, body: dict[str, Any], user: User, namespace: str) -> dict[str, Any]:
        """Raises 422 for a question that makes no sense."""
        spec = body.setdefault("spec", {})
        kind = resource.kind
        if kind == "SelfSubjectReview":
            body["status"] = {"userInfo": _user_info(user)}
            body["metadata"]["creationTimestamp"] = now()
            body.pop("spec")
        elif kind == "SelfSubjectRulesReview":
            if not spec.get("namespace"):
                raise ApiError(400, "no namespace on request")
            body["status"] = self._rules(user, spec["namespace"])
            body |= {"metadata": {}, "spec": {}}
        elif kind == "TokenReview":
            body["status"] = self._token(spec.get("token", ""), spec.get("audiences") or [ISSUER])
        else:
            _check(resource, spec, body["metadata"], namespace)
            body["status"] = self._may(self._subject(kind, spec, user), spec, namespace)
        return {"kind": kind, "apiVersion": resource.api_version, **body}

    def _token(self, token: str, wanted: list[str]) -> dict[str, Any]:
        if not token:
            raise ApiError(400, "token is required for TokenReview in authentication")
        found, audiences = self._authenticator.by_token(token, wanted), self._authenticator.audiences(token)
        if found is not None:
            known = [audience for audience in wanted if audience in audiences]
            return {"authenticated": True, "user": _user_info(found), "audiences": known}
        why = "invalid bearer token"
        if audiences:
            lists = [f"[{' '.join(map(quote, names))}]" for names in (audiences, wanted)]
            why = f"[{why}, token audiences {lists[0]} is invalid for the target audiences {lists[1]}]"
        return {"user": {}, "error": why}

    @staticmethod
    def _subject(kind: str, spec: dict[str, Any], user: User) -> User:
        if kind == "SelfSubjectAccessReview":
            return user
        return User(spec.get("user", ""), tuple(spec.get("groups") or ()))

    def _may(self, user: User, spec: dict[str, Any], namespace: str) -> dict[str, Any]:
        asked = spec.get("resourceAttributes")
        if asked is not None:
            attributes = Attributes(
                asked.get("verb", ""),
                asked.get("group", ""),
                asked.get("resource", ""),
                asked.get("subresource", ""),
                asked.get("namespace", "") or namespace,
                asked.get("name", ""),
            )
        else:
            plain = spec.get("nonResourceAttributes") or {}
            attributes = Attributes(plain.get("verb", ""), path=plain.get("path", "/"))
        allowed, why = self._authorizer.decide(user, attributes)
        return {"allowed": allowed} | ({"reason": why} if why else {})

    def _rules(self, user: User, namespace: str) -> dict[str, Any]:
        rules = self._authorizer.rules(user, namespace)
        fields = ("verbs", "apiGroups", "resources", "resourceNames")
        resources = [{k: rule[k] for k in fields if rule.get(k)} for rule in rules if rule.get("resources")]
        paths = [{k: rule[k] for k in ("verbs", "nonResourceURLs")} for rule in rules if rule.get("nonResourceURLs")]
        return {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}


def _check(resource: Resource, spec: dict[str, Any], metadata: dict[str, Any], namespace: str) -> None:
    """pkg/apis/authorization/validation."""
    causes: list[Cause] = []
    asked, plain = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if asked is not None and plain is not None:
        why = "cannot be specified in combination with resourceAttributes"
        causes.append(bad("spec.nonResourceAttributes", _plain(plain), why))
    if asked is None and plain is None:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        causes.append(bad("spec.resourceAttributes", None, why))
    if resource.kind != "SelfSubjectAccessReview" and not spec.get("user") and not spec.get("groups"):
        causes.append(bad("spec.user", "", "at least one of user or group must be specified"))
    if resource.kind == "LocalSubjectAccessReview" and plain is not None:
        causes.append(bad("spec.nonResourceAttributes", _plain(plain), "disallowed on this kind of request"))
    elif resource.kind == "LocalSubjectAccessReview" and (asked or {}).get("namespace") != namespace:
        why = "must match metadata.namespace"
        causes.append(bad("spec.resourceAttributes.namespace", (asked or {}).get("namespace", ""), why))
    extra = {name: value for name, value in metadata.items() if name not in ("namespace", "managedFields")}
    if extra and resource.kind != "LocalSubjectAccessReview":
        causes.append(bad("metadata", extra, "must be empty"))
    if causes:
        raise invalid("", resource.group, "", [*causes])


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    """As Go shows the internal type, whose fields have no names in JSON."""
    return {"Path": attributes.get("path", ""), "Verb": attributes.get("verb", "")}


def _user_info(user: User) -> dict[str, Any]:
    info: dict[str, Any] = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    return info | ({"extra": user.extra} if user.extra else {})
