"""Label selectors, where the client itself must apply one (`get -f … -l`): apimachinery's pkg/labels/selector.go."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from kubetrace.api.go_words import quoted
from kubetrace.errors import KubetraceError

_TOKEN = re.compile(r"\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)")
_SIGNS = ("=", "==", "!=", "<", ">", "(", ")", ",", "!")

Labels = Mapping[str, str]
Requirement = Callable[[Labels], bool]


def matches(selector: str, labels: Labels) -> bool:
    """Whether labels meet a selector. Raises KubetraceError where it is none."""
    return all(requirement(labels) for requirement in parse(selector))


def parse(selector: str) -> list[Requirement]:
    """A selector's requirements, all of which must hold. Raises KubetraceError."""
    try:
        return _Parser(_TOKEN.findall(selector)).requirements()
    except ValueError as error:
        raise KubetraceError(f"the provided selector {quoted(selector)} is not valid: {error}") from None


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while self._peek():
            if self._peek() in _SIGNS and self._peek() != "!":
                raise ValueError(f"found '{self._peek()}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._requirement())
            except ValueError as error:
                raise ValueError(f"unable to parse requirement: {error}") from None
            separator = self._next()
            if not separator:
                break
            if separator != ",":
                raise ValueError(f"found '{separator}', expected: ',' or 'end of string'")
            if not self._peek() or (self._peek() in _SIGNS and self._peek() != "!"):
                raise ValueError(f"found '{self._peek()}', expected: identifier after ','")
        return found

    def _requirement(self) -> Requirement:
        negated = self._peek() == "!"
        if negated:
            self._next()
        key = self._next()
        if not key or key in _SIGNS:
            raise ValueError(f"found '{key}', expected: identifier")
        if negated:
            return lambda labels: key not in labels
        if self._peek() in ("", ","):
            return lambda labels: key in labels
        return self._comparison(key, self._next())

    def _comparison(self, key: str, sign: str) -> Requirement:
        if sign in ("in", "notin"):
            values = self._values()
            if sign == "in":
                return lambda labels: key in labels and labels[key] in values
            return lambda labels: key not in labels or labels[key] not in values
        if sign in ("=", "==", "!="):
            value = self._value()
            if sign == "!=":
                return lambda labels: key not in labels or labels[key] != value
            return lambda labels: key in labels and labels[key] == value
        if sign in ("<", ">"):
            return _ordering(key, sign, self._value())
        raise ValueError(f"found '{sign}', expected: in, notin, =, ==, !=, gt, lt")

    def _value(self) -> str:
        if self._peek() in ("", ","):
            return ""
        if self._peek() in _SIGNS:
            raise ValueError(f"found '{self._peek()}', expected: identifier")
        return self._next()

    def _values(self) -> frozenset[str]:
        if self._next() != "(":
            raise ValueError(
                f"found '{self._tokens[self._at - 1] if self._at <= len(self._tokens) else ''}' expected: '('"
            )
        values, value = [], ""
        while True:
            token = self._next()
            if token in (",", ")"):
                values.append(value)
                value = ""
                if token == ")":
                    return frozenset(values)
            elif not token or token in _SIGNS or value:
                raise ValueError(f"found '{token}', expected: ',', or identifier")
            else:
                value = token


def _ordering(key: str, sign: str, value: str) -> Requirement:
    try:
        bound = int(value)
    except ValueError:
        raise ValueError(f"for 'Gt', 'Lt' operators, the value must be an integer, not {quoted(value)}") from None

    def holds(labels: Labels) -> bool:
        try:
            found = int(labels[key])
        except (KeyError, ValueError):
            return False
        return found > bound if sign == ">" else found < bound

    return holds
