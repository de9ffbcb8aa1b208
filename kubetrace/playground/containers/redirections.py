"""Where a command's streams lead: files, other streams, here-documents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kubetrace.playground.containers.expansion import one, text_of_part
from kubetrace.playground.containers.filesystem import FileFailure, absolute
from kubetrace.playground.containers.pipes import Bytes, Lines, Nothing, Sink, Source
from kubetrace.playground.containers.tree import Redirect

if TYPE_CHECKING:
    from kubetrace.playground.containers.shell import Shell


class ShellFailure(Exception):
    """A message of the shell itself; the command's exit code is 1."""


@dataclass(slots=True)
class Streams:
    input: Lines
    output: Sink
    error: Sink
    terminal: bool = False


class _File:
    """A redirection's target."""

    def __init__(self, shell: Shell, path: str, append: bool) -> None:
        self._files, self._path = shell.machine.files, path
        if not append or self._files.find(path) is None:
            self._files.write(path, b"")

    async def write(self, data: bytes) -> None:
        self._files.write(self._path, data, append=True)


class _Endless:
    async def read(self, size: int = 65536) -> bytes:
        return bytes(size)


async def redirected(shell: Shell, redirects: list[Redirect]) -> Streams:
    found = shell.streams
    for redirect in redirects:
        operator = redirect.operator
        if operator in ("<<", "<<-"):
            body = "".join([await text_of_part(shell, part) for part in redirect.target])
            found = replace(found, input=Lines(Bytes(body.encode())))
            continue
        text = await one(shell, redirect.target)
        if operator in (">&", "<&") and text in ("1", "2", "-"):
            sink: Sink = Nothing() if text == "-" else found.output if text == "1" else found.error
            if redirect.descriptor == 0:
                continue
            found = replace(found, error=sink) if redirect.descriptor == 2 else replace(found, output=sink)
        elif operator in ("<", "<>") or operator == "<&":
            found = replace(found, input=Lines(_source(shell, text, found)))
        else:
            sink = _sink(shell, text, found, append=operator == ">>")
            if operator in ("&>", ">&"):
                found = replace(found, output=sink, error=sink)
            else:
                found = replace(found, error=sink) if redirect.descriptor == 2 else replace(found, output=sink)
    return found


def _source(shell: Shell, text: str, streams: Streams) -> Source:
    path = absolute(text, shell.folder)
    if path == "/dev/null":
        return Nothing()
    if path in ("/dev/zero", "/dev/urandom", "/dev/random"):
        return _Endless()
    if path in ("/dev/stdin", "/proc/self/fd/0"):
        return streams.input
    try:
        return Bytes(shell.machine.files.read(path))
    except FileFailure as failure:
        raise ShellFailure(f"can't open {text}: {_shorter(failure)}") from None


def _sink(shell: Shell, text: str, streams: Streams, append: bool) -> Sink:
    path = absolute(text, shell.folder)
    known: dict[str, Sink | None] = {
        "/dev/null": Nothing(),
        "/dev/stdout": streams.output,
        "/dev/stderr": streams.error,
        "/proc/1/fd/1": shell.machine.main_output,
        "/proc/1/fd/2": shell.machine.main_output,
    }
    if path in known:
        return known[path] or Nothing()
    try:
        return _File(shell, path, append)
    except FileFailure as failure:
        raise ShellFailure(f"can't create {text}: {_shorter(failure, made=True)}") from None


def _shorter(failure: FileFailure, made: bool = False) -> str:
    """As ash words it."""
    text = str(failure)
    if text == "No such file or directory":
        return "nonexistent directory" if made else "no such file"
    return text
