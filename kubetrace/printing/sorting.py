"""--sort-by (kubectl pkg/cmd/get/sorter.go)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeVar

from kubetrace.api.go_sort import go_sort
from kubetrace.errors import KubetraceError
from kubetrace.printing.go_values import type_name
from kubetrace.printing.jsonpath import JSONPath
from kubetrace.printing.jsonpath_parser import JSONPathError, relaxed

T = TypeVar("T")

_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?[0-9]+))?")
_SUFFIXES = {
    **{
        suffix: Fraction(10) ** power
        for suffix, power in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True)
    },
    **{f"{sign}i": Fraction(1024) ** (power + 1) for power, sign in enumerate("KMGTPE")},
}


class UnsortableError(KubetraceError):
    """Values that have no order. kubectl ends at once; its last line is a fatal log line with this text, the note."""

    def __init__(self, message: str, note: str) -> None:
        super().__init__(message)
        self.note = note


def sort_rows(rows: list[T], field: str, objects: Callable[[T], Any]) -> list[T]:
    """A table's rows in the order of a field of their objects. Raises KubetraceError as `sort_objects` does."""
    with contextlib.suppress(JSONPathError):
        field = relaxed(field)
    try:
        path = JSONPath(field, allow_missing_keys=True)
    except JSONPathError as error:
        raise KubetraceError(f"sorting error: {error}") from None
    return _sorted(rows, path, field, objects, "[][][]reflect.Value", "unsortable-rows")


def sort_objects(items: list[T], field: str, objects: Callable[[T], Any]) -> list[T]:
    """Objects in the order of a field; those without it come first.

    Raises KubetraceError where no object has the field, and UnsortableError where its values have no order.
    """
    try:
        field = relaxed(field)
        path = JSONPath(field, allow_missing_keys=True)
    except JSONPathError as error:
        raise KubetraceError(str(error)) from None
    return _sorted(items, path, field, objects, "*unstructured.Unstructured", "unsortable-objects")


def _sorted(items: list[T], path: JSONPath, field: str, objects: Callable[[T], Any], what: str, note: str) -> list[T]:
    keyed = [(_first(path, objects(item), field), item) for item in items]
    if keyed and all(key is _MISSING for key, _ in keyed):
        raise KubetraceError(f'couldn\'t find any field with path "{field}" in the list of objects')

    def less(left: tuple[Any, T], right: tuple[Any, T]) -> bool:
        try:
            return _less(left[0], right[0])
        except _NoOrder as error:
            # The object itself is a map; what is in it, an interface that holds one.
            kind, problem = ("map", "unsortable type: map") if left[0] is objects(left[1]) else ("interface", error)
            message = f"Field {field} in {what} is an unsortable type: {kind}, err: {problem}"
            raise UnsortableError(message, note) from None

    go_sort(keyed, less)
    return [item for _, item in keyed]


_MISSING: Any = object()


class _NoOrder(ValueError):
    pass


def _first(path: JSONPath, value: Any, field: str) -> Any:
    try:
        found: Sequence[Sequence[Any]] = path.find(value)
    except JSONPathError as error:
        raise KubetraceError(f"Failed to get values for [][]reflect.Value(nil) using {field} ({error})") from None
    return found[0][0] if found and found[0] else _MISSING


def _less(left: Any, right: Any) -> bool:
    if left is _MISSING:
        return True
    if right is _MISSING:
        return False
    if left is None or right is None:
        return left is None and right is not None
    if isinstance(left, bool | dict | list):
        raise _NoOrder(f"unsortable type: {type_name(left)}")
    if type(left) is not type(right):
        raise _NoOrder("unsortable interface: interface")
    if isinstance(left, str):
        return _text_less(left, right)
    return bool(left < right)


def _text_less(left: str, right: str) -> bool:
    """Quantities ("100m", "1Gi") by their size, other texts by their bytes."""
    left_size = parse_quantity(left)
    right_size = parse_quantity(right) if left_size is not None else None
    if left_size is None or right_size is None:
        return left.encode() < right.encode()
    return left_size < right_size


def parse_quantity(text: str) -> Fraction | None:
    """The size of a resource quantity; None for a text that is none."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    number, suffix, exponent = match.groups()
    scale = _SUFFIXES[suffix] if suffix else Fraction(10) ** int(exponent or 0)
    return Fraction(number) * scale
