"""What the schema says of an applied object before anything else looks at it (structured-merge-diff typed/validate.go).

Every problem is told, not just the first, with the paths of field managers: .spec.containers[name="web"].image.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from kubetrace.playground.fieldsets import path_text
from kubetrace.playground.patches import go_value
from kubetrace.wire.schema import Field, Type, built_in

Schema = dict[str, Any]
_UNTYPED = "any scalar"
_SCALARS = {"string": "string", "integer": "numeric (int or float)", "number": "numeric (int or float)",
            "boolean": "boolean"}  # fmt: skip
_FREE = ("int-or-string", "object", "any")
"""Scalars of the table that the OpenAPI document gives no type, or none that says anything."""
_NAMED_BY_DEFAULT = "io.k8s.api.core.v1.LocalObjectReference"


@dataclass(frozen=True, slots=True)
class Node:
    """What a value may be. `field` gives the node of a map's entry, None for a field that is not declared."""

    kind: Literal["any", "scalar", "map", "list"] = "any"
    scalar: str = ""
    field: Callable[[str], Node | None] = lambda name: Node()
    entry: Callable[[], Node] = lambda: Node()
    list_type: str = ""
    keys: tuple[str, ...] = ()
    defaults: Callable[[str], Any] = lambda key: None
    """What stands for a key that an entry of a list lacks."""


def problems(body: dict[str, Any], type: Type | None, schema: Schema | None) -> list[str]:
    """What is wrong with an object of a built-in type, or of a custom resource with that schema."""
    root = _struct(type) if type is not None else _custom(schema or {}, root=True)
    return [f"{path}: {told}" for path, told in _walk(body, root, "")]


def _walk(value: Any, node: Node, path: str) -> Iterator[tuple[str, str]]:
    if value is None or node.kind == "any":
        return
    if node.kind == "scalar":
        if told := _scalar_problem(value, node.scalar):
            yield path, told
    elif node.kind == "list":
        if isinstance(value, list):
            yield from _list(value, node, path)
        else:
            yield path, f"expected list, got &{{{go_value(value)}}}"
    elif not isinstance(value, dict):
        yield path, f"expected map, got &{{{go_value(value)}}}"
    else:
        for name, inner in value.items():
            found = node.field(name)
            if found is None:
                yield f"{path}.{name}", "field not declared in schema"
                return  # which ends the walk over this map
            yield from _walk(inner, found, f"{path}.{name}")


def _scalar_problem(value: Any, wanted: str) -> str:
    if wanted == "string":
        return (
            ""
            if isinstance(value, str)
            else f"expected string, got &value.valueUnstructured{{Value:{_literal(value)}}}"
        )
    if wanted.startswith("numeric"):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if is_number else f"expected {wanted}, got {_type_name(value)}"
    fits = isinstance(value, bool) if wanted == "boolean" else not isinstance(value, dict | list)
    return "" if fits else f"expected {wanted}, got &{{{go_value(value)}}}"


def _list(value: list[Any], node: Node, path: str) -> Iterator[tuple[str, str]]:
    seen: list[str] = []
    entry = node.entry()
    for index, inner in enumerate(value):
        place = f"[{index}]"
        if node.list_type in ("map", "set"):
            if told := _keyless(inner, node):
                yield path, f"element {index}: {told}"
                return
            place = _key(inner, node)
            if place in seen:
                yield path, f"duplicate entries for key {place}"
            seen.append(place)
        yield from _walk(inner, entry, path + place)


def _keyless(entry: Any, node: Node) -> str:
    """Why an entry has no key."""
    if node.list_type == "set":
        if isinstance(entry, dict):
            return "associative list without keys has an element that's a map type"
        if isinstance(entry, list):
            return "not supported: associative list with lists as elements"
        return "associative list without keys has an element that's an explicit null" if entry is None else ""
    start = "associative list with keys"
    if not isinstance(entry, dict):
        return f"{start} may not have {'a null element' if entry is None else 'non-map elements'}"
    if node.keys and not _pairs(entry, node):
        shown = "[" + " ".join(json.dumps(key) for key in node.keys) + "]"
        why = "(and doesn't have default values for any key fields)"
        return f"{start} has an element that omits all key fields {shown} {why}"
    return ""


def _pairs(entry: dict[str, Any], node: Node) -> dict[str, Any]:
    found = {key: entry[key] if key in entry else node.defaults(key) for key in sorted(node.keys)}
    return {key: value for key, value in found.items() if key in entry or value is not None}


def _key(entry: Any, node: Node) -> str:
    if node.list_type == "set":
        return path_text(("v:" + json.dumps(entry, ensure_ascii=False),))
    return "[" + ",".join(f"{key}={_shown(value)}" for key, value in _pairs(entry, node).items()) + "]"


def _shown(value: Any) -> str:
    """A key's value (value.ToString)."""
    if isinstance(value, dict):
        return "".join(f"{name}={_shown(inner)}" for name, inner in sorted(value.items()))
    if isinstance(value, list):
        return "[" + ",".join(map(_shown, value)) + "]"
    return go_value(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def _type_name(value: Any) -> str:
    """As Go's %T names it."""
    names = {bool: "bool", str: "string", list: "[]interface {}", dict: "map[string]interface {}"}
    return names[type(value)]


def _literal(value: Any) -> str:
    """A decoded JSON value as Go's %#v writes it."""
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(k, ensure_ascii=False)}:{_literal(value[k])}" for k in sorted(value))
        return f"map[string]interface {{}}{{{inner}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(_literal, value))}}}"
    if value is None:
        return "interface {}(nil)"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else go_value(value)


@cache
def _struct(type: Type) -> Node:
    return Node("map", field=lambda name: _field(type, name))


def _field(type: Type, name: str) -> Node | None:
    field = type.field(name)
    if field is None:
        return None
    inner = type.descend(name)
    entry = _entry(field, inner)
    if field.list:
        listed = Node(
            "list",
            entry=lambda: entry,
            list_type=field.list_type,
            keys=field.list_map_keys,
            defaults=lambda key: _default(inner, key),
        )
        return Node("map", field=lambda _: listed) if field.map else listed
    return Node("map", field=lambda _: entry) if field.map else entry


def _entry(field: Field, inner: Type | None) -> Node:
    if inner is None:
        return Node(
            "scalar", _SCALARS[field.type] if field.format in ("", "byte", "int32", "int64", "double") else _UNTYPED
        )
    if not inner.scalar:
        return _struct(inner)
    return Node() if inner.scalar in _FREE else Node("scalar", _UNTYPED)


def _default(type: Type | None, key: str) -> Any:
    """The OpenAPI document gives a default to what must be there, and to few other keys."""
    field = type.field(key) if type is not None else None
    if type is None or field is None:
        return None
    if key == "protocol":
        return "TCP"
    if not field.required and type.name != _NAMED_BY_DEFAULT:
        return None
    return "" if field.type == "string" else 0


def _custom(schema: Schema, root: bool = False) -> Node:
    if schema.get("x-kubernetes-int-or-string"):
        return Node()
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items") or {}
        return Node(
            "list",
            entry=lambda: _custom(items),
            list_type=schema.get("x-kubernetes-list-type", "atomic"),
            keys=tuple(schema.get("x-kubernetes-list-map-keys") or ()),
            defaults=lambda key: ((items.get("properties") or {}).get(key) or {}).get("default"),
        )
    if kind in _SCALARS:
        plain = kind != "string" or schema.get("format", "") in ("", "byte")
        return Node("scalar", _SCALARS[kind] if plain else _UNTYPED)
    if kind == "object":
        return Node("map", field=lambda name: _custom_field(schema, name, root or _is_embedded(schema)))
    return Node()


def _is_embedded(schema: Schema) -> bool:
    return bool(schema.get("x-kubernetes-embedded-resource"))


def _custom_field(schema: Schema, name: str, is_object: bool) -> Node | None:
    if is_object and name in ("apiVersion", "kind"):
        return Node("scalar", "string")
    if is_object and name == "metadata":
        type = built_in().type("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
        return _struct(type) if type is not None else Node()
    properties = schema.get("properties") or {}
    if name in properties:
        return _custom(properties[name])
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        return _custom(extra)
    free = extra or schema.get("x-kubernetes-preserve-unknown-fields") or not properties
    return Node() if free else None
