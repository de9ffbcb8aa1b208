"""Random objects of built-in kinds, three at a time: as it was applied last, as a manifest has it, as it lives. They
come from one object, so that they have much in common; not all are valid, for a merge does not mind."""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from kubetrace.wire.schema import Field, Type, built_in

KINDS = (
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "ServiceAccount"),
    ("v1", "PersistentVolumeClaim"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "CronJob"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
)
_TEXTS = ("a", "b", "c", "<x & y>", "é", "10", "true", "")
_NUMBERS = (0, 1, 2, 80, 443, 1 << 40)
_ANYTHING = (None, True, 1, 1.5, "a", [1, "a"], {"a": 1}, {"b": {"c": "d"}}, [])
_DEPTH = 7


@dataclass(frozen=True)
class Triple:
    """One object in its three states; `original` None is an object that was never applied."""

    original: dict[str, Any] | None
    modified: dict[str, Any]
    live: dict[str, Any]


def triple(dice: random.Random, name: str, *, directives: bool) -> Triple:
    """`directives` puts those of strategic merge patches into the manifest."""
    api_version, kind = dice.choice(KINDS)
    maker = _Maker(dice)
    type_ = built_in().for_kind(api_version, kind)
    assert type_ is not None
    base = maker.object(type_, _DEPTH)
    original, modified, live = (_named(maker.varied(base, type_), api_version, kind, name) for _ in range(3))
    if directives:
        maker.put_directives(modified, type_)
    return Triple(None if dice.random() < 0.1 else original, modified, live)


def _named(value: dict[str, Any], api_version: str, kind: str, name: str) -> dict[str, Any]:
    metadata = value.get("metadata")
    kept = {} if not isinstance(metadata, dict) else metadata
    kept = {key: kept[key] for key in ("labels", "annotations", "finalizers", "ownerReferences") if key in kept}
    rest = {key: item for key, item in value.items() if key not in ("apiVersion", "kind", "metadata")}
    place = {} if kind == "CustomResourceDefinition" else {"namespace": "default"}
    return {"apiVersion": api_version, "kind": kind, "metadata": {**kept, "name": name, **place}, **rest}


class _Maker:
    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def _happens(self, chance: float) -> bool:
        return self._dice.random() < chance

    def object(self, type_: Type, depth: int) -> dict[str, Any]:
        names = list(type_.field_names)
        wanted = set(self._dice.sample(names, min(len(names), self._dice.randint(1, 4))))
        if depth == _DEPTH:
            wanted |= {"metadata", "spec"} & set(names)
        made = {}
        for field in type_.fields:
            if field.name in wanted:
                made[field.name] = self.field(type_, field, depth - 1)
        return made

    def field(self, type_: Type, field: Field, depth: int) -> Any:
        if field.list and field.map:
            return {self._dice.choice("abc"): [self.entry(type_, field, depth)]}
        if field.list:
            return [self.entry(type_, field, depth) for _ in range(self._dice.randint(0, 4))]
        if field.map:
            return {self._dice.choice("abcd"): self.entry(type_, field, depth) for _ in range(self._dice.randint(0, 3))}
        return self.entry(type_, field, depth)

    def entry(self, type_: Type, field: Field, depth: int) -> Any:
        """One value of a field, or of its list or map."""
        inner = type_.descend(field.name)
        if inner is None:
            return self.scalar(field.type, field.format)
        if inner.scalar:
            return self.scalar(inner.scalar, inner.format)
        made = self.object(inner, depth) if depth > 0 else {}
        if field.merge_key and not self._happens(0.02):
            key = inner.field(field.merge_key)
            made[field.merge_key] = self.scalar(key.type if key else "string", "")
        return made

    def scalar(self, kind: str, format: str) -> Any:
        match kind:
            case "string":
                if format == "date-time":
                    return "2026-01-01T00:00:00Z"
                return self._dice.choice(("YQ==", "Yg==")) if format == "byte" else self._dice.choice(_TEXTS)
            case "integer":
                return self._dice.choice(_NUMBERS)
            case "boolean":
                return self._happens(0.5)
            case "number":
                return self._dice.choice((0, 0.5, 1e21))
            case "quantity":
                return self._dice.choice(("1", "500m", "1Gi", 2))
            case "int-or-string":
                return self._dice.choice((80, "http", "25%"))
            case "object":
                return {self._dice.choice("ab"): self._dice.choice(_ANYTHING)}
        return deepcopy(self._dice.choice(_ANYTHING))

    def varied(self, value: dict[str, Any], type_: Type) -> dict[str, Any]:
        """A copy with fields gone, changed and added."""
        made: dict[str, Any] = {}
        for name, item in value.items():
            field = type_.field(name)
            if self._happens(0.15) and name not in ("metadata", "spec"):
                continue
            if self._happens(0.02) and name not in ("metadata", "spec"):
                made[name] = None
            elif field is None or self._happens(0.05):
                made[name] = deepcopy(item)
            else:
                made[name] = self._varied_field(item, type_, field)
        if self._happens(0.2):
            added = self._dice.choice(list(type_.field_names) or [""])
            field = type_.field(added)
            if field is not None and added not in value:
                made[added] = self.field(type_, field, 2)
        return made

    def _varied_field(self, item: Any, type_: Type, field: Field) -> Any:
        inner = type_.descend(field.name)
        known = inner is not None and not inner.scalar
        if isinstance(item, list):
            kept = [one for one in item if not self._happens(0.2)]
            kept = [self._varied_entry(one, inner if known else None) for one in kept]
            if self._happens(0.3):
                kept.append(self.entry(type_, field, 2))
            if self._happens(0.3):
                self._dice.shuffle(kept)
            return kept
        if isinstance(item, dict):
            if known and not field.map:
                return self._varied_entry(item, inner)
            kept_map = {key: deepcopy(one) for key, one in item.items() if not self._happens(0.2)}
            if self._happens(0.3):
                kept_map[self._dice.choice("abcde")] = self.entry(type_, field, 2) if field.map else 1
            return kept_map
        return self.entry(type_, field, 2) if self._happens(0.2) else item

    def _varied_entry(self, item: Any, type_: Type | None) -> Any:
        if type_ is None or not isinstance(item, dict):
            return deepcopy(item)
        return self.varied(item, type_)

    def put_directives(self, value: dict[str, Any], type_: Type) -> None:
        """Some of $patch, $retainKeys, $setElementOrder and $deleteFromPrimitiveList, where they may stand, or not."""
        for name in list(value):
            field, item = type_.field(name), value[name]
            if field is None or name == "metadata":
                continue
            inner = type_.descend(name)
            if isinstance(item, dict) and inner is not None and not inner.scalar and not field.map:
                self._direct_map(item)
                self.put_directives(item, inner)
            if isinstance(item, list):
                self._direct_list(value, name, item, field)
                for entry in item:
                    if isinstance(entry, dict) and inner is not None and not inner.scalar:
                        self.put_directives(entry, inner)

    def _direct_map(self, item: dict[str, Any]) -> None:
        if self._happens(0.05):
            item["$patch"] = self._dice.choice(("replace", "delete", "merge", "nonsense"))
        if self._happens(0.1):
            item["$retainKeys"] = [key for key in item if not key.startswith("$")][: self._dice.randint(0, 3)]

    def _direct_list(self, parent: dict[str, Any], name: str, item: list[Any], field: Field) -> None:
        if "merge" not in field.merge_strategies:
            return
        if self._happens(0.2):
            key = field.merge_key
            order = [{key: one.get(key)} for one in item if isinstance(one, dict)] if key else list(item)
            self._dice.shuffle(order)
            parent[f"$setElementOrder/{name}"] = order
        if self._happens(0.2) and not field.merge_key:
            parent[f"$deleteFromPrimitiveList/{name}"] = list(item[:1]) or ["a"]
        if self._happens(0.2) and field.merge_key:
            item.append(
                {field.merge_key: self._dice.choice(_TEXTS), "$patch": self._dice.choice(("delete", "replace"))}
            )
