"""The first record of a CSV text as Go's encoding/csv reads it: lists in flags, whose errors name the very column."""

from __future__ import annotations

import re

from kubetrace.wire.go_strconv import BadValue

_BARE = 'bare " in non-quoted-field'
_STRAY = 'extraneous or missing " in quoted-field'
_UNQUOTED = re.compile(rb"[^,\n]*")


def first_record(text: str) -> tuple[str, ...]:
    """Its fields; empty lines before it are passed over. Raises BadValue, columns counted in bytes."""
    return tuple(field.decode("utf-8", "surrogateescape") for field in _Record(text).fields())


class _Record:
    def __init__(self, text: str) -> None:
        self._data = text.encode("utf-8", "surrogateescape").replace(b"\r\n", b"\n").removesuffix(b"\r")
        self._start = len(self._data) - len(self._data.lstrip(b"\n"))

    def fields(self) -> list[bytes]:
        if self._start == len(self._data):
            raise BadValue("EOF")
        found, position = [], self._start
        while True:
            field, position = self._field(position)
            found.append(field)
            if self._data[position : position + 1] != b",":
                return found
            position += 1

    def _field(self, position: int) -> tuple[bytes, int]:
        """A field that begins there, and where it ends."""
        if self._data[position : position + 1] == b'"':
            return self._quoted(position + 1)
        match = _UNQUOTED.match(self._data, position)
        assert match is not None
        quote = match[0].find(b'"')
        if quote >= 0:
            raise self._error(_BARE, position + quote)
        return match[0], match.end()

    def _quoted(self, position: int) -> tuple[bytes, int]:
        field = b""
        while True:
            quote = self._data.find(b'"', position)
            if quote < 0:
                raise self._error(_STRAY, len(self._data))
            field += self._data[position:quote]
            after = self._data[quote + 1 : quote + 2]
            if after in (b"", b",", b"\n"):
                return field, quote + 1
            if after != b'"':
                raise self._error(_STRAY, quote)
            field += b'"'
            position = quote + 2

    def _error(self, problem: str, position: int) -> BadValue:
        # What ends too early ends on the last line that has anything.
        before = self._data.removesuffix(b"\n") if position == len(self._data) else self._data[:position]
        line = before.count(b"\n") + 1
        column = position - (before.rfind(b"\n") + 1) + 1
        first = self._start + 1
        record = "" if first == line else f"record on line {first}; "
        return BadValue(f"{record}parse error on line {line}, column {column}: {problem}")
