"""CustomResourceDefinitions: defaults, structural schemas, conditions (apiextensions apis/apiextensions/validation)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubetrace.playground import formats, status
from kubetrace.playground.objects import now
from kubetrace.playground.schemas import Schema, at_path, schema_of
from kubetrace.playground.validation.causes import (
    LABEL_1035,
    LABEL_1035_WORDS,
    Cause,
    bad,
    forbidden,
    label_1035,
    one_of,
    required,
    unchanged,
    unsupported,
)

_TYPES = ["array", "boolean", "integer", "number", "object", "string"]
_COLUMN_TYPES = ["boolean", "date", "integer", "number", "string"]
_APPROVAL = "api-approved.kubernetes.io"


def default(item: dict[str, Any]) -> None:
    """What the server fills in."""
    spec = item.setdefault("spec", {})
    names = spec.setdefault("names", {})
    if names.get("kind"):
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", f"{names['kind']}List")
    spec.setdefault("conversion", {"strategy": "None"})


def rules(item: dict[str, Any]) -> list[str]:
    """Where it has CEL rules, which the playground does not run."""
    found = []
    for index, version in enumerate(item["spec"].get("versions") or ()):
        for path, schema in _walk(schema_of(version), f"spec.versions[{index}].schema.openAPIV3Schema"):
            if schema.get("x-kubernetes-validations"):
                found.append(f"{path}.x-kubernetes-validations")
    return found


def unknown_formats(item: dict[str, Any]) -> list[str]:
    """Formats that nobody looks at."""
    found: dict[str, None] = {}
    for version in item["spec"].get("versions") or ():
        for _, schema in _walk(schema_of(version), ""):
            name = schema.get("format")
            if name and not formats.is_known(name, schema.get("type") or ""):
                found[name] = None
    return list(found)


def check(item: dict[str, Any], old: dict[str, Any] | None = None) -> None:
    """Raises 422 with every cause; `old` is what an update replaces."""
    spec, name = item["spec"], item["metadata"].get("name", "")
    if old is not None and (fixed := _fixed(spec, old)):
        raise status.invalid("CustomResourceDefinition", "apiextensions.k8s.io", name, fixed)
    names, versions = spec.get("names") or {}, spec.get("versions") or []
    causes: list[Cause] = []
    if name != f"{names.get('plural', '')}.{spec.get('group', '')}":
        causes.append(bad("metadata.name", name, 'must be spec.names.plural+"."+spec.group'))
    if not spec.get("group"):
        causes.append(required("spec.group"))
    elif "." not in spec["group"]:
        causes.append(bad("spec.group", spec["group"], "should be a domain with at least one dot"))
    causes += one_of("spec.scope", spec.get("scope"), ["Cluster", "Namespaced"])
    stored = sum(bool(version.get("storage")) for version in versions)
    several = len(versions) > 1
    for index, version in enumerate(versions):
        at, title = f"spec.versions[{index}]", version.get("name", "")
        causes += label_1035(f"{at}.name", title)
        causes += _version(version, at, several) if several else []
    if len({version.get("name", "") for version in versions}) < len(versions):
        causes.append(("spec.versions", "FieldValueInvalid", "Invalid value: must contain unique version names"))
    if stored != 1:
        shown = [_go_version(version) for version in versions] or None
        causes.append(bad("spec.versions", shown, "must have exactly one version marked as storage version"))
    for version in versions if not several else ():
        causes += _version(version, "spec", several)
    causes += _names(names)
    if spec["conversion"].get("strategy") not in ("None", "Webhook"):
        causes.append(unsupported("spec.conversion.strategy", spec["conversion"].get("strategy"), ["None", "Webhook"]))
    if spec["conversion"].get("strategy") == "Webhook" and "webhook" not in spec["conversion"]:
        causes.append(required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook"))
        causes.append(required("spec.conversion.conversionReviewVersions"))
    if not stored:
        causes.append(bad("status.storedVersions", None, "must have at least one stored version"))
    if spec.get("group", "").endswith((".k8s.io", ".kubernetes.io")):
        causes += _approval(item["metadata"])
    if causes:
        raise status.invalid("CustomResourceDefinition", "apiextensions.k8s.io", name, causes)


def _go_version(version: dict[str, Any]) -> dict[str, Any]:
    """A version as the internal type's JSON has it, the parts that all versions share being elsewhere."""
    flags = {"Name": version.get("name", ""), "Served": bool(version.get("served"))}
    flags |= {"Storage": bool(version.get("storage")), "Deprecated": bool(version.get("deprecated"))}
    empty = ("DeprecationWarning", "Schema", "Subresources", "AdditionalPrinterColumns", "SelectableFields")
    return flags | dict.fromkeys(empty)


def _approval(metadata: dict[str, Any]) -> list[Cause]:
    at, told = f"metadata.annotations[{_APPROVAL}]", "https://github.com/kubernetes/enhancements/pull/1111"
    value = (metadata.get("annotations") or {}).get(_APPROVAL, "")
    start = f'protected groups must have approval annotation "{_APPROVAL}"'
    if value.startswith(("unapproved", "https://", "http://")):
        return []
    if value:
        return [bad(at, value, f'{start} with either a URL or a reason starting with "unapproved", see {told}')]
    return [required(at, f"{start}, see {told}")]


def _names(names: dict[str, Any]) -> list[Cause]:
    causes: list[Cause] = []
    for part in ("plural", "singular", "kind", "listKind"):
        at, value = f"spec.names.{part}", names.get(part, "")
        if not value:
            causes.append(required(at))
        elif not LABEL_1035.fullmatch(value.lower()):
            causes.append(bad(at, value, LABEL_1035_WORDS.replace("a DNS", "may have mixed case, but should otherwise "
                              "match: a DNS") if part in ("kind", "listKind") else LABEL_1035_WORDS))  # fmt: skip
    for part in ("shortNames", "categories"):
        for index, value in enumerate(names.get(part) or ()):
            causes += label_1035(f"spec.names.{part}[{index}]", value)
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        why = "kind and listKind may not be the same"
        causes.append(bad("spec.names.listKind", names["listKind"], why))
    return causes


def _version(version: dict[str, Any], at: str, several: bool) -> list[Cause]:
    """A single version's parts are told as those of the whole definition, as it was before there were several."""
    causes: list[Cause] = []
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    where = f"{at}.schema.openAPIV3Schema" if several else "spec.validation.openAPIV3Schema"
    if schema is None:
        causes.append(required(f"{at if several else 'spec.versions[0]'}.schema.openAPIV3Schema"))
    else:
        causes += _root(schema, where)
    scale = (version.get("subresources") or {}).get("scale")
    if scale is not None:
        for name in ("specReplicasPath", "statusReplicasPath"):
            path, told = scale.get(name, ""), f"{at}.subresources.scale.{name}"
            start = ".spec." if name.startswith("spec") else ".status."
            if not path:
                causes.append(required(told))
            elif not path.startswith("."):
                causes.append(bad(told, path, "must be a simple json path starting with ."))
            elif not path.startswith(start):
                causes.append(bad(told, path, f"should be a json path under {start[:-1]}"))
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        causes += _column(column, f"{at}.additionalPrinterColumns[{index}]")
    return causes


def _column(column: dict[str, Any], at: str) -> list[Cause]:
    causes = [] if column.get("name") else [required(f"{at}.name")]
    kind, path = column.get("type", ""), column.get("jsonPath", "")
    if not kind:
        causes.append(required(f"{at}.type", f"must be one of {','.join(sorted(_COLUMN_TYPES))}"))
    elif kind not in _COLUMN_TYPES:
        causes.append(bad(f"{at}.type", kind, f"must be one of {','.join(sorted(_COLUMN_TYPES))}"))
    if not path:
        causes.append(required(f"{at}.JSONPath"))
    elif not path.startswith("."):
        causes.append(bad(f"{at}.JSONPath", path, "must be a simple json path starting with ."))
    return causes


def _root(schema: Schema, at: str) -> list[Cause]:
    causes = []
    if not schema.get("type"):
        causes.append(required(f"{at}.type", "must not be empty at the root"))
    elif schema["type"] != "object":
        causes.append(bad(f"{at}.type", schema["type"], "must be object at the root"))
    return causes + _forms(schema, at) + _structural(schema, at, root=True)


def _fixed(spec: dict[str, Any], old: dict[str, Any]) -> list[Cause]:
    """What an update must not change; once its names are accepted, neither them nor the scope."""
    conditions = (old.get("status") or {}).get("conditions") or ()
    established = any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
    before = old["spec"]
    fields = ["group", *(("scope", "names.kind", "names.plural") if established else ())]
    return [
        cause
        for field in fields
        for cause in unchanged(f"spec.{field}", at_path(before, f".{field}"), at_path(spec, f".{field}"))
    ]


def _structural(schema: Schema, at: str, root: bool = False) -> list[Cause]:
    causes: list[Cause] = []
    kind, free = schema.get("type"), schema.get("x-kubernetes-preserve-unknown-fields")
    whole = schema.get("x-kubernetes-int-or-string") or free
    if kind is not None and kind not in _TYPES:
        causes.append(unsupported(f"{at}.type", kind, _TYPES))
    if not kind and not whole and not root:
        within = "array items" if at.endswith(".items") else "object fields"
        causes.append(required(f"{at}.type", f"must not be empty for specified {within}"))
    for name, part in _parts(schema):
        causes += _structural(part, f"{at}.{name}")
    for name in ("allOf", "anyOf", "oneOf"):
        for index, part in enumerate(schema.get(name) or ()):
            loose = bool(schema.get("x-kubernetes-int-or-string"))
            causes += _in_value_validation(part, f"{at}.{name}[{index}]", loose)
    return causes


def _parts(schema: Schema) -> Iterator[tuple[str, Schema]]:
    for name, part in (schema.get("properties") or {}).items():
        yield f"properties[{name}]", part
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield name, schema[name]


def _forms(schema: Schema, at: str) -> list[Cause]:
    """What is wrong apart from types."""
    causes: list[Cause] = []
    if schema.get("type") == "array" and not schema.get("items"):
        causes.append(required(f"{at}.items", "must be specified"))
    if schema.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        causes.append(forbidden(f"{at}.uniqueItems", why))
    if schema.get("properties") and schema.get("additionalProperties"):
        causes.append(
            forbidden(f"{at}.additionalProperties", "additionalProperties and properties are mutual exclusive")
        )
    causes += _list_type(schema, at)
    if "pattern" in schema:
        try:
            re.compile(schema["pattern"])
        except re.error as error:
            why = f"error parsing regexp: {error.msg}: `{schema['pattern']}`"
            why = f"must be a valid regular expression, but isn't: {why}"
            causes.append(bad(f"{at}.pattern", schema["pattern"], why))
    for name, part in _parts(schema):
        causes += _forms(part, f"{at}.{name}")
    return causes


def _list_type(schema: Schema, at: str) -> list[Cause]:
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys")
    if kind is not None and kind not in ("atomic", "set", "map"):
        return [unsupported(f"{at}.x-kubernetes-list-type", kind, ["atomic", "set", "map"])]
    if kind == "map" and not keys:
        return [required(f"{at}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map")]
    causes = []
    items = schema.get("items") or {}
    for index, key in enumerate(keys or ()):
        if key not in (items.get("properties") or {}):
            why = "must be in items.properties"
            causes.append(bad(f"{at}.x-kubernetes-list-map-keys[{index}]", key, why))
        elif key not in (items.get("required") or ()) and "default" not in items["properties"][key]:
            why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            causes.append(required(f"{at}.items.properties[{key}].default", why))
    return causes


def _in_value_validation(part: Schema, at: str, int_or_string: bool) -> list[Cause]:
    """Inside allOf and its like a schema says nothing of types."""
    causes = []
    if part.get("type") and not int_or_string:
        causes.append(forbidden(f"{at}.type", "must be empty to be structural"))
    for name in ("default", "description", "title", "nullable"):
        if part.get(name):
            causes.append(forbidden(f"{at}.{name}", "must be undefined to be structural"))
    return causes


def _walk(schema: Schema, at: str) -> Iterator[tuple[str, Schema]]:
    yield at, schema
    for name, part in _parts(schema):
        yield from _walk(part, f"{at}.{name}")


def complete(item: dict[str, Any]) -> None:
    """Conditions of a CustomResourceDefinition: its names are accepted and it is established at once."""
    spec = item["spec"]
    names = spec["names"]
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
