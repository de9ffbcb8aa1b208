"""Backslashes in texts, as C, echo -e and printf read them."""

from __future__ import annotations

import re

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", "e": "\x1b"}


def unescaped(text: str) -> str:
    """`\\c`, after which nothing is shown, becomes "\\x00c"."""

    def one(match: re.Match[str]) -> str:
        found = match.group(1)
        if found == "c":
            return "\x00c"
        if found[0] == "x":
            return chr(int(found[1:], 16))
        if found[0].isdigit():
            return chr(int(found, 8) & 255)
        return _ESCAPES.get(found, "\\" + found)

    return re.sub(r"\\(x[0-9a-fA-F]{1,2}|0?[0-7]{1,3}|.)", one, text)
