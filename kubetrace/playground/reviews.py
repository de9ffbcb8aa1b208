"""Reviews: questions that are answered at once and never stored (who am I, may I, whose token is this)."""

from __future__ import annotations

from typing import Any

from kubetrace.playground.access import Attributes, Authenticator, Authorizer, User
from kubetrace.playground.catalog import Catalog, Resource
from kubetrace.playground.objects import now

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
        spec = body.setdefault("spec", {})
        kind = resource.kind
        if kind == "SelfSubjectReview":
            body["status"] = {"userInfo": _user_info(user)}
            body["metadata"]["creationTimestamp"] = now()
            body.pop("spec")
        elif kind == "SelfSubjectRulesReview":
            body["status"] = self._rules(user, spec.get("namespace") or "default")
        elif kind == "TokenReview":
            found = self._authenticator.by_token(spec.get("token", ""))
            body["status"] = {"authenticated": True, "user": _user_info(found)} if found else {"user": {}}
        else:
            body["status"] = self._may(self._subject(kind, spec, user), spec, namespace)
        body["metadata"].setdefault("creationTimestamp", None)
        return {"kind": kind, "apiVersion": resource.api_version, **body}

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
        return {"allowed": self._authorizer.allows(user, attributes)}

    def _rules(self, user: User, namespace: str) -> dict[str, Any]:
        rules = self._authorizer.rules(user, namespace)
        fields = ("verbs", "apiGroups", "resources", "resourceNames")
        resources = [{k: rule[k] for k in fields if rule.get(k)} for rule in rules if rule.get("resources")]
        paths = [{k: rule[k] for k in ("verbs", "nonResourceURLs")} for rule in rules if rule.get("nonResourceURLs")]
        return {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}


def _user_info(user: User) -> dict[str, Any]:
    info: dict[str, Any] = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    return info | ({"extra": user.extra} if user.extra else {})
