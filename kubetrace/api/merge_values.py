"""JSON values as Go compares, sorts and prints them, for the merges (apimachinery pkg/util/strategicpatch).

Python takes 1, 1.0 and True for one value; Go's interfaces keep them apart, and so must a patch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubetrace.wire.go_numbers import general_float

DIRECTIVE = "$patch"
DELETE = "delete"
REPLACE = "replace"
MERGE = "merge"
RETAIN_KEYS = "$retainKeys"
RETAIN_KEYS_STRATEGY = "retainKeys"
DELETE_FROM_LIST = "$deleteFromPrimitiveList"
SET_ELEMENT_ORDER = "$setElementOrder"

_STABLE_BLOCK = 20  # sort.Stable's insertion blocks
_GO_TYPES = {dict: "map[string]interface {}", list: "[]interface {}", str: "string", bool: "bool", int: "int64",
             float: "float64", type(None): "%!s(<nil>)"}  # fmt: skip


class MergeError(ValueError):
    """The documents cannot be merged; the message is apimachinery's."""


def same(left: Any, right: Any) -> bool:
    """reflect.DeepEqual of two JSON values."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return len(left) == len(right) and all(key in right and same(value, right[key]) for key, value in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def identity(value: Any) -> Any:
    """A dictionary key that tells scalars apart as Go's == does."""
    if isinstance(value, dict | list):
        raise MergeError(f"runtime error: hash of unhashable type {go_type(value)}")
    return type(value), value


def go_type(value: Any) -> str:
    return _GO_TYPES[type(value)]


def go_text(value: Any) -> str:
    """fmt's %v."""
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return general_float(value)
    if isinstance(value, list):
        return "[" + " ".join(map(go_text, value)) + "]"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_text(value[key])}" for key in sorted(value)) + "]"
    return str(value)


def bad_type(expected: Any, actual: Any) -> MergeError:
    return MergeError(f"expected a {go_type(expected)}, but received a {go_type(actual)}")


def no_merge_key(item: Any, key: str) -> MergeError:
    return MergeError(f"map: {go_text(item)} does not contain declared merge key: {key}")


def element_type(*lists: list[Any]) -> type:
    """The one type of all entries. Raises MergeError where they differ, are lists, or there are none."""
    found: type | None = None
    for entry in (entry for entries in lists for entry in entries):
        if found is None:
            found = type(entry)
            if found is list:
                raise MergeError("lists of lists are not supported")
        elif type(entry) is not found:
            raise MergeError(f"list element types are not identical: {go_text(list(lists))}")
    if found is None:
        raise MergeError("no elements in any of the given slices")
    return found


def sort_by_text(items: list[Any], text: Callable[[Any], str]) -> None:
    """sort.Sort by the printed form, in place. Equal entries change places, since apimachinery's Less says yes to
    them; Go's insertion sort (up to 12 entries) does exactly this, longer lists with equal entries may differ."""
    items.reverse()
    items.sort(key=text)


def sort_scalars(items: list[Any]) -> list[Any]:
    """sortScalars: in place, and returned."""
    sort_by_text(items, go_text)
    return items


def deduplicated(items: list[Any]) -> list[Any]:
    """deduplicateScalars: a duplicate's place is taken by the last entry."""
    items = list(items)
    first = 0
    while first < len(items) - 1:
        other = first + 1
        while other < len(items):
            if identity(items[first]) == identity(items[other]):
                items[other] = items[-1]
                items.pop()
            else:
                other += 1
        first += 1
    return items


def sort_stable(items: list[Any], less: Callable[[Any, Any], bool]) -> None:
    """sort.SliceStable, step for step, because the order given here is no order (`less` may say yes both ways)."""
    size = len(items)
    for start in range(0, size, _STABLE_BLOCK):
        _insertion_sort(items, start, min(start + _STABLE_BLOCK, size), less)
    block = _STABLE_BLOCK
    while block < size:
        for start in range(0, size - block, 2 * block):
            _merge_in_place(items, start, start + block, min(start + 2 * block, size), less)
        block *= 2


def _insertion_sort(items: list[Any], start: int, end: int, less: Callable[[Any, Any], bool]) -> None:
    for position in range(start + 1, end):
        while position > start and less(items[position], items[position - 1]):
            items[position - 1], items[position] = items[position], items[position - 1]
            position -= 1


def _search(low: int, high: int, goes_left: Callable[[int], bool]) -> int:
    """The first place in low..high that does not go left (binary search as Go writes it)."""
    while low < high:
        middle = (low + high) // 2
        if goes_left(middle):
            low = middle + 1
        else:
            high = middle
    return low


def _merge_in_place(items: list[Any], start: int, middle: int, end: int, less: Callable[[Any, Any], bool]) -> None:
    """symMerge of Go's package sort."""
    if middle - start == 1:
        place = _search(middle, end, lambda at: less(items[at], items[start]))
        items.insert(place - 1, items.pop(start))
        return
    if end - middle == 1:
        place = _search(start, middle, lambda at: not less(items[middle], items[at]))
        items.insert(place, items.pop(middle))
        return
    half = (start + end) // 2
    total = half + middle
    low, high = (total - end, half) if middle > half else (start, middle)
    pivot = total - 1
    low = _search(low, high, lambda at: not less(items[pivot - at], items[at]))
    stop = total - low
    if low < middle < stop:
        items[low:stop] = items[middle:stop] + items[low:middle]
    if start < low < half:
        _merge_in_place(items, start, low, half, less)
    if half < stop < end:
        _merge_in_place(items, half, stop, end, less)
