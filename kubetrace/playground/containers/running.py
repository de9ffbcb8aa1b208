"""Programs that run others: env, xargs, timeout, watch, nohup, nice, busybox."""

from __future__ import annotations

import asyncio
import re
import shlex
from dataclasses import replace

from kubetrace.playground.containers.arguments import UsageFailure, number
from kubetrace.playground.containers.machine import Process, Program
from kubetrace.playground.containers.pipes import read_all
from kubetrace.playground.containers.redirections import Streams
from kubetrace.playground.containers.shell import Shell
from kubetrace.playground.containers.signals import NUMBERS, signal_name
from kubetrace.playground.containers.text_programs import program, text_of

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration(text: str) -> float | None:
    """Seconds of 1.5, 2s, 3m, 1h or 1d, as sleep and timeout take them; None for anything else."""
    match = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smhd]?)", text)
    return None if match is None else float(match.group(1)) * _UNITS[match.group(2)]


async def run_with(process: Process, words: list[str], environment: dict[str, str]) -> int:
    """A command in this one's place, with another environment."""
    streams = Streams(process.input, process.output, process.error, process.terminal)
    shell = replace(Shell.fresh(process.machine, streams), folder=process.folder)
    shell.variables, shell.exported = dict(environment), set(environment)
    return await shell.run(words)


@program
async def env(process: Process) -> int:
    words = list(process.arguments)
    environment = dict(process.environment)
    end = "\n"
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word in ("-i", "-", "--ignore-environment"):
            environment = {}
        elif word in ("-u", "--unset") and words:
            environment.pop(words.pop(0), None)
        elif word.startswith("-u"):
            environment.pop(word[2:], None)
        elif word in ("-0", "--null"):
            end = "\0"
        elif word == "--":
            break
        else:
            raise UsageFailure(f"invalid option -- '{word[1:2]}'")
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    if words:
        return await run_with(process, words, environment)
    await process.say("".join(f"{name}={value}{end}" for name, value in environment.items()))
    return 0


@program
async def _xargs(process: Process) -> int:
    words = list(process.arguments)
    each, most, zero, empty_runs, shown, lines, mark = "", 0, False, True, False, 0, ""
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        letter, value = word[1:2], word[2:]
        if letter in "InsLPdE" and letter:
            value = value or (words.pop(0) if words else "")
        if letter in "Ii":
            each = value or "{}"
        elif letter == "n":
            most = number(value)
        elif letter == "L":
            lines = number(value)
        elif letter == "d":
            mark = {"\\n": "\n", "\\t": "\t", "\\0": "\0"}.get(value, value)
        elif letter in "r0t" and letter:
            zero, shown = zero or "0" in word, shown or "t" in word
            empty_runs = empty_runs and "r" not in word
        elif word in ("--null", "--no-run-if-empty"):
            zero, empty_runs = zero or word == "--null", empty_runs and word == "--null"
        elif letter not in "sPEpx" or not letter:
            raise UsageFailure(f"invalid option -- '{letter}'")
    text = text_of(await read_all(process.input))
    command = words or ["echo"]
    if zero or mark:
        found = text.removesuffix("\0" if zero else mark).split("\0" if zero else mark) if text else []
    elif each:
        found = [line.strip() for line in text.splitlines() if line.strip()]
    else:
        try:
            found = shlex.split(text)
        except ValueError:
            raise UsageFailure("unmatched quote") from None
    if each:
        calls = [[word.replace(each, entry) for word in command] for entry in found]
    elif lines:
        rows = [row for row in text.splitlines() if row.strip()]
        calls = [
            command + [word for row in rows[i : i + lines] for word in row.split()] for i in range(0, len(rows), lines)
        ]
    else:
        size = most or max(1, len(found))
        calls = [command + found[i : i + size] for i in range(0, len(found), size)]
        calls = calls or ([command] if empty_runs else [])
    code = 0
    for call in calls:
        if shown:
            await process.error.write((shlex.join(call) + "\n").encode())
        status = await process.run(call)
        if status == 127:
            return 127
        code = 123 if status else code
    return code


@program
async def _timeout(process: Process) -> int:
    words, name, kept = list(process.arguments), "TERM", False
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word.startswith(("-s", "--signal")):
            value = word.partition("=")[2] if word.startswith("--") else word[2:]
            found = signal_name(value or (words.pop(0) if words else ""))
            if found is None:
                raise UsageFailure("bad signal name")
            name = found
        elif word in ("-k", "-t"):
            _ = words.pop(0) if words else ""
        else:
            kept = kept or word == "--preserve-status"
    seconds = duration(words[0]) if words else None
    if seconds is None or len(words) < 2:
        await process.complain("usage: timeout [-s SIG] [-k KILL_SECS] SECS PROG ARGS")
        return 1
    try:
        return await asyncio.wait_for(process.run(words[1:]), seconds)
    except TimeoutError:
        return 128 + NUMBERS[name]


@program
async def _watch(process: Process) -> int:
    words, seconds, titled = list(process.arguments), 2.0, True
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word.startswith("-n"):
            seconds = float(word[2:] or (words.pop(0) if words else "2"))
        titled = titled and "t" not in word
    if not words:
        raise UsageFailure("usage: watch [-n SEC] [-t] PROG ARGS")
    line = " ".join(words)
    while True:
        await process.say("\x1b[H\x1b[J" + (f"Every {seconds:.1f}s: {line}\n\n" if titled else ""))
        await process.run(["sh", "-c", line])
        await asyncio.sleep(max(0.1, seconds))


async def _plain(process: Process) -> int:
    """nohup, nice, setsid, chroot's and stdbuf's kin: the command alone counts."""
    words = list(process.arguments)
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "-n" and words:
            words.pop(0)
    return await process.run(words) if words else 0


async def _busybox(process: Process) -> int:
    from kubetrace.playground.containers.programs import PROGRAMS

    if process.arguments[:1] == ["--list"]:
        await process.say("".join(f"{name}\n" for name in sorted(PROGRAMS)))
        return 0
    if process.arguments:
        name = process.arguments[0]
        if name not in PROGRAMS and name not in ("sh", "ash"):
            await process.error.write(f"{name}: applet not found\n".encode())
            return 127
        return await process.run(process.arguments)
    await process.say(
        f"BusyBox (simulated) multi-call binary.\n\nCurrently defined functions:\n\t{', '.join(PROGRAMS)}\n"
    )
    return 0


PROGRAMS: dict[str, Program] = {
    "busybox": _busybox,
    "env": env,
    "nice": _plain,
    "nohup": _plain,
    "setsid": _plain,
    "timeout": _timeout,
    "watch": _watch,
    "xargs": _xargs,
}
