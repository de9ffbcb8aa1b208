"""Go's string escapes, read (strconv.UnquoteChar).

\\x80 and the like mean bytes; those are surrogate escapes until `joined` has put neighbours together.
"""

from __future__ import annotations

import re

_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_HEX_LENGTHS = {"x": 2, "u": 4, "U": 8}


class UnquoteError(ValueError):
    """strconv.ErrSyntax."""

    def __init__(self) -> None:
        super().__init__("invalid syntax")


def unquote_char(text: str, quote: str) -> tuple[str, str]:
    """The first character of an escaped text, and what follows. Raises UnquoteError."""
    if text[0] == quote:
        raise UnquoteError
    if text[0] != "\\":
        return text[0], text[1:]
    kind, rest = text[1:2], text[2:]
    if kind in _SIMPLE and kind:
        return _SIMPLE[kind], rest
    if kind and kind == quote:
        return kind, rest
    if kind in _HEX_LENGTHS and kind:
        return _code(rest, _HEX_LENGTHS[kind], 16)
    if kind and kind in "01234567":
        return _code(text[1:], 3, 8)
    raise UnquoteError


def _code(text: str, length: int, base: int) -> tuple[str, str]:
    digits = text[:length]
    if not re.fullmatch("[0-9a-fA-F]+" if base == 16 else "[0-7]+", digits) or len(digits) < length:
        raise UnquoteError
    point = int(digits, base)
    if point > (0xFF if length < 4 else 0x10FFFF) or 0xD800 <= point < 0xE000:
        raise UnquoteError
    if length < 4 and point >= 0x80:
        point += 0xDC00
    return chr(point), text[length:]


def joined(chars: list[str]) -> str:
    """The text that characters make, escaped bytes beside each other being UTF-8 if they can."""
    text = "".join(chars)
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
