"""What a container has written: lines with their times, bounded, followed by those who watch."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

LIMIT = 1024 * 1024
"""Bytes kept of one container's output; older lines go first, as when a kubelet rotates."""


@dataclass(frozen=True, slots=True)
class Line:
    when: str
    """RFC 3339 with nanoseconds."""
    stream: str
    """stdout or stderr."""
    text: bytes
    """With its newline, unless the output ended without one."""


def _stamp() -> str:
    nanoseconds = time.time_ns()
    whole = datetime.datetime.fromtimestamp(nanoseconds // 1_000_000_000, datetime.UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 1_000_000_000:09d}Z"


class Log:
    def __init__(self) -> None:
        self.lines: deque[Line] = deque()
        self.ended = False
        self._size = 0
        self._open = {"stdout": b"", "stderr": b""}
        self.written = 0
        """How many lines there ever were."""
        self._changed = asyncio.Event()

    def write(self, stream: str, data: bytes) -> None:
        *whole, rest = (self._open[stream] + data).split(b"\n")
        while len(rest) > 16 * 1024:  # as containerd cuts
            self._add(stream, rest[: 16 * 1024])
            rest = rest[16 * 1024 :]
        self._open[stream] = rest
        for line in whole:
            self._add(stream, line + b"\n")

    def _add(self, stream: str, text: bytes) -> None:
        self.lines.append(Line(_stamp(), stream, text))
        self.written += 1
        self._size += len(text)
        while self._size > LIMIT:
            self._size -= len(self.lines.popleft().text)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def end(self) -> None:
        for stream, rest in self._open.items():
            if rest:
                self._add(stream, rest)
            self._open[stream] = b""
        self.ended = True
        self._wake()

    async def follow(self, seen: int) -> AsyncIterator[Line]:
        """The lines behind the first `seen` that ever were, as they come, until the container ends."""
        while True:
            new = self.written - seen
            if new:
                seen = self.written
                for line in list(self.lines)[-new:]:
                    yield line
                continue
            if self.ended:
                return
            await self._changed.wait()
