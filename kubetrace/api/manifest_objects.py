"""From a document to objects: what must be there, which types metadata has, and lists taken apart.

The rules and words are those of apimachinery's unstructured decoding (apis/meta/v1/unstructured/helpers.go),
cli-runtime's metadata check (pkg/resource/metadata_decoder.go) and kubectl's pkg/validation.
"""

from __future__ import annotations

from typing import Any

from kubetrace.api.go_words import quoted
from kubetrace.api.manifest_stream import Parsed
from kubetrace.errors import KubetraceError, aggregate_text
from kubetrace.wire.go_json import dumps, json_type

Object = dict[str, Any]

_TEXTS = ("name", "generateName", "namespace")
_MAPS = ("labels", "annotations")
INVALID_OBJECT = "invalid object to validate"


def kind_problems(value: Any) -> list[str]:
    """What keeps an object's apiVersion and kind from being known (validation.getObjectKind)."""
    if not isinstance(value, dict):
        return [INVALID_OBJECT]
    problems = []
    for key in ("apiVersion", "kind"):
        if value.get(key) is None:
            problems.append(f"{key} not set")
        elif not isinstance(value[key], str):
            problems.append(f"{key} isn't string type")
        elif key == "apiVersion" and value[key].count("/") > 1:
            problems.append(f"unexpected GroupVersion string: {value[key]}")
    return problems


def validation_error(source: str, problems: list[str]) -> KubetraceError:
    """The words for a document that is refused before anything is sent."""
    return KubetraceError(
        f"error validating {quoted(source)}: error validating data: {aggregate_text(problems)}; "
        "if you choose to ignore these errors, turn validation off with --validate=false"
    )


def decode_object(document: Parsed, source: str) -> Object:
    """The document as an object. Raises KubetraceError ("unable to decode …")."""
    value = document.value
    problem = object_problem(value, document.json) or _metadata_problem(document)
    if problem:
        raise KubetraceError(f"unable to decode {quoted(source)}: {problem}")
    result: Object = value
    if "items" in result:
        result["items"] = [item or {} for item in result["items"] or ()]
    return result


def decode_typed(document: Parsed, source: str) -> Object:
    """The same for a command that wants kubectl's struct for it. Raises KubetraceError ("unable to decode …")."""
    if problem := typed_problem(document):
        raise KubetraceError(f"unable to decode {quoted(source)}: {problem}")
    found: Object = document.value
    lost = {"items"} if not str(found["kind"]).endswith("List") else set()
    return {key: value for key, value in found.items() if key not in lost and (key != "metadata" or value is not None)}


def typed_problem(document: Parsed) -> str:
    """What keeps a document from being one of the structs that kubectl has; "" for nothing."""
    from kubetrace.api.typed_kinds import unregistered
    from kubetrace.wire.go_decoding import kind_problem, problem

    text = document.text
    if found := kind_problem(text):
        return found
    version, kind = document.value["apiVersion"], document.value["kind"]
    return unregistered(version, kind) or problem(version, kind, text)


def _cannot(value: Any, where: str) -> str:
    return f"json: cannot unmarshal {json_type(value)} into Go {where}"


def object_problem(value: Any, text: str = "") -> str:
    """What keeps a value from being an object at all; "" for nothing. Where it was read from JSON, `text` is that."""
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
        return f"Object 'Kind' is missing in '{text or dumps(value).decode()}'"
    return ""


def _metadata_problem(document: Parsed) -> str:
    """The first thing that does not fit metav1.ObjectMeta (metadataValidatingDecoder); "" for nothing."""
    if _is_plain(document.value):
        return ""
    from kubetrace.wire.go_decoding import metadata_problem

    return metadata_problem(document.text)


def _is_plain(value: Object) -> bool:
    """Has the object nothing but what most have, of the right types? Then the table of structs is not needed."""
    metadata = value.get("metadata")
    if not isinstance(metadata, dict | None) or not isinstance(value.get("apiVersion"), str | None):
        return False
    return all(_is_plain_field(key, field) for key, field in (metadata or {}).items())


def _is_plain_field(key: str, value: Any) -> bool:
    if key in _MAPS and isinstance(value, dict):
        return all(isinstance(entry, str | None) for entry in value.values())
    return value is None or (key in _TEXTS and isinstance(value, str))
