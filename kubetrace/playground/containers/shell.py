"""Runs what `syntax` reads: expansion, redirections, pipes, control flow, the shell's own commands."""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import re
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from kubetrace.playground.containers.arithmetic import ArithmeticFailure
from kubetrace.playground.containers.expansion import MAX_VALUE, Exit, fields, one
from kubetrace.playground.containers.expansion import pattern as pattern_of
from kubetrace.playground.containers.filesystem import FileFailure, absolute
from kubetrace.playground.containers.machine import Machine, Process
from kubetrace.playground.containers.pipes import Lines, Nothing, Pipe
from kubetrace.playground.containers.redirections import ShellFailure, Streams, redirected
from kubetrace.playground.containers.syntax import ShellSyntaxError, Unfinished, parse
from kubetrace.playground.containers.tree import (
    Command,
    Compound,
    Function,
    Literal,
    Pipeline,
    Sequence,
    Simple,
    Substitution,
)


class _Leave(Exception):
    """break, continue and return: how many levels are left."""

    def __init__(self, kind: str, count: int) -> None:
        super().__init__(kind)
        self.kind, self.count = kind, count


@dataclass
class Shell:
    """One shell; a subshell is a copy."""

    machine: Machine
    streams: Streams
    variables: dict[str, str] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    folder: str = "/"
    functions: dict[str, Compound] = field(default_factory=dict)
    positional: list[str] = field(default_factory=list)
    name: str = "sh"
    options: set[str] = field(default_factory=set)
    status: int = 0
    depth: int = 0
    unknown: Callable[[Process], Awaitable[int]] | None = None
    """What runs in the place of a command that is not simulated; None: it is not found."""
    jobs: list[asyncio.Task[int]] = field(default_factory=list)

    @classmethod
    def fresh(cls, machine: Machine, streams: Streams) -> Shell:
        environment = dict(machine.environment)
        folder = machine.container.get("workingDir") or "/"
        return cls(machine, streams, environment, set(environment), folder)

    def environment(self) -> dict[str, str]:
        return {name: value for name, value in self.variables.items() if name in self.exported} | {"PWD": self.folder}

    async def script(self, text: str) -> int:
        """Runs a script to its end. A syntax error is told and gives 2."""
        try:
            sequence = parse(text)
        except ShellSyntaxError as error:
            await self._tell(str(error))
            return 2
        try:
            return await self.sequence(sequence)
        except Exit as leave:
            return leave.code
        except _Leave:
            return self.status
        finally:
            for job in self.jobs:
                job.cancel()

    async def _tell(self, text: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            await self.streams.error.write(f"{self.name}: {text}\n".encode("utf-8", "surrogateescape"))

    async def sequence(self, sequence: Sequence, condition: bool = False) -> int:
        last = len(sequence.items) - 1
        for index, (joint, pipeline, background) in enumerate(sequence.items):
            if (joint == "&&" and self.status) or (joint == "||" and not self.status):
                continue
            if background:
                child = self._child(replace(self.streams, input=Lines(Nothing())))
                self.jobs.append(asyncio.create_task(child._alone(child.pipeline(pipeline))))
                self.status = 0
                continue
            self.status = await self.pipeline(pipeline)
            joined = index < last and sequence.items[index + 1][0] != ""
            if self.status and "e" in self.options and not (condition or joined or pipeline.negated):
                raise Exit(self.status)
        return self.status

    async def _alone(self, work: Awaitable[int]) -> int:
        """A subshell's work: what leaves it leaves nothing else."""
        try:
            return await work
        except Exit as leave:
            return leave.code
        except _Leave:
            return self.status
        except BrokenPipeError:
            return 141

    def _child(self, streams: Streams) -> Shell:
        return replace(
            self,
            streams=streams,
            variables=dict(self.variables),
            exported=set(self.exported),
            functions=dict(self.functions),
            positional=list(self.positional),
            options=set(self.options),
            jobs=[],
        )

    async def pipeline(self, pipeline: Pipeline) -> int:
        if len(pipeline.commands) == 1:
            status = await self.command(pipeline.commands[0])
        else:
            status = await self._piped(pipeline.commands)
        return int(not status) if pipeline.negated else status

    async def _piped(self, commands: list[Command]) -> int:
        pipes = [Pipe() for _ in commands[1:]]

        async def stage(index: int, command: Command) -> int:
            streams = replace(
                self.streams,
                input=Lines(pipes[index - 1]) if index else self.streams.input,
                output=pipes[index] if index < len(pipes) else self.streams.output,
            )
            child = self._child(streams)
            try:
                return await child._alone(child.command(command))
            finally:
                if index:
                    pipes[index - 1].refuse()
                if index < len(pipes):
                    pipes[index].end()

        tasks = [asyncio.create_task(stage(i, command)) for i, command in enumerate(commands)]
        try:
            codes = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        return next((code for code in reversed(codes) if code), 0) if "pipefail" in self.options else codes[-1]

    async def command(self, command: Command) -> int:
        await self.machine.pace()
        if isinstance(command, Function):
            self.functions[command.name] = command.body
            return 0
        before = self.streams
        try:
            self.streams = await redirected(self, command.redirects)
            if isinstance(command, Compound):
                return await self._compound(command)
            return await self._simple(command)
        except (ShellFailure, FileFailure) as failure:
            await self._tell(str(failure))
            return 1
        except ArithmeticFailure as failure:
            await self._tell(str(failure))
            return 2
        except MemoryError:
            await self._tell("out of memory")
            return 2
        finally:
            if not (isinstance(command, Simple) and self._is_exec(command)):
                self.streams = before

    @staticmethod
    def _is_exec(command: Simple) -> bool:
        return len(command.words) == 1 and command.words[0] == (Literal("exec"),)

    async def _compound(self, command: Compound) -> int:
        kind = command.kind
        if kind == "(":
            child = self._child(self.streams)
            return await child._alone(child.sequence(command.branches[0][1]))
        if kind == "{":
            return await self.sequence(command.branches[0][1])
        if kind == "if":
            for condition, body in command.branches:
                if not condition.items or await self.sequence(condition, condition=True) == 0:
                    self.status = 0
                    return await self.sequence(body)
            return 0
        if kind == "case":
            return await self._case(command)
        return await self._loop(command)

    async def _case(self, command: Compound) -> int:
        subject = await one(self, (command.words or [()])[0])
        for patterns, body in command.cases:
            for pattern in patterns:
                if fnmatch.fnmatchcase(subject, await pattern_of(self, pattern)):
                    self.status = 0
                    return await self.sequence(body)
        return 0

    async def _loop(self, command: Compound) -> int:
        condition, body = command.branches[0]
        values: list[str] | None = None
        if command.kind == "for":
            words = [await fields(self, word) for word in command.words or ()]
            values = [entry for group in words for entry in group] if command.words is not None else self.positional[:]
        status = 0
        while True:
            await self.machine.pace()
            if values is not None:
                if not values:
                    return status
                self._set(command.name, values.pop(0))
            else:
                reached = await self.sequence(condition, condition=True) == 0
                if reached == (command.kind == "until"):
                    return status
            try:
                status = await self.sequence(body)
            except _Leave as leave:
                if leave.kind == "return":
                    raise
                if leave.count > 1:
                    raise _Leave(leave.kind, leave.count - 1) from None
                status = 0
                if leave.kind == "break":
                    return 0

    def _set(self, name: str, value: str) -> None:
        if len(value) > MAX_VALUE:
            raise MemoryError
        self.variables[name] = value

    async def _simple(self, command: Simple) -> int:
        words = [entry for word in command.words for entry in await fields(self, word)]
        values = [(name, await one(self, word)) for name, word in command.assignments]
        if "x" in self.options and (words or values):
            shown = [f"{name}={value}" for name, value in values] + words
            await self.streams.error.write(f"+ {' '.join(shown)}\n".encode())
        if not words:
            for name, value in values:
                self._set(name, value)
            substituted = any(isinstance(part, Substitution) for _, word in command.assignments for part in word)
            return self.status if substituted else 0
        if not values:
            return await self._invoke(words)
        saved, exported = dict(self.variables), set(self.exported)
        for name, value in values:
            self._set(name, value)
            self.exported.add(name)
        try:
            return await self._invoke(words)
        finally:
            for name, _ in values:
                self.exported = exported
                if name in saved:
                    self.variables[name] = saved[name]
                else:
                    self.variables.pop(name, None)

    async def _invoke(self, words: list[str]) -> int:
        from kubetrace.playground.containers.builtins import BUILTINS

        name = words[0]
        if name in self.functions:
            return await self._call(self.functions[name], words)
        builtin = BUILTINS.get(name)
        if builtin is not None:
            return await builtin(self, words)
        return await self.run(words)

    async def _call(self, body: Compound, words: list[str]) -> int:
        if self.depth > 50:
            raise ShellFailure("maximum function nesting level exceeded")
        saved, self.positional = self.positional, words[1:]
        self.depth += 1
        try:
            return await self.command(body)
        except _Leave as leave:
            if leave.kind != "return":
                raise
            return leave.count
        finally:
            self.positional = saved
            self.depth -= 1

    async def run(self, words: list[str]) -> int:
        """A command that is no part of the shell: simulated, a script among the files, or unknown."""
        from kubetrace.playground.containers.programs import PROGRAMS

        await self.machine.pace()
        path, name = words[0], words[0].rpartition("/")[2]
        process = Process(
            self.machine,
            words,
            self.streams.input,
            self.streams.output,
            self.streams.error,
            self.environment(),
            self.folder,
            self.streams.terminal,
            self.run,
        )
        number = self.machine.start(shlex.join(words))
        try:
            if name in ("sh", "bash", "ash", "dash") and ("/" not in path or path.startswith(("/bin/", "/usr/bin/"))):
                return await self._nested(words)
            program = PROGRAMS.get(name)
            if program is not None and ("/" not in path or re.match(r"/(usr/)?(local/)?s?bin/", path)):
                return await program(process)
            if "/" in path:
                return await self._file(words, process)
            if self.unknown is not None:
                return await self.unknown(process)
            await self._tell(f"{path}: not found")
            return 127
        except FileFailure as failure:
            await process.complain(str(failure))
            return 1
        except BrokenPipeError:
            return 141
        except MemoryError:
            await process.complain("out of memory")
            return 1
        finally:
            self.machine.end(number)

    async def _file(self, words: list[str], process: Process) -> int:
        files, path = self.machine.files, absolute(words[0], self.folder)
        node = files.find(path)
        if node is None:
            if self.unknown is not None:
                return await self.unknown(process)
            await self._tell(f"{words[0]}: not found")
            return 127
        if not node.mode & 0o111:
            await self._tell(f"{words[0]}: Permission denied")
            return 126
        return await self._nested(["sh", path, *words[1:]])

    async def _nested(self, words: list[str]) -> int:
        """`sh -c TEXT`, `sh FILE`, `sh` with a script on stdin."""
        if self.depth > 20:
            raise ShellFailure("too many nested shells")
        child = self._child(self.streams)
        child.variables = self.environment()
        child.exported, child.functions, child.options = set(child.variables), {}, set()
        child.depth = self.depth + 1
        rest = words[1:]
        wants_text = False
        while rest and rest[0][:1] in "-+" and rest[0] not in ("-", "--"):
            option = rest.pop(0)
            wants_text = wants_text or "c" in option[1:]
            child.options |= {letter for letter in option[1:] if letter in "ex"}
        if rest[:1] == ["--"]:
            rest.pop(0)
        if wants_text:
            if not rest:
                await self._tell("-c requires an argument")
                return 2
            child.name = rest[1] if len(rest) > 1 else "sh"
            child.positional = rest[2:]
            return await child.script(rest[0])
        if rest and rest[0] != "-":
            try:
                text = self.machine.files.read(absolute(rest[0], self.folder)).decode("utf-8", "surrogateescape")
            except FileFailure as failure:
                await self._tell(f"can't open '{rest[0]}': {failure}")
                return 2
            child.name, child.positional = rest[0], rest[1:]
            return await child.script(text)
        return await child.interact()

    async def interact(self) -> int:
        """Lines from stdin, each run when it is whole; with a terminal, after a prompt."""
        pending = ""
        while True:
            if self.streams.terminal:
                await self.streams.error.write((f"{self.folder} # " if not pending else "> ").encode())
            try:
                line = await self.streams.input.line()
            except KeyboardInterrupt:
                pending = ""
                continue
            if not line:
                if pending:
                    await self._tell("syntax error: unterminated quoted string")
                return self.status
            pending += line.decode("utf-8", "surrogateescape")
            try:
                sequence = parse(pending)
            except Unfinished:
                continue
            except ShellSyntaxError as error:
                await self._tell(str(error))
                self.status, pending = 2, ""
                if not self.streams.terminal:
                    return 2
                continue
            pending = ""
            try:
                await self._interruptible(sequence)
            except Exit as leave:
                return leave.code
            except _Leave:
                continue

    async def _interruptible(self, sequence: Sequence) -> None:
        """A terminal's Ctrl-C ends the command, not the shell."""
        interrupts = getattr(self.streams.input, "interrupts", None)
        if interrupts is None:
            await self.sequence(sequence)
            return
        work = asyncio.create_task(self.sequence(sequence))
        interrupts.append(work)
        try:
            await work
        except asyncio.CancelledError:
            if work in interrupts:
                raise
            self.status = 130
        finally:
            if work in interrupts:
                interrupts.remove(work)
            work.cancel()
