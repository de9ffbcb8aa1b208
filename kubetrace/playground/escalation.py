"""Nobody grants what they do not hold (pkg/registry/rbac/*/policybased, component-helpers auth/rbac/validation).

Whoever writes a role must hold all its rules already, or be allowed to `escalate` it; whoever writes a binding must
hold the rules of the role, or be allowed to `bind` it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from kubetrace.playground.access import RBAC, Attributes, Authorizer, User, path_matches
from kubetrace.playground.catalog import Resource
from kubetrace.playground.objects import Object
from kubetrace.playground.status import ApiError, forbidden, not_found
from kubetrace.wire.go_quote import quote

Rule = dict[str, Any]
_ROLES = ("roles", "clusterroles")
_PARTS = ("apiGroups", "resources", "nonResourceURLs", "resourceNames", "verbs")
_TITLES = {"apiGroups": "APIGroups", "resources": "Resources", "nonResourceURLs": "NonResourceURLs"}
_TITLES |= {"resourceNames": "ResourceNames", "verbs": "Verbs"}


class Escalation:
    """The check of one user's writes."""

    def __init__(self, authorizer: Authorizer, user: User) -> None:
        self._authorizer = authorizer
        self._user = user

    def check(self, resource: Resource, item: Object, old: Object | None) -> None:
        """Raises 403 where the write would grant more than the user holds. `old` is what it replaces."""
        if resource.group != RBAC or "system:masters" in self._user.groups:
            return
        if old is not None and _but_metadata(old) == _but_metadata(item):
            return
        namespace, name = item["metadata"].get("namespace", ""), item["metadata"].get("name", "")
        if resource.name in _ROLES:
            wanted = Attributes("escalate", RBAC, resource.name, namespace=namespace, name=name)
            rules = item.get("rules") or []
            if item.get("aggregationRule"):
                rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, *rules]
                rules.append({"nonResourceURLs": ["*"], "verbs": ["*"]})
        else:
            reference = item.get("roleRef") or {}
            if reference.get("kind") not in ("Role", "ClusterRole"):
                raise ApiError(500, f"unsupported role reference kind: {quote(reference.get('kind', ''))}", "")
            kind = "clusterroles" if reference.get("kind") == "ClusterRole" else "roles"
            wanted = Attributes("bind", RBAC, kind, namespace=namespace, name=reference.get("name", ""))
            rules = []
        if self._authorizer.allows(self._user, wanted):
            return
        if resource.name not in _ROLES:
            if not reference.get("name"):
                raise ApiError(400, "Name parameter required.")
            role = self._authorizer.role(reference, namespace)
            if role is None:
                raise not_found(resource.name, RBAC, reference.get("name", ""))
            rules = role.get("rules") or []
        held = self._authorizer.rules(self._user, namespace)
        missing = [part for rule in rules for part in _single(rule) if not any(_covers(own, part) for own in held)]
        if missing:
            raise forbidden(resource.name, RBAC, name, self._told(missing))

    def _told(self, missing: list[Rule]) -> str:
        groups = " ".join(json.dumps(group) for group in self._user.groups)
        start = (
            f'user "{self._user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:'
        )
        return "\n".join([start, *sorted({_shown(rule) for rule in _compact(missing)})])


def _but_metadata(item: Object) -> Object:
    return {name: value for name, value in item.items() if name != "metadata"}


def _single(rule: Rule) -> Iterable[Rule]:
    """A rule as rules of one group, resource, name and verb each (BreakdownRule)."""
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in rule.get("verbs") or ():
                part = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                names = rule.get("resourceNames") or ()
                yield from ({**part, "resourceNames": [name]} for name in names) if names else (part,)
    for url in rule.get("nonResourceURLs") or ():
        for verb in rule.get("verbs") or ():
            yield {"nonResourceURLs": [url], "verbs": [verb]}


def _holds(owned: Iterable[str], wanted: str) -> bool:
    return "*" in owned or wanted in owned


def _covers(owned: Rule, part: Rule) -> bool:
    """Does a rule include one that is single?"""
    if not _holds(owned.get("verbs") or (), part["verbs"][0]):
        return False
    if "nonResourceURLs" in part:
        url = part["nonResourceURLs"][0]
        known = owned.get("nonResourceURLs") or ()
        return any(path_matches(own, url) for own in known)
    resources, resource = owned.get("resources") or (), part["resources"][0]
    below = resource.partition("/")[2]
    if not (_holds(resources, resource) or (below and f"*/{below}" in resources)):
        return False
    names = owned.get("resourceNames") or ()
    mine = part.get("resourceNames")
    return _holds(owned.get("apiGroups") or (), part["apiGroups"][0]) and (not names or bool(mine and mine[0] in names))


def _compact(rules: list[Rule]) -> list[Rule]:
    """Rules that differ only by their verb, as one."""
    found: dict[tuple[str, ...], Rule] = {}
    rest: list[Rule] = []
    for rule in rules:
        if "nonResourceURLs" in rule:
            rest.append(rule)
            continue
        key = (rule["apiGroups"][0], rule["resources"][0], *(rule.get("resourceNames") or ()))
        if key in found:
            found[key]["verbs"] += rule["verbs"]
        else:
            found[key] = {**rule, "verbs": [*rule["verbs"]]}
    return [*rest, *found.values()]


def _shown(rule: Rule) -> str:
    def words(values: Iterable[str]) -> str:
        return " ".join(json.dumps(value) for value in values)

    return "{" + ", ".join(f"{_TITLES[part]}:[{words(rule[part])}]" for part in _PARTS if rule.get(part)) + "}"
