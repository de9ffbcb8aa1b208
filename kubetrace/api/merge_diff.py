"""What changed between two objects, as a strategic merge patch (strategicpatch.diffMaps)."""

from __future__ import annotations

from typing import Any

from kubetrace.api.merge_meta import PatchMeta
from kubetrace.api.merge_order import require_merge_keys, sort_into_order
from kubetrace.api.merge_values import (
    DELETE,
    DELETE_FROM_LIST,
    DIRECTIVE,
    MERGE,
    REPLACE,
    RETAIN_KEYS,
    SET_ELEMENT_ORDER,
    MergeError,
    bad_type,
    deduplicated,
    element_type,
    go_text,
    no_merge_key,
    same,
    sort_by_text,
    sort_scalars,
)
from kubetrace.value import Value, replace

Object = dict[str, Any]


class DiffOptions(Value):
    """What a diff leaves out: changes and additions, deletions; and whether lists get their order written down."""

    set_element_order: bool = False
    ignore_changes: bool = False
    ignore_deletions: bool = False
    retain_keys: bool = False


def diff_maps(original: Object, modified: Object, meta: PatchMeta, options: DiffOptions) -> Object:
    """The patch that makes `modified` of `original`. Lists of scalars in `original` may be sorted by it, as in Go."""
    patch: Object = {}
    retained = [key for key, value in modified.items() if options.retain_keys and value is not None]
    for key, value in modified.items():
        if key not in original:
            if not options.ignore_changes:
                patch[key] = value
        elif key == DIRECTIVE:
            _diff_directive(original[key], value, patch)
        elif type(original[key]) is not type(value):
            if not options.ignore_changes:
                patch[key] = value
        elif isinstance(value, dict):
            _diff_map(key, original[key], value, patch, meta, options)
        elif isinstance(value, list):
            _diff_list(key, original[key], value, patch, meta, options)
        else:
            _replace_if_changed(key, original[key], value, patch, options)
    if not options.ignore_deletions:
        patch.update({key: None for key in original if key not in modified})
    if retained and (patch or any(value is not None and key not in modified for key, value in original.items())):
        patch[RETAIN_KEYS] = sort_scalars(retained)
    return patch


def _diff_directive(original: Any, modified: Any, patch: Object) -> None:
    if not isinstance(original, str) or not isinstance(modified, str):
        raise MergeError(f"invalid value for special key: {DIRECTIVE}")
    if original != modified:
        patch[DIRECTIVE] = modified


def _replace_if_changed(key: str, original: Any, modified: Any, patch: Object, options: DiffOptions) -> None:
    if not options.ignore_changes and not same(original, modified):
        patch[key] = modified


def _diff_map(
    key: str, original: Object, modified: Object, patch: Object, meta: PatchMeta, options: DiffOptions
) -> None:
    try:
        field = meta.field(key, is_list=False)
    except MergeError:
        if same(original, modified):
            return
        raise
    if field.strategy == REPLACE:
        if not options.ignore_changes:
            patch[key] = modified
        return
    changes = diff_maps(original, modified, field.inner, replace(options, retain_keys=field.retain_keys))
    if changes:
        patch[key] = changes


def _diff_list(
    key: str, original: list[Any], modified: list[Any], patch: Object, meta: PatchMeta, options: DiffOptions
) -> None:
    try:
        field = meta.field(key, is_list=True)
    except MergeError:
        if same(original, modified):
            return
        raise
    if field.strategy != MERGE:
        _replace_if_changed(key, original, modified, patch, options)
        return
    inner = replace(options, retain_keys=field.retain_keys)
    added, deleted, order = _diff_entries(original, modified, field.inner, field.merge_key, inner)
    if added:
        patch[key] = added
    if deleted:
        patch[f"{DELETE_FROM_LIST}/{key}"] = deleted
    if order:
        patch[f"{SET_ELEMENT_ORDER}/{key}"] = order


_Lists = tuple[list[Any], list[Any], list[Any]]


def _diff_entries(
    original: list[Any], modified: list[Any], meta: PatchMeta, merge_key: str, options: DiffOptions
) -> _Lists:
    """diffLists: additions and changes (with the deletions of maps at the end), deleted scalars, the order."""
    if not original:
        return ([], [], []) if not modified or options.ignore_changes else (modified, [], [])
    if element_type(original, modified) is not dict:
        return _diff_scalars(original, modified, options)
    changed, deleted = _diff_entries_of_maps(original, modified, meta, merge_key, options)
    changed = sort_into_order(changed, modified, merge_key, dict)
    moved = not _same_order(original, modified, merge_key)
    changed += deleted
    if not options.set_element_order:
        return changed, [], []
    ordered = (not options.ignore_changes and (bool(changed) or moved)) or (
        not options.ignore_deletions and bool(changed)
    )
    return changed, [], [{merge_key: item.get(merge_key)} for item in modified] if ordered else []


def _diff_scalars(original: list[Any], modified: list[Any], options: DiffOptions) -> _Lists:
    """diffListsOfScalars. Sorts `original` in place, as Go does, and compares it so."""
    sort_scalars(original)
    wanted = sort_scalars(list(modified))
    added: list[Any] = []
    deleted: list[Any] = []
    left = right = 0
    while left < len(original) or right < len(wanted):
        old = go_text(original[left]) if left < len(original) else None
        new = go_text(wanted[right]) if right < len(wanted) else None
        if old is not None and old == new:
            left, right = left + 1, right + 1
        elif new is not None and (old is None or old > new):
            added += [] if options.ignore_changes else [wanted[right]]
            right += 1
        else:
            deleted += [] if options.ignore_deletions else [original[left]]
            left += 1
    added = sort_into_order(added, modified, "", element_type(original, modified))
    ordered = (not options.ignore_deletions and bool(deleted)) or (
        not options.ignore_changes and not same(original, modified)
    )
    return added, deduplicated(deleted), modified if options.set_element_order and ordered else []


def _same_order(original: list[Any], modified: list[Any], merge_key: str) -> bool:
    """isOrderSame: the same merge keys in the same places."""
    if len(original) != len(modified):
        return False
    for left, right in zip(original, modified, strict=True):
        require_merge_keys(merge_key, [left], [right])
        if not same(left[merge_key], right[merge_key]):
            return False
    return True


def _sorted_by_key(items: list[Any], merge_key: str) -> list[Object]:
    items = list(items)
    if items and element_type(items) is not dict:
        return sort_scalars(deduplicated(items))
    sort_by_text(items, lambda item: go_text(item.get(merge_key)))
    return items


def _keyed(items: list[Object], index: int, merge_key: str) -> str | None:
    """The printed merge key of an entry, None past the end."""
    if index >= len(items):
        return None
    if not isinstance(items[index], dict):
        raise bad_type({}, items[index])
    if merge_key not in items[index]:
        raise no_merge_key(items[index], merge_key)
    return go_text(items[index][merge_key])


def _diff_entries_of_maps(
    original: list[Any], modified: list[Any], meta: PatchMeta, merge_key: str, options: DiffOptions
) -> tuple[list[Any], list[Any]]:
    """diffListsOfMaps: changes and additions, and deletions as directives."""
    old_items, new_items = _sorted_by_key(original, merge_key), _sorted_by_key(modified, merge_key)
    changed: list[Any] = []
    deleted: list[Any] = []
    left = right = 0
    while left < len(old_items) or right < len(new_items):
        old, new = _keyed(old_items, left, merge_key), _keyed(new_items, right, merge_key)
        if old is not None and old == new:
            changes = diff_maps(old_items[left], new_items[right], meta, options)
            if changes:
                changed.append({**changes, merge_key: new_items[right][merge_key]})
            left, right = left + 1, right + 1
        elif new is not None and (old is None or old > new):
            changed += [] if options.ignore_changes else [new_items[right]]
            right += 1
        else:
            if not options.ignore_deletions:
                deleted.append({merge_key: old_items[left][merge_key], DIRECTIVE: DELETE})
            left += 1
    return changed, deleted
