"""find(1): expressions of tests and actions over the simulated files."""

from __future__ import annotations

import fnmatch
import re
import time
from collections.abc import Awaitable, Callable

from kubetrace.playground.containers.arguments import UsageFailure, number
from kubetrace.playground.containers.filesystem import Directory, File, FileFailure, Link, Node
from kubetrace.playground.containers.machine import Process
from kubetrace.playground.containers.text_programs import program

Test = Callable[[str, str, Node], Awaitable[bool]]
"""(the path as it is shown, the whole path, what is there) → whether it fits."""
_KINDS = {"f": File, "d": Directory, "l": Link}
_UNITS = {"c": 1, "w": 2, "b": 512, "k": 1024, "M": 1024**2, "G": 1024**3}


class _Stop(Exception):
    pass


class _Expression:
    def __init__(self, process: Process, words: list[str]) -> None:
        self._process, self._words = process, words
        self.deepest, self.highest, self.deep_first = 1 << 30, 0, False
        self.acts = False
        self.pruned: set[str] = set()
        self.gathered: list[tuple[list[str], list[str]]] = []
        """-exec … {} +: commands and what they are run with at the end."""
        self.code = 0

    def all(self) -> Test:
        found = self._either() if self._words else _always
        if self._words:
            raise UsageFailure(f"unrecognized: {self._words[0]}")
        return found

    def _either(self) -> Test:
        left = self._both()
        while self._words[:1] in (["-o"], ["-or"]):
            self._words.pop(0)
            left = _or(left, self._both())
        return left

    def _both(self) -> Test:
        left = self._not()
        while self._words and self._words[0] not in ("-o", "-or", ")"):
            if self._words[0] in ("-a", "-and"):
                self._words.pop(0)
            left = _and(left, self._not())
        return left

    def _not(self) -> Test:
        if self._words[:1] in (["!"], ["-not"]):
            self._words.pop(0)
            return _inverse(self._not())
        if self._words[:1] == ["("]:
            self._words.pop(0)
            found = self._either()
            if self._words[:1] != [")"]:
                raise UsageFailure("unpaired '('")
            self._words.pop(0)
            return found
        if not self._words:
            raise UsageFailure("argument expected")
        return self._primary(self._words.pop(0))

    def _value(self, name: str) -> str:
        if not self._words:
            raise UsageFailure(f"option requires an argument: {name}")
        return self._words.pop(0)

    def _primary(self, name: str) -> Test:
        if name in ("-print", "-print0", "-ls"):
            self.acts = True
            return self._printing("\0" if name == "-print0" else "\n")
        if name in ("-exec", "-ok"):
            self.acts = True
            return self._running()
        if name == "-delete":
            self.acts = self.deep_first = True
            return self._deleting
        if name in ("-prune", "-quit"):
            return self._pruning if name == "-prune" else self._quitting
        if name in ("-maxdepth", "-mindepth"):
            depth = number(self._value(name))
            self.deepest, self.highest = (depth, self.highest) if name == "-maxdepth" else (self.deepest, depth)
            return _always
        if name in ("-depth", "-xdev", "-mount", "-follow", "-true"):
            self.deep_first = self.deep_first or name == "-depth"
            return _always
        return self._testing(name)

    def _testing(self, name: str) -> Test:
        if name in ("-name", "-iname", "-path", "-ipath", "-wholename", "-regex", "-lname"):
            return _named(name, self._value(name))
        if name == "-type":
            kinds = tuple(_KINDS[letter] for letter in self._value(name) if letter in _KINDS)
            return _plain(lambda node: isinstance(node, kinds))
        if name == "-empty":
            return _plain(_is_empty)
        if name == "-size":
            return _plain(_sized(self._value(name)))
        if name in ("-mtime", "-mmin", "-atime", "-amin", "-ctime", "-cmin"):
            return _plain(_aged(self._value(name), 60.0 if name.endswith("min") else 86400.0))
        if name == "-newer":
            other = self._process.files.get(self._process.path(self._value(name)))
            return _plain(lambda node: node.mtime > other.mtime)
        if name == "-perm":
            return _plain(_permitted(self._value(name)))
        if name in ("-user", "-group"):
            owner = self._value(name)
            return _plain(lambda node: owner in ("root", "0"))
        if name in ("-readable", "-writable"):
            return _always
        if name == "-executable":
            return _plain(lambda node: bool(node.mode & 0o111))
        raise UsageFailure(f"unrecognized: {name}")

    def _printing(self, end: str) -> Test:
        async def act(shown: str, path: str, node: Node) -> bool:
            await self._process.say(f"{shown}{end}")
            return True

        return act

    def _running(self) -> Test:
        words: list[str] = []
        while self._words and self._words[0] != ";" and not (self._words[0] == "+" and words[-1:] == ["{}"]):
            words.append(self._words.pop(0))
        if not self._words:
            raise UsageFailure("option requires an argument: -exec")
        if self._words.pop(0) == "+":
            paths: list[str] = []
            self.gathered.append((words[:-1], paths))

            async def gather(shown: str, path: str, node: Node) -> bool:
                paths.append(shown)
                return True

            return gather

        async def act(shown: str, path: str, node: Node) -> bool:
            return await self._process.run([word.replace("{}", shown) for word in words]) == 0

        return act

    async def _deleting(self, shown: str, path: str, node: Node) -> bool:
        try:
            if isinstance(node, Directory):
                self._process.files.remove_folder(path)
            else:
                self._process.files.remove(path)
        except FileFailure as failure:
            await self._process.complain(f"{shown}: {failure}")
            self.code = 1
            return False
        return True

    async def _pruning(self, shown: str, path: str, node: Node) -> bool:
        self.pruned.add(path)
        return True

    async def _quitting(self, shown: str, path: str, node: Node) -> bool:
        raise _Stop


async def _always(shown: str, path: str, node: Node) -> bool:
    return True


def _or(left: Test, right: Test) -> Test:
    async def test(shown: str, path: str, node: Node) -> bool:
        return await left(shown, path, node) or await right(shown, path, node)

    return test


def _and(left: Test, right: Test) -> Test:
    async def test(shown: str, path: str, node: Node) -> bool:
        return await left(shown, path, node) and await right(shown, path, node)

    return test


def _inverse(inner: Test) -> Test:
    async def test(shown: str, path: str, node: Node) -> bool:
        return not await inner(shown, path, node)

    return test


def _plain(check: Callable[[Node], bool]) -> Test:
    async def test(shown: str, path: str, node: Node) -> bool:
        return check(node)

    return test


def _named(name: str, pattern: str) -> Test:
    ignore = name.startswith("-i")
    pattern = pattern.lower() if ignore else pattern

    async def test(shown: str, path: str, node: Node) -> bool:
        text = shown if name.endswith(("path", "wholename", "regex")) else shown.rstrip("/").rpartition("/")[2] or "/"
        text = text.lower() if ignore else text
        if name == "-regex":
            return re.fullmatch(pattern, text) is not None
        return fnmatch.fnmatchcase(text, pattern.replace("[^", "[!"))

    return test


def _is_empty(node: Node) -> bool:
    return not node.entries if isinstance(node, Directory) else isinstance(node, File) and not node.data


def _signed(text: str) -> tuple[str, str]:
    return (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)


def _fits(units: int, sign: str, count: int) -> bool:
    return units > count if sign == "+" else units < count if sign == "-" else units == count


def _sized(text: str) -> Callable[[Node], bool]:
    sign, rest = _signed(text)
    unit = _UNITS.get(rest[-1:], 0)
    count = number(rest[:-1] if unit else rest)

    def check(node: Node) -> bool:
        size = len(node.data) if isinstance(node, File) else 4096 if isinstance(node, Directory) else 0
        return _fits(-(-size // (unit or 512)), sign, count)

    return check


def _aged(text: str, unit: float) -> Callable[[Node], bool]:
    sign, rest = _signed(text)
    count = number(rest)

    def check(node: Node) -> bool:
        return _fits(int((time.time() - node.mtime) // unit), sign, count)

    return check


def _permitted(text: str) -> Callable[[Node], bool]:
    mark, rest = (text[0], text[1:]) if text[:1] in ("-", "/", "+") else ("", text)
    if not re.fullmatch(r"[0-7]+", rest):
        raise UsageFailure(f"invalid mode '{text}'")
    mask = int(rest, 8)
    if mark == "-":
        return lambda node: node.mode & mask == mask
    return (lambda node: bool(node.mode & mask)) if mark else (lambda node: node.mode & 0o7777 == mask)


@program
async def find(process: Process) -> int:
    words, places = [word for word in process.arguments if word not in ("-H", "-L", "-P")], []
    while words and not words[0].startswith("-") and words[0] not in ("!", "("):
        places.append(words.pop(0))
    expression = _Expression(process, words)
    test = expression.all()
    code = 0
    try:
        for place in places or ["."]:
            start = process.path(place)
            try:
                found = list(process.files.every(start))
            except FileFailure as failure:
                await process.complain(f"{place}: {failure}")
                code = 1
                continue
            for path, node in reversed(found) if expression.deep_first else found:
                inner = path[len(start.rstrip("/")) :] if path != start else ""
                depth = inner.count("/")
                inside = any(path.startswith(f"{pruned}/") for pruned in expression.pruned)
                if not expression.highest <= depth <= expression.deepest or inside:
                    continue
                shown = place.rstrip("/") + inner if inner else place
                if await test(shown, path, node) and not expression.acts:
                    await process.say(f"{shown}\n")
    except _Stop:
        pass
    for command, paths in expression.gathered:
        if paths:
            code = code or int(await process.run([*command, *paths]) != 0)
    return code or expression.code
