"""A patch applied here instead of by the server (`patch --local`, dry runs of the client, `--overrides`)."""

from __future__ import annotations

from typing import Any

from kubetrace.api import json_patch, verbs
from kubetrace.api.json_merge import apply_merge_patch
from kubetrace.api.manifest_objects import Object, object_problem, typed_problem
from kubetrace.api.manifest_stream import Parsed
from kubetrace.api.merge_meta import built_in_meta
from kubetrace.api.merge_values import MergeError
from kubetrace.api.resources import GroupVersionKind
from kubetrace.api.strategic_merge import apply_patch
from kubetrace.errors import KubetraceError
from kubetrace.wire import go_json
from kubetrace.wire.go_struct import TypedObject, typed

PATCH_TYPES = {"json": verbs.JSON_PATCH, "merge": verbs.MERGE_PATCH, "strategic": verbs.STRATEGIC_PATCH}


def patched(value: Object, media_type: str, patch: bytes) -> Object:
    """A patched copy of an object (getPatchedJSON). Raises KubetraceError."""
    document = _patched(value, media_type, patch)
    if problem := object_problem(document.value, document.json):
        raise KubetraceError(problem)
    found: Object = document.value
    return found


def patched_struct(value: TypedObject, media_type: str, patch: bytes) -> TypedObject:
    """A patched copy that has to fit a struct again (cmdutil's Merge, StrategicMerge, JSONPatch). Raises
    KubetraceError."""
    document = _patched(value, media_type, patch)
    if problem := typed_problem(document):
        raise KubetraceError(problem)
    return typed(document.value)


def _patched(value: Object, media_type: str, patch: bytes) -> Parsed:
    """The patched copy, not yet looked at. Raises KubetraceError."""
    if media_type == verbs.STRATEGIC_PATCH:
        return Parsed(_strategically_merged(value, patch))
    result = _json_patched(value, patch) if media_type == verbs.JSON_PATCH else merged(value, patch)
    if isinstance(result, dict):  # json-patch sorts the keys of what it opens, and leaves alone what it does not
        result = dict(sorted(result.items()))
    return Parsed(result, go_json.dumps_in_order(result).decode())


def _json_patched(value: Object, text: bytes) -> Any:
    try:
        return json_patch.apply_patch(value, json_patch.decode_patch(text))
    except json_patch.JSONPatchError as error:
        _, missing, key = str(error).partition("doc is missing key: ")
        raise KubetraceError(f"Object to be patched is missing field ({key})" if missing else str(error)) from None


def merged(value: Any, text: bytes) -> Any:
    """A JSON merge patch applied (jsonpatch.MergePatch). Raises KubetraceError."""
    try:
        patch = go_json.loads(text)
    except go_json.InvalidJSON:
        patch = None
    if not isinstance(patch, dict | list):
        raise KubetraceError("Invalid JSON Patch")
    return apply_merge_patch(value, patch)


def _strategically_merged(value: Object, text: bytes) -> Any:
    kind = GroupVersionKind.of(value)
    meta = built_in_meta(kind.api_version, kind.kind)
    if meta is None:
        raise KubetraceError(f"strategic merge patch is not supported for {kind} locally, try --type merge")
    try:
        patch = go_json.loads(text)
    except go_json.InvalidJSON:
        patch = text
    if not isinstance(patch, dict | None):
        raise KubetraceError("invalid JSON document")
    try:
        return apply_patch(value, patch or {}, meta)
    except MergeError as error:
        raise KubetraceError(str(error)) from None
