"""What becomes of a word before it is used: parameters, substitutions, arithmetic, fields, patterns."""

from __future__ import annotations

import copy
import fnmatch
import random
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
        found += _literal(text) if part.quoted else text.replace("[^", "[!")
    return found


def _literal(text: str) -> str:
    """A pattern that a text alone fits."""
    return re.sub(r"([*?\[])", r"[\1]", text)


async def fields(shell: Shell, word: Word) -> list[str]:
    """A word as fields: unquoted expansions are split, patterns stand for the files they match."""
    word = _with_home(word, shell.variables)
    current: list[tuple[str, bool]] = []
    found: list[list[tuple[str, bool]]] = []
    nobody = False
    for part in word:
        if isinstance(part, Parameter) and part.name in "@*" and not part.operator:
            if part.quoted and part.name == "*":
                current.append((shell.separator().join(shell.positional), True))
                continue
            nobody = nobody or not shell.positional
            for index, value in enumerate(shell.positional):
                pieces = [value] if part.quoted else split(value, shell.variables.get("IFS", " \t\n"))
                for place, piece in enumerate(pieces):
                    if (index and not place) or (place and current):
                        found.append(current)
                        current = []
                    if piece is not None:
                        current.append((piece, part.quoted))
            continue
        text = await text_of_part(shell, part)
        if sum(len(piece) for piece, _ in current) > MAX_VALUE:
            raise MemoryError
        if part.quoted or isinstance(part, Literal):
            current.append((text, part.quoted))
            continue
        for index, piece in enumerate(split(text, shell.variables.get("IFS", " \t\n"))):
            if index and current:
                found.append(current)
                current = []
            if piece is not None:
                current.append((piece, False))
    if current and not (nobody and not any(piece for piece, _ in current)):
        found.append(current)
    return [entry for group in found if group for entry in _globbed(shell, group)]


def quoted(word: str) -> str:
    """A word as set -x shows it: in quotes where it needs them."""
    plain = word and re.fullmatch(r"[\w@%+=:,./\[\]{}*?!^~-]+", word)
    return word if plain else quoted_always(word)


def quoted_always(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"


def split(text: str, separators: str) -> list[str | None]:
    """The fields of an expansion; None first or last where blanks stand there, which part it from its neighbours."""
    if not separators:
        return [text or None]
    blanks = re.escape("".join(char for char in separators if char in " \t\n"))
    others = re.escape("".join(char for char in separators if char not in " \t\n"))
    space = f"[{blanks}]" if blanks else "(?!)"
    mark = f"(?:{space}*[{others}]{space}*|{space}+)" if others else f"{space}+"
    found: list[str | None] = list(re.split(mark, text))
    if others:  # a separator at the end closes a field, and begins none
        start = re.match(f"{space}*", text)
        if found[0] == "" and start is not None and start.end():
            hard = re.match(f"{space}*[{others}]", text)
            found[0] = "" if hard else None
    elif found[0] == "":
        found[0] = None
    if found[-1] == "":
        found[-1] = None
    return found


def _globbed(shell: Shell, pieces: list[tuple[str, bool]]) -> list[str]:
    text = "".join(piece for piece, _ in pieces)
    if "f" in shell.options or not any(not quoted and re.search(r"[*?\[]", piece) for piece, quoted in pieces):
        return [text]
    wanted = "".join(_literal(piece) if quoted else piece for piece, quoted in pieces)
    return shell.machine.files.matching(wanted, shell.folder) or [text]


async def text_of_part(shell: Shell, part: Literal | Parameter | Substitution | Arithmetic) -> str:
    if isinstance(part, Literal):
        return part.text
    if isinstance(part, Parameter):
        return await _parameter(shell, part)
    if isinstance(part, Arithmetic):
        return str(evaluate(await one(shell, part.expression), _Variables(shell)))
    kept = Kept()
    child = shell.child(replace(shell.streams, output=kept))
    shell.substituted = await child.to_its_end(child.sequence(part.script))
    return kept.data.decode("utf-8", "surrogateescape").rstrip("\n")


def _plain(shell: Shell, name: str) -> str | None:
    if name.isdigit():
        number = int(name)
        if number == 0:
            return shell.name
        return shell.positional[number - 1] if number <= len(shell.positional) else None
    special = {
        "?": str(shell.status),
        "#": str(len(shell.positional)),
        "$": str(shell.number),
        "!": str(shell.last_job) if shell.last_job else "",
        "-": "".join(sorted(option for option in shell.options if len(option) == 1)),
    }
    if name in ("@", "*"):
        return " ".join(shell.positional) if shell.positional else None
    if name == "RANDOM":
        return str(random.randrange(32768))
    if name == "PWD":
        return shell.folder
    return special.get(name) if name in special else shell.variables.get(name)


async def _parameter(shell: Shell, part: Parameter) -> str:
    value = _plain(shell, part.name)
    operator = part.operator
    if not operator:
        if value is None and "u" in shell.options:
            await shell.tell(f"{part.name}: parameter not set")
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
            shell.set(part.name, value)
        return value or ""
    if kind == "?":
        if missing:
            await shell.tell(f"{part.name}: {await one(shell, part.word) or 'parameter not set'}")
            raise Exit(2)
        return value or ""
    if operator == ":":
        return await _slice(shell, part, value or "")
    if operator in ("/", "//"):
        return await _replaced(shell, part, value or "")
    return _trimmed(value or "", operator, await pattern(shell, part.word))


async def _slice(shell: Shell, part: Parameter, value: str) -> str:
    """${name:offset:length}, both of them arithmetic and from the end where they are negative."""
    variables = _Variables(shell)
    start = evaluate(await one(shell, part.word), variables)
    start = max(0, len(value) + start) if start < 0 else start
    if not part.replacement:
        return value[start:]
    length = evaluate(await one(shell, part.replacement), variables)
    return value[start : len(value) + length] if length < 0 else value[start : start + length]


async def _replaced(shell: Shell, part: Parameter, value: str) -> str:
    """${name/pattern/text}, at every place with //; # and % hold the pattern to an end."""
    wanted, text = await pattern(shell, part.word), await one(shell, part.replacement)
    if not wanted:
        return value
    source = fnmatch.translate(wanted.lstrip("#%") if wanted[0] in "#%" else wanted).removesuffix(r"\Z")
    source = source.removesuffix(r"\z")
    source = rf"\A{source}" if wanted[0] == "#" else rf"{source}\Z" if wanted[0] == "%" else source
    return re.sub(source, lambda match: text, value, count=1 if part.operator == "/" else 0)


class _Variables(MutableMapping[str, str]):
    """The shell's variables as arithmetic sees them, with $1 and the like left out."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def __getitem__(self, name: str) -> str:
        return self._shell.variables[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._shell.set(name, value)

    def __delitem__(self, name: str) -> None:
        del self._shell.variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(copy.copy(self._shell.variables))

    def __len__(self) -> int:
        return len(self._shell.variables)


def numbers(shell: Shell) -> MutableMapping[str, str]:
    """The shell's variables as arithmetic reads and changes them."""
    return _Variables(shell)


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
