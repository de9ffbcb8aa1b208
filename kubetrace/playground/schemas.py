"""Custom resources: pruning and defaulting by their structural schemas (apiextensions-apiserver)."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from kubetrace.wire.go_struct import structs

Schema = dict[str, Any]


def schema_of(version: dict[str, Any]) -> Schema:
    found: Schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    return found


def prune(version: dict[str, Any], item: dict[str, Any], unknown: list[str]) -> dict[str, Any]:
    """The object without fields that its schema does not know; their paths are added to `unknown`."""
    kept = {name: item[name] for name in ("apiVersion", "kind", "metadata") if name in item}
    rest = {name: value for name, value in item.items() if name not in kept}
    found: dict[str, Any] = kept | pruned(schema_of(version), rest, unknown)
    return found


def pruned(schema: Schema, value: Any, unknown: list[str]) -> Any:
    """A value without what its schema does not know."""
    return _prune(schema, value, "", unknown)


def _prune(schema: Schema, value: Any, path: str, unknown: list[str]) -> Any:
    if isinstance(value, list):
        items = schema.get("items") or {}
        return [_prune(items, entry, f"{path}[{i}]", unknown) for i, entry in enumerate(value)]
    if not isinstance(value, dict):
        return value
    properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
    result = {}
    for name, entry in value.items():
        where = f"{path}.{name}" if path else name
        if name in properties:
            result[name] = _prune(properties[name], entry, where, unknown)
        elif isinstance(extra, dict):
            result[name] = _prune(extra, entry, where, unknown)
        elif (
            extra
            or schema.get("x-kubernetes-preserve-unknown-fields")
            or (schema.get("x-kubernetes-embedded-resource") and name in ("apiVersion", "kind", "metadata"))
        ):
            result[name] = entry
        else:
            unknown.append(where)
    if schema.get("x-kubernetes-embedded-resource") and isinstance(result.get("metadata"), dict):
        unknown += [f"{path}.metadata.{name}" for name in result["metadata"] if name not in _metadata_fields()]
        result["metadata"] = {name: entry for name, entry in result["metadata"].items() if name in _metadata_fields()}
    return result


@cache
def _metadata_fields() -> frozenset[str]:
    """The fields of ObjectMeta, which every kind has."""
    types, kinds = structs()
    number = next(kind for name, kind, _ in types[kinds["v1/ConfigMap"]] if name == "metadata")
    assert isinstance(number, int)
    return frozenset(name for name, *_ in types[number])


def default(version: dict[str, Any], item: dict[str, Any]) -> None:
    """Fills in the schema's defaults."""
    _default(schema_of(version), item)


def at_path(item: Any, path: str) -> Any:
    """The value at a simple JSONPath (".spec.replicas"), None where there is none."""
    value = item
    for name in path.split(".")[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def put_at(item: dict[str, Any], path: str, value: Any) -> None:
    """Sets the value at a simple JSONPath."""
    *parents, last = path.split(".")[1:]
    place = item
    for name in parents:
        place = place.setdefault(name, {})
    place[last] = value


def _forget_nulls(schema: Schema, value: dict[str, Any]) -> None:
    """Takes out nulls that may not be there and that no default replaces (PruneNonNullableNullsWithoutDefaults)."""
    extra = schema.get("additionalProperties")
    for name in [name for name, entry in value.items() if entry is None]:
        part = (schema.get("properties") or {}).get(name, extra)
        if isinstance(part, dict) and not part.get("nullable") and "default" not in part:
            del value[name]


def _default(schema: Schema, value: Any) -> None:
    if isinstance(value, dict):
        _forget_nulls(schema, value)
        for name, part in (schema.get("properties") or {}).items():
            if "default" in part and (name not in value or (value[name] is None and not part.get("nullable"))):
                value[name] = copy.deepcopy(part["default"])
            if name in value:
                _default(part, value[name])
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict):
            for entry in value.values():
                _default(extra, entry)
    elif isinstance(value, list):
        for entry in value:
            _default(schema.get("items") or {}, entry)
