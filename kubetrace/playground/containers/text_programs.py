"""Programs that read and write text: cat, echo, printf, head, tail and the like."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from functools import wraps

from kubetrace.playground.containers.arguments import UsageFailure, amount, counted, number, options
from kubetrace.playground.containers.escapes import unescaped
from kubetrace.playground.containers.filesystem import FileFailure
from kubetrace.playground.containers.machine import Process, Program
from kubetrace.playground.containers.pipes import ENDLESS, Bytes, Endless, Lines, read_all
from kubetrace.playground.containers.printing import printed

_FOLLOW_SECONDS = 0.3
_UNITS = {"k": 1024, "K": 1024, "m": 1024**2, "M": 1024**2, "b": 512}


def program(function: Program) -> Program:
    """Turns a wrong option into the line and the exit code that a program gives."""

    @wraps(function)
    async def checked(process: Process) -> int:
        try:
            return await function(process)
        except UsageFailure as failure:
            await process.complain(str(failure))
            return 1

    return checked


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


async def inputs(process: Process, names: list[str]) -> AsyncIterator[tuple[str, Lines]]:
    """(name, lines) of each file, of stdin for none and "-"; what can't be read is told."""
    for name in names or ["-"]:
        if name == "-" or process.path(name) == "/dev/stdin":
            yield name, process.input
            continue
        if process.path(name) == "/dev/null":
            continue
        if process.path(name) in ENDLESS:
            yield name, Lines(Endless())
            continue
        try:
            yield name, Lines(Bytes(process.files.read(process.path(name))))
        except FileFailure as failure:
            await process.complain(_unreadable(process, name, failure))
            yield name, MISSING


def _unreadable(process: Process, name: str, failure: FileFailure) -> str:
    """As busybox says it in its images, and as coreutils does in the others."""
    if process.machine.minimal:
        return f"can't open '{name}': {failure}" if process.name in ("cat", "tail") else f"{name}: {failure}"
    if process.name in ("head", "tail"):
        return f"cannot open '{name}' for reading: {failure}"
    if process.name in ("sort", "sed"):
        return f"cannot read: {name}: {failure}" if process.name == "sort" else f"can't read {name}: {failure}"
    return f"{name}: {failure}"


MISSING = Lines(Bytes())


@program
async def _cat(process: Process) -> int:
    flags, names = options(process, "nbAeEtTuvs")
    code, count, squeezed = 0, 0, False
    async for _, lines in inputs(process, names):
        if lines is MISSING:
            code = 1
            continue
        if not flags:
            while data := await lines.read():
                await process.output.write(data)
            continue
        async for line in lines:
            blank = not line.strip(b"\n")
            if "s" in flags and blank and squeezed:
                continue
            squeezed = blank
            if {"e", "E", "A"} & set(flags):
                line = line[:-1] + b"$\n" if line.endswith(b"\n") else line
            if {"t", "T", "A"} & set(flags):
                line = line.replace(b"\t", b"^I")
            numbered = not blank if "b" in flags else "n" in flags
            count += numbered
            await process.output.write((f"{count:6}\t".encode() if numbered else b"") + line)
    return code


async def _echo(process: Process) -> int:
    words, end, escapes = process.arguments, "\n", False
    while words and re.fullmatch(r"-[neE]+", words[0]):
        end = "" if "n" in words[0] else end
        escapes = escapes or "e" in words[0]
        words = words[1:]
    text = " ".join(words)
    if escapes:
        text, _, cut = unescaped(text).partition("\x00c")
        end = "" if cut else end
    await process.say(text + end)
    return 0


async def _printf(process: Process) -> int:
    words = process.arguments[1:] if process.arguments[:1] == ["--"] else process.arguments
    if not words:
        await process.complain("usage: printf FORMAT [ARG]...")
        return 1
    bad: list[str] = []
    text = printed(unescaped(words[0]), words[1:], bad)
    await process.say(text.partition("\x00c")[0])
    for word in bad:
        await process.complain(f"invalid number '{word}'")
    return int(bool(bad))


@program
async def _head(process: Process) -> int:
    process.words = [process.name, *counted(process.arguments)]
    flags, names = options(process, "qv", "nc")
    count = amount(flags.get("n", flags.get("c", "10")), _UNITS)
    code = 0
    async for name, lines in inputs(process, names):
        if lines is MISSING:
            code = 1
            continue
        if len(names) > 1 and "q" not in flags:
            await process.say(f"==> {name} <==\n")
        if count < 0:
            data = await read_all(lines)
            kept = data[:count] if "c" in flags else b"".join(data.splitlines(keepends=True)[:count])
            await process.output.write(kept)
            continue
        left = count
        while left > 0:
            data = await (lines.read(left) if "c" in flags else lines.line())
            if not data:
                break
            left -= len(data) if "c" in flags else 1
            await process.output.write(data)
    return code


@program
async def _tail(process: Process) -> int:
    process.words = [process.name, *counted(process.arguments)]
    flags, names = options(process, "fFqv", "ncs")
    if ("f" in flags or "F" in flags) and [process.path(name) for name in names] == ["/dev/null"]:
        await asyncio.Event().wait()
    text = flags.get("n", flags.get("c", "10"))
    count, code = number(text.lstrip("+-")), 0
    async for name, lines in inputs(process, names):
        if lines is MISSING:
            code = 1
            continue
        if len(names) > 1 and "q" not in flags:
            await process.say(f"==> {name} <==\n")
        if text.startswith("+") and "c" in flags:
            skip = max(0, count - 1)
            while skip and (data := await lines.read(skip)):
                skip -= len(data)
            while data := await lines.read():
                await process.output.write(data)
            continue
        data = await read_all(lines)
        await process.output.write(_end_of(data, text, count, bytes_wanted="c" in flags))
    if "f" in flags or "F" in flags:
        await _follow(process, names)
    return code


def _end_of(data: bytes, text: str, count: int, bytes_wanted: bool) -> bytes:
    if bytes_wanted:
        return data[-count:] if count else b""
    lines = data.splitlines(keepends=True)
    if text.startswith("+"):
        return b"".join(lines[max(0, count - 1) :])
    return b"".join(lines[-count:]) if count else b""


async def _follow(process: Process, names: list[str]) -> None:
    sizes = {}
    for name in names:
        with contextlib.suppress(FileFailure):
            sizes[name] = len(process.files.read(process.path(name)))
    while True:
        await asyncio.sleep(_FOLLOW_SECONDS)
        for name in names:
            try:
                data = process.files.read(process.path(name))
            except FileFailure:
                continue
            if len(data) > sizes.get(name, 0):
                await process.output.write(data[sizes.get(name, 0) :])
            sizes[name] = len(data)


@program
async def _wc(process: Process) -> int:
    flags, names = options(process, "lwcmL")
    wanted = [letter for letter in "lwcm" if letter in flags] or ["l", "w", "c"]
    totals, code = [0] * len(wanted), 0
    async for name, lines in inputs(process, names):
        if lines is MISSING:
            code = 1
            continue
        data = await read_all(lines)
        counts = {"l": data.count(b"\n"), "w": len(data.split()), "c": len(data), "m": len(text_of(data))}
        row = [counts[letter] for letter in wanted]
        totals = [a + b for a, b in zip(totals, row, strict=True)]
        await process.say(_counts(row, name if names else ""))
    if len(names) > 1:
        await process.say(_counts(totals, "total"))
    return code


def _counts(row: list[int], name: str) -> str:
    if len(row) == 1 and not name:
        return f"{row[0]}\n"
    width = 9 if len(row) > 1 else 0
    text = " ".join(f"{count:{width}}" for count in row) if width else str(row[0])
    return f"{text} {name}\n" if name else f"{text}\n"


@program
async def _tee(process: Process) -> int:
    flags, names = options(process, "ai")
    for name in names:
        if "a" not in flags:
            process.files.write(process.path(name), b"")
    while data := await process.input.read():
        await process.output.write(data)
        for name in names:
            process.files.write(process.path(name), data, append=True)
    return 0


@program
async def _rev(process: Process) -> int:
    async for data in process.input:
        await process.say(text_of(data).removesuffix("\n")[::-1] + "\n")
    return 0


@program
async def _tac(process: Process) -> int:
    async for _, lines in inputs(process, process.arguments):
        rows = text_of(await read_all(lines)).splitlines()
        await process.say("".join(f"{row}\n" for row in reversed(rows)))
    return 0


async def _yes(process: Process) -> int:
    text = (" ".join(process.arguments) or "y") + "\n"
    while True:
        await process.machine.pace()
        await process.say(text * 100)


PROGRAMS: dict[str, Program] = {
    "cat": _cat,
    "echo": _echo,
    "head": _head,
    "less": _cat,
    "more": _cat,
    "printf": _printf,
    "rev": _rev,
    "tac": _tac,
    "tail": _tail,
    "tee": _tee,
    "wc": _wc,
    "yes": _yes,
}
