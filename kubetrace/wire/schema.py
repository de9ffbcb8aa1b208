"""What Kubernetes' built-in kinds look like: fields, types, required fields, and how their lists and maps merge.

The facts are generated (tests/tools/generate_schema_facts.py) from Kubernetes' OpenAPI document of 1.36:

    pod = built_in().for_kind("v1", "Pod")
    containers = pod.descend("spec").field("containers")
    containers.merge_key, containers.merge_strategies        # "name", ("merge",)

The table is read on first use (some 5 ms) and types are made as they are asked for.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from kubetrace.value import Value

_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"


class Field(Value):
    """One field of a type.

    `type` is "string", "integer", "boolean", "number", "object", "any" or the full name of another type; `format` is
    OpenAPI's ("int32", "byte", "date-time" …). `list` and `map` say how many: a map has string keys; where both are
    set the map's values are lists.
    """

    name: str
    type: str
    format: str = ""
    list: bool = False
    map: bool = False
    required: bool = False
    list_type: str = ""
    """x-kubernetes-list-type: "atomic", "set", "map" or ""."""
    list_map_keys: tuple[str, ...] = ()
    """x-kubernetes-list-map-keys, for server-side apply."""
    map_type: str = ""
    """x-kubernetes-map-type: "atomic", "granular" or ""."""
    merge_strategies: tuple[str, ...] = ()
    """x-kubernetes-patch-strategy: "merge", "replace", "retainKeys", for strategic merge patches."""
    merge_key: str = ""
    """x-kubernetes-patch-merge-key: the key by which a strategic merge pairs a list's entries."""


class Type:
    """One object type, its fields in OpenAPI's (alphabetical) order.

    A type without declared fields has a `scalar`: "string" for Time, "int-or-string", "quantity", "object" for
    free-form maps, "any" for any JSON; for the others it is "".
    """

    __slots__ = ("_facts", "_fields", "_schema", "atomic", "name", "required", "scalar")

    def __init__(self, schema: Schema, name: str, facts: Mapping[str, Any]) -> None:
        self._schema = schema
        self._facts: Mapping[str, list[Any]] = facts.get("f", {})
        self._fields: dict[str, Field] = {}
        self.name = name
        self.required: tuple[str, ...] = tuple(facts.get("r", ()))
        self.atomic = bool(facts.get("a"))
        self.scalar = _scalar_name(name, facts)

    def __repr__(self) -> str:
        return f"Type({self.name})"

    @property
    def format(self) -> str:
        """OpenAPI's format of a scalar type ("date-time" for Time)."""
        return "date-time" if self.name.endswith(("meta.v1.Time", "meta.v1.MicroTime")) else ""

    @property
    def field_names(self) -> tuple[str, ...]:
        return tuple(self._facts)

    @property
    def fields(self) -> Iterator[Field]:
        return (field for name in self._facts if (field := self.field(name)) is not None)

    def field(self, name: str) -> Field | None:
        """The field of that JSON name, or None where the type has no such field."""
        found = self._fields.get(name)
        if found is None and name in self._facts:
            found = self._fields[name] = self._schema.field_of(name, self._facts[name], name in self.required)
        return found

    def descend(self, name: str) -> Type | None:
        """The type of the field's values (of the entries, for a list or map); None for plain strings, numbers …"""
        field = self.field(name)
        return self._schema.type(field.type) if field is not None else None


class Schema:
    """A table of types, and which kind has which."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.version: str = table["version"]
        self._names: list[str] = table["names"]
        self._numbers = {name: number for number, name in enumerate(self._names)}
        self._facts: list[dict[str, Any]] = table["types"]
        self._kinds: dict[str, int] = table["kinds"]
        self._types: dict[int, Type] = {}

    def for_kind(self, api_version: str, kind: str) -> Type | None:
        """The type of a kind ("apps/v1", "Deployment"); None for kinds that are not built in."""
        number = self._kinds.get(f"{api_version}/{kind}")
        return None if number is None else self._type(number)

    def type(self, name: str) -> Type | None:
        """The type of that full name ("io.k8s.api.core.v1.PodSpec")."""
        number = self._numbers.get(name)
        return None if number is None else self._type(number)

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Every (apiVersion, kind) of the table, lists and options included."""
        return [(version, kind) for version, _, kind in (key.rpartition("/") for key in self._kinds)]

    def _type(self, number: int) -> Type:
        found = self._types.get(number)
        if found is None:
            found = self._types[number] = Type(self, self._names[number], self._facts[number])
        return found

    def field_of(self, name: str, facts: list[Any], required: bool) -> Field:
        """A field from its row of the table."""
        kind, container, merging, keys, strategies, merge_key = (facts + ["", "", [], "", ""][len(facts) - 1 :])[:6]
        base, _, format = (self._names[kind], "", "") if isinstance(kind, int) else kind.partition(":")
        is_list = container.endswith("l")
        return Field(
            name=name,
            type=base,
            format=format,
            list=is_list,
            map=container.startswith("m"),
            required=required,
            list_type=merging if is_list else "",
            list_map_keys=tuple(keys),
            map_type="" if is_list else merging,
            merge_strategies=tuple(strategies.split(",")) if strategies else (),
            merge_key=merge_key,
        )


def _scalar_name(name: str, facts: Mapping[str, Any]) -> str:
    if name == _QUANTITY:
        return "quantity"
    if name == _INT_OR_STRING:
        return "int-or-string"
    return str(facts.get("s", "")).partition(":")[0]


@cache
def built_in() -> Schema:
    """The built-in kinds of Kubernetes 1.36."""
    packed = (resources.files("kubetrace.wire") / "data" / "schema-1.36.json.gz").read_bytes()
    return Schema(msgspec.json.decode(gzip.decompress(packed)))
