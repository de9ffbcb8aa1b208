"""What becomes of a word before it is used: parameters, substitutions, arithmetic, fields, patterns."""

from __future__ import annotations

import copy
import fnmatch
import re
from collections.abc import Iterator, MutableMapping
from dataclasses import replace
from typing import TYPE_CHECKING

from kubetrace.playground.containers.arithmetic import evaluate
from kubetrace.playground.containers.pipes import Kept
from kubetrace.playground.containers.tree import Arithmetic, Literal, Parameter, Substitution, Word

if TYPE_CHECKING:
    from kubetrace.playground.containers.shell import Shell

MAX_VALUE = 1024 * 1024
"""Characters that a variable or a word may have."""


class Exit(Exception):
    """Ends a shell."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


async def one(shell: Shell, word: Word) -> str:
    """A word as one string: no splitting, no patterns."""
    found = ""
    for part in _with_home(word, shell.variables):
        found += await text_of_part(shell, part)
        if len(found) > MAX_VALUE:
            raise MemoryError
    return found


async def pattern(shell: Shell, word: Word) -> str:
    """A word as an fnmatch pattern: quoted parts stand for themselves."""
    found = ""
    for part in word:
        text = await text_of_part(shell, part)
        found += re.sub(r"([*?\[])", r"[\1]", text) if part.quoted else text
    return found


async def fields(shell: Shell, word: Word) -> list[str]:
    """A word as fields: unquoted expansions are split, patterns stand for the files they match."""
    word = _with_home(word, shell.variables)
    current: list[tuple[str, bool]] = []
    found: list[list[tuple[str, bool]]] = []
    for part in word:
        if isinstance(part, Parameter) and part.name in "@*" and not part.operator:
            if part.quoted and part.name == "*":
                current.append((" ".join(shell.positional), True))
                continue
            for index, value in enumerate(shell.positional):
                if index:
                    found.append(current)
                    current = []
                current.append((value, part.quoted))
            continue
        text = await text_of_part(shell, part)
        if sum(len(piece) for piece, _ in current) > MAX_VALUE:
            raise MemoryError
        if part.quoted or isinstance(part, Literal):
            current.append((text, part.quoted))
            continue
        pieces = re.split(r"[ \t\n]+", text)
        for index, piece in enumerate(pieces):
            if index and current:
                found.append(current)
                current = []
            if piece:
                current.append((piece, False))
    if current:
        found.append(current)
    return [entry for pieces in found for entry in _globbed(shell, pieces)]


def _globbed(shell: Shell, pieces: list[tuple[str, bool]]) -> list[str]:
    text = "".join(piece for piece, _ in pieces)
    if not any(not quoted and re.search(r"[*?\[]", piece) for piece, quoted in pieces):
        return [text]
    wanted = "".join(re.sub(r"([*?\[])", r"[\1]", piece) if quoted else piece for piece, quoted in pieces)
    return shell.machine.files.matching(wanted, shell.folder) or [text]


async def text_of_part(shell: Shell, part: Literal | Parameter | Substitution | Arithmetic) -> str:
    if isinstance(part, Literal):
        return part.text
    if isinstance(part, Parameter):
        return await _parameter(shell, part)
    if isinstance(part, Arithmetic):
        return str(evaluate(await one(shell, part.expression), _Variables(shell)))
    kept = Kept()
    child = shell._child(replace(shell.streams, output=kept))
    shell.status = await child._alone(child.sequence(part.script))
    return kept.data.decode("utf-8", "surrogateescape").rstrip("\n")


def _plain(shell: Shell, name: str) -> str | None:
    if name.isdigit():
        number = int(name)
        if number == 0:
            return shell.name
        return shell.positional[number - 1] if number <= len(shell.positional) else None
    special = {"?": str(shell.status), "#": str(len(shell.positional)), "$": "1", "!": "2", "-": ""}
    if name in ("@", "*"):
        return " ".join(shell.positional)
    if name == "PWD":
        return shell.folder
    return special.get(name) if name in special else shell.variables.get(name)


async def _parameter(shell: Shell, part: Parameter) -> str:
    value = _plain(shell, part.name)
    operator = part.operator
    if not operator:
        if value is None and "u" in shell.options:
            await shell._tell(f"{part.name}: parameter not set")
            raise Exit(2)
        return value or ""
    if operator == "length":
        return str(len(value or ""))
    missing = not value if operator.startswith(":") else value is None
    kind = operator[-1]
    if kind == "-":
        return await one(shell, part.word) if missing else value or ""
    if kind == "+":
        return "" if missing else await one(shell, part.word)
    if kind == "=":
        if missing:
            value = await one(shell, part.word)
            shell._set(part.name, value)
        return value or ""
    if kind == "?":
        if missing:
            await shell._tell(f"{part.name}: {await one(shell, part.word) or 'parameter not set'}")
            raise Exit(2)
        return value or ""
    return _trimmed(value or "", operator, await pattern(shell, part.word))


class _Variables(MutableMapping[str, str]):
    """The shell's variables as arithmetic sees them, with $1 and the like left out."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def __getitem__(self, name: str) -> str:
        return self._shell.variables[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._shell._set(name, value)

    def __delitem__(self, name: str) -> None:
        del self._shell.variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(copy.copy(self._shell.variables))

    def __len__(self) -> int:
        return len(self._shell.variables)


def _with_home(word: Word, variables: dict[str, str]) -> Word:
    if word and isinstance(word[0], Literal) and not word[0].quoted and re.match(r"~(/|$)", word[0].text):
        return (Literal(variables.get("HOME", "/"), True), Literal(word[0].text[1:]), *word[1:])
    return word


def _trimmed(value: str, operator: str, pattern: str) -> str:
    """${name#pattern} and its kin."""
    lengths = range(len(value) + 1)
    if operator.startswith("#"):
        ends = lengths if operator == "#" else reversed(lengths)
        return next((value[n:] for n in ends if fnmatch.fnmatchcase(value[:n], pattern)), value)
    starts = reversed(lengths) if operator == "%" else lengths
    return next((value[:n] for n in starts if fnmatch.fnmatchcase(value[n:], pattern)), value)
