"""Where a command's streams lead: files, other streams, here-documents."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kubetrace.playground.containers.expansion import one, text_of_part
from kubetrace.playground.containers.filesystem import FileFailure, absolute
from kubetrace.playground.containers.pipes import ENDLESS, Bytes, Endless, Lines, Nothing, Sink, Source
from kubetrace.playground.containers.tree import Redirect

if TYPE_CHECKING:
    from kubetrace.playground.containers.shell import Shell


class ShellFailure(Exception):
    """A message of the shell itself; the command's exit code is 1."""


class Fatal(ShellFailure):
    """One that ends the shell, with 2."""


@dataclass(slots=True)
class Streams:
    input: Lines
    output: Sink
    error: Sink
    terminal: bool = False
    others: dict[int, Lines | Sink] = field(default_factory=dict)
    """What the descriptors from 3 on lead to."""

    def of(self, descriptor: int) -> Lines | Sink | None:
        known: dict[int, Lines | Sink] = {0: self.input, 1: self.output, 2: self.error, **self.others}
        return known.get(descriptor)

    def leading(self, descriptor: int, to: Lines | Sink | None) -> Streams:
        """These streams with one of them changed; None closes it."""
        if descriptor > 2:
            others = {number: stream for number, stream in self.others.items() if number != descriptor}
            return replace(self, others=others if to is None else {**others, descriptor: to})
        if descriptor == 0:
            return replace(self, input=to if isinstance(to, Lines) else Lines(Nothing()))
        sink: Sink = Nothing() if to is None or isinstance(to, Lines) else to
        return replace(self, output=sink) if descriptor == 1 else replace(self, error=sink)


class _File:
    """A redirection's target."""

    def __init__(self, shell: Shell, path: str, append: bool) -> None:
        self._files, self._path = shell.machine.files, path
        if not append or self._files.find(path) is None:
            self._files.write(path, b"")

    async def write(self, data: bytes) -> None:
        self._files.write(self._path, data, append=True)


async def redirected(shell: Shell, redirects: list[Redirect]) -> Streams:
    found = shell.streams
    for redirect in redirects:
        operator, descriptor = redirect.operator, redirect.descriptor
        if operator in ("<<", "<<-", "<<<"):
            body = "".join([await text_of_part(shell, part) for part in redirect.target])
            body += "\n" if operator == "<<<" else ""
            found = found.leading(descriptor, Lines(Bytes(body.encode("utf-8", "surrogateescape"))))
            continue
        text = await one(shell, redirect.target)
        if operator in (">&", "<&") and (text == "-" or text.isdigit()):
            stream = found.of(int(text)) if text.isdigit() else None
            if stream is None and text != "-":
                raise ShellFailure(f"{text}: Bad file descriptor")
            found = found.leading(descriptor, stream)
        elif operator in ("<", "<>", "<&"):
            found = found.leading(descriptor, Lines(_source(shell, text, found)))
        else:
            sink = _sink(shell, text, found, append=operator == ">>")
            found = found.leading(descriptor, sink)
            if operator in ("&>", ">&"):
                found = found.leading(2, sink)
    return found


def _source(shell: Shell, text: str, streams: Streams) -> Source:
    path = absolute(text, shell.folder)
    if path == "/dev/null":
        return Nothing()
    if path in ENDLESS:
        return Endless()
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
    if "C" in shell.options and not append and shell.machine.files.find(path) is not None:
        raise ShellFailure(f"can't create {text}: File exists")
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
