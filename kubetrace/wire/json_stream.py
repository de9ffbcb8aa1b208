"""The values of a stream of JSON texts, with encoding/json's words for what is wrong (scanner.go, stream.go)."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from kubetrace.wire.go_quote import quote

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_LITERALS = ("true", "false", "null")
_MAX_DEPTH = 10_000
_TOO_DEEP = "exceeded max depth"


class JSONSyntaxError(ValueError):
    """Not JSON; `offset` counts the characters read when it was noticed. `ended` when the text just stops."""

    def __init__(self, message: str, offset: int, ended: bool = False) -> None:
        super().__init__(message)
        self.offset = offset
        self.ended = ended


def skip_space(text: str, start: int) -> int:
    match = _SPACE.match(text, start)
    return match.end() if match else start


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


_decoder = json.JSONDecoder(parse_constant=_refuse)


def value_end(text: str, start: int) -> int:
    """Where the JSON value that begins at `start` (no blank) ends. Raises JSONSyntaxError."""
    try:
        return _decoder.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return _Scanner(text).value(start)


def check(text: str) -> None:
    """Raises JSONSyntaxError unless the text is exactly one JSON value."""
    scanner = _Scanner(text)
    end = skip_space(text, scanner.value(0))
    if end < len(text):
        scanner.fail(end, "after top-level value")


def is_json(body: bytes) -> bool:
    """Whether the text is exactly one JSON value, however deep."""
    try:
        check(body.decode("latin-1"))
    except JSONSyntaxError:
        return False
    return True


def problem(body: bytes) -> str:
    """What encoding/json says about a text that is not JSON. Go looks at bytes, and shows one as the character of that
    number: so the text is read as latin-1."""
    text = body.decode("latin-1")
    try:
        check(text)
    except JSONSyntaxError as error:
        if str(error) == _TOO_DEEP:
            return f"invalid character '{text[error.offset - 1]}' {_TOO_DEEP}"  # encoding/json before Go 1.27
        return "unexpected end of JSON input" if error.ended else str(error)
    return "unexpected end of JSON input"


class _Scanner:
    """Goes through a broken text as Go's state machine does, to say what it says."""

    def __init__(self, text: str) -> None:
        self.text = text

    def fail(self, at: int, where: str) -> NoReturn:
        if at >= len(self.text):
            raise JSONSyntaxError("unexpected EOF", len(self.text), ended=True)
        sign = self.text[at]
        shown = {"'": r"'\''", '"': "'\"'"}.get(sign) or "'" + quote(sign)[1:-1] + "'"
        raise JSONSyntaxError(f"invalid character {shown} {where}", at + 1)

    def sign(self, at: int) -> str:
        return self.text[at : at + 1]

    def value(self, at: int) -> int:
        """Where the value ends. As deep as Go goes, which is deeper than Python's calls can nest."""
        closing: list[str] = []
        while True:
            at = skip_space(self.text, at)
            if self.sign(at) in ("{", "["):
                if len(closing) >= _MAX_DEPTH:
                    raise JSONSyntaxError(_TOO_DEEP, at + 1)
                closing.append("}" if self.sign(at) == "{" else "]")
                at = skip_space(self.text, at + 1)
                if self.sign(at) != closing[-1]:
                    at = self.key(at) if closing[-1] == "}" else at
                    continue
            else:
                at = self.scalar(at)
            while closing:
                at = skip_space(self.text, at)
                if self.sign(at) != closing[-1]:
                    break
                closing.pop()
                at += 1
            if not closing:
                return at
            inside = closing[-1] == "}"
            if self.sign(at) != ",":
                self.fail(at, "after object key:value pair" if inside else "after array element")
            at = self.key(skip_space(self.text, at + 1)) if inside else at + 1

    def key(self, at: int) -> int:
        """Where the value after an object's key begins."""
        if self.sign(at) != '"':
            self.fail(at, "looking for beginning of object key string")
        at = skip_space(self.text, self.string(at))
        if self.sign(at) != ":":
            self.fail(at, "after object key")
        return at + 1

    def scalar(self, at: int) -> int:
        sign = self.sign(at)
        if sign == '"':
            return self.string(at)
        if sign and sign in "-0123456789":
            return self.number(at)
        for literal in _LITERALS:
            if sign and sign == literal[0]:
                return self.literal(at, literal)
        self.fail(at, "looking for beginning of value")

    def literal(self, at: int, literal: str) -> int:
        for index, expected in enumerate(literal):
            if self.sign(at + index) != expected:
                self.fail(at + index, f"in literal {literal} (expecting '{expected}')")
        return at + len(literal)

    def number(self, at: int) -> int:
        match = _NUMBER.match(self.text, at)
        if match is None:
            self.fail(at + 1, "in numeric literal")
        end = match.end()
        if self.sign(end) == "." and not set(".eE") & set(match.group()):
            self.fail(end + 1, "after decimal point in numeric literal")
        if self.sign(end) in ("e", "E") and not set("eE") & set(match.group()):
            signed = self.sign(end + 1) in ("+", "-")
            self.fail(end + 1 + signed, "in exponent of numeric literal")
        return end

    def string(self, at: int) -> int:
        match = _STRING.match(self.text, at)
        if match:
            return match.end()
        at += 1
        while True:
            sign = self.sign(at)
            if not sign or sign < " ":
                self.fail(at, "in string literal")
            if sign == "\\":
                at = self.escape(at + 1)
            else:
                at += 1

    def escape(self, at: int) -> int:
        if self.sign(at) == "u":
            for digit in range(at + 1, at + 5):
                if not re.match("[0-9a-fA-F]", self.sign(digit)):
                    self.fail(digit, r"in \u hexadecimal character escape")
            return at + 5
        if not self.sign(at) or self.sign(at) not in '"\\/bfnrt':
            self.fail(at, "in string escape code")
        return at + 1
