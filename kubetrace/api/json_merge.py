"""JSON merge patches (RFC 7386): made from two or three objects, and applied.

The three-way form is apimachinery's pkg/util/jsonmergepatch, which kubectl uses for custom resources; making and
applying follow gopkg.in/evanphx/json-patch.v4 where it differs from the RFC.
"""

from __future__ import annotations

from typing import Any

from kubetrace.api.merge_conflicts import values_conflict
from kubetrace.api.merge_values import MergeError, go_text, same
from kubetrace.wire import go_json

Object = dict[str, Any]


def create_merge_patch(original: Object, modified: Object) -> Object:
    """What makes `modified` of `original`; lists are taken whole."""
    patch: Object = {}
    for key, value in modified.items():
        if key not in original:
            patch[key] = value
            continue
        old = original[key]
        if isinstance(value, dict) and isinstance(old, dict):
            changes = create_merge_patch(old, value)
            if changes:
                patch[key] = changes
        elif not _equal(old, value):
            patch[key] = value
    patch.update({key: None for key in original if key not in modified})
    return patch


def merge_patch_text(original: Object, modified: Object) -> bytes:
    """The same as it is sent."""
    return go_json.dumps(_as_floats(create_merge_patch(original, modified)))


def _equal(left: Any, right: Any) -> bool:
    """Numbers are compared as floats, as json-patch reads them."""
    if type(left) in (int, float) and type(right) in (int, float):
        return float(left) == float(right)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    return same(left, right)


def apply_merge_patch(original: Any, patch: Any) -> Any:
    """`patch` merged into a copy of `original`; nulls delete."""
    if not isinstance(patch, dict):
        return patch
    if not isinstance(original, dict):
        return _without_nulls(patch)
    result = dict(original)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif result.get(key) is None:
            result[key] = _without_nulls(value)
        else:
            result[key] = _merged(result[key], value)
    return result


def _merged(original: Any, patch: Any) -> Any:
    """A value that both sides have: json-patch leaves nulls in a list that takes an object's place."""
    if not isinstance(original, dict):
        return _without_nulls(patch)
    return apply_merge_patch(original, patch)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _as_floats(value: Any) -> Any:
    """json-patch reads numbers as floats: integers beyond 2^53 lose digits on the way into a patch."""
    if isinstance(value, dict):
        return {key: _as_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_floats(item) for item in value]
    if type(value) is int and abs(value) > 1 << 53:
        return int(float(value))
    if type(value) is float and value.is_integer() and abs(value) < 1e18:
        return int(value)
    return value


def three_way_merge_patch(original: Object, modified: Object, current: Object) -> Object:
    """CreateThreeWayJSONMergePatch: changes from `current`, deletions from `original`. Raises MergeError where
    apiVersion, kind or name would change."""
    changes = _changes(create_merge_patch(current, modified))
    deletions = _deletions(create_merge_patch(original, modified))
    if values_conflict(changes, deletions):
        from kubetrace.api.strategic_merge import MergeConflict, conflict_text

        raise MergeConflict(conflict_text(changes, deletions))
    patch: Object = _as_floats(apply_merge_patch(deletions, changes))
    metadata = patch.get("metadata")
    if "apiVersion" in patch or "kind" in patch or (isinstance(metadata, dict) and "name" in metadata):
        raise MergeError(f"precondition failed for: {go_text(patch)}")
    return patch


def _changes(patch: Object) -> Object:
    """The patch without its deletions (keepOrDeleteNullInObj, keepNull=false)."""
    kept: Object = {}
    for key, value in sorted(patch.items()):
        if isinstance(value, dict) and value:
            inner = _changes(value)
            if inner:
                kept[key] = inner
        elif value is not None:
            kept[key] = value
    return kept


def _deletions(patch: Object) -> Object:
    """Nothing but the deletions."""
    kept: Object = {}
    for key, value in sorted(patch.items()):
        if value is None:
            kept[key] = None
        elif isinstance(value, dict) and value:
            inner = _deletions(value)
            if inner:
                kept[key] = inner
    return kept


def dumps_merge_patch(patch: Any) -> bytes:
    """The patch as json-patch writes it: deletions' keys first, then those of the changes, each sorted."""
    if not isinstance(patch, dict):
        return go_json.dumps(patch)
    pairs = (go_json.dumps(key) + b":" + dumps_merge_patch(value) for key, value in patch.items())
    return b"{" + b",".join(pairs) + b"}"
