"""Which permissions of some RBAC rules others do not give (component-helpers' auth/rbac/validation)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from kubetrace.printing.policy_rules import single_rules

Rule = Mapping[str, Any]


def uncovered(owner: Sequence[Rule], servant: Iterable[Rule]) -> list[dict[str, Any]]:
    """What `servant` allows and `owner` does not, one verb, resource and name a rule (Covers)."""
    parts = [part for rule in servant for part in single_rules(rule)]
    return [part for part in parts if not any(_covers(rule, part) for rule in owner)]


def _covers(owner: Rule, part: Rule) -> bool:
    names, owned_names = _of(part, "resourceNames"), _of(owner, "resourceNames")
    return (
        _has_all(_of(owner, "verbs"), _of(part, "verbs"))
        and _has_all(_of(owner, "apiGroups"), _of(part, "apiGroups"))
        and all(_covers_resource(_of(owner, "resources"), one) for one in _of(part, "resources"))
        and (not owned_names or (bool(names) and set(names) <= set(owned_names)))
        and all(any(map(_path_test(path), _of(owner, "nonResourceURLs"))) for path in _of(part, "nonResourceURLs"))
    )


def _of(rule: Rule, field: str) -> Collection[str]:
    return rule.get(field) or ()


def _has_all(owned: Collection[str], wanted: Collection[str]) -> bool:
    return "*" in owned or set(wanted) <= set(owned)


def _covers_resource(owned: Collection[str], resource: str) -> bool:
    """ "*/scale" stands for the scale of every resource."""
    if "*" in owned or resource in owned:
        return True
    _, slash, subresource = resource.partition("/")
    return bool(slash) and f"*/{subresource}" in owned


def _path_test(path: str) -> Any:
    def covers(owned: str) -> bool:
        return owned == path or (owned.endswith("*") and path.startswith(owned.rstrip("*")))

    return covers
