"""Strategic merge patches: made from two or three objects, and applied (apimachinery pkg/util/strategicpatch).

Objects are JSON values as kubetrace.wire.go_json reads them; none of the arguments is changed.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from kubetrace.api.merge_apply import MergeOptions, merge_map
from kubetrace.api.merge_conflicts import maps_conflict
from kubetrace.api.merge_diff import DiffOptions, Object, diff_maps
from kubetrace.api.merge_meta import PatchMeta, built_in_meta
from kubetrace.api.merge_values import MergeError
from kubetrace.wire import go_json
from kubetrace.wire.go_struct import struct_of


class MergeConflict(MergeError):
    """Live object and manifest changed the same field differently, and overwriting was not wanted."""


def two_way_patch(original: Object, modified: Object, meta: PatchMeta) -> Object:
    """CreateTwoWayMergePatch: what makes `modified` of `original`."""
    return diff_maps(deepcopy(original), deepcopy(modified), meta, DiffOptions(set_element_order=True))


def built_in_patch(original: Object, modified: Object) -> bytes:
    """The same for an object of a kind that kubectl knows, as JSON."""
    return go_json.dumps(two_way_patch(original, modified, _built_in(original)))


def apply_built_in_patch(original: Object, patch: bytes) -> Object:
    """What such a patch makes of an object (StrategicMergePatch)."""
    return apply_patch(original, go_json.loads(patch), _built_in(original))


def _built_in(value: Object) -> PatchMeta:
    meta = built_in_meta(*struct_of(value))
    assert meta is not None
    return meta


def three_way_patch(
    original: Object, modified: Object, current: Object, meta: PatchMeta, overwrite: bool = True
) -> Object:
    """CreateThreeWayMergePatch: what brings the live object `current` to `modified`, deleting only what `original`
    (the last applied state) had. Raises MergeError; MergeConflict when not to overwrite."""
    original, modified, current = deepcopy(original), deepcopy(modified), deepcopy(current)
    delta = diff_maps(current, modified, meta, DiffOptions(set_element_order=True, ignore_deletions=True))
    deletions = diff_maps(original, modified, meta, DiffOptions(set_element_order=True, ignore_changes=True))
    patch = merge_map(deletions, deepcopy(delta), meta, MergeOptions(directives=False, drop_nulls=False))
    if not overwrite:
        changed = diff_maps(original, current, meta, DiffOptions())
        if maps_conflict(patch, changed, meta):
            raise MergeConflict(conflict_text(patch, changed))
    return patch


def apply_patch(original: Object, patch: Object, meta: PatchMeta) -> Object:
    """StrategicMergePatch."""
    return merge_map(deepcopy(original), deepcopy(patch), meta, MergeOptions())


def conflict_text(patch: Any, changed: Any) -> str:
    """mergepatch.ErrConflict's message, with both sides as YAML."""
    from kubetrace.wire.go_yaml import dumps

    return f"patch:\n{dumps(patch)}\nconflicts with changes made from original to current:\n{dumps(changed)}\n"
