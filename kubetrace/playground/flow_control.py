"""Which FlowSchema a request falls under, and which priority level: an API server says so in two headers of its answer.

Nothing waits or is refused by them here (apiserver pkg/util/flowcontrol/rule.go, pkg/server/filters/
priority-and-fairness.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubetrace.playground.access import Attributes, User
from kubetrace.playground.objects import Object

SCHEMAS = "flowschemas.flowcontrol.apiserver.k8s.io"
LEVELS = "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io"
_ACCOUNT = "system:serviceaccount:"


class FlowControl:
    """Knows the schemas and levels that there are; whoever owns it keeps it up with the store."""

    def __init__(self) -> None:
        self._schemas: dict[str, Object] = {}
        self._levels: dict[str, str] = {}
        self._ordered: list[Object] = []

    def add_schema(self, schema: Object) -> None:
        self._schemas[schema["metadata"]["name"]] = schema
        self._order()

    def drop_schema(self, name: str) -> None:
        self._schemas.pop(name, None)
        self._order()

    def add_level(self, level: Object) -> None:
        self._levels[level["metadata"]["name"]] = level["metadata"]["uid"]

    def drop_level(self, name: str) -> None:
        self._levels.pop(name, None)

    def headers(self, user: User, asked: Attributes) -> list[tuple[str, str]]:
        """By the first schema that matches and whose level is there."""
        for schema in self._ordered:
            level = self._levels.get(schema["spec"]["priorityLevelConfiguration"]["name"])
            if level is not None and any(_matches(rule, user, asked) for rule in schema["spec"].get("rules") or ()):
                flow = schema["metadata"]["uid"]
                return [("X-Kubernetes-Pf-Flowschema-Uid", flow), ("X-Kubernetes-Pf-Prioritylevel-Uid", level)]
        return []

    def _order(self) -> None:
        def precedence(schema: Object) -> tuple[int, str]:
            return schema["spec"]["matchingPrecedence"], schema["metadata"]["name"]

        self._ordered = sorted(self._schemas.values(), key=precedence)


def _matches(rule: dict[str, Any], user: User, asked: Attributes) -> bool:
    if not any(_is_subject(subject, user) for subject in rule.get("subjects") or ()):
        return False
    if asked.path:
        return any(_matches_path(each, asked) for each in rule.get("nonResourceRules") or ())
    return any(_matches_resource(each, asked) for each in rule.get("resourceRules") or ())


def _is_subject(subject: dict[str, Any], user: User) -> bool:
    if subject["kind"] == "User":
        return subject["user"]["name"] in ("*", user.name)
    if subject["kind"] == "Group":
        return subject["group"]["name"] in ("*", *user.groups)
    account = subject["serviceAccount"]
    start = f"{_ACCOUNT}{account['namespace']}:"
    return user.name.startswith(start) if account["name"] == "*" else user.name == start + account["name"]


def _matches_path(rule: dict[str, Any], asked: Attributes) -> bool:
    """A URL stands for itself and for all that is below it, with a star at its end or without."""
    if not _contains(rule["verbs"], asked.verb):
        return False
    urls = rule["nonResourceURLs"]
    below = (f"{url.removesuffix('*').removesuffix('/')}/" for url in urls)
    return "*" in urls or asked.path in urls or asked.path.startswith(tuple(below))


def _matches_resource(rule: dict[str, Any], asked: Attributes) -> bool:
    resource = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
    if not (
        _contains(rule["verbs"], asked.verb)
        and _contains(rule["resources"], resource)
        and _contains(rule["apiGroups"], asked.group)
    ):
        return False
    if not asked.namespace:
        return bool(rule.get("clusterScope"))
    return _contains(rule.get("namespaces") or (), asked.namespace)


def _contains(names: Sequence[str], wanted: str) -> bool:
    return "*" in names or wanted in names
