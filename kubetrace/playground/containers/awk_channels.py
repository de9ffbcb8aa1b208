"""The files and commands that an awk program reads from and prints to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kubetrace.playground.containers.machine import Process
from kubetrace.playground.containers.pipes import Bytes, Kept, Lines


class Channels:
    """By the names that a program gives them; open until it closes them or ends."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._sinks: dict[str, tuple[str, bytearray]] = {}
        self._sources: dict[str, Lines] = {}

    async def write(self, mark: str, name: str, data: bytes) -> None:
        """`mark`: > or >> for a file, | for a command, which gets all at its end."""
        if mark == "|":
            self._sinks.setdefault(name, (mark, bytearray()))[1].extend(data)
        elif name in ("/dev/stderr", "/dev/stdout"):
            await (self._process.error if name.endswith("err") else self._process.output).write(data)
        else:
            append = mark == ">>" or name in self._sinks
            self._sinks.setdefault(name, (mark, bytearray()))
            self._process.files.write(self._process.path(name), data, append=append)

    async def line(self, mark: str, name: str) -> bytes | None:
        """The next one; empty at the end, None for a file that is not there."""
        if name not in self._sources:
            if mark == "|":
                kept = Kept()
                await self.run(name, kept)
                self._sources[name] = Lines(Bytes(bytes(kept.data)))
            elif self._process.files.find(self._process.path(name)) is None:
                return None
            else:
                self._sources[name] = Lines(Bytes(self._process.files.read(self._process.path(name))))
        return await self._sources[name].line()

    async def close(self, name: str) -> int:
        """The exit code of a command that was printed to, else 0."""
        self._sources.pop(name, None)
        return await self._end(name)

    async def close_all(self) -> None:
        for name in list(self._sinks):
            await self._end(name)

    async def _end(self, name: str) -> int:
        mark, data = self._sinks.pop(name, ("", bytearray()))
        return await self.run(name, self._process.output, bytes(data)) if mark == "|" else 0

    async def run(self, text: str, output: Any, data: bytes = b"") -> int:
        """A command of the shell; gives its exit code."""
        from kubetrace.playground.containers.redirections import Streams
        from kubetrace.playground.containers.shell import Shell

        process = self._process
        shell = Shell.fresh(process.machine, Streams(Lines(Bytes(data)), output, process.error))
        shell = replace(shell, folder=process.folder)
        return await shell.run(["sh", "-c", text])
