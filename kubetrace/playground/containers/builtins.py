"""The shell's own commands: those that change the shell, and test."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Awaitable, Callable

from kubetrace.playground.containers.expansion import Exit
from kubetrace.playground.containers.filesystem import Directory, File, FileFailure, FileSystem, Link, absolute
from kubetrace.playground.containers.redirections import ShellFailure
from kubetrace.playground.containers.shell import Shell, _Leave

Builtin = Callable[[Shell, list[str]], Awaitable[int]]


def _number(words: list[str], default: int) -> int:
    if len(words) < 2:
        return default
    if not re.fullmatch(r"-?\d+", words[1]):
        raise ShellFailure(f"{words[0]}: Illegal number: {words[1]}")
    return int(words[1])


async def _cd(shell: Shell, words: list[str]) -> int:
    wanted = words[1] if len(words) > 1 else shell.variables.get("HOME", "/")
    if wanted == "-":
        wanted = shell.variables.get("OLDPWD", shell.folder)
    path = absolute(wanted, shell.folder)
    node = shell.machine.files.find(path)
    if not isinstance(node, Directory):
        why = "No such file or directory" if node is None else "Not a directory"
        raise ShellFailure(f"cd: can't cd to {wanted}: {why}")
    shell.variables["OLDPWD"], shell.folder = shell.folder, path
    return 0


async def _pwd(shell: Shell, words: list[str]) -> int:
    await shell.streams.output.write(f"{shell.folder}\n".encode())
    return 0


async def _exit(shell: Shell, words: list[str]) -> int:
    raise Exit(_number(words, shell.status) & 255)


async def _return(shell: Shell, words: list[str]) -> int:
    raise _Leave("return", _number(words, shell.status) & 255)


async def _leave(shell: Shell, words: list[str]) -> int:
    raise _Leave(words[0], max(1, _number(words, 1)))


async def _export(shell: Shell, words: list[str]) -> int:
    if len(words) == 1 or words[1] == "-p":
        lines = [f"export {n}={shlex.quote(shell.variables.get(n, ''))}\n" for n in sorted(shell.exported)]
        await shell.streams.output.write("".join(lines).encode())
        return 0
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise ShellFailure(f"export: {name}: bad variable name")
        if equals:
            shell.variables[name] = value
        shell.exported.add(name)
    return 0


async def _unset(shell: Shell, words: list[str]) -> int:
    for name in words[1:]:
        shell.variables.pop(name, None)
        shell.exported.discard(name)
        shell.functions.pop(name, None)
    return 0


async def _set(shell: Shell, words: list[str]) -> int:
    if len(words) == 1:
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in sorted(shell.variables.items())]
        await shell.streams.output.write("".join(lines).encode())
        return 0
    rest = words[1:]
    while rest and rest[0][:1] in "-+" and len(rest[0]) > 1:
        option = rest.pop(0)
        if option == "--":
            shell.positional = rest
            return 0
        named = {rest.pop(0)} if option[1:] == "o" and rest else set(option[1:].replace("o", ""))
        if "o" in option[1:] and rest and option[1:] != "o":
            named.add(rest.pop(0))
        named = {{"errexit": "e", "xtrace": "x", "nounset": "u"}.get(name, name) for name in named}
        shell.options = shell.options | named if option[0] == "-" else shell.options - named
    if rest:
        shell.positional = rest
    return 0


async def _shift(shell: Shell, words: list[str]) -> int:
    count = _number(words, 1)
    if count > len(shell.positional):
        return 1
    shell.positional = shell.positional[count:]
    return 0


async def _eval(shell: Shell, words: list[str]) -> int:
    from kubetrace.playground.containers.syntax import ShellSyntaxError, parse

    try:
        return await shell.sequence(parse(" ".join(words[1:])))
    except ShellSyntaxError as error:
        raise ShellFailure(f"eval: {error}") from None


async def _source(shell: Shell, words: list[str]) -> int:
    if len(words) < 2:
        raise ShellFailure(f"{words[0]}: filename argument required")
    try:
        text = shell.machine.files.read(absolute(words[1], shell.folder)).decode("utf-8", "surrogateescape")
    except FileFailure:
        raise ShellFailure(f"{words[0]}: can't open '{words[1]}': No such file or directory") from None
    return await _eval(shell, ["eval", text])


async def _read(shell: Shell, words: list[str]) -> int:
    names = [word for word in words[1:] if not word.startswith("-")] or ["REPLY"]
    line = (await shell.streams.input.line()).decode("utf-8", "surrogateescape")
    if "-r" not in words:
        line = re.sub(r"\\(.)", r"\1", line)
    values = line.rstrip("\n").strip(" \t").split(None, len(names) - 1) if len(names) > 1 else [line.strip(" \t\n")]
    for index, name in enumerate(names):
        shell.variables[name] = values[index] if index < len(values) else ""
    return 0 if line.endswith("\n") else 1


async def _exec(shell: Shell, words: list[str]) -> int:
    if len(words) == 1:
        return 0
    raise Exit(await shell.run(words[1:]))


async def _wait(shell: Shell, words: list[str]) -> int:
    codes = await asyncio.gather(*shell.jobs)
    shell.jobs.clear()
    return codes[-1] if codes and len(words) > 1 else 0


async def _nothing(shell: Shell, words: list[str]) -> int:
    return 0


async def _false(shell: Shell, words: list[str]) -> int:
    return 1


async def _where(shell: Shell, words: list[str]) -> int:
    from kubetrace.playground.containers.programs import PROGRAMS

    if words[0] == "command" and words[1:2] not in (["-v"], ["-V"]):
        return await shell.run(words[1:]) if len(words) > 1 else 0
    code = 0
    for name in words[1:]:
        if name in ("-v", "-V"):
            continue
        if name in BUILTINS or name in shell.functions:
            told = f"{name} is a shell builtin" if words[0] == "type" else name
        elif name in PROGRAMS or name == "sh":
            told = f"{name} is /bin/{name}" if words[0] == "type" else f"/bin/{name}"
        else:
            code = 127
            if words[0] == "type":
                await shell.streams.output.write(f"{name}: not found\n".encode())
            continue
        await shell.streams.output.write(f"{told}\n".encode())
    return code


async def _test(shell: Shell, words: list[str]) -> int:
    arguments = words[1:]
    if words[0] == "[":
        if arguments[-1:] != ["]"]:
            await shell._tell("[: missing ]")
            return 2
        arguments = arguments[:-1]
    try:
        return int(not _Test(arguments, shell.machine.files, shell.folder).truth())
    except ShellFailure as failure:
        await shell._tell(f"{words[0]}: {failure}")
        return 2


class _Test:
    """The expressions of test(1), with -a, -o, ! and parentheses."""

    def __init__(self, words: list[str], files: FileSystem, folder: str) -> None:
        self._words, self._files, self._folder = list(words), files, folder

    def truth(self) -> bool:
        if not self._words:
            return False
        found = self._either()
        if self._words:
            raise ShellFailure(f"{self._words[0]}: unexpected operator")
        return found

    def _either(self) -> bool:
        found = self._both()
        while self._words[:1] == ["-o"]:
            self._words.pop(0)
            found = self._both() or found
        return found

    def _both(self) -> bool:
        found = self._not()
        while self._words[:1] == ["-a"]:
            self._words.pop(0)
            found = self._not() and found
        return found

    def _not(self) -> bool:
        if self._words[:1] == ["!"] and len(self._words) > 1:
            self._words.pop(0)
            return not self._not()
        if self._words[:1] == ["("] and ")" in self._words:
            self._words.pop(0)
            found = self._either()
            if self._words[:1] != [")"]:
                raise ShellFailure("closing paren expected")
            self._words.pop(0)
            return found
        return self._plain()

    def _plain(self) -> bool:
        words = self._words
        if not words:
            raise ShellFailure("argument expected")
        if len(words) >= 3 and words[1] in _COMPARISONS:
            left, operator, right = words[:3]
            del words[:3]
            return _COMPARISONS[operator](left, right)
        if len(words) >= 2 and re.fullmatch(r"-[a-zA-Z]", words[0]) and words[0] not in ("-a", "-o"):
            operator, operand = words[:2]
            del words[:2]
            return self._unary(operator, operand)
        return words.pop(0) != ""

    def _unary(self, operator: str, operand: str) -> bool:
        if operator in ("-n", "-z"):
            return bool(operand) == (operator == "-n")
        if operator == "-t":
            return False
        path = absolute(operand, self._folder)
        if operator in ("-L", "-h"):
            return isinstance(self._files.find(path, follow=False), Link)
        node = self._files.find(path)
        if node is None:
            return False
        known = {
            "-e": True,
            "-f": isinstance(node, File),
            "-d": isinstance(node, Directory),
            "-s": isinstance(node, File) and len(node.data) > 0,
            "-x": bool(node.mode & 0o111),
            "-r": True,
            "-w": True,
        }
        if operator not in known:
            raise ShellFailure(f"{operator}: unknown operand")
        return known[operator]


def _integer(text: str) -> int:
    try:
        return int(text.strip())
    except ValueError:
        raise ShellFailure(f"{text}: bad number") from None


_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "-eq": lambda a, b: _integer(a) == _integer(b),
    "-ne": lambda a, b: _integer(a) != _integer(b),
    "-lt": lambda a, b: _integer(a) < _integer(b),
    "-le": lambda a, b: _integer(a) <= _integer(b),
    "-gt": lambda a, b: _integer(a) > _integer(b),
    "-ge": lambda a, b: _integer(a) >= _integer(b),
}

BUILTINS: dict[str, Builtin] = {
    ":": _nothing,
    ".": _source,
    "[": _test,
    "break": _leave,
    "cd": _cd,
    "command": _where,
    "continue": _leave,
    "eval": _eval,
    "exec": _exec,
    "exit": _exit,
    "export": _export,
    "false": _false,
    "jobs": _nothing,
    "local": _export,
    "pwd": _pwd,
    "read": _read,
    "readonly": _export,
    "return": _return,
    "set": _set,
    "shift": _shift,
    "source": _source,
    "test": _test,
    "trap": _nothing,
    "true": _nothing,
    "type": _where,
    "ulimit": _nothing,
    "umask": _nothing,
    "unset": _unset,
    "wait": _wait,
}
