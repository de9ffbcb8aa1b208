"""From a document to objects: what must be there, which types metadata has, and lists taken apart.

The rules and words are those of apimachinery's unstructured decoding (apis/meta/v1/unstructured/helpers.go),
cli-runtime's metadata check (pkg/resource/metadata_decoder.go) and kubectl's pkg/validation.
"""

from __future__ import annotations

import re
from typing import Any

from kubetrace.api.go_words import quoted
from kubetrace.errors import KubetraceError, aggregate_text
from kubetrace.wire.go_json import dumps

Object = dict[str, Any]

_STRINGS = ("name", "generateName", "namespace", "selfLink", "resourceVersion")
_WHOLE = ("generation", "deletionGracePeriodSeconds")
_TIMES = ("creationTimestamp", "deletionTimestamp")
_OWNER = {"apiVersion": "string", "kind": "string", "name": "string", "uid": "types.UID", "controller": "bool",
          "blockOwnerDeletion": "bool"}  # fmt: skip
_MANAGED = {"manager": "string", "operation": "v1.ManagedFieldsOperationType", "apiVersion": "string",
            "fieldsType": "string", "subresource": "string"}  # fmt: skip
_FIELD_TYPES: dict[str, str] = {
    **dict.fromkeys(_STRINGS, "string"),
    **dict.fromkeys(_WHOLE, "int64"),
    "uid": "types.UID",
    "labels": "map[string]string",
    "annotations": "map[string]string",
    "finalizers": "[]string",
    "ownerReferences": "[]v1.OwnerReference",
    "managedFields": "[]v1.ManagedFieldsEntry",
}
_JSON_KIND = {"string": str, "types.UID": str, "v1.ManagedFieldsOperationType": str, "bool": bool}
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:[Zz]|[+-]\d\d:\d\d)")


def kind_problems(value: Any) -> list[str]:
    """What keeps an object's apiVersion and kind from being known (validation.getObjectKind)."""
    if not isinstance(value, dict):
        return ["invalid object to validate"]
    problems = []
    for key in ("apiVersion", "kind"):
        if value.get(key) is None:
            problems.append(f"{key} not set")
        elif not isinstance(value[key], str):
            problems.append(f"{key} isn't string type")
        elif key == "apiVersion" and value[key].count("/") > 1:
            problems.append(f"unexpected GroupVersion string: {value[key]}")
    if not problems and (value["apiVersion"], value["kind"]) == ("v1", "List"):
        return _list_problems(value.get("items"))
    return problems


def _list_problems(items: Any) -> list[str]:
    if not isinstance(items, list):
        return ["invalid object to validate"]
    return [problem for item in items for problem in kind_problems(item)]


def validation_error(source: str, problems: list[str]) -> KubetraceError:
    """The words for a document that is refused before anything is sent."""
    return KubetraceError(
        f"error validating {quoted(source)}: error validating data: {aggregate_text(problems)}; "
        "if you choose to ignore these errors, turn validation off with --validate=false"
    )


def decode_object(value: Any, source: str) -> Object:
    """The document as an object. Raises KubetraceError ("unable to decode …")."""
    problem = object_problem(value) or _metadata_problem(value)
    if problem:
        raise KubetraceError(f"unable to decode {quoted(source)}: {problem}")
    result: Object = value
    if "items" in result:
        result["items"] = [item or {} for item in result["items"] or ()]
    return result


def _go_name(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    names: dict[type, str] = {dict: "object", list: "array", str: "string"}
    return names.get(type(value), "null")


def _cannot(value: Any, where: str) -> str:
    return f"json: cannot unmarshal {_go_name(value)} into Go {where}"


def object_problem(value: Any) -> str:
    """What keeps a value from being an object at all; "" for nothing."""
    if not isinstance(value, dict):
        return _cannot(value, "value of type unstructured.detector")
    if "items" in value and value["items"] is not None:
        if not isinstance(value["items"], list):
            return _cannot(value["items"], "struct field decodeList.items of type []jsontext.Value")
        for item in value["items"]:
            if item is not None and not isinstance(item, dict):
                return _cannot(item, "value of type map[string]interface {}")
    version = value.get("apiVersion")
    bad_version = isinstance(version, str) and version.count("/") > 1
    if not isinstance(value.get("kind"), str) or not value["kind"] or bad_version:
        return f"Object 'Kind' is missing in '{dumps(value).decode()}'"
    return ""


def _metadata_problem(value: Object) -> str:
    """The first thing that does not fit metav1.ObjectMeta; a broken time comes before all others."""
    if value.get("apiVersion") is not None and not isinstance(value["apiVersion"], str):
        return _cannot(value["apiVersion"], "struct field metadataOnlyObject.TypeMeta.apiVersion of type string")
    metadata = value.get("metadata")
    if metadata is None:
        return ""
    if not isinstance(metadata, dict):
        return _cannot(metadata, "struct field metadataOnlyObject.metadata of type v1.ObjectMeta")
    for key in _TIMES:
        if problem := _time_problem(metadata.get(key)):
            return problem
    for key in metadata:
        wanted = _FIELD_TYPES.get(key)
        if wanted and metadata[key] is not None and (problem := _field_problem(key, metadata[key], wanted)):
            return problem
    return ""


def _time_problem(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return _cannot(value, "value of type string")
    if _RFC3339.fullmatch(value):
        return ""
    return f'parsing time {quoted(value)} as "2006-01-02T15:04:05Z07:00": cannot parse {quoted(value)} as "2006"'


def _field_problem(key: str, value: Any, wanted: str) -> str:
    where = f"struct field ObjectMeta.metadata.{key} of type {wanted}"
    if wanted == "int64":
        if type(value) is int:
            return ""
        shown = f"number {dumps(value).decode()}" if type(value) is float else _go_name(value)
        return f"json: cannot unmarshal {shown} into Go {where}"
    if wanted in _JSON_KIND:
        return "" if isinstance(value, _JSON_KIND[wanted]) else _cannot(value, where)
    container = dict if wanted.startswith("map") else list
    if not isinstance(value, container):
        return _cannot(value, where)
    entries = list(value.values()) if isinstance(value, dict) else value
    for entry in (entry for entry in entries if entry is not None):
        if problem := _entry_problem(key, entry, wanted):
            return problem
    return ""


def _entry_problem(key: str, entry: Any, wanted: str) -> str:
    fields = {"ownerReferences": _OWNER, "managedFields": _MANAGED}.get(key)
    if fields is None:
        return (
            "" if isinstance(entry, str) else _cannot(entry, f"struct field ObjectMeta.metadata.{key} of type string")
        )
    name = wanted.removeprefix("[]")
    if not isinstance(entry, dict):
        return _cannot(entry, f"struct field ObjectMeta.metadata.{key} of type {name}")
    for field, kind in fields.items():
        value = entry.get(field)
        if value is not None and not isinstance(value, _JSON_KIND[kind]):
            owner = name.removeprefix("v1.")
            return _cannot(value, f"struct field {owner}.metadata.{key}.{field} of type {kind}")
    return ""
