"""kubectl's jsonpath dialect, text to nodes (client-go util/jsonpath/parser.go)."""

from __future__ import annotations

import re
from typing import Any

from kubetrace.value import Mutable, fresh
from kubetrace.wire.go_unquote import UnquoteError, joined, unquote_char

_DICT_KEY = re.compile(r"'([^']*)'")
_SLICE = re.compile(r"(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?")
_FILTER = re.compile(r"([^!<>=]+)([!<>=]+)(.+?)", re.DOTALL)
_TERMINATORS = frozenset(" \t\r\n.,[]$@{}") | {""}


class JSONPathError(ValueError):
    """A template that can't be parsed or evaluated; the message is client-go's. `kept` is what the failed step gave
    back beside its error: a filter that asks only whether something exists looks at nothing else."""

    def __init__(self, message: str, kept: list[Any] | None = None) -> None:
        super().__init__(message)
        self.kept = kept or []


class Text(Mutable):
    text: str


class Field(Mutable):
    name: str


class Wildcard(Mutable):
    pass


class Recursive(Mutable):
    pass


class Constant(Mutable):
    value: float | bool


class Identifier(Mutable):
    name: str


class Slice(Mutable):
    """[start:stop:step]; `single` when only an index was given."""

    start: int | None
    stop: int | None
    step: int | None
    single: bool = False


class Sequence(Mutable):
    nodes: list[Node] = fresh(list)


class Union(Mutable):
    branches: list[Sequence]


class Filter(Mutable):
    left: Sequence
    operator: str
    right: Sequence


Node = Text | Field | Wildcard | Recursive | Constant | Identifier | Slice | Sequence | Union | Filter


def parse(text: str) -> list[Node]:
    """The nodes of a template. Raises JSONPathError."""
    return _Parser(text).template()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._start = 0

    def _next(self) -> str:
        """The next character, or "" at the end."""
        char = self._text[self._at : self._at + 1]
        self._at += len(char)
        return char

    def _consume(self) -> str:
        text = self._text[self._start : self._at]
        self._start = self._at
        return text

    def template(self) -> list[Node]:
        nodes: list[Node] = []
        while True:
            brace = self._text.find("{", self._at)
            end = len(self._text) if brace < 0 else brace
            if end > self._at:
                nodes.append(Text(self._text[self._at : end]))
            if brace < 0:
                return nodes
            self._at = self._start = brace + 1
            action = Sequence()
            nodes.append(action)
            self._action(action.nodes)

    def _action(self, nodes: list[Node]) -> None:
        """What stands between braces; ends behind the closing one."""
        while True:
            if self._text.startswith("}", self._at):
                self._at += 1
                self._consume()
                return
            if self._text.startswith("[?(", self._at):
                self._filter(nodes)
            elif self._text.startswith("..", self._at):
                self._recursive(nodes)
            else:
                self._item(nodes)

    def _item(self, nodes: list[Node]) -> None:
        char = self._next()
        if char in ("", "\r", "\n"):
            raise JSONPathError("unclosed action")
        if char in " @$":
            self._consume()
        elif char == "[":
            self._array(nodes)
        elif char in "\"'":
            self._quote(nodes, char)
        elif char == ".":
            self._field(nodes)
        elif char in "+-" or char.isdecimal():
            self._at -= 1
            self._number(nodes)
        elif char == "_" or char.isalpha():
            self._at -= 1
            self._identifier(nodes)
        else:
            shown = f" '{char}'" if char.isprintable() else ""
            raise JSONPathError(f"unrecognized character in action: U+{ord(char):04X}{shown}")

    def _identifier(self, nodes: list[Node]) -> None:
        while self._text[self._at : self._at + 1] not in _TERMINATORS:
            self._at += 1
        name = self._consume()
        nodes.append(Constant(name == "true") if name in ("true", "false") else Identifier(name))

    def _recursive(self, nodes: list[Node]) -> None:
        if nodes and isinstance(nodes[-1], Recursive):
            raise JSONPathError("invalid multiple recursive descent")
        self._at += 2
        self._consume()
        nodes.append(Recursive())
        char = self._text[self._at : self._at + 1]
        if char == "_" or char.isalnum():
            self._field(nodes)

    def _number(self, nodes: list[Node]) -> None:
        if self._text[self._at] in "+-":
            self._at += 1
        while self._at < len(self._text) and (self._text[self._at] == "." or self._text[self._at].isdecimal()):
            self._at += 1
        text = self._consume()
        try:
            nodes.append(Constant(int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)))
        except ValueError:
            raise JSONPathError(f"cannot parse number {text}") from None

    def _array(self, nodes: list[Node]) -> None:
        while (char := self._next()) != "]":
            if char in ("", "\n"):
                raise JSONPathError("unterminated array")
        text = self._consume()[1:-1]
        if text == "*":
            text = ":"
        parts = text.split(",")
        if len(parts) > 1:
            nodes.append(Union([_parse_action(f"[{part.strip(' ')}]") for part in parts]))
        elif match := _DICT_KEY.fullmatch(text):
            nodes.extend(_parse_action(f".{match[1]}").nodes)
        else:
            nodes.append(_slice(text))

    def _filter(self, nodes: list[Node]) -> None:
        self._at += 3
        self._consume()
        begun = ended = False
        pair = ""
        while True:
            char = self._next()
            if char in ("", "\n"):
                raise JSONPathError("unterminated filter")
            if char in "\"'":
                if not begun:
                    begun, pair = True, char
                elif self._text[self._at - 2] != "\\" and char == pair:
                    ended = True
            elif char == ")" and begun == ended:
                break
        if self._next() != "]":
            raise JSONPathError("unclosed array expect ]")
        text = self._consume()[:-2]
        match = _FILTER.fullmatch(text) if "\n" not in text else None
        if match is None:
            nodes.append(Filter(_parse_action(text), "exists", Sequence()))
        else:
            nodes.append(Filter(_parse_action(match[1]), match[2], _parse_action(match[3])))

    def _quote(self, nodes: list[Node], end: str) -> None:
        while True:
            char = self._next()
            if char in ("", "\n"):
                raise JSONPathError("unterminated quoted string")
            if char == end and self._text[self._at - 2] != "\\":
                break
        text = self._consume()
        try:
            nodes.append(Text(_unquote(text)))
        except UnquoteError:
            raise JSONPathError(f"unquote string {text} error invalid syntax") from None

    def _field(self, nodes: list[Node]) -> None:
        self._consume()
        while self._text[self._at : self._at + 1] not in _TERMINATORS:
            if self._next() == "\\":
                self._next()
        name = self._consume()
        nodes.append(Wildcard() if name == "*" else Field(name.replace("\\", "")))


def _parse_action(text: str) -> Sequence:
    nodes = parse("{" + text + "}")
    assert isinstance(nodes[0], Sequence)
    return nodes[0]


def _slice(text: str) -> Slice:
    match = _SLICE.fullmatch(text)
    if match is None:
        raise JSONPathError(f"invalid array index {text}")
    start, stop, step = match.groups()
    return Slice(
        start=_index(start) if start else None,
        stop=_index(stop[1:]) if stop and stop != ":" else None,
        step=_index(step[1:]) if step and step != ":" else None,
        single=not stop,
    )


def _index(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise JSONPathError(f"array index {text} is not a number") from None


def _unquote(text: str) -> str:
    """strconv.Unquote, with single quotes around texts as well (UnquoteExtend)."""
    quote, inner = text[0], text[1:-1]
    if "\\" not in inner and quote not in inner:
        return inner
    parts = []
    while inner:
        char, inner = unquote_char(inner, quote)
        parts.append(char)
    return joined(parts)


_RELAXED = re.compile(r"\{\.?([^{}]+)\}|\.?([^{}]+)")


def relaxed(expression: str) -> str:
    """A path written as "metadata.name", ".metadata.name" or in braces, made whole (RelaxedJSONPathExpression)."""
    if not expression:
        return expression
    match = _RELAXED.fullmatch(expression)
    if match is None:
        raise JSONPathError(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"
        )
    return "{." + (match[1] or match[2]) + "}"
