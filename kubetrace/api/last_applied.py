"""The last-applied-configuration annotation (kubectl pkg/util/apply.go), and objects as kubectl sends them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from kubetrace.api.metadata import set_field, string_map
from kubetrace.wire.go_json import dumps, dumps_in_order
from kubetrace.wire.go_struct import TypedObject, typed

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"

Object = dict[str, Any]


def encode(value: Object) -> bytes:
    """An object's body: unstructured JSON, or its struct's, with the newline that Go's encoder adds."""
    if isinstance(value, TypedObject):
        return dumps_in_order(typed(value)) + b"\n"
    return dumps(value) + b"\n"


def encode_typed(value: Object) -> bytes:
    """The body of a typed client's write. kubectl sends it as protobuf, which has no empty lists: they are none."""
    return encode(typed(_without_empty_lists(value)))


def _without_empty_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_empty_lists(item) for key, item in value.items() if item != []}
    if isinstance(value, list):
        return [_without_empty_lists(item) for item in value]
    return value


def annotations_of(value: Object) -> dict[str, str]:
    return string_map(value, "annotations")


def set_annotations(value: Object, annotations: dict[str, str]) -> None:
    """Sets them; an empty set stays as `{}`, as in kubectl's last-applied annotation."""
    set_field(value, "annotations", annotations)


def original_configuration(live: Object) -> bytes | None:
    """What was applied last, or None."""
    text = annotations_of(live).get(ANNOTATION)
    return None if text is None else text.encode("utf-8", "surrogateescape")


def modified_configuration(value: Object, annotate: bool = True) -> bytes:
    """The manifest's object, with itself in its annotation where `annotate`."""
    value = deepcopy(value)
    annotations = annotations_of(value)
    annotations.pop(ANNOTATION, None)
    set_annotations(value, annotations)
    text = encode(value)
    if not annotate:
        return text
    annotations[ANNOTATION] = text.decode()
    set_annotations(value, annotations)
    return encode(value)


def annotate(value: Object) -> None:
    """Writes the object into its own annotation (CreateApplyAnnotation)."""
    text = modified_configuration(value, annotate=False).decode()
    set_annotations(value, {**annotations_of(value), ANNOTATION: text})


def annotation_patch(value: Object) -> tuple[bytes, bytes]:
    """The object as JSON, and the merge patch that writes this text into its annotation (editor.GetApplyPatch)."""
    from kubetrace.api.json_merge import merge_patch_text

    text = encode(value)
    changed = deepcopy(value)
    set_annotations(changed, {**annotations_of(value), ANNOTATION: text.decode()})
    return text, merge_patch_text(value, changed)


def create_or_update(value: Object, create: bool) -> None:
    """Annotates where asked to, or where there is an annotation already (CreateOrUpdateAnnotation)."""
    if create or annotations_of(value).get(ANNOTATION):
        annotate(value)


def without_nulls(value: Any) -> Any:
    """Maps without their null entries, at any depth (apply's pruneNulls)."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value
