"""RBAC rules as `describe` and `auth can-i --list` show them: taken apart to one verb, one resource, one name each, and
put together again by resource (kubectl pkg/util/rbac)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Rule = Mapping[str, Any]


def compact_rules(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """The rules that people read, in kubectl's order."""
    compacted: list[dict[str, Any]] = []
    simple: dict[tuple[str, str, tuple[str, ...]], dict[str, Any]] = {}
    for rule in itertools.chain.from_iterable(map(single_rules, rules)):
        if "nonResourceURLs" in rule:
            compacted.append(rule)
            continue
        key = (rule["apiGroups"][0], rule["resources"][0], tuple(rule.get("resourceNames", ())))
        known = simple.setdefault(key, {**rule, "verbs": []})
        known["verbs"] += [verb for verb in rule["verbs"] if verb not in known["verbs"]]
    return sorted([*compacted, *simple.values()], key=_go_text)


def single_rules(rule: Rule) -> Iterator[dict[str, Any]]:
    """The same rule as many that have at most one verb, one resource and one name each (BreakdownRule)."""
    names = rule.get("resourceNames") or ()
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in rule.get("verbs") or ():
                part = {"verbs": [verb], "apiGroups": [group], "resources": [resource]}
                if names:
                    yield from ({**part, "resourceNames": [name]} for name in names)
                else:
                    yield part
    for url in rule.get("nonResourceURLs") or ():
        for verb in rule.get("verbs") or ():
            yield {"verbs": [verb], "nonResourceURLs": [url]}


def _go_text(rule: Rule) -> str:
    """The text that kubectl sorts by: the rule's generated String method."""
    fields = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
    names = ("Verbs", "APIGroups", "Resources", "ResourceNames", "NonResourceURLs")
    shown = ("[" + " ".join(rule.get(field) or ()) + "]" for field in fields)
    return "&PolicyRule{" + "".join(f"{name}:{text}," for name, text in zip(names, shown, strict=True)) + "}"


def resource_of(rule: Rule) -> str:
    """ "deployments.apps/scale" (CombineResourceGroup)."""
    resources, groups = rule.get("resources") or (), rule.get("apiGroups") or ()
    if not resources:
        return ""
    name, slash, subresource = resources[0].partition("/")
    group = f".{groups[0]}" if groups and groups[0] else ""
    return f"{name}{group}{slash}{subresource}"
