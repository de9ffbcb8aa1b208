"""The order of merged lists (strategicpatch.normalizeElementOrder and what it stands on).

Entries are found by their merge key in lists of objects, by themselves in lists of scalars.
"""

from __future__ import annotations

from typing import Any

from kubetrace.api.merge_values import (
    DELETE,
    DIRECTIVE,
    MergeError,
    bad_type,
    go_text,
    identity,
    no_merge_key,
    same,
    sort_stable,
)


def require_merge_keys(merge_key: str, *lists: list[Any]) -> None:
    """Every entry must be an object that has its merge key."""
    for item in (item for items in lists for item in items):
        if not isinstance(item, dict):
            raise bad_type({}, item)
        if merge_key not in item:
            raise no_merge_key(item, merge_key)


def _sought(item: Any, merge_key: str, kind: type) -> Any:
    if kind is dict:
        return identity(item.get(merge_key) if isinstance(item, dict) else None)
    return identity(item)


def first_places(items: list[Any], merge_key: str, kind: type) -> dict[Any, int]:
    """Where each entry stands first in a list."""
    places: dict[Any, int] = {}
    for place, item in enumerate(items):
        places.setdefault(_sought(item, merge_key, kind), place)
    return places


def split_deletions(items: list[Any]) -> tuple[list[Any], list[Any]]:
    """Entries that stay, and entries that are `$patch: delete` directives."""
    for item in items:
        if not isinstance(item, dict):
            raise bad_type({}, item)
    deletions = [item for item in items if same(item.get(DIRECTIVE), DELETE)]
    return [item for item in items if not same(item.get(DIRECTIVE), DELETE)], deletions


def sort_into_order(items: list[Any], order: list[Any], merge_key: str, kind: type) -> list[Any]:
    """normalizeSliceOrder: `items` as they stand in `order`, deletions last."""
    deletions: list[Any] = []
    if kind is dict:
        require_merge_keys(merge_key, items, order)
        items, deletions = split_deletions(items)
    places = first_places(order, merge_key, kind)

    def less(left: Any, right: Any) -> bool:
        left_place = places.get(_sought(left, merge_key, kind))
        right_place = places.get(_sought(right, merge_key, kind))
        return left_place is None or right_place is None or left_place < right_place

    items = list(items)
    sort_stable(items, less)
    return items + deletions


def in_element_order(
    patch: list[Any],
    server_only: list[Any],
    patch_order: list[Any],
    server_order: list[Any],
    merge_key: str,
    kind: type,
) -> list[Any]:
    """normalizeElementOrder: the patch's entries in their order, the server's own put among them where they stood."""
    patch = sort_into_order(patch, patch_order, merge_key, kind)
    server_only = sort_into_order(server_only, server_order, merge_key, kind)
    places = first_places(server_order, merge_key, kind)
    merged: list[Any] = []
    left = right = 0
    while left < len(server_only) and right < len(patch):
        left_place = places.get(_sought(server_only[left], merge_key, kind))
        right_place = places.get(_sought(patch[right], merge_key, kind))
        if left_place is not None and right_place is not None and left_place < right_place:
            merged.append(server_only[left])
            left += 1
        else:
            merged.append(patch[right])
            right += 1
    return merged + patch[right:] + server_only[left:]


def partition(items: list[Any], order: list[Any], merge_key: str) -> tuple[list[Any], list[Any]]:
    """Entries that `order` names, and the rest."""
    if not merge_key:
        named = {identity(item) for item in order}
        return [i for i in items if identity(i) in named], [i for i in items if identity(i) not in named]
    require_merge_keys(merge_key, items)
    inside: list[Any] = []
    outside: list[Any] = []
    for item in items:
        (outside if find_by_key(order, merge_key, item[merge_key]) is None else inside).append(item)
    return inside, outside


def find_by_key(items: list[Any], merge_key: str, value: Any) -> int | None:
    """The place of the first object whose merge key has this value."""
    for place, item in enumerate(items):
        if not isinstance(item, dict):
            raise MergeError(f"value for key {place} is not a map")
        if merge_key in item and same(item[merge_key], value):
            return place
    return None


def check_element_order(patch: list[Any], order: Any, merge_key: str) -> None:
    """validatePatchWithSetOrderList: the patch's entries come in the order that $setElementOrder gives."""
    if not isinstance(order, list):
        raise MergeError("invalid patch format of setElementOrder list")
    if not order or not patch:
        return
    entries = split_deletions(patch)[0] if merge_key else patch
    at = place = 0
    while at < len(entries) and place < len(order):
        if isinstance(entries[at], dict) and DIRECTIVE in entries[at]:
            at += 1
            continue
        if _merge_key_equal(entries[at], order[place], merge_key):
            at += 1
        place += 1
    if at < len(entries) and place >= len(order):
        raise MergeError(
            f"The order in patch list:\n{go_text(patch)}\n doesn't match $setElementOrder list:\n{go_text(order)}\n"
        )


def _merge_key_equal(left: Any, right: Any, merge_key: str) -> bool:
    if not merge_key:
        return same(left, right)
    require_merge_keys(merge_key, [left], [right])
    return same(left[merge_key], right[merge_key])
