"""Custom resources against their schemas, in the words of the real server (apiextensions apiserver/validation)."""

from __future__ import annotations

import re
from typing import Any

from kubetrace.playground import formats, status
from kubetrace.playground.catalog import Resource
from kubetrace.playground.ratcheting import Earlier
from kubetrace.playground.schemas import Schema, at_path, schema_of
from kubetrace.playground.validation.causes import (
    LABEL_1035,
    LABEL_1035_WORDS,
    Cause,
    bad,
    duplicate,
    required,
    too_long,
    too_many,
)
from kubetrace.wire.go_quote import quote


def check(resource: Resource, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    """Raises 422 with every violation of the schema that an update does not find in `old` already."""
    causes: list[Cause] = []
    schema = schema_of(resource.custom or {})
    named = ((schema.get("properties") or {}).get("metadata") or {}).get("properties") or {}
    for name in ("name", "generateName"):
        if name in named and name in item["metadata"] and old is None:
            _check(named[name], item["metadata"][name], f"metadata.{name}", causes)
    rest = _without_identity(item)
    if old is None:
        _check(schema, rest, "", causes, root=True)
    else:
        before = _without_identity(old)
        _check(schema, rest, "", causes, Earlier(schema, before, rest), root=True)
        causes = _without_old_repeats(causes, schema, before)
    causes += _scale_causes(resource, item, "specReplicasPath")
    _refuse(resource, item, sorted(causes, key=lambda cause: cause[1] == _REPEATED))


def check_status(resource: Resource, item: dict[str, Any], old: dict[str, Any]) -> None:
    """Raises 422 with every violation of the status' own schema, whose sentences begin in it."""
    whole = schema_of(resource.custom or {})
    schema = (whole.get("properties") or {}).get("status") or {}
    found: list[Cause] = []
    if "status" in item:
        _check(schema, item["status"], "", found, Earlier(whole, old, item).at_key("status"))
        found = _without_old_repeats(found, whole, _without_identity(old))
    causes = [
        ("status" if path in ("", "<nil>") else f"status{'' if path.startswith('[') else '.'}{path}", reason, told)
        for path, reason, told in found
    ]
    _refuse(resource, item, causes + _scale_causes(resource, item, "statusReplicasPath"))


_REPEATED = "FieldValueDuplicate"


def _without_identity(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in ("apiVersion", "kind", "metadata")}


def _without_old_repeats(causes: list[Cause], schema: Schema, old: dict[str, Any]) -> list[Cause]:
    """What is told of entries that stand twice counts only where no list of the old object had any such."""

    def repeats(found: list[Cause]) -> bool:
        return any(reason == _REPEATED for _, reason, _ in found)

    if not repeats(causes) or not repeats(problems(schema, old)):
        return causes
    return [cause for cause in causes if cause[1] != _REPEATED]


def _refuse(resource: Resource, item: dict[str, Any], causes: list[Cause]) -> None:
    if causes:
        raise status.invalid(resource.kind, resource.group, item["metadata"].get("name", ""), causes)


def problems(schema: Schema, value: Any) -> list[Cause]:
    """What is wrong with a value by itself; the paths begin in it."""
    causes: list[Cause] = []
    _check(schema, value, "", causes)
    return causes


def _scale_causes(resource: Resource, item: dict[str, Any], which: str) -> list[Cause]:
    """The replicas of a scale subresource, at its path `which`, are a count (customresource/validator.go)."""
    scale = ((resource.custom or {}).get("subresources") or {}).get("scale")
    if not scale:
        return []
    path = scale.get(which, "")
    parts = path.lstrip(".").split(".")
    for length in range(1, len(parts)):
        parent = at_path(item, "." + ".".join(parts[:length]))
        if parent is not None and not isinstance(parent, dict):
            return [bad(path, 0, f"{path} accessor error: {_typed(parent)}, expected map[string]interface{{}}")]
    value = at_path(item, path)
    if isinstance(value, str | bool | list | dict):
        return [bad(path, 0, f"{path} accessor error: {_typed(value)}, expected int64")]
    if isinstance(value, int) and value < 0:
        return [bad(path, value, "should be a non-negative integer")]
    if isinstance(value, int) and value >= 2**31:
        return [bad(path, value, f"should be less than or equal to {2**31 - 1}")]
    return []


def _typed(value: Any) -> str:
    """A value with its Go type, as an accessor tells of it."""
    kinds = {str: "string", bool: "bool", list: "[]interface {}", int: "int64", float: "float64"}
    shown = f"map[{' '.join(value)}]" if isinstance(value, dict) else value
    return f"{shown} is of the type {kinds.get(type(value), 'map[string]interface {}')}"


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


def _check(
    schema: Schema,
    value: Any,
    path: str,
    causes: list[Cause],
    before: Earlier | None = None,
    root: bool = False,
) -> None:
    """`before`: what an update found there."""
    if value is None and schema.get("nullable"):
        return
    if before is not None and not root and before.is_same():
        return
    expected = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        if not isinstance(value, int | str) or isinstance(value, bool):
            causes.append(_mistyped(path, value, "integer,string", "FieldValueInvalid"))
    elif expected and not root and not _fits(value, expected):
        causes.append(_mistyped(path, value, expected))
    if value is not None:
        causes += _combined(schema, value, path, before)
        _check_kind(schema, value, path, causes, before)
    if "enum" in schema and value not in schema["enum"]:
        allowed = ", ".join(f'"{entry}"' for entry in schema["enum"])
        causes.append((path, "FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {allowed}'))
    if isinstance(value, dict):
        if schema.get("x-kubernetes-embedded-resource"):
            causes += _embedded(value, path)
        _check_object(schema, value, path, causes, before)


def _check_kind(schema: Schema, value: Any, path: str, causes: list[Cause], before: Earlier | None) -> None:
    """What a schema says of lists, texts and numbers, whatever type it wants."""
    if isinstance(value, list):
        _check_size(schema, value, path, causes)
        _check_list(schema, value, path, causes)
        for index, entry in enumerate(value):
            _check(schema.get("items") or {}, entry, f"{path}[{index}]", causes, before and before.at_index(index))
    elif isinstance(value, str):
        _check_text(schema, value, path, causes)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _check_number(schema, value, path, causes)


def _embedded(value: dict[str, Any], path: str) -> list[Cause]:
    """An object in an object says what it is (apiextensions schema/objectmeta)."""
    causes: list[Cause] = []
    for name in ("apiVersion", "kind"):
        at, found = f"{path}.{name}", value.get(name)
        if name not in value:
            causes.append(required(at))
        elif not isinstance(found, str):
            causes.append(bad(at, found, "must be a string"))
        elif not found:
            causes.append(bad(at, found, "must not be empty"))
        elif name == "kind" and not LABEL_1035.fullmatch(found.lower()):
            causes.append(bad(at, found, f"may have mixed case, but should otherwise match: {LABEL_1035_WORDS}"))
    return causes


def _mistyped(path: str, value: Any, expected: str, reason: str = "FieldValueTypeInvalid") -> Cause:
    found = _json_type(value)
    told = f'Invalid value: "{found}": {path} in body must be of type {expected}: "{found}"'
    return (path, reason, told)


def _combined(schema: Schema, value: Any, path: str, before: Earlier | None) -> list[Cause]:
    """allOf, anyOf, oneOf and not: whether a value fits, and for allOf why it does not."""

    def wrong(part: Schema) -> list[Cause]:
        found: list[Cause] = []
        _check(part, value, path, found, before)
        return found

    causes: list[Cause] = []
    told = [wrong(part) for part in schema.get("anyOf") or ()]
    if told and all(told):
        causes += [_unfit(path, "must validate at least one schema (anyOf)"), *told[_nearest(schema["anyOf"], value)]]
    told = [wrong(part) for part in schema.get("oneOf") or ()]
    fitting = sum(not each for each in told)
    if told and not fitting:
        why = "must validate one and only one schema (oneOf). Found none valid"
        causes += [_unfit(path, why), *told[_nearest(schema["oneOf"], value)]]
    elif fitting > 1:
        why = f"must validate one and only one schema (oneOf). Found {fitting} valid alternatives"
        causes.append(_unfit(path, why))
    told = [wrong(part) for part in schema.get("allOf") or ()]
    causes += [cause for each in told for cause in each]
    if any(told):
        causes.append(
            _unfit(path, f"must validate all the schemas (allOf){'' if not all(told) else '. None validated'}")
        )
    if schema.get("not") and not wrong(schema["not"]):
        causes.append(_unfit(path, "must not validate the schema (not)"))
    return causes


def _nearest(parts: list[Schema], value: Any) -> int:
    """Which of the schemas looks at most of a value: its causes are told (bestFailures in schema_props.go)."""

    def looked_at(schema: Schema, value: Any) -> int:
        if isinstance(value, list):
            return 1 + sum(looked_at(schema.get("items") or {}, entry) for entry in value)
        if not isinstance(value, dict):
            return 1
        properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        inner = ((properties.get(name, extra), entry) for name, entry in value.items())
        return 1 + sum(looked_at(part, entry) for part, entry in inner if isinstance(part, dict))

    return max(range(len(parts)), key=lambda index: looked_at(parts[index], value))


def _unfit(path: str, why: str) -> Cause:
    """Of combined schemas nothing but the place is told (kube-openapi validate/schema_props.go)."""
    return ("<nil>", "FieldValueInvalid", f'Invalid value: "": {quote(path)} {why}')


def _check_object(
    schema: Schema, value: dict[str, Any], path: str, causes: list[Cause], before: Earlier | None
) -> None:
    properties = schema.get("properties") or {}
    _check_size(schema, value, path, causes)
    extra = schema.get("additionalProperties")
    for name, entry in value.items():
        part = properties.get(name) or (extra if isinstance(extra, dict) else None)
        if part:
            _check(part, entry, f"{path}.{name}" if path else name, causes, before and before.at_key(name))
    for name in schema.get("required") or ():
        if name not in value and name not in ("apiVersion", "kind", "metadata"):
            where = f"{path}.{name}" if path else name
            causes.append((where, "FieldValueRequired", "Required value"))


def _check_size(schema: Schema, value: list[Any] | dict[str, Any], path: str, causes: list[Cause]) -> None:
    low, high, what = ("minItems", "maxItems", "items")
    if isinstance(value, dict):
        low, high, what = ("minProperties", "maxProperties", "properties")
    size = len(value)
    if high in schema and size > schema[high]:
        causes.append(too_many(path, size, schema[high]))
    if size < schema.get(low, 0):
        causes.append(bad(path, size, f"{path} in body should have at least {schema[low]} {what}"))


def _check_text(schema: Schema, value: str, path: str, causes: list[Cause]) -> None:
    """The first thing that is wrong with a text is told, and no more (kube-openapi validate/validator.go)."""
    size = len(value)
    if "maxLength" in schema and size > schema["maxLength"]:
        causes.append(too_long(path, schema["maxLength"]))
    elif size < schema.get("minLength", 0):
        causes.append(bad(path, value, f"{path} in body should be at least {schema['minLength']} chars long"))
    elif "pattern" in schema and not _matches(schema["pattern"], value):
        causes.append(bad(path, value, f"{path} in body should match '{schema['pattern']}'"))
    kind = schema.get("format")
    if kind and not formats.fits(kind, value):
        told = f"Invalid value: {quote(value)}: {path} in body must be of type {kind}: {quote(value)}"
        causes.append((path, "FieldValueTypeInvalid", told))


def _matches(pattern: str, value: str) -> bool:
    """RE2's syntax is close to Python's; a pattern that Python can't read holds for everything."""
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return True


_RANGES = {"int32": 2**31, "int64": 2**63, "": 2**63}


def _check_number(schema: Schema, value: float, path: str, causes: list[Cause]) -> None:
    kind, form = schema.get("type"), schema.get("format") or ""
    end = _RANGES.get(form)
    if kind == "integer" and end is not None and not (-end <= value < end and float(value).is_integer()):
        which = f"with format {form}" if form else "(default format)"
        told = f"Checked value must be of type integer {which} in {path}"
        causes.append(("<nil>", "FieldValueInvalid", f'Invalid value: "": {told}'))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and (value < low or (value == low and schema.get("exclusiveMinimum"))):
        words = "greater than" if schema.get("exclusiveMinimum") else "greater than or equal to"
        causes.append(bad(path, value, f"{path} in body should be {words} {low}"))
    if high is not None and (value > high or (value == high and schema.get("exclusiveMaximum"))):
        words = "less than" if schema.get("exclusiveMaximum") else "less than or equal to"
        causes.append(bad(path, value, f"{path} in body should be {words} {high}"))
    step = schema.get("multipleOf")
    if step and value % step:
        causes.append(bad(path, value, f"{path} in body should be a multiple of {step}"))


def _check_list(schema: Schema, values: list[Any], path: str, causes: list[Cause]) -> None:
    """Entries of sets and of lists that are maps come once (apiextensions schema/listtype)."""
    kind, seen = schema.get("x-kubernetes-list-type"), []
    for index, entry in enumerate(values):
        if kind == "set":
            key: Any = entry
        elif kind == "map" and isinstance(entry, dict):
            key = {name: entry.get(name) for name in schema.get("x-kubernetes-list-map-keys") or ()}
        else:
            continue
        if key in seen:
            causes.append(duplicate(f"{path}[{index}]", key))
        seen.append(key)
