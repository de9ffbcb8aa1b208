"""The functions that kubectl's templates may call: text/template's (funcs.go) and kubectl's two (cli-runtime
pkg/printers/template.go)."""

from __future__ import annotations

import base64
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

from kubetrace.printing.go_format import sprint_all, sprintf, sprintln
from kubetrace.printing.go_template.values import INVALID, Boxed, Value, is_nil, is_true, unboxed
from kubetrace.printing.go_values import Int, Uint8, type_name
from kubetrace.value import Value as BaseValue
from kubetrace.wire.go_base64 import base64_problem
from kubetrace.wire.go_quote import as_bytes


class CallError(ValueError):
    """A function refuses its arguments; the message is Go's."""


class Function(BaseValue):
    """A function and Go's types of its parameters: "value" (reflect.Value), "any" (interface {}) or "string"; a
    variadic one takes any number of its last."""

    call: Callable[..., Value]
    parameters: tuple[str, ...]
    variadic: bool = False

    def parameter(self, position: int) -> str:
        return self.parameters[min(position, len(self.parameters) - 1)]

    @property
    def fixed(self) -> int:
        return len(self.parameters) - self.variadic


# --- indexes ---------------------------------------------------------------------------------------------------------


def _index_argument(index: Value, capacity: int) -> int:
    if index is INVALID:
        raise CallError("cannot index slice/array with nil")
    if not isinstance(index, int) or isinstance(index, bool):
        raise CallError(f"cannot index slice/array with type {type_name(index)}")
    if not 0 <= index <= capacity:
        raise CallError(f"index out of range: {int(index)}")
    return int(index)


def _index(item: Value, *indexes: Value) -> Value:
    item = unboxed(item)
    if item is INVALID:
        raise CallError("index of untyped nil")
    for index in map(unboxed, indexes):
        if is_nil(item):
            raise CallError("index of nil pointer")
        item = unboxed(item)
        if isinstance(item, list | str):
            item = _element(item, index)
        elif isinstance(item, dict):
            if index is INVALID:
                raise CallError("value is nil; should be of type string")
            if not isinstance(index, str):
                raise CallError(f"value has type {type_name(index)}; should be string")
            item = Boxed(item.get(index))
        else:
            raise CallError(f"can't index item of type {type_name(item)}")
    return item


def _element(item: list[Any] | str, index: Value) -> Value:
    elements = item if isinstance(item, list) else as_bytes(item)
    at = _index_argument(index, len(elements))
    if at == len(elements):
        raise CallError(f"reflect: {'slice' if isinstance(item, list) else 'string'} index out of range")
    return Boxed(elements[at]) if isinstance(item, list) else Uint8(elements[at])


def _slice(item: Value, *indexes: Value) -> Value:
    item = unboxed(item)
    if item is INVALID:
        raise CallError("slice of untyped nil")
    if len(indexes) > 3:
        raise CallError(f"too many slice indexes: {len(indexes)}")
    if not isinstance(item, list | str):
        raise CallError(f"can't slice item of type {type_name(item)}")
    if isinstance(item, str) and len(indexes) == 3:
        raise CallError("cannot 3-index slice a string")
    elements: Any = item if isinstance(item, list) else as_bytes(item)
    capacity = _capacity(item) if isinstance(item, list) else len(elements)
    bounds = [0, len(elements), capacity]
    for position, index in enumerate(indexes):
        if type(index) is Boxed:  # `slice`, other than `index`, does not look inside
            raise CallError("cannot index slice/array with type interface {}")
        bounds[position] = _index_argument(index, capacity)
    for low, high in ((bounds[0], bounds[1]), (bounds[1], bounds[2])):
        if low > high:
            raise CallError(f"invalid slice index: {low} > {high}")
    if isinstance(item, str):
        sliced: bytes = elements[bounds[0] : bounds[1]]
        return sliced.decode("utf-8", "surrogateescape")
    room = [None] * max(0, bounds[1] - len(item))
    return [*item, *room][bounds[0] : bounds[1]]


def _capacity(items: list[Any]) -> int:
    """How much room Go's decoder makes for a list that it appends to: it may be sliced beyond its end."""
    capacity = 0
    while capacity < len(items):
        capacity = max(1, capacity * 2) if capacity < 512 else len(items)
    return capacity


def _length(item: Value) -> Value:
    if item is INVALID:
        raise CallError("reflect: call of reflect.Value.Type on zero Value")
    if is_nil(item):
        raise CallError("len of nil pointer")
    item = unboxed(item)
    if isinstance(item, str):
        return Int(len(as_bytes(item)))
    if isinstance(item, dict | list):
        return Int(len(item))
    raise CallError(f"len of type {type_name(item)}")


def _exists(item: Any, *indexes: Any) -> bool:
    """Could `index` be called with these? (kubectl finds that nil alone exists.)"""
    if item is None:
        return not indexes
    for index in indexes:
        if isinstance(item, list | str):
            elements = item if isinstance(item, list) else as_bytes(item)
            if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(elements):
                return False
            item = elements[index]
        elif isinstance(item, dict) and isinstance(index, str | None):
            item = item.get(index or "")
        else:
            return False
    return item is not None


# --- comparisons -----------------------------------------------------------------------------------------------------


def _basic_kind(value: Value) -> str:
    """The kinds that can be compared; "" for others."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, Uint8):
        return "uint"
    for kind, of in (("int", int), ("float", float), ("complex", complex), ("string", str)):
        if isinstance(value, of):
            return kind
    return ""


_INTEGERS = ({"int"}, {"uint"}, {"int", "uint"})


def _equal(first: Value, *others: Value) -> bool:
    """Is the first any of the others? What stands behind a match is not looked at."""
    if not others:
        raise CallError("missing argument for comparison")
    first = unboxed(first)
    return any(_equals(first, unboxed(other)) for other in others)


def _equals(left: Value, right: Value) -> bool:
    kinds = _basic_kind(left), _basic_kind(right)
    if kinds[0] != kinds[1] and set(kinds) not in _INTEGERS:
        if left is not INVALID and right is not INVALID:
            raise CallError(f"incompatible types for comparison: {type_name(left)} and {type_name(right)}")
        return False
    if kinds[0]:
        return bool(left == right)
    if left is INVALID or right is INVALID:
        return left is right
    if type(left) is not type(right):
        shown = sprintf("%s", [left]), sprintf("%v", [right])
        raise CallError(f"non-comparable types {shown[0]}: {type_name(left)}, {type_name(right)}: {shown[1]}")
    raise CallError(f"non-comparable type {sprintf('%s', [right])}: {type_name(right)}")


def _not_equal(left: Value, right: Value) -> bool:
    return not _equal(left, right)


def _less(left: Value, right: Value) -> bool:
    left, right = unboxed(left), unboxed(right)
    kinds = _basic_kind(left), _basic_kind(right)
    if "" in kinds:
        raise CallError("invalid type for comparison")
    if kinds[0] != kinds[1] and set(kinds) not in _INTEGERS:
        raise CallError(f"incompatible types for comparison: {type_name(left)} and {type_name(right)}")
    if kinds[0] in ("bool", "complex"):
        raise CallError("invalid type for comparison")
    if kinds[0] == "string":
        return as_bytes(left) < as_bytes(right)
    return bool(left < right)


def _less_or_equal(left: Value, right: Value) -> bool:
    return _less(left, right) or _equal(left, right)


# --- escapes ---------------------------------------------------------------------------------------------------------

_HTML = {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
_JS = {"\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D"}


def _operands(arguments: tuple[Any, ...]) -> str:
    """evalArgs: the text of operands, nil being no value."""
    return sprint_all(["<no value>" if argument is None else argument for argument in arguments])


def _html(*arguments: Any) -> str:
    return re.sub("[\0\"'&<>]", lambda match: _HTML[match[0]], _operands(arguments))


def _js(*arguments: Any) -> str:
    return re.sub("[\\\\'\"<>&=\0-\x1f]|[^\0-\x7f]", _js_escape, _operands(arguments))


def _js_escape(match: re.Match[str]) -> str:
    char = match[0]
    if char in _JS:
        return _JS[char]
    if ord(char) < 0x80:
        return f"\\u{ord(char):04X}"
    if 0xDC80 <= ord(char) <= 0xDCFF:
        return char  # Go finds U+FFFD there, calls it printable, and writes the byte
    return char if char.isprintable() else f"\\u{ord(char):04X}"


def _urlquery(*arguments: Any) -> str:
    return urllib.parse.quote_plus(as_bytes(_operands(arguments)), safe="")


def _base64decode(text: str) -> str:
    if problem := base64_problem(text):
        raise CallError(f"base64 decode failed: {problem}")
    return base64.b64decode(text).decode("utf-8", "surrogateescape")


# --- the table -------------------------------------------------------------------------------------------------------


def _call(name: str, function: Value, *arguments: Value) -> Value:
    function = unboxed(function)
    if function is INVALID:
        raise CallError("call of nil")
    raise CallError(f"non-function {name} of type {type_name(function)}")


def _printf(format: str, *arguments: Any) -> str:
    return sprintf(format, list(arguments))


def _never(*arguments: Value) -> Value:
    raise AssertionError("and, or: the executor evaluates them")


_VALUES = ("value", "value")

FUNCTIONS: dict[str, Function] = {
    "and": Function(_never, _VALUES, variadic=True),
    "or": Function(_never, _VALUES, variadic=True),
    "not": Function(lambda value: not is_true(value), ("value",)),
    "call": Function(_call, _VALUES, variadic=True),
    "index": Function(_index, _VALUES, variadic=True),
    "slice": Function(_slice, _VALUES, variadic=True),
    "len": Function(_length, ("value",)),
    "eq": Function(_equal, _VALUES, variadic=True),
    "ne": Function(_not_equal, _VALUES),
    "lt": Function(_less, _VALUES),
    "le": Function(_less_or_equal, _VALUES),
    "gt": Function(lambda left, right: not _less_or_equal(left, right), _VALUES),
    "ge": Function(lambda left, right: not _less(left, right), _VALUES),
    "print": Function(lambda *values: sprint_all(list(values)), ("any",), variadic=True),
    "println": Function(lambda *values: sprintln(list(values)), ("any",), variadic=True),
    "printf": Function(_printf, ("string", "any"), variadic=True),
    "html": Function(_html, ("any",), variadic=True),
    "js": Function(_js, ("any",), variadic=True),
    "urlquery": Function(_urlquery, ("any",), variadic=True),
    "exists": Function(_exists, ("any", "any"), variadic=True),
    "base64decode": Function(_base64decode, ("string",)),
}
