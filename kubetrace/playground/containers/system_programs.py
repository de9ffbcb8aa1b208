"""Programs that tell of the machine, of its processes and of time: ps, id, date, sleep, seq, expr."""

from __future__ import annotations

import asyncio
import datetime
import re
import time
from decimal import Decimal

from kubetrace.playground.containers.arguments import UsageFailure, options
from kubetrace.playground.containers.machine import Process, Program
from kubetrace.playground.containers.patterns import compiled
from kubetrace.playground.containers.running import duration, env
from kubetrace.playground.containers.text_programs import program


async def _printenv(process: Process) -> int:
    if not process.arguments:
        return await env(process)
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
    user = process.machine.owner(process.machine.user)
    running = sorted(process.machine.processes.items())
    if any("f" in word or "u" in word for word in process.arguments):  # ps -ef, ps aux
        rows = ["UID        PID  PPID  C STIME TTY          TIME CMD\n"]
        rows += [
            f"{user:8} {number:5} {0 if number == 1 else 1:5}  0 00:00 ?        00:00:00 {t}\n" for number, t in running
        ]
    else:
        rows = ["PID   USER     TIME  COMMAND\n"]
        rows += [f"{number:5} {user:8}  0:00 {line}\n" for number, line in running]
    await process.say("".join(rows))
    return 0


@program
async def _date(process: Process) -> int:
    flags, names = options(process, "uR", "dIrs", {"utc": "u", "rfc-2822": "R", "iso-8601": "I"})
    now = datetime.datetime.now(datetime.UTC)
    given = flags.get("d", "")
    if "r" in flags:
        given = f"@{int(process.files.get(process.path(flags['r'])).mtime)}"
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


async def _sleep(process: Process) -> int:
    total = 0.0
    if not process.arguments:
        await process.complain("missing operand")
        return 1
    for word in process.arguments:
        if word in ("infinity", "inf"):
            await asyncio.Event().wait()
        seconds = duration(word)
        if seconds is None:
            await process.complain(f"invalid number '{word}'")
            return 1
        total += seconds
    await asyncio.sleep(min(total, 86400.0 * 365))
    return 0


@program
async def _uname(process: Process) -> int:
    flags, _ = options(process, "asnrvmpio")
    flags = {"m": ""} if process.name == "arch" else flags
    facts = {"s": "Linux", "n": process.machine.hostname, "r": "simulated", "v": "#1", "m": "x86_64", "o": "Linux"}
    wanted = facts if "a" in flags else {letter: facts[letter] for letter in facts if letter in (flags or {"s": ""})}
    await process.say(" ".join(wanted.values()) + "\n")
    return 0


@program
async def _identity(process: Process) -> int:
    machine = process.machine
    if process.name in ("whoami", "groups", "logname"):
        flags = {"G": "", "n": ""} if process.name == "groups" else {"u": "", "n": ""}
    else:
        flags, _ = options(process, "ugGnrz")
    names = "n" in flags
    if {"u", "g", "G"} & set(flags):
        numbers = machine.groups if "G" in flags else [machine.group if "g" in flags else machine.user]
        unknown = [number for number in numbers if number and names]
        if unknown:
            await process.complain(f"unknown {'uid' if process.name == 'whoami' else 'ID'} {unknown[0]}")
            return 1
        await process.say(" ".join(machine.owner(number) if names else str(number) for number in numbers) + "\n")
        return 0

    def shown(number: int) -> str:
        return f"{number}(root)" if number == 0 else str(number)

    groups = ",".join(map(shown, machine.groups))
    await process.say(f"uid={shown(machine.user)} gid={shown(machine.group)} groups={groups}\n")
    return 0


@program
async def _seq(process: Process) -> int:
    words, mark, padded = list(process.arguments), "\n", False
    while words and words[0].startswith("-") and not re.match(r"-[\d.]", words[0]):
        word = words.pop(0)
        if word.startswith("-s"):
            mark = word[2:] or (words.pop(0) if words else "\n")
        elif word == "-w":
            padded = True
        else:
            raise UsageFailure(f"invalid option -- '{word[1:2]}'")
    if not 1 <= len(words) <= 3:
        raise UsageFailure("usage: seq [-w] [-s SEP] [FIRST [INC]] LAST")
    try:
        numbers = [Decimal(word) for word in words]
    except ArithmeticError:
        raise UsageFailure("invalid number") from None
    first, step = (numbers[0] if len(numbers) > 1 else Decimal(1)), numbers[1] if len(numbers) > 2 else Decimal(1)
    if step == 0 or not all(number.is_finite() for number in numbers):
        raise UsageFailure("increment must not be 0")
    places = max(0, *(-int(number.as_tuple().exponent) for number in (first, step)))
    width = max(len(f"{number:.{places}f}") for number in (first, numbers[-1])) if padded else 0
    value, count = first, 0
    while value <= numbers[-1] if step > 0 else value >= numbers[-1]:
        await process.say((mark if count else "") + f"{value:.{places}f}".zfill(width))
        value += step
        count += 1
    if count:
        await process.say("\n")
    return 0


@program
async def _expr(process: Process) -> int:
    words = list(process.arguments)
    if not words:
        await process.complain("usage: expr EXPRESSION")
        return 2
    try:
        found = _Expression(words).whole()
    except UsageFailure as failure:
        await process.complain(str(failure))
        return 2
    await process.say(f"{found}\n")
    return int(found in ("", "0"))


class _Expression:
    """expr's words."""

    _LEVELS = (("|",), ("&",), ("=", "==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"), (":",))

    def __init__(self, words: list[str]) -> None:
        self._words = words

    def whole(self) -> str:
        found = self._level(0)
        if self._words:
            raise UsageFailure("syntax error")
        return found

    def _level(self, level: int) -> str:
        if level == len(self._LEVELS):
            return self._primary()
        left = self._level(level + 1)
        while self._words and self._words[0] in self._LEVELS[level]:
            operator = self._words.pop(0)
            left = self._joined(operator, left, self._level(level + 1))
        return left

    def _joined(self, operator: str, left: str, right: str) -> str:
        if operator == "|":
            return left if left not in ("", "0") else right
        if operator == "&":
            return left if "" not in (left, right) and "0" not in (left, right) else "0"
        if operator == ":":
            return self._matched(left, right)
        numeric = all(re.fullmatch(r"-?\d+", text) for text in (left, right))
        if operator in self._LEVELS[2]:
            order = (int(left) > int(right)) - (int(left) < int(right)) if numeric else (left > right) - (left < right)
            holds = {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0, "!=": order != 0}
            return str(int(holds.get(operator, order == 0)))
        if not numeric:
            raise UsageFailure("non-numeric argument")
        a, b = int(left), int(right)
        if operator in "/%" and b == 0:
            raise UsageFailure("division by zero")
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) if operator in "/%" else 0
        return str({"+": a + b, "-": a - b, "*": a * b, "/": quotient, "%": a - quotient * b}[operator])

    @staticmethod
    def _matched(text: str, pattern: str) -> str:
        expression = compiled(pattern, extended=False)
        match = expression.match(text)
        if expression.groups:
            return (match.group(1) or "") if match else ""
        return str(match.end()) if match else "0"

    def _primary(self) -> str:
        if not self._words:
            raise UsageFailure("syntax error")
        word = self._words.pop(0)
        if word == "(":
            found = self._level(0)
            if self._words[:1] != [")"]:
                raise UsageFailure("syntax error")
            self._words.pop(0)
            return found
        if word == "length" and self._words:
            return str(len(self._primary()))
        if word == "index" and len(self._words) > 1:
            text, letters = self._primary(), self._primary()
            return str(next((place for place, char in enumerate(text, 1) if char in letters), 0))
        if word == "substr" and len(self._words) > 2:
            text, start, size = self._primary(), self._primary(), self._primary()
            if not (start.isdigit() and size.isdigit() and int(start)):
                return ""
            return text[int(start) - 1 : int(start) - 1 + int(size)]
        if word == "match" and len(self._words) > 1:
            return self._matched(self._primary(), self._primary())
        return word


async def _kill(process: Process) -> int:
    from kubetrace.playground.containers.signals import listed, signal_name

    words, name = list(process.arguments), "TERM"
    if words[:1] == ["-l"]:
        await process.say(listed())
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


async def _mount(process: Process) -> int:
    rows = ["overlay on / type overlay (rw,relatime)", "proc on /proc type proc (rw,nosuid,nodev,noexec,relatime)"]
    for path, read_only in sorted(process.files.mounts.items()):
        source, kind, way = ("tmpfs", "tmpfs", "ro") if read_only else ("/dev/vda1", "ext4", "rw")
        rows.append(f"{source} on {path} type {kind} ({way},relatime)")
    await process.say("".join(f"{row}\n" for row in rows))
    return 0


async def _top(process: Process) -> int:
    user, rows = process.machine.owner(process.machine.user), ""
    for number, line in sorted(process.machine.processes.items()):
        rows += f"{number:5} {int(number != 1):5} {user:8} S     1234   0%   0   0% {line}\n"
    text = "Mem: 1048576K used, 15728640K free, 0K shrd, 0K buff, 0K cached\n"
    text += "CPU:   0% usr   0% sys   0% nic 100% idle   0% io   0% irq   0% sirq\n"
    text += f"Load average: 0.00 0.00 0.00 1/1 1\n  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND\n{rows}"
    once = any(word.startswith("-") and ("b" in word or "n" in word) for word in process.arguments)
    while not once:
        await process.say(f"\x1b[H\x1b[J{text}")
        await asyncio.sleep(5)
    await process.say(text)
    return 0


async def _usleep(process: Process) -> int:
    word = "".join(process.arguments[:1])
    if not word.isdigit():
        await process.complain(f"invalid number '{word}'")
        return 1
    await asyncio.sleep(int(word) / 1e6)
    return 0


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
    "true": _true,
    "tty": _tty,
    "uname": _uname,
    "uptime": _uptime,
    "arch": _uname,
    "groups": _identity,
    "logname": _identity,
    "mount": _mount,
    "reset": _clear,
    "top": _top,
    "usleep": _usleep,
    "which": _which,
    "whoami": _identity,
}
