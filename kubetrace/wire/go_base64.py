"""Where a text stops being base64, as encoding/base64's StdEncoding sees it (decodeQuantum)."""

from __future__ import annotations

import re

_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_LINE_ENDS = "\r\n"


def base64_problem(text: str) -> str:
    """Go's words for what is no base64; "" where it is. Line ends are skipped."""
    plain = text.replace("\r", "").replace("\n", "")
    if len(plain) % 4 == 0 and re.fullmatch("[A-Za-z0-9+/]*={0,2}", plain):
        return ""
    return f"illegal base64 data at input byte {_wrong_at(text)}"


def _wrong_at(text: str) -> int:
    """A group that is too short is named by its begin, without the line ends within it."""
    in_group = 0
    for at, char in enumerate(text):
        if char in _ALPHABET:
            in_group = (in_group + 1) % 4
        elif char == "=":
            return at if in_group < 2 else _wrong_padding(text, at, in_group)
        elif char not in _LINE_ENDS:
            return at
    return len(text) - in_group


def _wrong_padding(text: str, at: int, in_group: int) -> int:
    at = _after_line_ends(text, at + 1)
    if in_group == 2 and at < len(text):
        if text[at] != "=":
            return at - 1
        at = _after_line_ends(text, at + 1)
    return at


def _after_line_ends(text: str, at: int) -> int:
    while at < len(text) and text[at] in _LINE_ENDS:
        at += 1
    return at
