"""Reviews: questions that are answered at once and never stored (who am I, may I, whose token is this)."""

from __future__ import annotations

from typing import Any

from kubetrace.playground import access_questions
from kubetrace.playground.access import Attributes, Authenticator, Authorizer, User
from kubetrace.playground.catalog import Catalog, Resource
from kubetrace.playground.objects import now
from kubetrace.playground.status import ApiError
from kubetrace.playground.tokens import ISSUER

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
            body["metadata"] = {"creationTimestamp": now()}
            body.pop("spec")
        elif kind == "SelfSubjectRulesReview":
            if not spec.get("namespace"):
                raise ApiError(400, "no namespace on request")
            body["status"] = self._rules(user, spec["namespace"])
            body |= {"metadata": {}, "spec": {}}
        elif kind == "TokenReview":
            body["status"] = self._token(spec.get("token", ""), spec.get("audiences") or [ISSUER])
        else:
            access_questions.check(resource, spec, body["metadata"], namespace)
            body["status"] = self._may(self._subject(kind, spec, user), spec, namespace)
        return {"kind": kind, "apiVersion": resource.api_version, **body}

    def _token(self, token: str, wanted: list[str]) -> dict[str, Any]:
        if not token:
            raise ApiError(400, "token is required for TokenReview in authentication")
        found, audiences = self._authenticator.by_token(token, wanted), self._authenticator.audiences(token)
        if found is not None:
            known = [audience for audience in wanted if audience in audiences]
            return {"authenticated": True, "user": _user_info(found), "audiences": known}
        why, more = "invalid bearer token", self._authenticator.problem(token, wanted)
        return {"user": {}, "error": f"[{why}, {more}]" if more else why}

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
        told = {"reason": why, "evaluationError": access_questions.unread(asked or {})}
        return {"allowed": allowed} | {name: text for name, text in told.items() if text}

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
