"""Label selectors, where the client itself must apply one (`-f … -l`): apimachinery's pkg/labels/selector.go, its words
included."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from kubetrace.api.go_words import quoted
from kubetrace.api.names import label_key, label_value
from kubetrace.errors import KubetraceError

_TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[=!<>(),]|[^ \t\r\n=!<>(),]+)")
_SIGNS = ("=", "==", "!=", "<", ">", "(", ")", ",", "!")

Labels = Mapping[str, str]
Requirement = Callable[[Labels], bool]


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

    def _begins_requirement(self) -> bool:
        token = self._peek()
        return token == "!" or bool(token and token not in _SIGNS)

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while self._peek():
            if not self._begins_requirement():
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
            if not self._begins_requirement():
                raise ValueError(f"found '{self._peek()}', expected: identifier after ','")
        return found

    def _requirement(self) -> Requirement:
        negated = self._peek() == "!"
        if negated:
            self._next()
        key = self._next()
        if not key or key in _SIGNS:
            raise ValueError(f"found '{key}', expected: identifier")
        if problems := label_key(key):
            raise ValueError(_invalid("<nil>", key, problems))
        if negated:
            return lambda labels: key not in labels
        if self._peek() in ("", ","):
            return lambda labels: key in labels
        return self._comparison(key, self._next())

    def _comparison(self, key: str, sign: str) -> Requirement:
        if sign in ("in", "notin"):
            values = self._values()
        elif sign in ("=", "==", "!=", "<", ">"):
            values = {self._value()}
        else:
            raise ValueError(f"found '{sign}', expected: in, notin, =, ==, !=, gt, lt")
        _check_values(key, sign, values)
        if sign in ("<", ">"):
            return _ordering(key, sign, int(values.pop()))
        if sign in ("notin", "!="):
            return lambda labels: key not in labels or labels[key] not in values
        return lambda labels: key in labels and labels[key] in values

    def _value(self) -> str:
        if self._peek() in ("", ","):
            return ""
        if self._peek() in _SIGNS:
            raise ValueError(f"found '{self._peek()}', expected: identifier")
        return self._next()

    def _values(self) -> set[str]:
        """What stands in parentheses. Between commas, and beside one, the empty text is a value."""
        opening = self._next()
        if opening != "(":
            raise ValueError(f"found '{opening}' expected: '('")
        first = self._peek()
        if first == ")":
            self._next()
            return {""}
        if not first or (first in _SIGNS and first != ","):
            raise ValueError(f"found '{first}', expected: ',', ')' or identifier")
        values, value = set(), ""
        while True:
            token = self._next()
            if token in (",", ")"):
                values.add(value)
                value = ""
                if token == ")":
                    return values
            elif value:
                raise ValueError(f"found '{token}', expected: ',' or ')'")
            elif not token or token in _SIGNS:
                raise ValueError(f"found '{token}', expected: ',', or identifier")
            else:
                value = token


def _invalid(field: str, value: str, problems: list[str]) -> str:
    return f"{field}: Invalid value: {quoted(value)}: {'; '.join(problems)}"


def _check_values(key: str, sign: str, values: set[str]) -> None:
    """Raises ValueError for values that no label can have."""
    found = []
    ordered = sorted(values)
    if sign in ("<", ">"):
        words = ["for 'Gt', 'Lt' operators, the value must be an integer"]
        found += [
            _invalid(f"values[{i}]", value, words)
            for i, value in enumerate(ordered)
            if not re.fullmatch(r"[+-]?[0-9]+", value, re.ASCII)
        ]
    for i, value in enumerate(ordered):
        if problems := label_value(value):
            found.append(_invalid(f"values[{i}][{key}]", value, problems))
    if found:
        raise ValueError(found[0] if len(found) == 1 else "[" + ", ".join(found) + "]")


def _ordering(key: str, sign: str, bound: int) -> Requirement:
    def holds(labels: Labels) -> bool:
        try:
            found = int(labels[key])
        except (KeyError, ValueError):
            return False
        return found > bound if sign == ">" else found < bound

    return holds
