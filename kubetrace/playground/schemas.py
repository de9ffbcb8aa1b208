"""Custom resources: pruning, defaulting and validation by their structural schemas (apiextensions-apiserver)."""

from __future__ import annotations

import copy
import re
from typing import Any

from kubetrace.playground import status
from kubetrace.playground.catalog import Resource
from kubetrace.playground.objects import now

Schema = dict[str, Any]
Cause = tuple[str, str, str]


def _schema(version: dict[str, Any]) -> Schema:
    found: Schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    return found


def prune(version: dict[str, Any], item: dict[str, Any], unknown: list[str]) -> dict[str, Any]:
    """The object without fields that its schema does not know; their paths are added to `unknown`."""
    kept = {name: item[name] for name in ("apiVersion", "kind", "metadata") if name in item}
    rest = {name: value for name, value in item.items() if name not in kept}
    pruned: dict[str, Any] = kept | _prune(_schema(version), rest, "", unknown)
    return pruned


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
    return result


def default_and_check(resource: Resource, item: dict[str, Any]) -> None:
    """Fills in the schema's defaults, then raises 422 with every violation."""
    schema = _schema(resource.custom or {})
    _default(schema, item)
    causes: list[Cause] = []
    _check(
        schema, {k: v for k, v in item.items() if k not in ("apiVersion", "kind", "metadata")}, "", causes, root=True
    )
    if causes:
        raise status.invalid(resource.kind, resource.group, item["metadata"].get("name", ""), causes)


def _default(schema: Schema, value: Any) -> None:
    if isinstance(value, dict):
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


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
}


def _json_type(value: Any) -> str:
    if value is None:
        return "null"
    return next((name for name, types in _TYPES.items() if type(value) in types), "object")


def _fits(value: Any, expected: str) -> bool:
    if expected in ("integer", "number") and isinstance(value, bool):
        return False
    if expected == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(expected, (object,)))


def _check(schema: Schema, value: Any, path: str, causes: list[Cause], root: bool = False) -> None:
    if value is None and schema.get("nullable"):
        return
    expected = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        if not isinstance(value, int | str) or isinstance(value, bool):
            causes.append(
                _invalid(
                    path, _json_type(value), f'{path} in body must be of type integer,string: "{_json_type(value)}"'
                )
            )
        return
    if expected and not root and not _fits(value, expected):
        found = _json_type(value)
        causes.append(
            (
                path,
                "FieldValueTypeInvalid",
                f'Invalid value: "{found}": {path} in body must be of type {expected}: "{found}"',
            )
        )
        return
    if "enum" in schema and value not in schema["enum"]:
        allowed = ", ".join(f'"{entry}"' for entry in schema["enum"])
        causes.append((path, "FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {allowed}'))
    if isinstance(value, dict):
        _check_object(schema, value, path, causes)
    elif isinstance(value, list):
        _check_bounds(schema, len(value), path, causes, "minItems", "maxItems", "items")
        for index, entry in enumerate(value):
            _check(schema.get("items") or {}, entry, f"{path}[{index}]", causes)
    elif isinstance(value, str):
        _check_bounds(schema, len(value), path, causes, "minLength", "maxLength", "chars long")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            told = f"{path} in body should match '{schema['pattern']}'"
            causes.append(_invalid(path, f'"{value}"', told, quoted=False))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _check_number(schema, value, path, causes)


def _invalid(path: str, value: Any, told: str, quoted: bool = True) -> Cause:
    shown = f'"{value}"' if quoted else value
    return (path, "FieldValueInvalid", f"Invalid value: {shown}: {told}")


def _check_object(schema: Schema, value: dict[str, Any], path: str, causes: list[Cause]) -> None:
    properties = schema.get("properties") or {}
    for name in schema.get("required") or ():
        if name not in value and name not in ("apiVersion", "kind", "metadata"):
            where = f"{path}.{name}" if path else name
            causes.append((where, "FieldValueRequired", "Required value"))
    extra = schema.get("additionalProperties")
    for name, entry in value.items():
        part = properties.get(name) or (extra if isinstance(extra, dict) else None)
        if part:
            _check(part, entry, f"{path}.{name}" if path else name, causes)


def _check_bounds(schema: Schema, size: int, path: str, causes: list[Cause], low: str, high: str, what: str) -> None:
    if size < schema.get(low, 0):
        causes.append(_invalid(path, size, f"{path} in body should be at least {schema[low]} {what}", quoted=False))
    if high in schema and size > schema[high]:
        causes.append((path, "FieldValueTooLong", f"Too long: may not be more than {schema[high]} {what}"))


def _check_number(schema: Schema, value: float, path: str, causes: list[Cause]) -> None:
    if "minimum" in schema and value < schema["minimum"]:
        told = f"{path} in body should be greater than or equal to {schema['minimum']}"
        causes.append(_invalid(path, value, told, quoted=False))
    if "maximum" in schema and value > schema["maximum"]:
        causes.append(
            _invalid(path, value, f"{path} in body should be less than or equal to {schema['maximum']}", quoted=False)
        )


def complete_definition(item: dict[str, Any]) -> None:
    """Defaults and conditions of a CustomResourceDefinition: its names are accepted and it is established at once."""
    spec = item.setdefault("spec", {})
    names = spec.setdefault("names", {})
    if names.get("kind"):
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", f"{names['kind']}List")
    spec.setdefault("conversion", {"strategy": "None"})
    found = item.get("status") or {}
    if found.get("conditions"):
        return
    accepted = {"type": "NamesAccepted", "status": "True", "lastTransitionTime": now(), "reason": "NoConflicts"}
    ready = {"type": "Established", "status": "True", "lastTransitionTime": now(), "reason": "InitialNamesAccepted"}
    item["status"] = {
        "conditions": [
            accepted | {"message": "no conflicts found"},
            ready | {"message": "the initial names have been accepted"},
        ],
        "acceptedNames": dict(names),
        "storedVersions": [version["name"] for version in spec.get("versions") or () if version.get("storage")],
    }
