"""The line discipline between a raw terminal and a program: echo, erase, Ctrl-C, Ctrl-D (termios' cooked mode)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kubetrace.playground.containers.pipes import Lines, Pipe, Sink

_INTERRUPT, _END, _ERASE, _KILL, _WORD = 3, 4, (8, 127), 21, 23


class Terminal(Lines):
    """What the user types, line by line. Its echo goes to `output`."""

    def __init__(self, output: Sink) -> None:
        self._pipe = Pipe()
        super().__init__(self._pipe)
        self._output = output
        self._typed = b""
        self._escape = b""
        self.interrupts: list[asyncio.Task[int]] = []
        """What Ctrl-C ends, innermost last."""

    async def feed(self, data: bytes) -> None:
        for byte in data:
            await self._one(byte)

    async def _one(self, byte: int) -> None:
        if self._escape or byte == 0x1B:  # arrow keys and their kin
            self._escape += bytes([byte])
            if (len(self._escape) > 2 and 0x40 <= byte <= 0x7E) or (len(self._escape) == 2 and byte not in b"[O"):
                self._escape = b""
        elif byte in (10, 13):
            await self._echo(b"\r\n")
            line, self._typed = self._typed + b"\n", b""
            await self._pipe.write(line)
        elif byte in _ERASE:
            if self._typed:
                self._typed = self._typed[:-1]
                await self._echo(b"\b \b")
        elif byte in (_KILL, _WORD):
            await self._echo(b"\b \b" * len(self._typed))
            self._typed = b""
        elif byte == _INTERRUPT:
            await self._interrupt()
        elif byte == _END:
            if self._typed:
                line, self._typed = self._typed, b""
                await self._pipe.write(line)
            else:
                self._pipe.pause()
        elif byte >= 32 or byte == 9:
            self._typed += bytes([byte])
            await self._echo(bytes([byte]))

    async def _interrupt(self) -> None:
        self._typed = b""
        await self._echo(b"^C\r\n")
        if self.interrupts:
            self.interrupts.pop().cancel()
        else:
            await self._pipe.write(b"\n")  # a fresh prompt

    async def _echo(self, data: bytes) -> None:
        await self._output.write(data)

    def end(self) -> None:
        self._pipe.end()


class TerminalOutput:
    """A program's output on its way to a terminal: each line feed also returns."""

    def __init__(self, output: Sink) -> None:
        self._output = output

    async def write(self, data: bytes) -> None:
        await self._output.write(data.replace(b"\n", b"\r\n"))


class Many:
    """What is written goes to each of those that are attached."""

    def __init__(self, first: Callable[[bytes], None]) -> None:
        self._first = first
        self.sinks: list[Sink] = []

    async def write(self, data: bytes) -> None:
        self._first(data)
        for sink in list(self.sinks):
            try:
                await sink.write(data)
            except (BrokenPipeError, ConnectionError):
                if sink in self.sinks:
                    self.sinks.remove(sink)
