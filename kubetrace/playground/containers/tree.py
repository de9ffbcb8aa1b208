"""A script as a tree: what `syntax` reads and the shell runs."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Literal:
    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """$name, ${name}, ${name:-word} and their kin."""

    name: str
    operator: str = ""
    word: Word = ()
    quoted: bool = False
    replacement: Word = ()
    """${name/word/replacement}; ${name:word:replacement} is a part by offset and length."""


@dataclass(frozen=True, slots=True)
class Substitution:
    """$(script) and `script`."""

    script: Sequence
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """$((expression))."""

    expression: Word
    quoted: bool = False


Part = Literal | Parameter | Substitution | Arithmetic
Word = tuple[Part, ...]


@dataclass(slots=True)
class Redirect:
    descriptor: int
    operator: str
    target: Word
    quoted: bool = False
    """For here-documents: the delimiter was quoted, so nothing is expanded."""


@dataclass(slots=True)
class Simple:
    assignments: list[tuple[str, Word]] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)


@dataclass(slots=True)
class Compound:
    """if, while, until, for, case, { } and ( ); `kind` says which."""

    kind: str
    branches: list[tuple[Sequence, Sequence]] = field(default_factory=list)
    """if: (condition, body) each, `else` has an empty condition. while, until: one. { }, ( ), for: the body."""
    name: str = ""
    words: list[Word] | None = None
    cases: list[tuple[list[Word], Sequence]] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)


@dataclass(slots=True)
class Function:
    name: str
    body: Compound


Command = Simple | Compound | Function


@dataclass(slots=True)
class Pipeline:
    commands: list[Command]
    negated: bool = False


@dataclass(slots=True)
class Sequence:
    """Pipelines, each with what stands before it ("", "&&", "||") and whether it runs in the background."""

    items: list[tuple[str, Pipeline, bool]] = field(default_factory=list)
