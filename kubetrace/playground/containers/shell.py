"""Runs what `syntax` reads: expansion, redirections, pipes, control flow, the shell's own commands."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from kubetrace.playground.containers.arithmetic import ArithmeticFailure
from kubetrace.playground.containers.control import Leave, compound
from kubetrace.playground.containers.expansion import MAX_VALUE, Exit, fields, one, quoted
from kubetrace.playground.containers.expansion import pattern as pattern_of
from kubetrace.playground.containers.filesystem import FileFailure
from kubetrace.playground.containers.machine import Machine, Process
from kubetrace.playground.containers.pipes import Lines, Nothing, Pipe
from kubetrace.playground.containers.redirections import Fatal, ShellFailure, Streams, redirected
from kubetrace.playground.containers.sessions import file, nested
from kubetrace.playground.containers.signals import HARMLESS, NUMBERS, Traps
from kubetrace.playground.containers.syntax import ShellSyntaxError, parse
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
    substituted: int = 0
    """The exit code of the last $(…), which is that of a command that only assigns."""
    depth: int = 0
    unknown: Callable[[Process], Awaitable[int]] | None = None
    """What runs in the place of a command that is not simulated; None: it is not found."""
    jobs: dict[int, asyncio.Task[int]] = field(default_factory=dict)
    """What runs in the background, by process id."""
    last_job: int = 0
    is_program: bool = False
    """Whether this is sh, which exports PWD and SHLVL, or only what starts a command."""
    number: int = 1
    """The process id, $$."""
    readonly: set[str] = field(default_factory=set)
    locals: list[dict[str, str | None]] = field(default_factory=list)
    """Function by function, what the variables were that it calls its own."""
    tested: int = 0
    """How many conditions are being tested, in which set -e counts for nothing."""
    loops: int = 0
    """How many loops of this function are under way."""
    option_index: int = 1
    option_place: int = 0
    """Where getopts is: in which argument, and at which letter of it."""
    traps: Traps = field(default_factory=Traps)
    aliases: dict[str, str] = field(default_factory=dict)

    @classmethod
    def fresh(cls, machine: Machine, streams: Streams) -> Shell:
        environment = dict(machine.environment)
        folder = machine.container.get("workingDir") or "/"
        return cls(machine, streams, environment, set(environment), folder)

    def environment(self) -> dict[str, str]:
        found = {name: value for name, value in self.variables.items() if name in self.exported}
        return found | {"PWD": self.folder} if self.is_program else found

    def separator(self) -> str:
        """What "$*" has between its words."""
        return self.variables.get("IFS", " ")[:1]

    async def script(self, text: str) -> int:
        """Runs a script to its end. A syntax error is told and gives 2."""
        try:
            sequence = parse(text)
        except ShellSyntaxError as error:
            await self.tell(str(error))
            return 2
        try:
            return await self.to_its_end(self.sequence(sequence))
        finally:
            for job in self.jobs.values():
                job.cancel()

    async def to_its_end(self, work: Awaitable[int]) -> int:
        """A shell's work and then its EXIT trap; what leaves it leaves nothing else."""
        try:
            try:
                code = await work
            except Exit as leave:
                code = leave.code
            except Leave as leave:
                code = leave.count if leave.kind == "return" else self.status
            command = self.traps.commands.pop("EXIT", "")
            if command:
                self.status = code
                with contextlib.suppress(Leave):
                    await self.sequence(parse(command))
            return code
        except Exit as leave:
            return leave.code
        except BrokenPipeError:
            return 141

    async def tell(self, text: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            await self.streams.error.write(f"{self.name}: {text}\n".encode("utf-8", "surrogateescape"))

    async def condition(self, work: Awaitable[int]) -> int:
        """What is tested, or has && or || behind it, or ! before: set -e ends nothing in it, however deep."""
        self.tested += 1
        try:
            return await work
        finally:
            self.tested -= 1

    async def sequence(self, sequence: Sequence) -> int:
        last = len(sequence.items) - 1
        for index, (joint, pipeline, background) in enumerate(sequence.items):
            if (joint == "&&" and self.status) or (joint == "||" and not self.status):
                continue
            if background:
                self._begin(pipeline)
                self.status = 0
                continue
            joined = index < last and sequence.items[index + 1][0] != ""
            exempt = joined or pipeline.negated
            work = self.pipeline(pipeline)
            self.status = await (self.condition(work) if exempt else work)
            if self.traps.pending:
                await self._run_traps()
            if self.status and "e" in self.options and not (self.tested or exempt):
                raise Exit(self.status)
        return self.status

    async def _run_traps(self) -> None:
        while self.traps.pending:
            command, status = self.traps.pending.pop(0), self.status
            await self.sequence(parse(command))
            self.status = status

    def _begin(self, pipeline: Pipeline) -> None:
        """Starts a job in the background."""
        child = self.child(replace(self.streams, input=Lines(Nothing())))
        self.last_job = number = self.machine.start(self.name)
        task = asyncio.create_task(child.to_its_end(child.pipeline(pipeline)))
        self.jobs[number] = asyncio.create_task(self._watched(task, number))

    def child(self, streams: Streams) -> Shell:
        return replace(
            self,
            streams=streams,
            variables=dict(self.variables),
            exported=set(self.exported),
            functions=dict(self.functions),
            positional=list(self.positional),
            options=set(self.options),
            jobs={},
            readonly=set(self.readonly),
            locals=[dict(saved) for saved in self.locals],
            aliases=dict(self.aliases),
            traps=Traps(),
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
            child = self.child(streams)
            try:
                return await child.to_its_end(child.command(command))
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
                return await compound(self, command)
            return await self._simple(command)
        except Fatal as failure:
            await self.tell(str(failure))
            raise Exit(2) from None
        except (ShellFailure, FileFailure) as failure:
            await self.tell(str(failure))
            return 1
        except ArithmeticFailure as failure:
            await self.tell(str(failure))
            return 2
        except MemoryError:
            await self.tell("out of memory")
            return 2
        finally:
            if not (isinstance(command, Simple) and self._is_exec(command)):
                self.streams = before

    @staticmethod
    def _is_exec(command: Simple) -> bool:
        return len(command.words) == 1 and command.words[0] == (Literal("exec"),)

    def set(self, name: str, value: str) -> None:
        if len(value) > MAX_VALUE:
            raise MemoryError
        if name in self.readonly:
            raise Fatal(f"{name}: is read only")
        self.variables[name] = value

    async def _simple(self, command: Simple) -> int:
        if command.words[:1] == [(Literal("[["),)]:
            words = await self._condition_words(command)
        else:
            words = [entry for word in command.words for entry in await fields(self, word)]
        if words and self.aliases.get(words[0]):
            words = [*shlex.split(self.aliases[words[0]]), *words[1:]]
        values = [(name, await one(self, word)) for name, word in command.assignments]
        if "x" in self.options and (words or values):
            shown = [f"{name}={quoted(value)}" for name, value in values] + [quoted(word) for word in words]
            await self.streams.error.write(f"+ {' '.join(shown)}\n".encode())
        if not words:
            for name, value in values:
                self.set(name, value)
            substituted = any(isinstance(part, Substitution) for _, word in command.assignments for part in word)
            return self.substituted if substituted else 0
        if not values:
            return await self.invoke(words)
        saved, exported = dict(self.variables), set(self.exported)
        for name, value in values:
            self.set(name, value)
            self.exported.add(name)
        try:
            return await self.invoke(words)
        finally:
            for name, _ in values:
                self.exported = exported
                if name in saved:
                    self.variables[name] = saved[name]
                else:
                    self.variables.pop(name, None)

    async def _condition_words(self, command: Simple) -> list[str]:
        """Between [[ and ]] nothing is split, and what follows == is a pattern."""
        words: list[str] = []
        for word in command.words:
            compares = words[-1:] and words[-1] in ("==", "=", "!=")
            words.append(await (pattern_of(self, word) if compares else one(self, word)))
        return words

    async def invoke(self, words: list[str]) -> int:
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
        loops, self.loops = self.loops, 0
        self.locals.append({})
        self.depth += 1
        try:
            return await self.command(body)
        except Leave as leave:
            if leave.kind != "return":
                raise
            return leave.count
        finally:
            self.positional, self.loops = saved, loops
            self.depth -= 1
            for name, value in self.locals.pop().items():
                if value is None:
                    self.variables.pop(name, None)
                else:
                    self.variables[name] = value

    async def run(self, words: list[str], number: int | None = None) -> int:
        """A command that is no part of the shell: simulated, a script among the files, or unknown."""
        await self.machine.pace()
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
        number = self.machine.start(" ".join(words)) if number is None else number
        return await self._watched(asyncio.ensure_future(self._work(words, process, number)), number)

    def _watched(self, work: asyncio.Future[int], number: int) -> Coroutine[Any, Any, int]:
        """A process's work to its end, which a signal may be; from now on it takes signals, before it is awaited."""
        ended: list[int] = []

        def signalled(name: str) -> None:
            if name not in HARMLESS:
                ended.append(128 + NUMBERS[name])
                work.cancel()

        if number != 1:
            self.machine.handlers.setdefault(number, signalled)

        async def ending() -> int:
            try:
                return await work
            except asyncio.CancelledError:
                if ended:
                    return ended[0]
                work.cancel()
                raise
            finally:
                self.machine.end(number)

        return ending()

    async def _work(self, words: list[str], process: Process, number: int) -> int:
        from kubetrace.playground.containers.programs import PROGRAMS

        path, name = words[0], words[0].rpartition("/")[2]
        try:
            if name in ("sh", "bash", "ash", "dash") and ("/" not in path or path.startswith(("/bin/", "/usr/bin/"))):
                return await nested(self, words, number)
            program = PROGRAMS.get(name)
            if program is not None and ("/" not in path or re.match(r"/(usr/)?(local/)?s?bin/", path)):
                return await program(process)
            if "/" in path:
                return await file(self, words, process, number)
            if self.unknown is not None:
                return await self.unknown(process)
            await self.tell(f"{path}: not found")
            return 127
        except FileFailure as failure:
            await process.complain(str(failure))
            return 1
        except BrokenPipeError:
            return 141
        except MemoryError:
            await process.complain("out of memory")
            return 1
