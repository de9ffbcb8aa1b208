"""awk: its programs run on lines and fields, with associative arrays, functions and output to files and commands."""

from __future__ import annotations

import asyncio
import math
import random
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from kubetrace.playground.containers.arguments import UsageFailure
from kubetrace.playground.containers.awk_syntax import Tree, parsed
from kubetrace.playground.containers.escapes import unescaped
from kubetrace.playground.containers.machine import Process
from kubetrace.playground.containers.patterns import compiled
from kubetrace.playground.containers.pipes import Bytes, Kept, Lines
from kubetrace.playground.containers.printing import formatted
from kubetrace.playground.containers.text_programs import MISSING, inputs, program, text_of

Value = str | float
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?)")
_MOST = 1024 * 1024
_BATCH = 2000
"""Steps between two moments that others get."""


class _Text(str):
    """Text that came from outside: where it looks like a number it compares as one."""

    __slots__ = ()


class _Leave(Exception):
    def __init__(self, kind: str, value: Value = "") -> None:
        super().__init__(kind)
        self.kind, self.value = kind, value


def _number(value: Value) -> float:
    if isinstance(value, float):
        return value
    match = _NUMBER.match(value)
    return float(match.group()) if match is not None else 0.0


def _looks_numeric(value: Value) -> bool:
    if isinstance(value, float):
        return True
    match = _NUMBER.match(value) if isinstance(value, _Text) else None
    return match is not None and not value[match.end() :].strip()


class Awk:
    """One run of a program."""

    def __init__(self, source: str, process: Process) -> None:
        self._rules, self._functions = parsed(source)
        self._process = process
        self._globals: dict[str, Any] = {}
        self._frames: list[dict[str, Any]] = []
        self._active: set[int] = set()
        self._line: Value = ""
        self._fields: list[Value] = []
        self._sinks: dict[str, tuple[str, bytearray]] = {}
        self._sources: dict[str, Lines] = {}
        self._input: AsyncIterator[str] | None = None
        self._steps = 0
        self.failed = False
        environment = {name: _Text(value) for name, value in process.environment.items()}
        self._globals |= {"NR": 0.0, "FNR": 0.0, "NF": 0.0, "FS": " ", "OFS": " ", "ORS": "\n", "RS": "\n"}
        self._globals |= {"SUBSEP": "\x1c", "FILENAME": "", "ENVIRON": environment, "CONVFMT": "%.6g", "OFMT": "%.6g"}
        self._globals |= {"RSTART": 0.0, "RLENGTH": -1.0}

    def set(self, name: str, value: str) -> None:
        self._globals[name] = _Text(value)

    async def run(self, names: list[str]) -> int:
        self._globals["ARGC"] = float(len(names) + 1)
        self._globals["ARGV"] = {str(index): _Text(name) for index, name in enumerate(["awk", *names])}
        code = 0
        self._input = self._records(names)
        try:
            try:
                await self._all("BEGIN")
                wants_input = any(first is None or first[0] != "BEGIN" for first, _, _ in self._rules)
                if wants_input:
                    async for line in self._input:
                        self._take(line)
                        await self._record()
                await self._all("END")
            except _Leave as leave:
                code = int(_number(leave.value)) & 255
                if leave.kind == "exit" and not self._ending:
                    try:
                        await self._all("END")
                    except _Leave as again:
                        code = int(_number(again.value)) & 255 if again.value != "" else code
        finally:
            await self._flush()
        return code or int(self.failed)

    _ending = False

    async def _all(self, kind: str) -> None:
        self._ending = self._ending or kind == "END"
        for first, _, action in self._rules:
            if first is not None and first[0] == kind:
                await self._do(action)

    async def _records(self, names: list[str]) -> AsyncIterator[str]:
        files = [name for name in names if not re.match(r"[A-Za-z_]\w*=", name)]
        for name in names if files else [*names, "-"]:
            match = re.match(r"([A-Za-z_]\w*)=(.*)", name, re.DOTALL)
            if match is not None:
                self.set(match.group(1), match.group(2))
                continue
            self._globals["FILENAME"] = "" if name == "-" else name
            self._globals["FNR"] = 0.0
            async for _, lines in inputs(self._process, [name]):
                if lines is MISSING:
                    self.failed = True
                    continue
                async for line in self._split(lines):
                    yield line

    async def _split(self, lines: Lines) -> AsyncIterator[str]:
        separator = self._text(self._globals["RS"])
        if separator == "\n":
            async for data in lines:
                yield text_of(data).removesuffix("\n")
            return
        text = ""
        async for data in lines:
            text += text_of(data)
        if separator == "":
            parts = re.split(r"\n\n+", text.strip("\n"))
        else:
            parts = re.split(re.escape(separator) if len(separator) == 1 else separator, text.removesuffix("\n"))
            parts = parts[:-1] if parts and parts[-1] == "" else parts
        for part in parts:
            yield part

    def _take(self, line: str) -> None:
        self._globals["NR"] += 1.0
        self._globals["FNR"] += 1.0
        self._set_line(line)

    def _set_line(self, line: str) -> None:
        self._line = _Text(line)
        self._fields = list(self._parts(line, self._text(self._globals["FS"])))
        self._globals["NF"] = float(len(self._fields))

    def _parts(self, text: str, separator: str) -> list[_Text]:
        if text == "":
            return []
        if separator == " ":
            return [_Text(part) for part in text.split()]
        if self._globals["RS"] == "":
            separator = f"{separator}|\n"
        if len(separator) == 1 and separator != "\t" and separator != "\\":
            return [_Text(part) for part in text.split(separator)]
        return [_Text(part) for part in compiled(separator, extended=True).split(text)]

    async def _record(self) -> None:
        try:
            for index, (first, last, action) in enumerate(self._rules):
                if first is not None and first[0] in ("BEGIN", "END"):
                    continue
                if first is None:
                    chosen = True
                elif last is None:
                    chosen = self._true(await self._value(first))
                else:
                    chosen = index in self._active or self._true(await self._value(first))
                    if chosen:
                        self._active.add(index)
                        if self._true(await self._value(last)):
                            self._active.discard(index)
                if chosen:
                    await self._do(action)
        except _Leave as leave:
            if leave.kind != "next":
                raise

    async def _pace(self) -> None:
        self._steps += 1
        if self._steps % _BATCH == 0:
            await self._process.machine.pace()
            await asyncio.sleep(0)

    async def _do(self, tree: Tree) -> None:
        await self._pace()
        kind = tree[0]
        if kind == "block":
            for inner in tree[1]:
                await self._do(inner)
        elif kind == "expression":
            await self._value(tree[1])
        elif kind in ("print", "printf"):
            await self._print(tree)
        elif kind == "if":
            if self._true(await self._value(tree[1])):
                await self._do(tree[2])
            elif tree[3] is not None:
                await self._do(tree[3])
        elif kind in ("while", "do", "for", "each"):
            await self._loop(tree)
        elif kind == "delete":
            array = self._array(tree[1])
            if tree[2] is None:
                array.clear()
            else:
                array.pop(await self._subscript(tree[2]), None)
        else:
            value: Value = "" if len(tree) < 2 or tree[1] is None else await self._value(tree[1])
            raise _Leave(kind, value)

    async def _loop(self, tree: Tree) -> None:
        kind = tree[0]
        if kind == "each":
            for key in list(self._array(tree[2])):
                self._assign_name(tree[1], _Text(key))
                if await self._turn(tree[3]):
                    return
            return
        if kind == "for":
            start, condition, step, body = tree[1:]
            if start is not None:
                await self._do(start)
        else:
            condition, body, step = (tree[1], tree[2], None) if kind == "while" else (tree[2], tree[1], None)
        first = kind == "do"
        while first or condition is None or self._true(await self._value(condition)):
            first = False
            if await self._turn(body):
                return
            if step is not None:
                await self._do(step)

    async def _turn(self, body: Tree) -> bool:
        """One round of a loop; whether it was the last."""
        await self._pace()
        try:
            await self._do(body)
        except _Leave as leave:
            if leave.kind not in ("break", "continue"):
                raise
            return leave.kind == "break"
        return False

    async def _print(self, tree: Tree) -> None:
        word, trees, mark, target = tree
        values = [await self._value(inner) for inner in trees]
        if word == "printf":
            if not values:
                raise UsageFailure("cmd. line:1: Too few arguments")
            text = formatted(self._text(values[0]), [self._text(value) for value in values[1:]])
        else:
            form, join = self._text(self._globals["OFMT"]), self._text(self._globals["OFS"])
            shown = [self._text(value, form) for value in values] if trees else [self._text(self._line)]
            text = join.join(shown) + self._text(self._globals["ORS"])
        data = text.encode("utf-8", "surrogateescape")
        if target is None:
            await self._process.output.write(data)
            return
        name = self._text(await self._value(target))
        if mark == "|":
            self._sinks.setdefault(name, (mark, bytearray()))[1].extend(data)
        elif name in ("/dev/stderr", "/dev/stdout"):
            await (self._process.error if name.endswith("err") else self._process.output).write(data)
        else:
            append = mark == ">>" or name in self._sinks
            self._sinks.setdefault(name, (mark, bytearray()))
            self._process.files.write(self._process.path(name), data, append=append)

    async def _flush(self, only: str | None = None) -> int:
        """Hands to commands what was printed to them."""
        code = 0
        for name in [only] if only is not None else list(self._sinks):
            mark, data = self._sinks.pop(name, ("", bytearray()))
            if mark == "|":
                code = await self._command(name, self._process.output, bytes(data))
        return code

    async def _command(self, text: str, output: Any, data: bytes = b"") -> int:
        from kubetrace.playground.containers.redirections import Streams
        from kubetrace.playground.containers.shell import Shell

        process = self._process
        shell = Shell.fresh(process.machine, Streams(Lines(Bytes(data)), output, process.error))
        shell = replace(shell, folder=process.folder)
        return await shell.run(["sh", "-c", text])

    # Values

    def _true(self, value: Value) -> bool:
        return _number(value) != 0 if _looks_numeric(value) else value != ""

    def _text(self, value: Value, form: str = "") -> str:
        if isinstance(value, str):
            return value
        if math.isfinite(value) and value == int(value):
            return str(int(value))
        return (form or str(self._globals["CONVFMT"])) % value

    def _scope(self, name: str) -> dict[str, Any]:
        return self._frames[-1] if self._frames and name in self._frames[-1] else self._globals

    def _array(self, name: str) -> dict[str, Value]:
        scope = self._scope(name)
        found = scope.get(name)
        if not isinstance(found, dict):
            if found not in (None, ""):
                raise UsageFailure("cmd. line:1: Not an array")
            found = scope[name] = {}
        return found

    async def _subscript(self, trees: list[Tree]) -> str:
        return self._text(self._globals["SUBSEP"]).join([self._text(await self._value(tree)) for tree in trees])

    def _assign_name(self, name: str, value: Value) -> None:
        self._scope(name)[name] = value
        if name == "NF":
            count = max(0, min(int(_number(value)), _MOST // 64))
            self._fields = [*self._fields[:count], *[""] * (count - len(self._fields))]
            self._rebuild()

    def _rebuild(self) -> None:
        self._line = _Text(self._text(self._globals["OFS"]).join(self._text(field) for field in self._fields))

    async def _assign(self, target: Tree, value: Value) -> Value:
        if isinstance(value, str) and len(value) > _MOST:
            raise MemoryError
        if target[0] == "name":
            self._assign_name(target[1], value)
        elif target[0] == "index":
            self._array(target[1])[await self._subscript(target[2])] = value
        elif target[0] == "field":
            place = int(_number(await self._value(target[1])))
            if place == 0:
                self._set_line(self._text(value))
            elif 0 < place <= _MOST // 64:
                self._fields += [""] * (place - len(self._fields))
                self._fields[place - 1] = value
                self._globals["NF"] = float(len(self._fields))
                self._rebuild()
        else:
            raise UsageFailure("cmd. line:1: Unexpected token")
        return value

    async def _value(self, tree: Tree) -> Value:
        kind = tree[0]
        if kind in ("number", "string"):
            return tree[1]  # type: ignore[no-any-return]
        if kind == "field":
            place = int(_number(await self._value(tree[1])))
            if place < 0:
                raise UsageFailure("cmd. line:1: Access to negative field")
            return self._line if place == 0 else self._fields[place - 1] if place <= len(self._fields) else _Text("")
        if kind == "name":
            found = self._scope(tree[1]).get(tree[1], _Text(""))
            return found if not isinstance(found, dict) else ""
        if kind == "index":
            array, key = self._array(tree[1]), await self._subscript(tree[2])
            return array.setdefault(key, _Text(""))
        if kind == "group":
            return await self._value(tree[1][-1])
        if kind == "regex":
            return float(compiled(tree[1], extended=True).search(self._text(self._line)) is not None)
        return await self._operation(tree)

    async def _operation(self, tree: Tree) -> Value:
        kind = tree[0]
        if kind == "assign":
            value = await self._value(tree[3])
            if tree[1]:
                value = self._computed(tree[1], _number(await self._value(tree[2])), _number(value))
            return await self._assign(tree[2], value)
        if kind == "choose":
            return await self._value(tree[2] if self._true(await self._value(tree[1])) else tree[3])
        if kind in ("and", "or"):
            left = self._true(await self._value(tree[1]))
            if left == (kind == "or"):
                return float(left)
            return float(self._true(await self._value(tree[2])))
        if kind == "in":
            return float(await self._subscript(tree[1]) in self._array(tree[2]))
        if kind == "match":
            text = self._text(await self._value(tree[2]))
            found = (await self._pattern(tree[3])).search(text) is not None
            return float(found == tree[1])
        if kind == "compare":
            return float(self._compared(tree[1], await self._value(tree[2]), await self._value(tree[3])))
        if kind == "join":
            return self._text(await self._value(tree[1])) + self._text(await self._value(tree[2]))
        if kind == "arithmetic":
            return self._computed(tree[1], _number(await self._value(tree[2])), _number(await self._value(tree[3])))
        if kind == "unary":
            value = await self._value(tree[2])
            if tree[1] == "!":
                return float(not self._true(value))
            return -_number(value) if tree[1] == "-" else _number(value)
        if kind == "step":
            before = _number(await self._value(tree[3]))
            after = before + (1 if tree[1] == "++" else -1)
            await self._assign(tree[3], after)
            return after if tree[2] else before
        if kind == "getline":
            return await self._getline(tree)
        return await self._call(tree[1], tree[2])

    def _computed(self, operator: str, left: float, right: float) -> float:
        try:
            if operator == "+":
                return left + right
            if operator == "-":
                return left - right
            if operator == "*":
                return left * right
            if operator == "/":
                return left / right
            if operator == "%":
                return math.fmod(left, right)
            return float(left**right)
        except (ZeroDivisionError, ValueError):
            raise UsageFailure("cmd. line:1: Division by zero") from None
        except OverflowError:
            return math.inf

    def _compared(self, operator: str, left: Value, right: Value) -> bool:
        if (
            (_looks_numeric(left) and _looks_numeric(right))
            or (left == "" and isinstance(right, float))
            or (right == "" and isinstance(left, float))
        ):
            a, b = _number(left), _number(right)
            order = (a > b) - (a < b)
        else:
            c, d = self._text(left), self._text(right)
            order = (c > d) - (c < d)
        return {"<": order < 0, "<=": order <= 0, "==": order == 0, "!=": order != 0, ">": order > 0}.get(
            operator, order >= 0
        )

    async def _pattern(self, tree: Tree) -> re.Pattern[str]:
        source = tree[1] if tree[0] == "regex" else self._text(await self._value(tree))
        return compiled(source, extended=True)

    async def _getline(self, tree: Tree) -> Value:
        _, mark, source, target = tree
        if mark == "":
            assert self._input is not None
            try:
                line = await anext(self._input)
            except StopAsyncIteration:
                return 0.0
            self._globals["NR"] += 1.0
            self._globals["FNR"] += 1.0
        else:
            name = self._text(await self._value(source))
            if name not in self._sources:
                if mark == "|":
                    kept = Kept()
                    await self._command(name, kept)
                    self._sources[name] = Lines(Bytes(bytes(kept.data)))
                else:
                    node = self._process.files.find(self._process.path(name))
                    if node is None:
                        return -1.0
                    self._sources[name] = Lines(Bytes(self._process.files.read(self._process.path(name))))
            data = await self._sources[name].line()
            if not data:
                return 0.0
            line = text_of(data).removesuffix("\n")
        if target is None:
            self._set_line(line)
        else:
            await self._assign(target, _Text(line))
        return 1.0

    async def _call(self, name: str, trees: list[Tree]) -> Value:
        function = self._functions.get(name)
        if function is not None:
            return await self._own_function(function, trees)
        if name in ("sub", "gsub"):
            return await self._substituted(name, trees)
        if name == "split":
            return await self._split_into(trees)
        if name == "match":
            found = (await self._pattern(trees[1])).search(self._text(await self._value(trees[0])))
            self._globals["RSTART"] = float(found.start() + 1) if found else 0.0
            self._globals["RLENGTH"] = float(found.end() - found.start()) if found else -1.0
            return self._globals["RSTART"]  # type: ignore[no-any-return]
        if name == "length" and trees and trees[0][0] == "name":
            known = self._scope(trees[0][1]).get(trees[0][1])
            if isinstance(known, dict):
                return float(len(known))
        values = [await self._value(tree) for tree in trees]
        if name == "system":
            return float(await self._command(self._text(values[0]), self._process.output))
        if name == "close":
            self._sources.pop(self._text(values[0]), None)
            return float(await self._flush(self._text(values[0])))
        if name == "fflush":
            return 0.0
        try:
            return self._function(name, values)
        except (IndexError, ValueError, OverflowError):
            raise UsageFailure(f"cmd. line:1: Too few arguments for {name}") from None

    def _function(self, name: str, values: list[Value]) -> Value:
        text = self._text(values[0]) if values else self._text(self._line)
        if name == "length":
            return float(len(text))
        if name == "substr":
            start = round(_number(values[1]))
            end = start + round(_number(values[2])) if len(values) > 2 else len(text) + 1
            return text[max(1, start) - 1 : max(0, end - 1)]
        if name == "index":
            return float(text.find(self._text(values[1])) + 1)
        if name in ("toupper", "tolower"):
            return text.upper() if name == "toupper" else text.lower()
        if name == "sprintf":
            return formatted(text, [self._text(value) for value in values[1:]])
        if name == "int":
            return float(int(_number(values[0])))
        if name == "rand":
            return random.random()
        if name == "srand":
            random.seed(_number(values[0]) if values else None)
            return 0.0
        if name == "systime":
            return float(int(time.time()))
        if name == "strftime":
            form = text if values else "%a %b %e %H:%M:%S UTC %Y"
            return time.strftime(form, time.gmtime(_number(values[1]) if len(values) > 1 else None))
        if name == "atan2":
            return math.atan2(_number(values[0]), _number(values[1]))
        plain = {"sqrt": math.sqrt, "exp": math.exp, "log": math.log, "sin": math.sin, "cos": math.cos}
        if name in plain:
            return plain[name](_number(values[0]))
        raise UsageFailure("cmd. line:1: Call to undefined function")

    async def _own_function(self, function: tuple[list[str], Tree], trees: list[Tree]) -> Value:
        parameters, body = function
        if len(self._frames) > 100:
            raise UsageFailure("cmd. line:1: function calls nested too deeply")
        frame: dict[str, Any] = dict.fromkeys(parameters, "")
        for parameter, tree in zip(parameters, trees, strict=False):
            known = self._scope(tree[1]).get(tree[1]) if tree[0] == "name" else None
            frame[parameter] = known if isinstance(known, dict) else await self._value(tree)
        self._frames.append(frame)
        try:
            await self._do(body)
        except _Leave as leave:
            if leave.kind != "return":
                raise
            return leave.value
        finally:
            self._frames.pop()
        return ""

    async def _substituted(self, name: str, trees: list[Tree]) -> Value:
        pattern = await self._pattern(trees[0])
        replacement = self._text(await self._value(trees[1]))
        target: Tree = trees[2] if len(trees) > 2 else ("field", ("number", 0.0))

        def put(match: re.Match[str]) -> str:
            return re.sub(r"\\\\|\\&|&", lambda m: match.group() if m.group() == "&" else m.group()[1], replacement)

        text, count = pattern.subn(put, self._text(await self._value(target)), count=1 if name == "sub" else 0)
        if count:
            await self._assign(target, text)
        return float(count)

    async def _split_into(self, trees: list[Tree]) -> Value:
        text = self._text(await self._value(trees[0]))
        if len(trees) > 2:
            separator = trees[2][1] if trees[2][0] == "regex" else self._text(await self._value(trees[2]))
        else:
            separator = self._text(self._globals["FS"])
        parts = self._parts(text, separator)
        array = self._array(trees[1][1])
        array.clear()
        array.update((str(index), part) for index, part in enumerate(parts, 1))
        return float(len(parts))


@program
async def awk(process: Process) -> int:
    """awk [-F SEPARATOR] [-v NAME=VALUE]… [-f FILE | PROGRAM] [FILE | NAME=VALUE]…"""
    words, source, settings = list(process.arguments), "", []
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        if word[1] not in "Fvfe":
            raise UsageFailure(f"invalid option -- '{word[1]}'")
        value = word[2:] or (words.pop(0) if words else "")
        if word[1] == "F":
            settings.append(f"FS={value}")
        elif word[1] == "v":
            settings.append(value)
        elif word[1] == "f":
            source += text_of(process.files.read(process.path(value))) + "\n"
        else:
            source += value + "\n"
    if not source:
        if not words:
            raise UsageFailure("usage: awk [-F fs][-v var=value][prog | -f progfile][file ...]")
        source = words.pop(0)
    run = Awk(source, process)
    for setting in settings:
        name, _, value = setting.partition("=")
        run.set(name, unescaped(value))
    return await run.run(words)
