"""Do two patches disagree about a value (strategicpatch.MergingMapsHaveConflicts, mergepatch.HasConflicts)?"""

from __future__ import annotations

from typing import Any

from kubetrace.api.merge_meta import NoFields, PatchMeta
from kubetrace.api.merge_values import (
    DIRECTIVE,
    MERGE,
    REPLACE,
    RETAIN_KEYS,
    MergeError,
    deduplicated,
    element_type,
    go_text,
    same,
    sort_scalars,
)


def values_conflict(left: Any, right: Any) -> bool:
    """HasConflicts: JSON merge patches; lists must be equal entry by entry."""
    if isinstance(left, dict) and isinstance(right, dict):
        return any(key in right and values_conflict(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) != len(right) or any(map(values_conflict, left, right))
    return not same(left, right)


def maps_conflict(left: dict[str, Any], right: dict[str, Any], meta: PatchMeta, strategy: str = "") -> bool:
    """Two strategic merge patches of one object."""
    if (DIRECTIVE in left) != (DIRECTIVE in right):
        return True
    if DIRECTIVE in left and not same(left[DIRECTIVE], right[DIRECTIVE]):
        return True
    if strategy == REPLACE:
        return False
    shared = [key for key in left if key in right and key not in (DIRECTIVE, RETAIN_KEYS)]
    return any(_field_conflicts(key, left[key], right[key], meta) for key in shared)


def _field_conflicts(key: str, left: Any, right: Any, meta: PatchMeta) -> bool:
    if not isinstance(left, dict | list):
        return not same(left, right)
    field = meta.field(key, is_list=isinstance(left, list))
    return _conflict(left, right, field.inner, field.strategy, field.merge_key)


def _conflict(left: Any, right: Any, meta: PatchMeta, strategy: str, merge_key: str) -> bool:
    if type(left) is not type(right):
        return True
    if isinstance(left, dict):
        return maps_conflict(left, right, meta, strategy)
    if isinstance(left, list):
        return _lists_conflict(left, right, meta, strategy, merge_key)
    return not same(left, right)


def _lists_conflict(left: list[Any], right: list[Any], meta: PatchMeta, strategy: str, merge_key: str) -> bool:
    kind = element_type(left, right)
    if strategy == MERGE:
        if kind is not dict:
            return False
        rights = _by_merge_key(right, merge_key)
        pairs = [(item, rights[key]) for key, item in _by_merge_key(left, merge_key).items() if key in rights]
        return any(_conflict(one, other, meta, "", "") for one, other in pairs)
    if len(left) != len(right):
        return True
    if kind is not dict:
        left, right = sort_scalars(deduplicated(left)), sort_scalars(deduplicated(right))
        return len(left) != len(right) or any(not same(*pair) for pair in zip(left, right, strict=True))
    return any(_conflict(one, other, meta or NoFields(), "", "") for one, other in zip(left, right, strict=True))


def _by_merge_key(items: list[Any], merge_key: str) -> dict[str, Any]:
    keyed: dict[str, Any] = {}
    for item in items:
        if not isinstance(item, dict):
            raise MergeError(f"invalid element type in merging list:{go_text(items)}")
        if merge_key not in item:
            raise MergeError(f"cannot find merge key `{merge_key}` in merging list element:{go_text(item)}")
        keyed[go_text(item[merge_key])] = item
    return keyed
