"""sort(1)."""

from __future__ import annotations

import re

from kubetrace.playground.containers.arguments import UsageFailure, options
from kubetrace.playground.containers.machine import Process
from kubetrace.playground.containers.pipes import read_all
from kubetrace.playground.containers.text_programs import MISSING, inputs, program, text_of


@program
async def sort(process: Process) -> int:
    flags, names = options(process, "rnufbhVsgcmzMid", "ktoTS", joined="k")
    rows: list[str] = []
    async for _, lines in inputs(process, names):
        if lines is MISSING:
            return 2
        rows += text_of(await read_all(lines)).splitlines()
    keys = [_Key(text, flags) for text in flags["k"].split("\n")] if "k" in flags else [_Key("1", flags)]
    before = list(rows)
    if "s" not in flags:
        rows.sort(reverse="r" in flags)
    for key in reversed(keys):
        rows.sort(key=key.of, reverse=key.reverse)
    if "c" in flags:
        return int(rows != before)
    if "u" in flags:
        seen: dict[tuple[object, ...], str] = {}
        for row in rows:
            seen.setdefault(tuple(key.of(row) for key in keys), row)
        rows = list(seen.values())
    text = "".join(f"{row}\n" for row in rows)
    if "o" in flags:
        process.files.write(process.path(flags["o"]), text.encode("utf-8", "surrogateescape"))
    else:
        await process.say(text)
    return 0


class _Key:
    """-k FIELD[.CHAR][OPTIONS][,FIELD[.CHAR][OPTIONS]]."""

    def __init__(self, text: str, flags: dict[str, str]) -> None:
        match = re.fullmatch(r"(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.(\d+))?([a-zA-Z]*))?", text)
        if match is None:
            raise UsageFailure(f"bad field specification '{text}'")
        self._first, self._start = int(match.group(1)) - 1, int(match.group(2) or 1) - 1
        self._last = int(match.group(4)) if match.group(4) else None
        own = match.group(3) + (match.group(6) or "")
        self._letters = own or "".join(flags)
        self.reverse = "r" in self._letters
        self._mark = flags.get("t", "")

    def of(self, row: str) -> tuple[tuple[int, float, str], ...]:
        parts = row.split(self._mark) if self._mark else re.findall(r"\s*\S+", row) or [row]
        chosen = (self._mark or "").join(parts[self._first : self._last])[self._start :]
        if {"n", "g", "h"} & set(self._letters):
            match = re.match(r"\s*([-+]?\d+(?:\.\d+)?)([kKMGT]?)", chosen)
            number, unit = (float(match.group(1)), match.group(2)) if match is not None else (0.0, "")
            power = {"K": 1, "k": 1, "M": 2, "G": 3, "T": 4}.get(unit, 0) if "h" in self._letters else 0
            return ((0, number * 1024.0**power, ""),)
        if "V" in self._letters:
            pieces = re.findall(r"\d+|\D+", chosen.strip())
            return tuple((0, float(piece), "") if piece.isdigit() else (1, 0.0, piece) for piece in pieces)
        text = chosen.lstrip() if "b" in self._letters else chosen
        return ((0, 0.0, text.lower() if "f" in self._letters else text),)
