"""YAML as kubectl writes it: sigs.k8s.io/yaml's Marshal, byte for byte, for JSON-like data.

sigs.k8s.io/yaml turns the value into JSON, reads that JSON as YAML and lets go.yaml.in/yaml/v2 write it; a few quirks
come from the middle step. Sequences stand at their parent's indent, keys are sorted so that numbers in them count as
numbers, and lines fold at the first blank after column 80.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from kubetrace.wire.go_numbers import general_float, json_float
from kubetrace.wire.go_yaml_scalars import analyse, double_quoted_escapes, resolves_to_other

_WIDTH = 80
_LONGEST_SIMPLE_KEY = 128  # bytes
_SAFE_WORD = re.compile(r"[A-Za-z_/$()^\\;<=][!-~]*(?<!:)")
_DATE = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z")
_FORBIDDEN = re.compile("[\x7f-\x84\x86-\x9f\ufffe\uffff]")
_NEXT_LINE = re.compile(" *\x85[ \x85]*")
_RUNS = re.compile("[^ ]+| +")
_LINES = re.compile("[^\n\u2028\u2029]+|[\n\u2028\u2029]")
_LETTERS_ONLY = re.compile("[A-Za-z]*")
_CACHE_SIZE = 20_000

Write = Callable[[str], object]


class UnrepresentableError(ValueError):
    """The value can't be written; the message is go-yaml's."""


def dumps(value: Any) -> str:
    """`value` (dicts with text keys, lists, text, numbers, booleans, None) as one YAML document that ends in a
    newline. Raises UnrepresentableError for control characters that YAML forbids."""
    return Writer().dumps(value)


class Writer:
    """Writes documents, remembering how it wrote keys and short texts: lists repeat them."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}
        self._heads: dict[str, str] = {}
        self._orders: dict[tuple[str, ...], list[str]] = {}

    def dumps(self, value: Any) -> str:
        parts: list[str] = []
        self._node(value, 0, 0, parts.append)
        return "".join(parts)

    def _node(self, value: Any, indent: int, column: int, write: Write) -> None:
        """Writes a document, a sequence's item or a long key's value, the cursor being at `column`."""
        if isinstance(value, dict) and value:
            self._mapping(value, indent, write, True)
        elif isinstance(value, list | tuple) and value:
            self._sequence(value, indent, write, True)
        elif isinstance(value, str):
            write(self._text(value, indent, column))
        else:
            write(_plain_value(value) + "\n")

    def _sequence(self, items: Any, indent: int, write: Write, started: bool) -> None:
        dash = " " * indent + "- "
        for item in items:
            write("- " if started else dash)
            started = False
            kind = type(item)
            if kind is dict and item:
                self._mapping(item, indent + 2, write, True)
            else:
                self._node(item, indent + 2, indent + 2, write)

    def _mapping(self, mapping: dict[str, Any], indent: int, write: Write, started: bool) -> None:
        pad = " " * indent
        words = self._words
        heads = self._heads
        for key in self._order(mapping):
            value = mapping[key]
            head = heads.get(key) or self._head(key)
            if started:
                started = False
            else:
                write(pad)
            if head == "?":
                self._long_key(key, value, indent, write)
                continue
            kind = type(value)
            if kind is str:
                word = words.get(value)
                if word is not None:
                    write(f"{head} {word}\n")
                else:
                    write(f"{head} {self._text(value, indent + 2, indent + len(head) + 1)}")
            elif kind is dict and value:
                write(head + "\n")
                self._mapping(value, indent + 2, write, False)
            elif kind is list and value:
                write(head + "\n")
                self._sequence(value, indent, write, False)
            elif kind is bool:
                write(f"{head} {'true' if value else 'false'}\n")
            elif kind is int:
                write(f"{head} {value}\n" if -(1 << 63) <= value < 1 << 64 else f"{head} {_plain_value(value)}\n")
            elif isinstance(value, dict) and value:
                write(head + "\n")
                self._mapping(value, indent + 2, write, False)
            elif isinstance(value, list | tuple) and value:
                write(head + "\n")
                self._sequence(value, indent, write, False)
            else:
                write(f"{head} {_plain_value(value)}\n")

    def _long_key(self, key: str, value: Any, indent: int, write: Write) -> None:
        write("? " + self._text(key, indent + 2, indent + 2))
        write(" " * indent + ": ")
        self._node(value, indent + 2, indent + 2, write)

    def _order(self, mapping: dict[str, Any]) -> list[str]:
        names = tuple(mapping)
        order = self._orders.get(names)
        if order is None:
            if len(self._orders) > _CACHE_SIZE:
                self._orders.clear()
            order = self._orders[names] = sort_keys(names)
        return order

    def _head(self, key: str) -> str:
        """The key with its colon, or "?" for a key too long (or with line breaks) to be a simple one."""
        text = key_through_json(key)
        analysis = analyse(text)
        if analysis.multiline or len(text.encode()) > _LONGEST_SIMPLE_KEY:
            head = "?"
        elif resolves_to_other(text) or not text:
            head = f'"{double_quoted_escapes(text)}":'
        elif analysis.plain:
            head = text + ":"
        elif analysis.single_quoted:
            head = "'" + text.replace("'", "''") + "':"
        else:
            head = f'"{double_quoted_escapes(text)}":'
        if len(self._heads) > _CACHE_SIZE:
            self._heads.clear()
        self._heads[key] = head
        return head

    def _text(self, text: str, indent: int, column: int) -> str:
        """A text scalar with what ends it (a newline, as a rule); its further lines begin at `indent`."""
        if _SAFE_WORD.fullmatch(text) and not resolves_to_other(text):
            if len(self._words) > _CACHE_SIZE:
                self._words.clear()
            self._words[text] = text
            return text + "\n"
        if _DATE.fullmatch(text):
            return f'"{text}"\n'
        return _render(through_json(text), indent, column)


def _plain_value(value: Any) -> str:
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    raise UnrepresentableError(f"json: unsupported type: {type(value).__name__}")


def _number(value: float) -> str:
    """Numbers go through JSON's form, which go-yaml reads as int64, uint64 or a float, and writes as such."""
    text = json_float(value) if isinstance(value, float) else str(value)
    if "." not in text and "e" not in text and -(1 << 63) <= int(text) < 1 << 64:
        return str(int(text))
    return general_float(float(text))


def through_json(text: str) -> str:
    """What go-yaml reads where JSON says `text`: it refuses some control characters and folds U+0085, a line break to
    YAML, into blanks or newlines."""
    if text.isascii() and "\x7f" not in text:
        return text
    if _FORBIDDEN.search(text):
        raise UnrepresentableError("yaml: control characters are not allowed")
    if "\x85" in text:
        return _NEXT_LINE.sub(lambda match: "\n" * (match[0].count("\x85") - 1) or " ", text)
    return text


def key_through_json(key: str) -> str:
    """The same of a mapping's key, which must not have line breaks. (go-yaml names the line: the first.)"""
    text = through_json(key)
    if "\x85" in key:
        raise UnrepresentableError("yaml: line 1: did not find expected ',' or '}'")
    return text


def _render(text: str, indent: int, column: int) -> str:
    analysis = analyse(text)
    if "\n" in text and analysis.block:
        return _literal(text, indent)
    if "\n" in text or resolves_to_other(text) or not text:
        return _double_quoted(text, indent, column)
    if analysis.plain:
        return _folded(text, indent, column) + "\n"
    if analysis.single_quoted:
        return _single_quoted(text, indent, column)
    return _double_quoted(text, indent, column)


def _literal(text: str, indent: int) -> str:
    head = "|2" if text[0] in " \n\u2028\u2029" else "|"
    breaks = len(text) - len(text.rstrip("\n\u2028\u2029"))
    head += "-" if breaks == 0 else "+" if breaks > 1 or len(text) == 1 else ""
    pad = " " * indent
    body = _LINES.sub(lambda match: match[0] if match[0] in "\n\u2028\u2029" else pad + match[0], text)
    return f"{head}\n{body}" if breaks else f"{head}\n{body}\n"


def _folded(text: str, indent: int, column: int) -> str:
    """A plain text, broken at single blanks once the cursor has passed the width."""
    if column + len(text) <= _WIDTH or " " not in text:
        return text
    parts = []
    for run in _RUNS.findall(text):
        if run == " " and column > _WIDTH:
            parts.append("\n" + " " * indent)
            column = indent
        else:
            parts.append(run)
            column += len(run)
    return "".join(parts)


def _single_quoted(text: str, indent: int, column: int) -> str:
    if "\u2028" in text or "\u2029" in text:
        return _single_quoted_with_breaks(text, indent, column)
    inner = text.strip(" ")
    start, end = text[: len(text) - len(text.lstrip(" "))], text[len(text.rstrip(" ")) :] if inner else ""
    middle = text[len(start) : len(text) - len(end)].replace("'", "''")
    return f"'{start}{_folded(middle, indent, column + 1 + len(start))}{end}'\n"


def _single_quoted_with_breaks(text: str, indent: int, column: int) -> str:
    parts = ["'"]
    column += 1
    spaces = breaks = False
    for position, char in enumerate(text):
        if char == " ":
            following = text[position + 1 : position + 2]
            if not spaces and column > _WIDTH and following not in ("", " ") and position > 0:
                parts.append("\n" + " " * indent)
                column = indent
            else:
                parts.append(char)
                column += 1
            spaces = True
        elif char in "\u2028\u2029":
            parts.append(char)
            column = 0
            breaks = True
        else:
            if breaks:
                parts.append(" " * (indent - column))
                column = max(indent, column)
            parts.append("''" if char == "'" else char)
            column += 2 if char == "'" else 1
            spaces = breaks = False
    return "".join(parts) + "'\n"


def _double_quoted(text: str, indent: int, column: int) -> str:
    escaped = double_quoted_escapes(text)
    if column + len(escaped) < _WIDTH or " " not in escaped:
        return f'"{escaped}"\n'
    parts = ['"']
    column += 1
    done, last = 0, len(escaped) - 1
    for run in _RUNS.findall(escaped):
        if run[0] == " " and column > _WIDTH and 0 < done < last:
            parts.append("\n" + " " * indent + ("\\" if len(run) > 1 else "") + run[1:])
            column = indent + len(run) - 1 + (len(run) > 1)
        else:
            parts.append(run)
            column += len(run)
        done += len(run)
    return "".join(parts) + '"\n'


def sort_keys(names: tuple[str, ...] | list[str]) -> list[str]:
    """Keys in go-yaml's order: runs of digits compare as numbers, letters sort after everything else."""
    if all(_LETTERS_ONLY.fullmatch(name) for name in names):
        return sorted(names)
    return sorted(sorted(names), key=cmp_to_key(_compare))


def _compare(left: str, right: str) -> int:
    return -1 if _less(left, right) else 1 if _less(right, left) else 0


def _less(left: str, right: str) -> bool:
    """yaml/v2 sorter.go, keyList.Less for two strings."""
    at = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), None)
    if at is None:
        return len(left) < len(right)
    a, b = left[at], right[at]
    if a.isalpha() and b.isalpha():
        return a < b
    if a.isalpha() or b.isalpha():
        return b.isalpha()
    offset = 1 if "0" in (a, b) and _after_a_digit_above_zero(left, at) else 0
    left_number, left_end = _digits_at(left, at, offset)
    right_number, right_end = _digits_at(right, at, offset)
    if left_number != right_number:
        return left_number < right_number
    if left_end != right_end:
        return left_end < right_end
    return a < b


def _after_a_digit_above_zero(text: str, at: int) -> bool:
    while at > 0 and text[at - 1].isdecimal():
        at -= 1
        if text[at] != "0":
            return True
    return False


def _digits_at(text: str, at: int, number: int) -> tuple[int, int]:
    """Go counts by code points from "0" and lets int64 overflow wrap."""
    while at < len(text) and text[at].isdecimal():
        number = number * 10 + ord(text[at]) - 48
        at += 1
    return (number + (1 << 63)) % (1 << 64) - (1 << 63), at
