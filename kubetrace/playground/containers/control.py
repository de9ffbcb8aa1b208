"""if, for, while, until, case, { } and ( )."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from kubetrace.playground.containers.expansion import fields, one
from kubetrace.playground.containers.expansion import pattern as pattern_of
from kubetrace.playground.containers.tree import Compound

if TYPE_CHECKING:
    from kubetrace.playground.containers.shell import Shell


class Leave(Exception):
    """break, continue and return: how many levels are left."""

    def __init__(self, kind: str, count: int) -> None:
        super().__init__(kind)
        self.kind, self.count = kind, count


async def compound(shell: Shell, command: Compound) -> int:
    kind = command.kind
    if kind == "(":
        child = shell.child(shell.streams)
        return await child.to_its_end(child.sequence(command.branches[0][1]))
    if kind == "{":
        return await shell.sequence(command.branches[0][1])
    if kind == "if":
        for condition, body in command.branches:
            if not condition.items or await shell.condition(shell.sequence(condition)) == 0:
                return await shell.sequence(body)
        return 0
    if kind == "case":
        return await _case(shell, command)
    return await _loop(shell, command)


async def _case(shell: Shell, command: Compound) -> int:
    subject = await one(shell, (command.words or [()])[0])
    for patterns, body in command.cases:
        for pattern in patterns:
            if fnmatch.fnmatchcase(subject, await pattern_of(shell, pattern)):
                return await shell.sequence(body) if body.items else 0
    return 0


async def _loop(shell: Shell, command: Compound) -> int:
    shell.loops += 1
    try:
        return await _turns(shell, command)
    finally:
        shell.loops -= 1


async def _turns(shell: Shell, command: Compound) -> int:
    condition, body = command.branches[0]
    values: list[str] | None = None
    if command.kind == "for":
        words = [await fields(shell, word) for word in command.words or ()]
        values = [entry for group in words for entry in group] if command.words is not None else shell.positional[:]
    status = 0
    while True:
        await shell.machine.pace()
        if values is not None:
            if not values:
                return status
            shell.set(command.name, values.pop(0))
        try:
            if values is None:
                reached = await shell.condition(shell.sequence(condition)) == 0
                if reached == (command.kind == "until"):
                    return status
            status = await shell.sequence(body)
        except Leave as leave:
            if leave.kind == "return":
                raise
            if leave.count > 1:
                raise Leave(leave.kind, leave.count - 1) from None
            status = 0
            if leave.kind == "break":
                return 0
