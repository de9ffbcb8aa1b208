"""Which scalars sigs.k8s.io/yaml quotes, and how: the decisions of go.yaml.in/yaml/v2 (resolve.go, emitterc.go).

Strings that YAML 1.1 would read as something else are double-quoted; strings that can't stand plain for their
characters are single-quoted, or double-quoted where an escape is needed; strings with a newline become literal blocks.
"""

from __future__ import annotations

import re

from kubetrace.value import Value

_RESERVED = frozenset(
    word
    for plain in ("y", "yes", "true", "on", "n", "no", "false", "off", "null")
    for word in (plain, plain.capitalize(), plain.upper())
) | frozenset(
    ["", "~", ".nan", ".NaN", ".NAN"] + [f"{sign}.{word}" for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")]
)
_BASE60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_HEX_FLOAT = re.compile(r"\.[0-9]+([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|([1-9][0-9]*|0))")
_BINARY = re.compile(r"(?:0b[-+]?|-0b)([01]+)")
_TIMESTAMP = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
    r"(?:(?:[Tt](?P<zoned>)| +)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2}):(?P<second>[0-9]{1,2})(?:[.,][0-9]+)?"
    r"(?P<zone>Z|[-+](?P<zone_hour>[0-9]{2}):(?P<zone_minute>[0-9]{2}))?)?"
)
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_UNPRINTABLE = re.compile("[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_BREAK = re.compile("[\r\n\x85\u2028\u2029]")
_BAD_START = re.compile(r"[#,\[\]{}&*!|>'\"%@`]|[?:-](?:[ \t]|\Z)|---|\.\.\.", re.DOTALL)
_BAD_INSIDE = re.compile("[^\n]:(?:[ \t]|\\Z)|[ \t\r\n\x85\u2028\u2029\x00]#", re.DOTALL)
_BREAK_SPACE = re.compile("[\r\n\x85\u2028\u2029] ")
_SPACE_BREAK = re.compile(" [\r\n\x85\u2028\u2029]")


def is_timestamp(text: str) -> bool:
    """One of the forms of a date or time that go-yaml reads."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None or (match["hour"] is not None and (match["zoned"] is not None) != (match["zone"] is not None)):
        return False
    month, day, year = int(match["month"]), int(match["day"]), int(match["year"])
    if not 1 <= month <= 12 or not 1 <= day <= _MONTH_DAYS[month - 1]:
        return False
    if month == 2 and day == 29 and (year % 4 or (year % 100 == 0 and year % 400)):
        return False
    if match["hour"] and not (int(match["hour"]) < 24 and int(match["minute"]) < 60 and int(match["second"]) < 60):
        return False
    return not match["zone_hour"] or (int(match["zone_hour"]) <= 24 and int(match["zone_minute"]) <= 60)


def is_integer(text: str) -> bool:
    """Does Go's ParseInt or ParseUint with base 0 read it, or is it a binary number in go-yaml's own way?"""
    match = _BINARY.fullmatch(text)
    return parses_as_integer(text, (1 << 64) - 1) or (match is not None and int(match[1], 2) < 1 << 63)


def parses_as_integer(text: str, largest: int) -> bool:
    """Does Go's ParseInt with base 0 read it, as a number up to `largest`?"""
    match = _INTEGER.fullmatch(text)
    if match is None:
        return False
    sign, hexadecimal, binary, octal, decimal = match.groups()
    digits, base = next((d, b) for d, b in ((hexadecimal, 16), (binary, 2), (octal, 8), (decimal, 10)) if d)
    return int(digits, base) <= (1 << 63 if sign == "-" else (1 << 63) - 1 if sign else largest)


def _is_finite_float(text: str) -> bool:
    return abs(float(text)) != float("inf")


def resolves_to_other(text: str) -> bool:
    """Whether the plain text would be read as null, a boolean, a number or a timestamp (resolve.go), or looks like a
    base-60 number, which is quoted for other parsers' sake."""
    first = text[:1]
    if first in "yYnNtTfFoO~":
        return text in _RESERVED
    if first == ".":
        return text in _RESERVED or (_HEX_FLOAT.fullmatch(text) is not None and _is_finite_float(text))
    if first not in "+-0123456789":
        return False
    if text in _RESERVED or is_timestamp(text) or (":" in text and _BASE60.fullmatch(text) is not None):
        return True
    digits = text.replace("_", "")
    return is_integer(digits) or (_FLOAT.fullmatch(digits) is not None and _is_finite_float(digits))


class Analysis(Value):
    """What the characters of a scalar allow (yaml_emitter_analyze_scalar)."""

    multiline: bool
    plain: bool
    single_quoted: bool
    block: bool


def analyse(text: str) -> Analysis:
    """Which styles `text` may take."""
    if not text:
        return Analysis(multiline=False, plain=True, single_quoted=True, block=False)
    special = _UNPRINTABLE.search(text) is not None
    multiline = _BREAK.search(text) is not None
    space_break = multiline and _SPACE_BREAK.search(text) is not None
    trailing_space = text[-1] == " "
    edge = text[0] == " " or trailing_space
    quotable = not special and not space_break
    indicators = _BAD_START.match(text) is not None or _BAD_INSIDE.search(text) is not None
    return Analysis(
        multiline=multiline,
        plain=quotable and not multiline and not edge and not indicators,
        single_quoted=quotable and not (multiline and _BREAK_SPACE.search(text) is not None),
        block=quotable and not trailing_space,
    )


_NAMED_ESCAPES = {
    0x00: "0",
    0x07: "a",
    0x08: "b",
    0x09: "t",
    0x0A: "n",
    0x0B: "v",
    0x0C: "f",
    0x0D: "r",
    0x1B: "e",
    0x22: '"',
    0x5C: "\\",
    0x85: "N",
    0xA0: "_",
    0x2028: "L",
    0x2029: "P",
}
_TO_ESCAPE = re.compile('[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]|["\\\\]')


def _escape(match: re.Match[str]) -> str:
    point = ord(match[0])
    named = _NAMED_ESCAPES.get(point)
    if named is not None:
        return "\\" + named
    return f"\\x{point:02X}" if point <= 0xFF else f"\\u{point:04X}" if point <= 0xFFFF else f"\\U{point:08X}"


def double_quoted_escapes(text: str) -> str:
    """The inside of a double-quoted scalar. A text that starts with a byte-order mark has all of its characters
    escaped: the emitter looks for the mark at the start of the text, whichever character it is at."""
    if text[:1] == "\ufeff":
        return re.sub(".", _escape, text, flags=re.DOTALL)
    return _TO_ESCAPE.sub(_escape, text)
