"""klog's text as entries: headers, Go-quoted values, blocks of structured messages, hex dumps."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping

from kubetrace.value import Value

_ROOM = 1 << 25
"""Bytes of the lines that continue an entry; what goes on for longer is another program's output."""
_HEADER = re.compile(rb"([IWEF])(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{6}) +(\d+) ([^ \]]+:\d+)\] ")
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_KEY = re.compile(rb" ?([A-Za-z]+)=")
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_SIMPLE = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_DUMP_LINE = re.compile(rb"[0-9a-f]{8}  ((?:[0-9a-f]{2}| )+)")


class Entry(Value):
    """One entry, or lines that are none (`source` is then empty). `at` is seconds since the epoch."""

    at: float
    source: str
    message: bytes


def entries(lines: Iterable[bytes], now: float) -> Iterator[Entry]:
    """A log's entries in order, each with the lines that continue it (as far as there is room for them); `now` tells
    the year, which klog leaves out."""
    head: re.Match[bytes] | None = None
    parts: list[bytes] = []
    room = _ROOM
    for line in lines:
        found = _HEADER.match(line)
        if found is not None:
            yield from _entry(head, parts, now)
            head, parts, room = found, [line[found.end() :]], _ROOM
        elif head is None:
            yield from _entry(head, [line], now)
        elif room > 0:
            parts.append(line)
            room -= len(line)
    yield from _entry(head, parts, now)


def _entry(head: re.Match[bytes] | None, parts: list[bytes], now: float) -> Iterator[Entry]:
    if parts:
        message = b"".join(parts).removesuffix(b"\n")
        yield Entry(_time(head, now), head[9].decode("latin-1"), message) if head else Entry(now, "", message)


def _time(head: re.Match[bytes], now: float) -> float:
    month, day, hour, minute, second, fraction = (int(head[group]) for group in range(2, 8))
    year = time.localtime(now).tm_year
    try:
        at = time.mktime((year, month, day, hour, minute, second, 0, 0, -1))
        if at > now + 86400:  # a log of last December
            at = time.mktime((year - 1, month, day, hour, minute, second, 0, 0, -1))
    except (ValueError, OverflowError):
        return now
    return at + fraction / 1_000_000


def unquoted(text: bytes) -> bytes:
    """The bytes that a Go-quoted string (with its quotation marks) stands for."""

    def one(match: re.Match[bytes]) -> bytes:
        if match[1]:
            return bytes((int(match[1], 16),))
        if match[2] or match[3]:
            code = int(match[2] or match[3], 16)
            return chr(code).encode("utf-8", "replace") if code < 0x110000 else b"?"
        return _SIMPLE.get(match[4], match[4])

    return _ESCAPE.sub(one, text[1:-1])


def quoted_words(text: bytes) -> list[bytes]:
    """The Go-quoted strings in a text."""
    return [unquoted(found) for found in _QUOTED.findall(text)]


def structured(message: bytes) -> tuple[str, Mapping[str, bytes]] | None:
    """Title and values of a structured message; None for another. What follows its last value is left out."""
    head = _QUOTED.match(message)
    if head is None:
        return None
    values: dict[str, bytes] = {}
    position = head.end()
    while key := _KEY.match(message, position):
        value, position = _value(message, key.end())
        values[key[1].decode()] = value
    return unquoted(head[0]).decode("utf-8", "replace"), values


def _value(message: bytes, at: int) -> tuple[bytes, int]:
    if message.startswith(b"<\n", at):
        end = message.find(b"\n >", at)
        end = len(message) if end < 0 else end
        return re.sub(rb"(?m)^\t", b"", message[at + 2 : end + 1]), end + 3
    if found := _QUOTED.match(message, at):
        return unquoted(found[0]), found.end()
    stop = re.compile(rb"[ \n]|$").search(message, at)
    end = stop.start() if stop else len(message)
    return message[at:end], end


def dumped(text: bytes) -> bytes | None:
    """The bytes of a hex dump; None where the text is none."""
    if not re.match(rb"00000000  [0-9a-f]{2}", text):
        return None
    found = bytearray()
    for line in text.split(b"\n"):
        match = _DUMP_LINE.match(line[:60])
        digits = re.findall(rb"\b[0-9a-f]{2}\b", match[1]) if match else []
        found += bytes.fromhex(b"".join(digits).decode())
    return bytes(found)
