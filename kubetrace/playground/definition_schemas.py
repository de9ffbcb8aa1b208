"""The schema of a CustomResourceDefinition's version: is it structural, do its parts fit each other
(apiextensions-apiserver pkg/apiserver/schema/validation.go and pkg/apis/apiextensions/validation)?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubetrace.playground import schema_checks
from kubetrace.playground.schemas import Schema, pruned
from kubetrace.playground.validation.causes import Cause, bad, forbidden, required, unsupported
from kubetrace.playground.validation.internal import internal
from kubetrace.wire.go_regexp import Regexp, RegexpError

_TYPES = ["array", "boolean", "integer", "number", "object", "string"]
_FREE, _EMBEDDED = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"
_EITHER, _LIST, _KEYS = "x-kubernetes-int-or-string", "x-kubernetes-list-type", "x-kubernetes-list-map-keys"
_MAP, _RULES = "x-kubernetes-map-type", "x-kubernetes-validations"
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_QUANTIFIERS = ("allOf", "anyOf", "oneOf")


def check(schema: Schema, at: str, with_status: bool) -> list[Cause]:
    """`with_status`: whether the version has a status subresource (validateCustomResourceDefinitionValidation)."""
    causes = _root_of_status(schema, at) if with_status else []
    if schema.get("nullable"):
        causes.append(forbidden(f"{at}.nullable", "nullable cannot be true at the root"))
    unfit = any(part.get(_FREE) is False for _, part in walk(schema, at))
    if not unfit:
        found = _structural(schema, at, "root") + _complete(schema, schema, at, at)
        causes += sorted(found, key=lambda cause: f"{cause[0]}: {cause[2]}") or _defaults(schema, at)
    causes += _fitting(schema, at, root=True)
    if unfit and not causes:
        why = f"internal error: '{_FREE}' must be true or undefined"
        causes.append(bad(at, "", why))
    return causes


def walk(schema: Schema, at: str) -> Iterator[tuple[str, Schema]]:
    """Each structural part of a schema with its path."""
    yield at, schema
    for name, part in _parts(schema):
        yield from walk(part, f"{at}.{name}")


def _parts(schema: Schema) -> Iterator[tuple[str, Schema]]:
    for name, part in (schema.get("properties") or {}).items():
        yield f"properties[{name}]", part
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield name, schema[name]


_BESIDE_STATUS = {
    name[0].lower() + name[1:]: name
    for name in (
        *("Description", "Type", "Format", "Title", "Maximum", "ExclusiveMaximum", "Minimum", "ExclusiveMinimum"),
        *("MaxLength", "MinLength", "Pattern", "MaxItems", "MinItems", "UniqueItems", "MultipleOf", "Required"),
        *("Items", "Properties", "ExternalDocs", "Example"),
    )
} | {_FREE: "XPreserveUnknownFields", _RULES: "XValidations"}
"""What a root may say where its status is looked at alone; Go's names."""


def _root_of_status(schema: Schema, at: str) -> list[Cause]:
    if schema.get("type", "object") not in ("object", ""):
        why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        return [bad(f"{at}.type", schema.get("type", ""), why)]
    if all(name in _BESIDE_STATUS for name, value in schema.items() if value):
        return []
    names = f"[{' '.join(_BESIDE_STATUS.values())}]"
    why = f"only {names} fields are allowed at the root of the schema if the status subresource is enabled"
    return [bad(at, internal("apiextensions.JSONSchemaProps", schema), why)]


_EMPTY = {"root": "at the root", "item": "for specified array items", "field": "for specified object fields"}


def _structural(schema: Schema, at: str, level: str) -> list[Cause]:
    """validateStructuralInvariants; `level`: "root", "item" or "field"."""
    causes: list[Cause] = []
    kind, embedded = schema.get("type", ""), bool(schema.get(_EMBEDDED))
    if kind == "array" and schema.get("items") is None:
        causes.append(required(f"{at}.items", "must be specified"))
    for name, part in _parts(schema):
        causes += _structural(part, f"{at}.{name}", "item" if name == "items" else "field")
    if level == "root" and schema.get("additionalProperties") is not None:
        causes.append(forbidden(f"{at}.additionalProperties", "must not be used at the root"))
    for name in (_FREE, _EMBEDDED):
        if schema.get(_EITHER) and schema.get(name):
            causes.append(bad(f"{at}.{name}", True, f"must be false if {_EITHER} is true"))
    causes += _values(schema, at, level, schema.get("anyOf") == _INT_OR_STRING, _starts_with_either(schema))
    causes += _of_type(schema, at, level)
    if embedded and schema.get("additionalProperties") is not None:
        causes.append(forbidden(f"{at}.additionalProperties", f"must not be used if {_EMBEDDED} is set"))
    if level == "root" and kind and kind != "object":
        causes.append(bad(f"{at}.type", kind, "must be object at the root"))
    causes += _metadata(schema, at, level, level == "root" or embedded)
    if embedded and not schema.get(_FREE) and not schema.get("properties"):
        why = f"must not be empty if {_EMBEDDED} is true without {_FREE}"
        causes.append(required(f"{at}.properties", why))
    return causes


def _of_type(schema: Schema, at: str, level: str) -> list[Cause]:
    kind, field = schema.get("type", ""), f"{at}.type"
    if schema.get(_EMBEDDED) and kind != "object":
        why = f"must be object if {_EMBEDDED} is true"
        return [bad(field, kind, why) if kind else required(field, why)]
    if not kind and not schema.get(_EITHER) and not schema.get(_FREE):
        return [required(field, f"must not be empty {_EMPTY[level]}")]
    return []


def _metadata(schema: Schema, at: str, level: str, checked: bool) -> list[Cause]:
    """What a schema says of the fields that every object has."""
    properties, causes = schema.get("properties") or {}, list[Cause]()
    for name in ("kind", "apiVersion"):
        if checked and name in properties and properties[name].get("type") != "string":
            field = f"{at}.properties[{name}].type"
            causes.append(bad(field, properties[name].get("type", ""), "must be string"))
    part = properties.get("metadata")
    if part is None:
        return causes
    field = f"{at}.properties[metadata]"
    if checked and part.get("type") != "object":
        causes.append(bad(f"{field}.type", part.get("type", ""), "must be object"))
    named = set(part.get("properties") or ()) <= {"name", "generateName"}
    others = {name for name, value in part.items() if value} - {"type", "default", "properties"}
    if level == "root" and (others or not named):
        why = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        causes.append(forbidden(field, why))
    return causes


def _starts_with_either(schema: Schema) -> bool:
    found = schema.get("allOf") or []
    return bool(found) and found[0].get("anyOf") == _INT_OR_STRING


def _values(schema: Schema, at: str, level: str, either: bool = False, first: bool = False) -> list[Cause]:
    """What is said of values: a pattern, and the parts of allOf and its like (validateValueValidation)."""
    causes: list[Cause] = []
    for name in _QUANTIFIERS:
        for index, part in enumerate(schema.get(name) or () if name != "anyOf" or not either else ()):
            causes += _nested(part, f"{at}.{name}[{index}]", level, first and name == "allOf" and not index)
    if isinstance(schema.get("not"), dict):
        causes += _nested(schema["not"], f"{at}.not", level)
    if schema.get("pattern"):
        try:
            Regexp(schema["pattern"])
        except RegexpError as error:
            why = f"must be a valid regular expression, but isn't: {error}"
            causes.append(bad(f"{at}.pattern", schema["pattern"], why))
    return causes


_NOT_NESTED = {
    **dict.fromkeys(("type", "title", "description", _KEYS, _RULES), "must be empty to be structural"),
    **dict.fromkeys(("additionalProperties", "default", _LIST, _MAP), "must be undefined to be structural"),
    **dict.fromkeys(("nullable", _FREE, _EMBEDDED, _EITHER), "must be false to be structural"),
}


def _nested(part: Schema, at: str, level: str, either: bool = False) -> list[Cause]:
    """Inside allOf and its like a schema says nothing of types (validateNestedValueValidation)."""
    causes = _values(part, at, level, either)
    if isinstance(part.get("items"), dict):
        causes += _nested(part["items"], f"{at}.items", level)
    for name, inner in (part.get("properties") or {}).items():
        causes += _nested(inner, f"{at}.properties[{name}]", "field")
    for name, why in _NOT_NESTED.items():
        value = part.get(name)
        if value if "undefined" not in why else value is not None:
            causes.append(forbidden(f"{at}.{name}", why))
    if "metadata" in (part.get("properties") or {}):
        causes.append(forbidden(f"{at}.properties[metadata]", "must not be specified in a nested context"))
    return causes


def _complete(values: Schema, schema: Schema, at: str, where: str) -> list[Cause]:
    """What allOf and its like speak of is there outside of them (validateValueValidationCompleteness)."""
    nested = [(values["not"], f"{where}.not")] if isinstance(values.get("not"), dict) else []
    for name in _QUANTIFIERS:
        nested += [(part, f"{where}.{name}[{index}]") for index, part in enumerate(values.get(name) or ())]
    causes: list[Cause] = []
    for part, place in nested:
        causes += _complete_part(part, schema, at, place)
    return causes


def _complete_part(part: Schema, schema: Schema | None, at: str, where: str) -> list[Cause]:
    if not isinstance(schema, dict):
        return [required(at, f"because it is defined in {where}")]
    causes = _complete(part, schema, at, where)
    if isinstance(part.get("items"), dict):
        causes += _complete_part(part["items"], schema.get("items"), f"{at}.items", f"{where}.items")
    known = schema.get("properties") or {}
    for name, value in (part.get("properties") or {}).items():
        causes += _complete_part(value, known.get(name), f"{at}.properties[{name}]", f"{where}.properties[{name}]")
    return causes


def _defaults(schema: Schema, at: str) -> list[Cause]:
    """What is wrong with the defaults of a structural schema (apiserver/schema/defaulting/validation.go)."""
    causes: list[Cause] = []
    for place, part in walk(schema, at):
        value = part.get("default")
        if value is None:
            continue
        unknown: list[str] = []
        pruned(part, value, unknown)
        if unknown:
            causes.append(bad(f"{place}.default", value, "must not have unknown fields"))
        found = schema_checks.problems(part, value)
        causes += [(f"{place}.default{'.' if path else ''}{path}", reason, told) for path, reason, told in found]
    return causes


_NOT_SUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")


def _fitting(schema: Schema, at: str, root: bool = False, no_default: str = "") -> list[Cause]:
    """Parts that fit each other (ValidateCustomResourceDefinitionOpenAPISchema); `no_default`: why nothing may have
    one here."""
    causes: list[Cause] = []
    kind = schema.get("type", "")
    if kind and kind not in _TYPES:
        causes.append(unsupported(f"{at}.type", kind, _TYPES))
    if schema.get("default") is not None and no_default:
        causes.append(forbidden(f"{at}.default", f"must not be set {no_default}"))
    causes += [forbidden(f"{at}.{name}", f"{name} is not supported") for name in _NOT_SUPPORTED if schema.get(name)]
    if kind == "null":
        causes.append(forbidden(f"{at}.type", "type cannot be set to null, use nullable as an alternative"))
    if schema.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        causes.append(forbidden(f"{at}.uniqueItems", why))
    extra = schema.get("additionalProperties")
    if extra is not None and schema.get("properties") and extra is not True:
        why = "additionalProperties and properties are mutual exclusive"
        causes.append(forbidden(f"{at}.additionalProperties", why))
    if isinstance(extra, dict):
        causes += _fitting(extra, f"{at}.additionalProperties", no_default=no_default)
    for name, part in (schema.get("properties") or {}).items():
        of_all = name in ("metadata", "apiVersion", "kind") and root
        why = f"in top-level {name}" if of_all else no_default
        causes += _fitting(part, f"{at}.properties[{name}]", no_default=why)
    if isinstance(schema.get("not"), dict):
        causes += _fitting(schema["not"], f"{at}.not", no_default=no_default)
    for name in ("allOf", "oneOf", "anyOf"):
        for index, part in enumerate(schema.get(name) or ()):
            causes += _fitting(part, f"{at}.{name}[{index}]", no_default=no_default)
    if isinstance(schema.get("items"), dict):
        causes += _fitting(schema["items"], f"{at}.items", no_default=no_default)
    if schema.get(_FREE) is False:
        causes.append(bad(f"{at}.{_FREE}", False, "must be true or undefined"))
    return causes + _of_map(schema, at) + _of_list(schema, at)


def _wrong_type(field: str, kind: str, wanted: str, name: str) -> list[Cause]:
    why = f"must be {wanted} if {name} is specified"
    return [] if kind == wanted else [bad(field, kind, why) if kind else required(field, why)]


def _of_map(schema: Schema, at: str) -> list[Cause]:
    kind = schema.get(_MAP)
    if kind is None:
        return []
    causes = _wrong_type(f"{at}.type", schema.get("type", ""), "object", _MAP)
    kinds = ["atomic", "granular"]
    return causes if kind in kinds else [*causes, unsupported(f"{at}.{_MAP}", kind, kinds)]


def _of_list(schema: Schema, at: str) -> list[Cause]:
    kind, keys = schema.get(_LIST), schema.get(_KEYS) or []
    items: Any = schema.get("items")
    causes = _wrong_type(f"{at}.type", schema.get("type", ""), "array", _LIST) if kind is not None else []
    if not causes and kind == "set" and items is not None:
        causes += _atomic(items, f"{at}.items")
    if kind is not None and kind not in ("atomic", "set", "map"):
        causes.append(unsupported(f"{at}.{_LIST}", kind, ["atomic", "set", "map"]))
    if keys and kind != "map":
        why = f"must be map if {_KEYS} is non-empty"
        causes.append(required(f"{at}.{_LIST}", why) if kind is None else bad(f"{at}.{_LIST}", kind, why))
    if kind == "map":
        if not keys:
            causes.append(required(f"{at}.{_KEYS}", f"must not be empty if {_LIST} is map"))
        causes += _keyed(items, keys, at)
    if kind in ("set", "map") and items is not None:
        causes += _not_null(items, keys if kind == "map" else [], kind, at)
    return causes


def _atomic(items: Schema, at: str) -> list[Cause]:
    why = f"must be atomic as item of a list with {_LIST}=set"
    if items.get("type") == "array" and items.get(_LIST, "atomic") != "atomic":
        return [bad(f"{at}.{_LIST}", items[_LIST], why)]
    if items.get("type") == "object" and items.get(_MAP) != "atomic":
        return [bad(f"{at}.{_MAP}", items.get(_LIST), why)]
    return []


def _keyed(items: Schema | None, keys: list[str], at: str) -> list[Cause]:
    """The items of a list by keys."""
    if items is None:
        return [required(f"{at}.items", f"must have a schema if {_LIST} is map")]
    if items.get("type") != "object":
        why = f"must be object if parent array's {_LIST} is map"
        return [bad(f"{at}.items.type", items.get("type", ""), why)]
    causes: list[Cause] = []
    for index, key in enumerate(keys):
        part = (items.get("properties") or {}).get(key)
        if part is None:
            causes.append(bad(f"{at}.{_KEYS}", keys, "entries must all be names of item properties"))
        elif part.get("type") in ("array", "object"):
            why = f"must be a scalar type if parent array's {_LIST} is map"
            causes.append(bad(f"{at}.items.properties[{key}].type", items["type"], why))
        if key in keys[:index]:
            causes.append(bad(f"{at}.{_KEYS}", keys, "must not contain duplicate entries"))
    return causes


def _not_null(items: Schema, keys: list[str], kind: str, at: str) -> list[Cause]:
    """What tells items apart is always there (validateMapListKeysMapSet)."""
    causes: list[Cause] = []
    if items.get("nullable"):
        causes.append(forbidden(f"{at}.items.nullable", f"cannot be nullable when {_LIST} is {kind}"))
    start = f"this property is in {_KEYS}, so it "
    for key in keys:
        part, field = (items.get("properties") or {}).get(key), f"{at}.items.properties[{key}]"
        if part is None:
            continue
        if key not in (items.get("required") or ()) and part.get("default") is None:
            causes.append(required(f"{field}.default", f"{start}must have a default or be a required property"))
        if part.get("nullable"):
            causes.append(forbidden(f"{field}.nullable", f"{start}cannot be nullable"))
    return causes
