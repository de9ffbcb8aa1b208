"""The shell's own commands: those that change where it goes on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from kubetrace.playground.containers import variables
from kubetrace.playground.containers.conditions import test
from kubetrace.playground.containers.control import Leave
from kubetrace.playground.containers.expansion import Exit, quoted_always
from kubetrace.playground.containers.filesystem import Directory, FileFailure, absolute
from kubetrace.playground.containers.redirections import Fatal, ShellFailure
from kubetrace.playground.containers.shell import Shell
from kubetrace.playground.containers.signals import NUMBERS, listed, signal_name

Builtin = Callable[[Shell, list[str]], Awaitable[int]]


async def _cd(shell: Shell, words: list[str]) -> int:
    words = [word for word in words if word not in ("-P", "-L", "--")]
    wanted = words[1] if len(words) > 1 else shell.variables.get("HOME", "/")
    if wanted == "-":
        wanted = shell.variables.get("OLDPWD", shell.folder)
    path = absolute(wanted, shell.folder)
    node = shell.machine.files.find(path)
    if not isinstance(node, Directory):
        why = "No such file or directory" if node is None else "Not a directory"
        raise ShellFailure(f"cd: can't cd to {wanted}: {why}")
    shell.variables["OLDPWD"], shell.folder = shell.folder, path
    if words[1:2] == ["-"]:
        await _pwd(shell, words)
    return 0


async def _pwd(shell: Shell, words: list[str]) -> int:
    await shell.streams.output.write(f"{shell.folder}\n".encode())
    return 0


async def _exit(shell: Shell, words: list[str]) -> int:
    raise Exit(variables.number(words, shell.status) & 255)


async def _return(shell: Shell, words: list[str]) -> int:
    raise Leave("return", variables.number(words, shell.status) & 255)


async def _leave(shell: Shell, words: list[str]) -> int:
    if not shell.loops:
        return 0
    raise Leave(words[0], min(shell.loops, max(1, variables.number(words, 1))))


async def _eval(shell: Shell, words: list[str]) -> int:
    from kubetrace.playground.containers.syntax import ShellSyntaxError, parse

    try:
        return await shell.sequence(parse(" ".join(words[1:])))
    except ShellSyntaxError as error:
        raise Fatal(f"eval: {error}") from None


async def _source(shell: Shell, words: list[str]) -> int:
    if len(words) < 2:
        raise Fatal(f"{words[0]}: filename argument required")
    try:
        text = shell.machine.files.read(absolute(words[1], shell.folder)).decode("utf-8", "surrogateescape")
    except FileFailure:
        raise Fatal(f"{words[0]}: can't open '{words[1]}': No such file or directory") from None
    saved = shell.positional
    shell.positional = words[2:] or saved
    try:
        return await _eval(shell, ["eval", text])
    except Leave as leave:
        if leave.kind != "return":
            raise
        return leave.count
    finally:
        shell.positional = saved if words[2:] else shell.positional


async def _exec(shell: Shell, words: list[str]) -> int:
    if len(words) == 1:
        return 0
    code = await shell.run(words[1:])
    shell.traps.commands.pop("EXIT", None)
    raise Exit(code)


async def _wait(shell: Shell, words: list[str]) -> int:
    """Until jobs are over, or a trap has something to do."""
    if len(words) == 1:
        wanted = list(shell.jobs)
    else:
        listed = list(shell.jobs)
        wanted = []
        for word in words[1:]:
            place = int(word[1:]) - 1 if re.fullmatch(r"%\d+", word) else -1
            if 0 <= place < len(listed) or word in ("%%", "%+"):
                wanted.append(listed[place])
            elif word.isdigit() and int(word) in shell.jobs:
                wanted.append(int(word))
            else:
                return 127
    code = 0
    for number in wanted:
        task = shell.jobs[number]
        while not task.done():
            await asyncio.wait((task,), timeout=0.1)
            if shell.traps.pending:
                return 143
        code = shell.jobs.pop(number).result()
    return code if len(words) > 1 else 0


async def _jobs(shell: Shell, words: list[str]) -> int:
    for place, (number, task) in enumerate(shell.jobs.items(), 1):
        state = "Done" if task.done() else "Running"
        text = f"{number}\n" if "-p" in words else f"[{place}]{'+' if number == shell.last_job else ' '} {state}\n"
        await shell.streams.output.write(text.encode())
    return 0


async def _trap(shell: Shell, words: list[str]) -> int:
    arguments = words[2:] if words[1:2] == ["--"] else words[1:]
    traps = shell.traps.commands
    if not arguments or arguments == ["-p"]:
        lines = [f"trap -- {quoted_always(traps[name])} {name}\n" for name in NUMBERS if name in traps]
        await shell.streams.output.write("".join(lines).encode())
        return 0
    if arguments == ["-l"]:
        await shell.streams.output.write(listed().encode())
        return 0
    reset = len(arguments) == 1 or arguments[0] == "-" or arguments[0].isdigit()
    code = 0
    for word in arguments if reset and arguments[0] != "-" else arguments[1:]:
        name = signal_name(word)
        if name is None:
            await shell.tell(f"trap: {word}: invalid signal specification")
            code = 1
        elif reset:
            traps.pop(name, None)
        else:
            traps[name] = arguments[0]
    return code


async def _time(shell: Shell, words: list[str]) -> int:
    start = asyncio.get_running_loop().time()
    code = await shell.invoke([word for word in words[1:] if word != "-p"]) if len(words) > 1 else 0
    spent = asyncio.get_running_loop().time() - start
    text = f"real\t{int(spent // 60)}m {spent % 60:.2f}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n"
    await shell.streams.error.write(text.encode())
    return code


async def _nothing(shell: Shell, words: list[str]) -> int:
    return 0


async def _false(shell: Shell, words: list[str]) -> int:
    return 1


async def _where(shell: Shell, words: list[str]) -> int:
    from kubetrace.playground.containers.programs import PROGRAMS

    if words[0] == "command" and words[1:2] not in (["-v"], ["-V"]):
        words = [word for word in words[1:] if word not in ("-p", "--")]
        builtin = BUILTINS.get(words[0]) if words else None
        return 0 if not words else await (builtin(shell, words) if builtin else shell.run(words))
    code = 0
    for name in words[1:]:
        if name in ("-v", "-V"):
            continue
        if name in BUILTINS or name in shell.functions:
            told = f"{name} is a {'function' if name in shell.functions else 'shell builtin'}"
            told = told if words[0] == "type" else name
        elif name in PROGRAMS or name == "sh":
            told = f"{name} is /bin/{name}" if words[0] == "type" else f"/bin/{name}"
        else:
            code = 127
            if words[0] == "type":
                await shell.streams.output.write(f"{name}: not found\n".encode())
            continue
        await shell.streams.output.write(f"{told}\n".encode())
    return code


BUILTINS: dict[str, Builtin] = {
    ":": _nothing,
    ".": _source,
    "[": test,
    "[[": test,
    "alias": variables.alias,
    "bg": _nothing,
    "break": _leave,
    "cd": _cd,
    "command": _where,
    "continue": _leave,
    "eval": _eval,
    "exec": _exec,
    "exit": _exit,
    "export": variables.export,
    "false": _false,
    "fg": _wait,
    "getopts": variables.getopts,
    "hash": _nothing,
    "jobs": _jobs,
    "let": variables.let,
    "local": variables.local,
    "pwd": _pwd,
    "read": variables.read,
    "readonly": variables.export,
    "return": _return,
    "set": variables.set_options,
    "shift": variables.shift,
    "source": _source,
    "test": test,
    "time": _time,
    "times": _nothing,
    "trap": _trap,
    "true": _nothing,
    "type": _where,
    "ulimit": _nothing,
    "umask": variables.umask,
    "unalias": variables.alias,
    "unset": variables.unset,
    "wait": _wait,
}
