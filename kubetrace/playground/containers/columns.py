"""Programs that lay lines out: nl, paste, fold, expand, split, join's kin, factor, shuf."""

from __future__ import annotations

import random

from kubetrace.playground.containers.arguments import UsageFailure, number, options
from kubetrace.playground.containers.escapes import unescaped
from kubetrace.playground.containers.machine import Process, Program
from kubetrace.playground.containers.pipes import read_all
from kubetrace.playground.containers.text_programs import MISSING, inputs, program, text_of


async def _texts(process: Process, names: list[str]) -> list[list[str]] | None:
    """The lines of each file; None where one can't be read."""
    found = []
    async for _, lines in inputs(process, names):
        if lines is MISSING:
            return None
        found.append(text_of(await read_all(lines)).splitlines())
    return found


async def _rows(process: Process, names: list[str]) -> tuple[list[str], int]:
    """(the lines of all files, the exit code); no lines where a file can't be read."""
    texts = await _texts(process, names)
    return [row for rows in texts or [] for row in rows], int(texts is None)


@program
async def _nl(process: Process) -> int:
    flags, names = options(process, "p", "bwsivn")
    rows, code = await _rows(process, names)
    count, width, mark = number(flags.get("v", "1")), number(flags.get("w", "6")), flags.get("s", "\t")
    for line in rows:
        if line or flags.get("b") == "a":
            await process.say(f"{count:{width}}{mark}{line}\n")
            count += number(flags.get("i", "1"))
        else:
            await process.say(f"{' ' * (width + len(mark))}{line}\n")
    return code


@program
async def _paste(process: Process) -> int:
    flags, names = options(process, "s", "d")
    texts = await _texts(process, names)
    if texts is None:
        return 1
    marks = unescaped(flags.get("d", "\t")) or "\t"
    if "s" not in flags:
        longest = max((len(rows) for rows in texts), default=0)
        texts = [[rows[place] if place < len(rows) else "" for rows in texts] for place in range(longest)]
    for cells in texts:
        joined = "".join(cell + marks[place % len(marks)] for place, cell in enumerate(cells[:-1]))
        await process.say(f"{joined}{cells[-1] if cells else ''}\n")
    return 0


@program
async def _fold(process: Process) -> int:
    flags, names = options(process, "bs", "w")
    rows, code = await _rows(process, names)
    width = max(1, number(flags.get("w", "80")))
    for rest in rows:
        while len(rest) > width:
            cut = rest.rfind(" ", 0, width) + 1 if "s" in flags else 0
            await process.say(rest[: cut or width] + "\n")
            rest = rest[cut or width :]
        await process.say(f"{rest}\n")
    return code


@program
async def _expand(process: Process) -> int:
    flags, names = options(process, "i", "t")
    rows, code = await _rows(process, names)
    width = max(1, number(flags.get("t", "8")))
    await process.say("".join(f"{line.expandtabs(width)}\n" for line in rows))
    return code


@program
async def _split(process: Process) -> int:
    flags, names = options(process, "d", "lba")
    texts = await _texts(process, names[:1])
    if texts is None:
        return 1
    size, start = number(flags.get("l", "1000")), names[1] if len(names) > 1 else "x"
    rows = texts[0]
    for index, place in enumerate(range(0, len(rows), max(1, size))):
        name = f"{start}{chr(97 + index // 26 % 26)}{chr(97 + index % 26)}"
        text = "".join(f"{row}\n" for row in rows[place : place + size])
        process.files.write(process.path(name), text.encode("utf-8", "surrogateescape"))
    return 0


@program
async def _shuf(process: Process) -> int:
    flags, names = options(process, "e", "ni")
    if "i" in flags:
        low, _, high = flags["i"].partition("-")
        if number(high) - number(low) > 1_000_000:
            raise UsageFailure(f"invalid range '{flags['i']}'")
        rows = [str(value) for value in range(number(low), number(high) + 1)]
    else:
        texts = [names] if "e" in flags else await _texts(process, names[:1])
        if texts is None:
            return 1
        rows = list(texts[0])
    random.shuffle(rows)
    await process.say("".join(f"{row}\n" for row in rows[: number(flags["n"]) if "n" in flags else None]))
    return 0


@program
async def _factor(process: Process) -> int:
    for word in process.arguments:
        rest, found, divisor = number(word), [], 2
        if not 0 < rest < 1 << 40:
            raise UsageFailure(f"invalid number '{word}'")
        while divisor * divisor <= rest:
            while rest % divisor == 0:
                found.append(divisor)
                rest //= divisor
            divisor += 1
        found += [rest] if rest > 1 else []
        await process.say(f"{word}: {' '.join(map(str, found))}".rstrip() + "\n")
    return 0


PROGRAMS: dict[str, Program] = {
    "expand": _expand,
    "factor": _factor,
    "fold": _fold,
    "nl": _nl,
    "paste": _paste,
    "shuf": _shuf,
    "split": _split,
}
