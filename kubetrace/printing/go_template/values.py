"""What a template computes with: values as Go's reflect sees them.

A value is what JSON decodes to, or an `Int`, a `Uint8`, a complex number. Go knows three things more, and its errors
and its comparisons tell them apart: whether a value came out of a map or a list, and so is an `interface {}` that holds
something (`Boxed`); that there is no value at all (`INVALID`, a missing key); and that a pipeline has no value yet
(`MISSING`).
"""

from __future__ import annotations

from typing import Any, Final

from kubetrace.printing.go_values import type_name


class Boxed:
    """An `interface {}` and what it holds; None is nil. (Made at every step of every path: as light as can be.)"""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class _Absent:
    """A marker."""


INVALID: Final = _Absent()
MISSING: Final = _Absent()

Value = Any


def unboxed(value: Value) -> Value:
    """What an interface holds; INVALID for nil."""
    if type(value) is not Boxed:
        return value
    return INVALID if value.value is None else value.value


def plain(value: Value) -> Any:
    """The value as an operand of fmt, where nil and no value are the same."""
    if type(value) is Boxed:
        return value.value
    return None if value is INVALID else value


def is_nil(value: Value) -> bool:
    """Is this an interface that holds nothing?"""
    return type(value) is Boxed and value.value is None


def static_type(value: Value) -> str:
    """reflect's Type: of an interface, not of what it holds."""
    return "interface {}" if type(value) is Boxed else type_name(value)


def is_true(value: Value) -> bool:
    """template.IsTrue: not empty, not zero."""
    value = unboxed(value)
    return value is not INVALID and bool(value)
