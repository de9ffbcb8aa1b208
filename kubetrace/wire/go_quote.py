"""Go's %q: texts and bytes quoted as strconv does it, for messages and for the log.

Everything works on bytes underneath, because what is quoted need not be UTF-8.
"""

from __future__ import annotations

import re

_SIMPLE_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}
_ASCII_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F)} | {
    ord(char): escape for char, escape in _SIMPLE_ESCAPES.items()
}
_NOT_ASCII = r"[^\x20-\x7e]"


def as_bytes(value: str | bytes) -> bytes:
    """UTF-8, with undecodable bytes (surrogate escapes) kept as they were."""
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value


def _escape_wide(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if char.isprintable():
        return char
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escape_all_wide(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quote(value: str | bytes) -> str:
    """strconv.Quote (also fmt's %q): printable text is kept, the rest escaped. Bytes that are no UTF-8 become \\xNN."""
    text = as_bytes(value).decode("utf-8", "surrogateescape").translate(_ASCII_ESCAPES)
    if not text.isascii() and not text.isprintable():
        text = re.sub(_NOT_ASCII, _escape_wide, text)
    return f'"{text}"'


def quote_to_ascii(value: str | bytes) -> str:
    """strconv.QuoteToASCII (fmt's %+q): as `quote`, with every character outside ASCII escaped."""
    text = as_bytes(value).decode("utf-8", "surrogateescape").translate(_ASCII_ESCAPES)
    if not text.isascii():
        text = re.sub(_NOT_ASCII, _escape_all_wide, text)
    return f'"{text}"'


def quote_rune(char: str, ascii_only: bool = False) -> str:
    """strconv.QuoteRune (fmt's %q of a number), or QuoteRuneToASCII (%+q)."""
    if char in "'\"":
        return f"'\\{char}'" if char == "'" else f"'{char}'"
    return f"'{(quote_to_ascii if ascii_only else quote)(char)[1:-1]}'"
