"""Does an applied object fit its kind's schema? (sigs.k8s.io/structured-merge-diff typed/validate.go, helpers.go)

Unlike the decoding of other writes this looks at every value, and says what is wrong of each by its path.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from kubetrace.playground.fieldsets import item_key, path_text
from kubetrace.playground.patches import go_value
from kubetrace.wire.schema import Field, Type

_SCALARS = {"string": str, "boolean": bool}
_GO_TYPES = {str: "string", bool: "bool", dict: "map[string]interface {}", list: "[]interface {}"}
_FREE = ("object", "any")


def problems(item: dict[str, Any], type: Type) -> list[str]:
    """What is wrong with an object of a built-in kind, each with its path."""
    return [f"{path}: {why}" if path else why for path, why in _struct(item, type)]


def _struct(value: dict[str, Any], type: Type, path: str = "") -> Iterator[tuple[str, str]]:
    for name, entry in value.items():
        field, where = type.field(name), f"{path}.{name}"
        if field is None:
            yield where, "field not declared in schema"
        elif entry is not None:
            yield from _field(entry, field, type.descend(name), where)


def _field(value: Any, field: Field, inner: Type | None, path: str) -> Iterator[tuple[str, str]]:
    if field.map and field.list:
        yield from _map(value, path)
    elif field.map:
        yield from _map(value, path)
        for name, entry in value.items() if isinstance(value, dict) else ():
            yield from _entry(entry, field, inner, f"{path}.{name}")
    elif field.list:
        if isinstance(value, list):
            yield from _list(value, field, inner, path)
        else:
            yield path, f"expected list, got &{{{go_value(value)}}}"
    else:
        yield from _entry(value, field, inner, path)


def _map(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        yield path, f"expected map, got &{{{go_value(value)}}}"


def _list(value: list[Any], field: Field, inner: Type | None, path: str) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for index, entry in enumerate(value):
        place = f"[{index}]"
        if field.list_type in ("map", "set"):
            why = _no_key(entry) if field.list_type == "map" else _no_member(entry)
            if why:
                yield path, f"element {index}: {why}"
                return
            keyed = item_key(entry, field.list_map_keys) if field.list_type == "map" else f"v:{_shown(entry)}"
            place = path_text((keyed,))
            if place in seen:
                yield path, f"duplicate entries for key {place}"
            seen.add(place)
        yield from _entry(entry, field, inner, f"{path}{place}")


def _shown(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _no_key(entry: Any) -> str:
    if entry is None:
        return "associative list with keys may not have a null element"
    return "" if isinstance(entry, dict) else "associative list with keys may not have non-map elements"


def _no_member(entry: Any) -> str:
    if entry is None:
        return "associative list without keys has an element that's an explicit null"
    if isinstance(entry, dict):
        return "associative list without keys has an element that's a map type"
    return "not supported: associative list with lists as elements" if isinstance(entry, list) else ""


def _entry(value: Any, field: Field, inner: Type | None, path: str) -> Iterator[tuple[str, str]]:
    if value is None or field.type.endswith((".runtime.RawExtension", ".FieldsV1")):
        return
    if inner is not None and not inner.scalar:
        if isinstance(value, dict):
            yield from _struct(value, inner, path)
        else:
            yield from _map(value, path)
        return
    expected = inner.scalar if inner is not None else field.type
    if expected in _FREE:
        return
    why = _misfit(value, expected, inner)
    if why:
        yield path, why


def _misfit(value: Any, expected: str, inner: Type | None) -> str:
    if expected in ("integer", "number"):
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if numeric else f"expected numeric (int or float), got {_GO_TYPES[type(value)]}"
    if expected == "string" and not (inner is not None and inner.format):
        return "" if isinstance(value, str) else f"expected string, got &value.valueUnstructured{{Value:{_go(value)}}}"
    if expected == "boolean":
        return "" if isinstance(value, bool) else f"expected boolean, got &{{{go_value(value)}}}"
    return f"expected any scalar, got &{{{go_value(value)}}}" if isinstance(value, dict | list) else ""


def _go(value: Any) -> str:
    """A value as Go's %#v prints it."""
    if isinstance(value, dict):
        return "map[string]interface {}{" + ", ".join(f"{_shown(k)}:{_go(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(_go, value)) + "}"
    return "interface {}(nil)" if value is None else _shown(value)
