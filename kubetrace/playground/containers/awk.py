"""awk: its programs run on lines and fields, with associative arrays, functions and output to files and commands."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

from kubetrace.playground.containers.arguments import UsageFailure
from kubetrace.playground.containers.awk_channels import Channels
from kubetrace.playground.containers.awk_memory import Memory
from kubetrace.playground.containers.awk_syntax import Tree, parsed
from kubetrace.playground.containers.awk_values import Outside, Value, applied, compared, computed, is_true, number
from kubetrace.playground.containers.escapes import unescaped
from kubetrace.playground.containers.machine import Process
from kubetrace.playground.containers.patterns import compiled
from kubetrace.playground.containers.pipes import Lines
from kubetrace.playground.containers.printing import formatted
from kubetrace.playground.containers.text_programs import MISSING, inputs, program, text_of

_MOST = 1024 * 1024
_BATCH = 2000
"""Steps between two moments that others get."""


class _Leave(Exception):
    def __init__(self, kind: str, value: Value = "") -> None:
        super().__init__(kind)
        self.kind, self.value = kind, value


class Awk:
    """One run of a program."""

    def __init__(self, source: str, process: Process) -> None:
        self._rules, self._functions = parsed(source)
        self._process = process
        self._memory = Memory(process.environment)
        self._text = self._memory.text
        self._active: set[int] = set()
        self._channels = Channels(process)
        self._input: AsyncIterator[str] | None = None
        self._steps = 0
        self._ending = False
        self.failed = False

    def set(self, name: str, value: str) -> None:
        self._memory.names[name] = Outside(value)

    async def run(self, names: list[str]) -> int:
        self._memory.names["ARGC"] = float(len(names) + 1)
        self._memory.names["ARGV"] = {str(index): Outside(name) for index, name in enumerate(["awk", *names])}
        code = 0
        self._input = self._records(names)
        try:
            try:
                await self._all("BEGIN")
                wants_input = any(first is None or first[0] != "BEGIN" for first, _, _ in self._rules)
                if wants_input:
                    async for line in self._input:
                        self._memory.count_record()
                        self._memory.set_line(line)
                        await self._record()
                await self._all("END")
            except _Leave as leave:
                code = int(number(leave.value)) & 255
                if leave.kind == "exit" and not self._ending:
                    try:
                        await self._all("END")
                    except _Leave as again:
                        code = int(number(again.value)) & 255 if again.value != "" else code
        finally:
            await self._channels.close_all()
        return code or int(self.failed)

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
            self._memory.names["FILENAME"] = "" if name == "-" else name
            self._memory.names["FNR"] = 0.0
            async for _, lines in inputs(self._process, [name]):
                if lines is MISSING:
                    self.failed = True
                    continue
                async for line in self._split(lines):
                    yield line

    async def _split(self, lines: Lines) -> AsyncIterator[str]:
        separator = self._memory.setting("RS")
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

    async def _record(self) -> None:
        try:
            for index, (first, last, action) in enumerate(self._rules):
                if first is not None and first[0] in ("BEGIN", "END"):
                    continue
                if first is None:
                    chosen = True
                elif last is None:
                    chosen = is_true(await self._value(first))
                else:
                    chosen = index in self._active or is_true(await self._value(first))
                    if chosen:
                        self._active.add(index)
                        if is_true(await self._value(last)):
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
            if is_true(await self._value(tree[1])):
                await self._do(tree[2])
            elif tree[3] is not None:
                await self._do(tree[3])
        elif kind in ("while", "do", "for", "each"):
            await self._loop(tree)
        elif kind == "delete":
            array = self._memory.array(tree[1])
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
            for key in list(self._memory.array(tree[2])):
                self._memory.assign(tree[1], Outside(key))
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
        while first or condition is None or is_true(await self._value(condition)):
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
            join = self._memory.setting("OFS")
            shown = [self._text(value, "OFMT") for value in values] if trees else [self._text(self._memory.line)]
            text = join.join(shown) + self._memory.setting("ORS")
        data = text.encode("utf-8", "surrogateescape")
        if target is None:
            await self._process.output.write(data)
            return
        await self._channels.write(mark, self._text(await self._value(target)), data)

    # Values

    async def _subscript(self, trees: list[Tree]) -> str:
        return self._memory.setting("SUBSEP").join([self._text(await self._value(tree)) for tree in trees])

    async def _assign(self, target: Tree, value: Value) -> Value:
        if isinstance(value, str) and len(value) > _MOST:
            raise MemoryError
        if target[0] == "name":
            self._memory.assign(target[1], value)
        elif target[0] == "index":
            self._memory.array(target[1])[await self._subscript(target[2])] = value
        elif target[0] == "field":
            self._memory.set_field(int(number(await self._value(target[1]))), value)
        else:
            raise UsageFailure("cmd. line:1: Unexpected token")
        return value

    async def _value(self, tree: Tree) -> Value:
        kind = tree[0]
        if kind in ("number", "string"):
            return tree[1]  # type: ignore[no-any-return]
        if kind == "field":
            return self._memory.field(int(number(await self._value(tree[1]))))
        if kind == "name":
            found = self._memory.scope(tree[1]).get(tree[1], Outside(""))
            return found if not isinstance(found, dict) else ""
        if kind == "index":
            array, key = self._memory.array(tree[1]), await self._subscript(tree[2])
            return array.setdefault(key, Outside(""))
        if kind == "group":
            return await self._value(tree[1][-1])
        if kind == "regex":
            return float(compiled(tree[1], extended=True).search(self._text(self._memory.line)) is not None)
        return await self._operation(tree)

    async def _operation(self, tree: Tree) -> Value:
        kind = tree[0]
        if kind == "assign":
            value = await self._value(tree[3])
            if tree[1]:
                value = computed(tree[1], number(await self._value(tree[2])), number(value))
            return await self._assign(tree[2], value)
        if kind == "choose":
            return await self._value(tree[2] if is_true(await self._value(tree[1])) else tree[3])
        if kind in ("and", "or"):
            left = is_true(await self._value(tree[1]))
            if left == (kind == "or"):
                return float(left)
            return float(is_true(await self._value(tree[2])))
        if kind == "in":
            return float(await self._subscript(tree[1]) in self._memory.array(tree[2]))
        if kind == "match":
            text = self._text(await self._value(tree[2]))
            found = (await self._pattern(tree[3])).search(text) is not None
            return float(found == tree[1])
        if kind == "compare":
            return float(compared(tree[1], await self._value(tree[2]), await self._value(tree[3]), self._text))
        if kind == "join":
            return self._text(await self._value(tree[1])) + self._text(await self._value(tree[2]))
        if kind == "arithmetic":
            return computed(tree[1], number(await self._value(tree[2])), number(await self._value(tree[3])))
        if kind == "unary":
            value = await self._value(tree[2])
            if tree[1] == "!":
                return float(not is_true(value))
            return -number(value) if tree[1] == "-" else number(value)
        if kind == "step":
            before = number(await self._value(tree[3]))
            after = before + (1 if tree[1] == "++" else -1)
            await self._assign(tree[3], after)
            return after if tree[2] else before
        if kind == "getline":
            return await self._getline(tree)
        return await self._call(tree[1], tree[2])

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
            self._memory.count_record()
        else:
            data = await self._channels.line(mark, self._text(await self._value(source)))
            if data is None:
                return -1.0
            if not data:
                return 0.0
            line = text_of(data).removesuffix("\n")
        if target is None:
            self._memory.set_line(line)
        else:
            await self._assign(target, Outside(line))
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
            self._memory.names["RSTART"] = float(found.start() + 1) if found else 0.0
            self._memory.names["RLENGTH"] = float(found.end() - found.start()) if found else -1.0
            return self._memory.names["RSTART"]  # type: ignore[no-any-return]
        if name == "length" and trees and trees[0][0] == "name":
            known = self._memory.scope(trees[0][1]).get(trees[0][1])
            if isinstance(known, dict):
                return float(len(known))
        values = [await self._value(tree) for tree in trees]
        if name == "system":
            return float(await self._channels.run(self._text(values[0]), self._process.output))
        if name == "close":
            return float(await self._channels.close(self._text(values[0])))
        if name == "fflush":
            return 0.0
        try:
            return applied(name, values, self._text(self._memory.line), self._text)
        except (IndexError, ValueError, OverflowError):
            raise UsageFailure(f"cmd. line:1: Too few arguments for {name}") from None

    async def _own_function(self, function: tuple[list[str], Tree], trees: list[Tree]) -> Value:
        parameters, body = function
        if len(self._memory.frames) > 100:
            raise UsageFailure("cmd. line:1: function calls nested too deeply")
        frame: dict[str, Any] = dict.fromkeys(parameters, "")
        for parameter, tree in zip(parameters, trees, strict=False):
            known = self._memory.scope(tree[1]).get(tree[1]) if tree[0] == "name" else None
            frame[parameter] = known if isinstance(known, dict) else await self._value(tree)
        self._memory.frames.append(frame)
        try:
            await self._do(body)
        except _Leave as leave:
            if leave.kind != "return":
                raise
            return leave.value
        finally:
            self._memory.frames.pop()
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
            separator = self._memory.setting("FS")
        parts = self._memory.split(text, separator)
        array = self._memory.array(trees[1][1])
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
