"""Streams between simulated commands: bounded, so that a fast writer waits for a slow reader."""

from __future__ import annotations

import asyncio
from typing import Protocol

_ROOM = 64 * 1024


class Source(Protocol):
    async def read(self, size: int = 65536) -> bytes:
        """Up to that many bytes; b"" at the end."""


class Sink(Protocol):
    async def write(self, data: bytes) -> None:
        """Raises BrokenPipeError where nobody reads any more."""


class Pipe:
    """Both a Sink and a Source."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._ended = self._broken = False
        self._pauses: list[int] = []
        self._changed = asyncio.Event()
        self._drained = asyncio.Event()

    async def write(self, data: bytes) -> None:
        for start in range(0, len(data), _ROOM):
            while len(self._data) >= _ROOM and not self._broken:
                self._drained.clear()
                await self._drained.wait()
            if self._broken or self._ended:
                raise BrokenPipeError
            self._data += data[start : start + _ROOM]
            self._changed.set()

    def pause(self) -> None:
        """Whoever reads here finds the end once; what is written then is for the next to read (a terminal's Ctrl-D)."""
        self._pauses.append(len(self._data))
        self._changed.set()

    def end(self) -> None:
        """The writer has said all."""
        self._ended = True
        self._changed.set()
        self._drained.set()

    def refuse(self) -> None:
        """The reader wants no more."""
        self._broken = True
        self._data.clear()
        self._drained.set()
        self._changed.set()

    async def read(self, size: int = 65536) -> bytes:
        while not self._data and not self._pauses and not self._ended and not self._broken:
            self._changed.clear()
            await self._changed.wait()
        if self._pauses:
            size = min(size, self._pauses[0])
            self._pauses = [place - size for place in self._pauses[not size :]]
        found = bytes(self._data[:size])
        del self._data[:size]
        self._drained.set()
        return found


class Bytes:
    """A source of what is known already."""

    def __init__(self, data: bytes = b"") -> None:
        self._data, self._at = data, 0

    async def read(self, size: int = 65536) -> bytes:
        found = self._data[self._at : self._at + size]
        self._at += len(found)
        return found


class Endless:
    """/dev/zero, and what stands for the other devices that never end."""

    async def read(self, size: int = 65536) -> bytes:
        return bytes(size)


ENDLESS = ("/dev/zero", "/dev/urandom", "/dev/random")
"""Where it is found."""


class Kept:
    """A sink that remembers, up to a bound."""

    def __init__(self, limit: int = 1024 * 1024) -> None:
        self.data = bytearray()
        self._limit = limit

    async def write(self, data: bytes) -> None:
        if len(self.data) + len(data) > self._limit:
            raise BrokenPipeError
        self.data += data


class Nothing:
    """/dev/null."""

    async def read(self, size: int = 65536) -> bytes:
        return b""

    async def write(self, data: bytes) -> None:
        pass


async def read_all(source: Source, limit: int = 32 * 1024 * 1024) -> bytes:
    """Everything to the end. Raises MemoryError beyond the limit."""
    parts, size = [], 0
    while data := await source.read():
        parts.append(data)
        size += len(data)
        if size > limit:
            raise MemoryError
    return b"".join(parts)


class Lines:
    """A source read by lines; what is left over can still be read as bytes."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._rest = b""

    async def line(self) -> bytes:
        """With its newline; b"" at the end."""
        while b"\n" not in self._rest:
            data = await self._source.read()
            if not data:
                found, self._rest = self._rest, b""
                return found
            self._rest += data
        found, _, self._rest = self._rest.partition(b"\n")
        return found + b"\n"

    async def read(self, size: int = 65536) -> bytes:
        if self._rest:
            found, self._rest = self._rest[:size], self._rest[size:]
            return found
        return await self._source.read(size)

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> bytes:
        line = await self.line()
        if not line:
            raise StopAsyncIteration
        return line
