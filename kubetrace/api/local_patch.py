"""A patch applied here instead of by the server (`patch --local`, dry runs of the client, `--overrides`)."""

from __future__ import annotations

from typing import Any

from kubetrace.api import json_patch, verbs
from kubetrace.api.json_merge import apply_merge_patch
from kubetrace.api.manifest_objects import Object, object_problem
from kubetrace.api.merge_meta import built_in_meta
from kubetrace.api.merge_values import MergeError
from kubetrace.api.resources import GroupVersionKind
from kubetrace.api.strategic_merge import apply_patch
from kubetrace.errors import KubetraceError
from kubetrace.wire import go_json

PATCH_TYPES = {"json": verbs.JSON_PATCH, "merge": verbs.MERGE_PATCH, "strategic": verbs.STRATEGIC_PATCH}


def patched(value: Object, media_type: str, patch: bytes) -> Object:
    """A patched copy of an object (getPatchedJSON). Raises KubetraceError."""
    if media_type == verbs.JSON_PATCH:
        result = _json_patched(value, patch)
    elif media_type == verbs.MERGE_PATCH:
        result = merged(value, patch)
    else:
        result = _strategically_merged(value, patch)
    if problem := object_problem(result):
        raise KubetraceError(problem)
    found: Object = result
    return found


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
