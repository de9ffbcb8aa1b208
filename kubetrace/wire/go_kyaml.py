"""KYAML as kubectl writes it (sigs.k8s.io/yaml/kyaml): braces and brackets, every text quoted, keys only where YAML
could take them for something else; a text with line ends is spread over lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kubetrace.wire.go_numbers import json_float
from kubetrace.wire.go_yaml import key_through_json, through_json
from kubetrace.wire.go_yaml_scalars import is_timestamp, parses_as_integer

_SPECIAL = {
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\r": r"\r",
    "\v": r"\v",
    "\0": r"\0",
    "\x1b": r"\e",
    "\x85": r"\N",
    "\xa0": r"\_",
    "\u2028": r"\L",
    "\u2029": r"\P",
    '"': r"\"",
    "\\": r"\\",
}
_FOLD = "\\\n"
_WORDS = frozenset(
    ["null", "~", "true", "y", "yes", "on", "false", "n", "no", "off", ".inf", "-.inf", "+.inf", ".nan"]
) | {""}
_BOOLEANS = frozenset(["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"])
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_OTHER_FLOAT = re.compile(
    r"[+-]?(inf|infinity)|nan|[+-]?0x([0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)p[+-]?[0-9]+", re.IGNORECASE
)
_BASE60 = re.compile(r"[+-]?[1-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")

Write = Callable[[str], object]
Arrange = Callable[[dict[str, Any]], list[str]]
"""Puts a mapping's keys into their order."""


def dumps(value: Any, in_order: bool = False) -> str:
    """A document with its separator and a newline at its end, keys sorted or `in_order`. Raises
    UnrepresentableError."""
    return f"---\n{render(value, in_order=in_order)}\n"


def render(value: Any, indent: int = 0, in_order: bool = False) -> str:
    """A value that begins at the cursor, `indent` levels deep."""
    parts: list[str] = []
    _node(value, indent, parts.append, list if in_order else sorted)
    return "".join(parts)


def _node(value: Any, indent: int, write: Write, arranged: Arrange) -> None:
    if isinstance(value, dict):
        _mapping(value, indent, write, arranged)
    elif isinstance(value, list | tuple):
        _sequence(value, indent, write, arranged)
    elif isinstance(value, str):
        write(_text(value, indent + 1))
    elif value is None or isinstance(value, bool):
        write("null" if value is None else "true" if value else "false")
    else:
        write(json_float(value) if isinstance(value, float) else str(value))


def _mapping(mapping: dict[str, Any], indent: int, write: Write, arranged: Arrange) -> None:
    if not mapping:
        write("{}")
        return
    pad = "  " * (indent + 1)
    write("{\n")
    for key in arranged(mapping):
        write(f"{pad}{_key(key)}: ")
        _node(mapping[key], indent + 1, write, arranged)
        write(",\n")
    write("  " * indent + "}")


def _sequence(items: Any, indent: int, write: Write, arranged: Arrange) -> None:
    if not items:
        write("[]")
        return
    cuddled = all(isinstance(item, dict | list | tuple) for item in items)
    pad = "  " * (indent + 1)
    write("[" if cuddled else "[\n")
    for position, item in enumerate(items):
        if cuddled:
            write(", " if position else "")
            _node(item, indent, write, arranged)
        else:
            write(pad)
            _node(item, indent + 1, write, arranged)
            write(",\n")
    write("]" if cuddled else "  " * indent + "]")


def _key(key: str) -> str:
    key = key_through_json(key)
    if "\n" not in key and not _needs_quotes(key):
        return key
    return '"' + "".join({"\n": r"\n", "\t": r"\t"}.get(char) or _escaped(char) for char in key) + '"'


def _text(text: str, indent: int) -> str:
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    text = through_json(text)
    if "\n" not in text:
        return '"' + "".join(map(_escaped, text)) + '"'
    pad = "  " * indent
    lines = text.split("\n")
    parts = [f'"{_FOLD}']
    for position, line in enumerate(lines):
        last = position == len(lines) - 1
        if last and not line:
            break
        lead = "\\" if line[:1].isspace() and line[:1] not in "\x1c\x1d\x1e\x1f" else " "
        parts.append(pad + lead + "".join(map(_escaped, line)) + ("" if last else "\\n") + _FOLD)
    return "".join(parts) + pad + '"'


def _escaped(char: str) -> str:
    special = _SPECIAL.get(char)
    if special is not None:
        return special
    if char == "\t" or char.isprintable():
        return char
    point = ord(char)
    if point < 0x20 or point == 0x7F:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def _needs_quotes(key: str) -> bool:
    if _is_ambiguous(key):
        return True
    last = len(key) - 1
    for position, char in enumerate(key):
        if char.isalpha() or char.isnumeric() or char == "_":
            continue
        if char not in "-./" or position in (0, last):
            return True
    return False


def _is_ambiguous(key: str) -> bool:
    """Could YAML take the key for null, a boolean, a number or a timestamp?"""
    if key.lower() in _WORDS or key in _BOOLEANS or _BASE60.fullmatch(key) or is_timestamp(key):
        return True
    digits = key.replace("_", "")
    if _OTHER_FLOAT.fullmatch(digits) or parses_as_integer(digits, (1 << 63) - 1):
        return True
    return _FLOAT.fullmatch(digits) is not None and abs(float(digits)) != float("inf")
