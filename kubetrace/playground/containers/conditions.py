"""test(1), [ and [[."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable

from kubetrace.playground.containers.filesystem import Directory, File, Link, absolute
from kubetrace.playground.containers.patterns import classes
from kubetrace.playground.containers.redirections import ShellFailure
from kubetrace.playground.containers.shell import Shell


async def test(shell: Shell, words: list[str]) -> int:
    """test, [ and [[: 0 for true, 1 for false, 2 for what can't be said."""
    arguments, end = words[1:], {"[": "]", "[[": "]]"}.get(words[0], "")
    if end:
        if arguments[-1:] != [end]:
            await shell.tell(f"{words[0]}: missing {end}")
            return 2
        arguments = arguments[:-1]
    try:
        return int(not _Test(arguments, shell, patterns=words[0] == "[[").truth())
    except ShellFailure as failure:
        await shell.tell(f"{words[0]}: {failure}")
        return 2


class _Test:
    """The expressions of test(1), with -a, -o, ! and parentheses."""

    def __init__(self, words: list[str], shell: Shell, patterns: bool) -> None:
        self._words, self._patterns = list(words), patterns
        self._files, self._folder, self._terminal = shell.machine.files, shell.folder, shell.streams.terminal

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
            if self._patterns and operator in ("=", "==", "!="):
                return fnmatch.fnmatchcase(left, right) == (operator != "!=")
            return _COMPARISONS[operator](left, right)
        if len(words) >= 3 and words[1] in ("-nt", "-ot", "-ef"):
            left, operator, right = words[:3]
            del words[:3]
            return self._files_compared(left, operator, right)
        if len(words) >= 2 and re.fullmatch(r"-[a-zA-Z]", words[0]) and words[0] not in ("-a", "-o"):
            operator, operand = words[:2]
            del words[:2]
            return self._unary(operator, operand)
        return words.pop(0) != ""

    def _files_compared(self, left: str, operator: str, right: str) -> bool:
        first, second = (self._files.find(absolute(path, self._folder)) for path in (left, right))
        if operator == "-ef":
            return first is not None and first is second
        if first is None or second is None:
            return False
        return first.mtime > second.mtime if operator == "-nt" else first.mtime < second.mtime

    def _unary(self, operator: str, operand: str) -> bool:
        if operator in ("-n", "-z"):
            return bool(operand) == (operator == "-n")
        if operator == "-t":
            return self._terminal and operand in ("0", "1", "2")
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
            "-O": True,
            "-G": True,
        } | dict.fromkeys(("-b", "-c", "-p", "-S", "-g", "-u", "-k"), False)
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
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "=~": lambda a, b: re.search(classes(b), a) is not None,
    "-eq": lambda a, b: _integer(a) == _integer(b),
    "-ne": lambda a, b: _integer(a) != _integer(b),
    "-lt": lambda a, b: _integer(a) < _integer(b),
    "-le": lambda a, b: _integer(a) <= _integer(b),
    "-gt": lambda a, b: _integer(a) > _integer(b),
    "-ge": lambda a, b: _integer(a) >= _integer(b),
}
