"""Texts as Go's strconv and time read them, with Go's words for what can't be read."""

from __future__ import annotations

import re


class BadValue(ValueError):
    """A text cannot become a value; the message is Go's."""


_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


def go_quote(text: str) -> str:
    """Go's %q of a short text (imported only when an error is due)."""
    from kubetrace.wire.go_quote import quote

    return quote(text)


def parse_bool(text: str) -> bool:
    """strconv.ParseBool."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise BadValue(f"strconv.ParseBool: parsing {go_quote(text)}: invalid syntax")


def parse_int(text: str, bits: int = 64, base: int = 0) -> int:
    """strconv.ParseInt: with base 0 the prefixes 0x, 0o, 0b and 0 and underscores between digits are understood."""
    pattern = (
        r"[+-]?(0[xX](_?[0-9a-fA-F])+|0[bB](_?[01])+|0[oO]?(_?[0-7])+|0|[1-9](_?[0-9])*)" if base == 0 else r"[+-]?\d+"
    )
    if not re.fullmatch(pattern, text, re.ASCII):
        raise BadValue(f"strconv.ParseInt: parsing {go_quote(text)}: invalid syntax")
    body = text.lstrip("+-").replace("_", "")
    if base == 0 and re.fullmatch(r"0[0-7]+", body):
        number = int(body, 8)
    else:
        number = int(body, base)
    if text.startswith("-"):
        number = -number
    if not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise BadValue(f"strconv.ParseInt: parsing {go_quote(text)}: value out of range")
    return number


_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """time.ParseDuration, in seconds."""
    quoted = go_quote(text)
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0.0
    if not rest:
        raise BadValue(f"time: invalid duration {quoted}")
    part = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)")
    total, position = 0.0, 0
    while position < len(rest):
        match = part.match(rest, position)
        if match is None:
            raise BadValue(f"time: invalid duration {quoted}")
        number, unit = match.groups()
        if not unit:
            raise BadValue(f"time: missing unit in duration {quoted}")
        if unit not in _UNITS:
            raise BadValue(f"time: unknown unit {go_quote(unit)} in duration {quoted}")
        total += float(number) * _UNITS[unit]
        position = match.end()
    return -total if text.startswith("-") else total
