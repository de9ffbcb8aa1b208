"""Programs that tell of the machine and of time, and those that run others: env, ps, date, sleep, xargs."""

from __future__ import annotations

import asyncio
import datetime
import re
import shlex
import time

from kubetrace.playground.containers.arguments import UsageFailure, options
from kubetrace.playground.containers.machine import Process, Program
from kubetrace.playground.containers.pipes import read_all
from kubetrace.playground.containers.text_programs import program, text_of


async def _env(process: Process) -> int:
    words = list(process.arguments)
    environment = dict(process.environment)
    while words and ("=" in words[0] or words[0] in ("-i", "-")):
        word = words.pop(0)
        if word in ("-i", "-"):
            environment = {}
        else:
            name, _, value = word.partition("=")
            environment[name] = value
    if words:
        process.environment = environment
        return await process.run(words)
    await process.say("".join(f"{name}={value}\n" for name, value in environment.items()))
    return 0


async def _printenv(process: Process) -> int:
    if not process.arguments:
        return await _env(process)
    found = [process.environment[name] for name in process.arguments if name in process.environment]
    await process.say("".join(f"{value}\n" for value in found))
    return 0 if len(found) == len(process.arguments) else 1


@program
async def _hostname(process: Process) -> int:
    flags, _ = options(process, "ifsdI")
    machine = process.machine
    await process.say(f"{machine.address if {'i', 'I'} & set(flags) else machine.hostname}\n")
    return 0


async def _ps(process: Process) -> int:
    rows = ["PID   USER     TIME  COMMAND\n"]
    rows += [f"{number:5} root      0:00 {line}\n" for number, line in sorted(process.machine.processes.items())]
    await process.say("".join(rows))
    return 0


@program
async def _date(process: Process) -> int:
    flags, names = options(process, "uR", "dI", {"utc": "u", "rfc-2822": "R", "iso-8601": "I"})
    now = datetime.datetime.now(datetime.UTC)
    given = flags.get("d", "")
    if given.startswith("@") and given[1:].isdigit():
        now = datetime.datetime.fromtimestamp(int(given[1:]), datetime.UTC)
    elif given and given != "now":
        try:
            now = datetime.datetime.fromisoformat(given).astimezone(datetime.UTC)
        except ValueError:
            raise UsageFailure(f"invalid date '{given}'") from None
    form = names[0][1:] if names and names[0].startswith("+") else "%a %b %e %H:%M:%S UTC %Y"
    if "R" in flags:
        form = "%a, %d %b %Y %H:%M:%S +0000"
    if "I" in flags:
        form = "%Y-%m-%dT%H:%M:%S+00:00" if flags["I"].startswith("s") else "%Y-%m-%d"
    form = form.replace("%N", f"{now.microsecond * 1000:09}").replace("%s", str(int(now.timestamp())))
    await process.say(now.strftime(form) + "\n")
    return 0


_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


async def _sleep(process: Process) -> int:
    total = 0.0
    if not process.arguments:
        await process.complain("missing operand")
        return 1
    for word in process.arguments:
        if word in ("infinity", "inf"):
            await asyncio.Event().wait()
        match = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smhd]?)", word)
        if match is None:
            await process.complain(f"invalid number '{word}'")
            return 1
        total += float(match.group(1)) * _UNITS[match.group(2)]
    await asyncio.sleep(min(total, 86400.0 * 365))
    return 0


async def _timeout(process: Process) -> int:
    words = [word for word in process.arguments if not word.startswith("-")]
    match = re.fullmatch(r"(\d+\.?\d*)([smhd]?)", words[0]) if words else None
    if match is None or len(words) < 2:
        await process.complain("missing operand")
        return 125
    try:
        seconds = float(match.group(1)) * _UNITS[match.group(2)]
        return await asyncio.wait_for(process.run(words[1:]), seconds)
    except TimeoutError:
        return 143


@program
async def _uname(process: Process) -> int:
    flags, _ = options(process, "asnrvmpio")
    facts = {"s": "Linux", "n": process.machine.hostname, "r": "simulated", "v": "#1", "m": "x86_64", "o": "Linux"}
    wanted = facts if "a" in flags else {letter: facts[letter] for letter in facts if letter in (flags or {"s": ""})}
    await process.say(" ".join(wanted.values()) + "\n")
    return 0


async def _identity(process: Process) -> int:
    if process.name == "whoami" or "-un" in process.arguments:
        await process.say("root\n")
    elif "-u" in process.arguments or "-g" in process.arguments:
        await process.say("0\n")
    else:
        await process.say("uid=0(root) gid=0(root) groups=0(root)\n")
    return 0


@program
async def _seq(process: Process) -> int:
    words = process.arguments
    try:
        numbers = [int(word) for word in words]
    except ValueError:
        raise UsageFailure("invalid number") from None
    if not 1 <= len(numbers) <= 3:
        raise UsageFailure("missing operand")
    first, step, last = {1: (1, 1, numbers[-1]), 2: (numbers[0], 1, numbers[-1])}.get(
        len(numbers), (numbers[0], numbers[1] if len(numbers) > 2 else 1, numbers[-1])
    )
    if step == 0:
        raise UsageFailure("increment must not be 0")
    for value in range(first, last + (1 if step > 0 else -1), step):
        await process.say(f"{value}\n")
    return 0


@program
async def _xargs(process: Process) -> int:
    words, each, most = list(process.arguments), "", 0
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "-I" and words:
            each = words.pop(0)
        elif word == "-n" and words:
            most = int(words.pop(0))
        elif word not in ("-r", "-0", "-t"):
            raise UsageFailure(f"invalid option -- '{word[1:]}'")
    text = text_of(await read_all(process.input))
    command = words or ["echo"]
    if each:
        calls = [[word.replace(each, line) for word in command] for line in text.splitlines() if line]
    else:
        try:
            found = shlex.split(text)
        except ValueError:
            raise UsageFailure("unmatched quote") from None
        size = most or max(1, len(found))
        calls = [command + found[i : i + size] for i in range(0, len(found), size)] or [command]
    codes = [await process.run(call) for call in calls]
    return 123 if any(codes) else 0


async def _expr(process: Process) -> int:
    from kubetrace.playground.containers.arithmetic import ArithmeticFailure, evaluate

    words = process.arguments
    if len(words) == 3 and words[1] in ("=", "!=") and not all(word.lstrip("-").isdigit() for word in words[::2]):
        found = int((words[0] == words[2]) == (words[1] == "="))
    else:
        try:
            found = evaluate(" ".join("==" if word == "=" else word for word in words), {})
        except ArithmeticFailure:
            await process.complain("syntax error")
            return 2
    await process.say(f"{found}\n")
    return 0 if found else 1


async def _kill(process: Process) -> int:
    from kubetrace.playground.containers.signals import NUMBERS, signal_name

    words, name = list(process.arguments), "TERM"
    if words[:1] == ["-l"]:
        await process.say("".join(f"{number:2}) {known}\n" for known, number in NUMBERS.items() if number))
        return 0
    if words and words[0].startswith("-") and words[0] != "--":
        first = words.pop(0)
        asked = (words.pop(0) if words else "") if first in ("-s", "-n") else first[1:]
        found = signal_name(asked)
        if found is None:
            await process.complain(f"bad signal name '{asked}'")
            return 1
        name = found
    code = 0
    for word in [word for word in words if word != "--"]:
        if not word.lstrip("-").isdigit():
            await process.complain(f"invalid number '{word}'")
            code = 1
        elif not process.machine.signal(abs(int(word)), name):
            await process.complain(f"can't kill pid {word}: No such process")
            code = 1
    if not words:
        await process.complain("you need to specify whom to kill")
        return 1
    return code


async def _uptime(process: Process) -> int:
    now = time.strftime("%H:%M:%S", time.gmtime())
    await process.say(f" {now} up 1 day,  0:00,  0 users,  load average: 0.00, 0.00, 0.00\n")
    return 0


async def _free(process: Process) -> int:
    await process.say("              total        used        free      shared  buff/cache   available\n")
    await process.say("Mem:       16777216     1048576    15728640           0           0    15728640\n")
    return 0


async def _stty(process: Process) -> int:
    if not process.terminal:
        await process.complain("standard input: Not a tty")
        return 1
    if process.arguments[:1] == ["size"]:
        await process.say(f"{process.machine.rows} {process.machine.columns}\n")
    elif process.arguments[:1] == ["-a"] or not process.arguments:
        await process.say(f"speed 38400 baud; rows {process.machine.rows}; columns {process.machine.columns};\n")
    return 0


async def _tty(process: Process) -> int:
    await process.say("/dev/pts/0\n" if process.terminal else "not a tty\n")
    return 0 if process.terminal else 1


async def _clear(process: Process) -> int:
    await process.say("\x1b[H\x1b[J")
    return 0


async def _which(process: Process) -> int:
    from kubetrace.playground.containers.programs import PROGRAMS

    code = 0
    for name in process.arguments:
        if name in PROGRAMS or name == "sh":
            await process.say(f"/bin/{name}\n")
        else:
            code = 1
    return code


async def _true(process: Process) -> int:
    return 0


async def _false(process: Process) -> int:
    return 1


async def _pwd(process: Process) -> int:
    await process.say(f"{process.folder}\n")
    return 0


async def _nproc(process: Process) -> int:
    await process.say("8\n")
    return 0


async def _test(process: Process) -> int:
    """test(1) without a shell around it."""
    from kubetrace.playground.containers.builtins import BUILTINS
    from kubetrace.playground.containers.redirections import Streams
    from kubetrace.playground.containers.shell import Shell

    streams = Streams(process.input, process.output, process.error)
    shell = Shell(process.machine, streams, folder=process.folder)
    return await BUILTINS[process.name](shell, [process.name, *process.arguments])


PROGRAMS: dict[str, Program] = {
    "[": _test,
    "clear": _clear,
    "date": _date,
    "env": _env,
    "expr": _expr,
    "false": _false,
    "free": _free,
    "hostname": _hostname,
    "id": _identity,
    "kill": _kill,
    "nproc": _nproc,
    "printenv": _printenv,
    "ps": _ps,
    "pwd": _pwd,
    "seq": _seq,
    "sleep": _sleep,
    "stty": _stty,
    "sync": _true,
    "test": _test,
    "timeout": _timeout,
    "true": _true,
    "tty": _tty,
    "uname": _uname,
    "uptime": _uptime,
    "which": _which,
    "whoami": _identity,
    "xargs": _xargs,
}
