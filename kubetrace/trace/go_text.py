"""Text as Go writes it: quoting, JSON, durations, hexdumps, header names.

kubectl's log is made by Go's standard library, and people compare it byte for byte; Python's `repr` and `json.dumps`
differ in too many corners. Everything here works on bytes, because bodies need not be UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kubetrace.wire import go_quote

_DUMP_LINE = 79
_HEADER_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def quote(value: str | bytes) -> bytes:
    """strconv.Quote as the bytes of a log line."""
    return go_quote.quote(value).encode("utf-8")


def quote_to_ascii(value: str | bytes) -> bytes:
    """strconv.QuoteToASCII (fmt's %+q) as the bytes of a log line."""
    return go_quote.quote_to_ascii(value).encode("ascii")


def to_json(value: object, indent: int | None = None) -> bytes:
    """encoding/json: compact (or indented), HTML-escaped, U+2028/9 escaped, invalid UTF-8 replaced. Mappings keep their
    order, as Go's structs do; sort a mapping first where Go has a map."""
    import json

    text = json.dumps(
        _replaced(value),
        ensure_ascii=False,
        indent=indent,
        separators=(",", ":") if indent is None else (",", ": "),
    )
    for char in "<>&\u2028\u2029":
        if char in text:
            text = text.replace(char, f"\\u{ord(char):04x}")
    return text.encode("utf-8")


def _replaced(value: object) -> object:
    """The value with every lone surrogate replaced by U+FFFD, as Go's encoder does with invalid UTF-8."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, Mapping):
        return {_replaced(key): _replaced(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_replaced(item) for item in value]
    return value


def duration(seconds: float) -> str:
    """time.Duration.String of a number of seconds, to the nanosecond: "1.5s", "50.011246ms", "1m4.5369s", "0s"."""
    nanoseconds = round(seconds * 1_000_000_000)
    sign = "-" if nanoseconds < 0 else ""
    nanoseconds = abs(nanoseconds)
    if nanoseconds == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if nanoseconds < size * 1000:
            return sign + _decimal(nanoseconds, size) + unit
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    text = _decimal(rest, 1_000_000_000) + "s"
    if hours:
        return f"{sign}{hours}h{minutes}m{text}"
    return f"{sign}{minutes}m{text}" if minutes else sign + text


def _decimal(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    if not rest:
        return str(whole)
    return f"{whole}.{str(rest).zfill(len(str(unit)) - 1).rstrip('0')}"


def _dump_line(offset: int, row: bytes) -> bytes:
    pairs = [f"{byte:02x}" for byte in row] + ["  "] * (16 - len(row))
    text = "".join(chr(byte) if 0x20 <= byte <= 0x7E else "." for byte in row)
    return f"{offset:08x}  {' '.join(pairs[:8])}  {' '.join(pairs[8:])}  |{text}|\n".encode("ascii")


def hexdump_size(size: int) -> int:
    """How long `hexdump` of so many bytes is."""
    full, rest = divmod(size, 16)
    return full * _DUMP_LINE + (_DUMP_LINE - 16 + rest if rest else 0)


def hexdump(data: bytes, limit: int | None = None) -> bytes:
    """hex.Dump: 16 bytes a line with their ASCII, no closing offset line. With `limit`, only the lines that are needed
    for the first `limit` characters of the dump are made."""
    if limit is not None:
        data = data[: (limit // _DUMP_LINE + 1) * 16]
    return b"".join(_dump_line(offset, data[offset : offset + 16]) for offset in range(0, len(data), 16))


def canonical_header(name: str) -> str:
    """http.CanonicalHeaderKey: upper case at the start and after each hyphen, lower case elsewhere; a name that is no
    HTTP token stays as it is."""
    if not name or not _HEADER_TOKEN.issuperset(name):
        return name
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))
