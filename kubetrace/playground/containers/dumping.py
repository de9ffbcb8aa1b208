"""Programs that show bytes: od, hexdump, xxd."""

from __future__ import annotations

from collections.abc import Callable

from kubetrace.playground.containers.arguments import UsageFailure, number, options
from kubetrace.playground.containers.machine import Process, Program
from kubetrace.playground.containers.pipes import read_all
from kubetrace.playground.containers.text_programs import MISSING, inputs, program

_NAMES = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}


async def _all(process: Process, names: list[str], limit: int | None) -> bytes | None:
    """What the files hold together, up to a limit; None where one can't be read."""
    data = b""
    async for _, lines in inputs(process, names):
        if lines is MISSING:
            return None
        if limit is None:
            data += await read_all(lines)
        while limit is not None and len(data) < limit and (more := await lines.read(limit - len(data))):
            data += more
    return data


def _printable(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)


def _rows(data: bytes, address: str, cell: Callable[[bytes], str]) -> str:
    """od's and hexdump's rows of 16 bytes; equal ones are a star."""
    out, before, starred = "", b"", False
    for place in range(0, len(data), 16):
        row = data[place : place + 16]
        if row == before and len(row) == 16:
            out += "" if starred else "*\n"
            starred = True
            continue
        before, starred = row, False
        out += f"{place:{address}}{cell(row)}\n" if address else f"{cell(row)}\n"
    return out + (f"{len(data):{address}}\n" if address else "")


def _words(row: bytes, size: int, form: str) -> str:
    return "".join(
        f" {int.from_bytes(row[place : place + size], 'little'):{form}}" for place in range(0, len(row), size)
    )


_OCTAL = {1: 3, 2: 6, 4: 11, 8: 22}
"""Octal digits of so many bytes."""


def _shown(byte: int) -> str:
    return _NAMES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"{byte:03o}")


@program
async def _od(process: Process) -> int:
    flags, names = options(process, "bcdoxv", "AtNj")
    skipped = number(flags.get("j", "0"))
    limit = number(flags["N"]) + skipped if "N" in flags else None
    data = await _all(process, names, limit)
    if data is None:
        return 1
    kind = flags.get("t") or next((letter for letter in "bcdox" if letter in flags), "o2")
    kind = {"b": "o1", "d": "u2", "o": "o2", "x": "x2"}.get(kind, kind) if "t" not in flags else kind
    address = {"n": "", "d": "07d", "x": "06x"}.get(flags.get("A", "o"), "07o")
    letter, size = kind[0], int(kind[1]) if kind[1:2].isdigit() else 4
    cells: dict[str, Callable[[bytes], str]] = {
        "c": lambda row: "".join(f"{_shown(byte):>4}" for byte in row),
        "a": lambda row: "".join(f"{_shown(byte):>4}" for byte in row),
        "x": lambda row: _words(row, size, f"0{size * 2}x"),
        "o": lambda row: _words(row, size, f"0{_OCTAL[size]}o"),
        "d": lambda row: _words(row, size, f"{ {1: 4, 2: 6, 4: 11}.get(size, 20) }d"),
        "u": lambda row: _words(row, size, f"{ {1: 3, 2: 5, 4: 10}.get(size, 20) }d"),
    }
    if letter not in cells or size not in (1, 2, 4, 8):
        raise UsageFailure(f"invalid type string '{kind}'")
    await process.say(_rows(data[skipped:], address, cells[letter]))
    return 0


@program
async def _hexdump(process: Process) -> int:
    flags, names = options(process, "Cbcdoxv", "ns")
    skipped = number(flags.get("s", "0"))
    data = await _all(process, names, number(flags["n"]) + skipped if "n" in flags else None)
    if data is None:
        return 1
    canonical = "C" in flags or process.name == "hd"

    def cell(row: bytes) -> str:
        if not canonical:
            return _words(row, 2, "04x")
        halves = " ".join(f"{byte:02x}" for byte in row[:8]), " ".join(f"{byte:02x}" for byte in row[8:])
        return f"  {halves[0]:23}  {halves[1]:23}  |{_printable(row)}|"

    if data[skipped:]:
        await process.say(_rows(data[skipped:], "08x" if canonical else "07x", cell))
    return 0


@program
async def _xxd(process: Process) -> int:
    flags, names = options(process, "pru", "lscg")
    data = await _all(process, names, number(flags["l"]) if "l" in flags else None)
    if data is None:
        return 1
    if "r" in flags:
        text = data.decode("ascii", "replace")
        rows = [
            line if "p" in flags else line.partition(":")[2].strip().partition("  ")[0] for line in text.split("\n")
        ]
        try:
            await process.output.write(bytes.fromhex("".join(rows).replace(" ", "")))
        except ValueError:
            return 1
        return 0
    width = number(flags.get("c", "30" if "p" in flags else "16"))
    for place in range(0, len(data), max(1, width)):
        row = data[place : place + width]
        if "p" in flags:
            await process.say(f"{row.hex()}\n")
            continue
        pairs = " ".join(row[i : i + 2].hex() for i in range(0, len(row), 2))
        await process.say(f"{place:08x}: {pairs:{width * 2 + width // 2}} {_printable(row)}\n")
    return 0


PROGRAMS: dict[str, Program] = {"hd": _hexdump, "hexdump": _hexdump, "od": _od, "xxd": _xxd}
