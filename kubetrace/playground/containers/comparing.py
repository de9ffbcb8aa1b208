"""diff, cmp and comm."""

from __future__ import annotations

import difflib

from kubetrace.playground.containers.arguments import UsageFailure, options
from kubetrace.playground.containers.filesystem import Directory, FileFailure
from kubetrace.playground.containers.machine import Process, Program
from kubetrace.playground.containers.pipes import read_all
from kubetrace.playground.containers.text_programs import program, text_of


async def _two(process: Process, names: list[str]) -> list[bytes] | None:
    """What two operands hold, "-" being stdin; None where one can't be read, which is told."""
    found = []
    for name in names:
        try:
            data = await read_all(process.input) if name == "-" else process.files.read(process.path(name))
        except FileFailure as failure:
            await process.complain(f"{name}: {failure}")
            return None
        found.append(data)
    return found


@program
async def _diff(process: Process) -> int:
    flags, names = options(process, "uqrNabBwist", "UL", {"brief": "q", "unified": "u", "recursive": "r"})
    if len(names) != 2:
        raise UsageFailure("usage: diff [-qurN] FILE1 FILE2")
    folders = [isinstance(process.files.find(process.path(name)), Directory) for name in names]
    if all(folders):
        return await _folders(process, flags, names)
    names = [
        f"{name.rstrip('/')}/{names[1 - index].rpartition('/')[2]}" if is_folder else name
        for index, (name, is_folder) in enumerate(zip(names, folders, strict=True))
    ]
    return await _files(process, flags, names)


async def _files(process: Process, flags: dict[str, str], names: list[str]) -> int:
    found = await _two(process, names)
    if found is None:
        return 2
    if found[0] == found[1]:
        return 0
    if "q" in flags:
        await process.say(f"Files {names[0]} and {names[1]} differ\n")
        return 1
    before, after = (text_of(data).splitlines() for data in found)
    if {"w", "b"} & set(flags) and [row.split() for row in before] == [row.split() for row in after]:
        return 0
    count = int(flags["U"]) if flags.get("U", "").isdigit() else 3
    rows = list(difflib.unified_diff(before, after, names[0], names[1], lineterm="", n=count))
    await process.say("".join(f"{row}\n" for row in rows))
    return 1


async def _folders(process: Process, flags: dict[str, str], names: list[str]) -> int:
    listed = [set(process.files.names(process.path(name))) for name in names]
    code = 0
    for entry in sorted(listed[0] | listed[1]):
        for index, other in ((0, 1), (1, 0)):
            if entry in listed[index] and entry not in listed[other]:
                await process.say(f"Only in {names[index]}: {entry}\n")
                code = 1
        if entry in listed[0] & listed[1]:
            inner = [f"{name.rstrip('/')}/{entry}" for name in names]
            kinds = [isinstance(process.files.find(process.path(path)), Directory) for path in inner]
            if not any(kinds):
                code = max(code, await _files(process, flags, inner))
            elif all(kinds) and "r" in flags:
                code = max(code, await _folders(process, flags, inner))
            else:
                await process.say(f"Common subdirectories: {inner[0]} and {inner[1]}\n")
    return code


@program
async def _cmp(process: Process) -> int:
    flags, names = options(process, "sl")
    names = [*names, "-"][:2]
    found = await _two(process, names)
    if found is None:
        return 2
    first, second = found
    for place, (a, b) in enumerate(zip(first, second, strict=False)):
        if a != b:
            if "s" not in flags:
                line = first[:place].count(b"\n") + 1
                await process.say(f"{names[0]} {names[1]} differ: char {place + 1}, line {line}\n")
            return 1
    if len(first) == len(second):
        return 0
    if "s" not in flags:
        await process.complain(f"EOF on {names[0] if len(first) < len(second) else names[1]}")
    return 1


@program
async def _comm(process: Process) -> int:
    flags, names = options(process, "123")
    found = await _two(process, names[:2])
    if found is None or len(found) < 2:
        return 1
    left, right = (text_of(data).splitlines() for data in found)
    tabs = {"1": "", "2": "" if "1" in flags else "\t"}
    tabs["3"] = tabs["2"] + ("" if "2" in flags else "\t")
    while left or right:
        if left and right and left[0] == right[0]:
            which, row = "3", left.pop(0)
            right.pop(0)
        elif left and (not right or left[0] < right[0]):
            which, row = "1", left.pop(0)
        else:
            which, row = "2", right.pop(0)
        if which not in flags:
            await process.say(f"{tabs[which]}{row}\n")
    return 0


PROGRAMS: dict[str, Program] = {"cmp": _cmp, "comm": _comm, "diff": _diff}
