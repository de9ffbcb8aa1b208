"""Where a text stops being base64, as encoding/base64's StdEncoding sees it."""

from __future__ import annotations

import re

_ALPHABET = re.compile("[A-Za-z0-9+/]*")


def base64_problem(text: str) -> str:
    """Go's words for what is no base64; "" where it is. Line ends are skipped."""
    offset = _wrong_at(text.replace("\r", "").replace("\n", ""))
    return "" if offset is None else f"illegal base64 data at input byte {offset}"


def _wrong_at(text: str) -> int | None:
    good = len(_ALPHABET.match(text).group())  # type: ignore[union-attr]
    over = good % 4
    if good == len(text):
        return good - over if over else None
    if text[good] != "=" or over < 2:
        return good
    end = good + 1
    if over == 2:
        if end == len(text):
            return end
        if text[end] != "=":
            return good
        end += 1
    return end if end < len(text) else None
