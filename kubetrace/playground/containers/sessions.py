"""Shells in a shell: sh -c TEXT, sh FILE, scripts among the files, and lines that come one by one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kubetrace.playground.containers.control import Leave
from kubetrace.playground.containers.filesystem import FileFailure, absolute
from kubetrace.playground.containers.machine import Process
from kubetrace.playground.containers.redirections import ShellFailure
from kubetrace.playground.containers.syntax import ShellSyntaxError, Unfinished, parse
from kubetrace.playground.containers.tree import Sequence

if TYPE_CHECKING:
    from kubetrace.playground.containers.shell import Shell


async def file(shell: Shell, words: list[str], process: Process, number: int) -> int:
    files, path = shell.machine.files, absolute(words[0], shell.folder)
    node = files.find(path)
    if node is None:
        if shell.unknown is not None:
            return await shell.unknown(process)
        await shell.tell(f"{words[0]}: not found")
        return 127
    if not node.mode & 0o111:
        await shell.tell(f"{words[0]}: Permission denied")
        return 126
    return await nested(shell, ["sh", words[0], *words[1:]], number)


async def nested(shell: Shell, words: list[str], number: int) -> int:
    """`sh -c TEXT`, `sh FILE`, `sh` with a script on stdin."""
    if shell.depth > 20:
        raise ShellFailure("too many nested shells")
    child = shell.child(shell.streams)
    child.variables = shell.environment()
    child.exported, child.functions, child.options = set(child.variables), {}, set()
    child.depth, child.is_program = shell.depth + 1, True
    level = child.variables.get("SHLVL", "")
    child.variables["SHLVL"] = str(int(level) + 1 if level.isdigit() else 1)
    child.exported.add("SHLVL")
    child.number, child.locals, child.tested, child.aliases, child.readonly = number, [], 0, {}, set()
    if number == 1:
        shell.machine.main_traps = child.traps
    handler = shell.machine.handlers.get(number)

    def signalled(name: str) -> None:
        if not child.traps.take(name) and handler is not None:
            handler(name)

    shell.machine.handlers[number] = signalled
    rest = words[1:]
    wants_text = from_input = False
    while rest and rest[0][:1] in ("-", "+") and rest[0] not in ("-", "--"):
        option = rest.pop(0)
        wants_text = wants_text or "c" in option[1:]
        from_input = from_input or "s" in option[1:]
        child.options |= {letter for letter in option[1:] if letter in "exufn"}
        if option[1:] == "o" and rest:
            child.options.add(rest.pop(0))
    if rest[:1] == ["--"]:
        rest.pop(0)
    if wants_text:
        if not rest:
            await shell.tell("-c requires an argument")
            return 2
        child.name = rest[1] if len(rest) > 1 else "sh"
        child.positional = rest[2:]
        return await child.script(rest[0])
    if from_input:
        child.positional = rest
    elif rest and rest[0] != "-":
        try:
            text = shell.machine.files.read(absolute(rest[0], shell.folder)).decode("utf-8", "surrogateescape")
        except FileFailure as failure:
            await shell.tell(f"can't open '{rest[0]}': {failure}")
            return 2
        child.name, child.positional = rest[0], rest[1:]
        return await child.script(text)
    return await child.to_its_end(interact(child))


async def interact(shell: Shell) -> int:
    """Lines from stdin, each run when it is whole; with a terminal, after a prompt."""
    pending = ""
    while True:
        if shell.streams.terminal:
            await shell.streams.error.write((f"{shell.folder} # " if not pending else "> ").encode())
        try:
            line = await shell.streams.input.line()
        except KeyboardInterrupt:
            pending = ""
            continue
        if not line:
            if pending:
                await shell.tell("syntax error: unterminated quoted string")
            return shell.status
        pending += line.decode("utf-8", "surrogateescape")
        try:
            sequence = parse(pending)
        except Unfinished:
            continue
        except ShellSyntaxError as error:
            await shell.tell(str(error))
            shell.status, pending = 2, ""
            if not shell.streams.terminal:
                return 2
            continue
        pending = ""
        try:
            await _interruptible(shell, sequence)
        except Leave:
            continue


async def _interruptible(shell: Shell, sequence: Sequence) -> None:
    """A terminal's Ctrl-C ends the command, not the shell."""
    interrupts = getattr(shell.streams.input, "interrupts", None)
    if interrupts is None:
        await shell.sequence(sequence)
        return
    work = asyncio.create_task(shell.sequence(sequence))
    interrupts.append(work)
    try:
        await work
    except asyncio.CancelledError:
        if work in interrupts:
            raise
        shell.status = 130
    finally:
        if work in interrupts:
            interrupts.remove(work)
        work.cancel()
