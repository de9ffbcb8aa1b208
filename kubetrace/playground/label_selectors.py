"""Label selectors as a request brings them: `app=web,tier in (a,b),!old` (apimachinery labels/selector.go)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kubetrace.wire.go_quote import quote
from kubetrace.wire.go_strconv import BadValue, parse_int

Test = Callable[[dict[str, str]], bool]

_TOKEN = re.compile(r"\s*(==|!=|[()!,=<>]|[^\s()!,=<>]+|$)")
_SPECIAL = frozenset(("==", "!=", "=", "(", ")", "!", ",", "<", ">", ""))
_OPERATORS = ("in", "notin", "=", "==", "!=", "gt", "lt")
_SIGNS = {"=": "=", "==": "=", "!=": "!=", ">": ">", "<": "<", "in": "in", "notin": "notin"}


class InvalidSelector(Exception):
    """In the words of the real parser."""


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = [match[1] for match in _TOKEN.finditer(text)]
        self._place = 0

    def peek(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self._place += 1
        return token

    def tests(self) -> list[Test]:
        found: list[Test] = []
        while (token := self.peek()) != "":
            if token in _SPECIAL and token != "!":
                raise InvalidSelector(f"found '{token}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._requirement())
            except InvalidSelector as error:
                raise InvalidSelector(f"unable to parse requirement: {error}") from None
            end = self.take()
            if end not in ("", ","):
                raise InvalidSelector(f"found '{end}', expected: ',' or 'end of string'")
            if end == "," and self.peek() in _SPECIAL - {"!"}:
                raise InvalidSelector(f"found '{self.peek()}', expected: identifier after ','")
        return found

    def _requirement(self) -> Test:
        key = self.take()
        absent = key == "!"
        if absent:
            key = self.take()
        if key in _SPECIAL:
            raise InvalidSelector(f"found '{key}', expected: identifier")
        from kubetrace.playground.validation.causes import label_key  # whose package needs selectors

        _refuse("<nil>", [text for _, _, text in label_key("", key)])
        if absent:
            return lambda labels: key not in labels
        if self.peek() in ("", ","):
            return lambda labels: key in labels
        sign = _SIGNS.get(word := self.take())
        if sign is None:
            raise InvalidSelector(f"found '{word}', expected: {', '.join(_OPERATORS)}")
        values = self._values() if sign in ("in", "notin") else [self._value()]
        return _test(key, sign, values)

    def _value(self) -> str:
        if self.peek() in ("", ","):
            return ""
        token = self.take()
        if token in _SPECIAL:
            raise InvalidSelector(f"found '{token}', expected: identifier")
        return token

    def _values(self) -> list[str]:
        opening = self.take()
        if opening != "(":
            raise InvalidSelector(f"found '{opening}' expected: '('")
        if self.peek() in _SPECIAL - {",", ")"}:
            raise InvalidSelector(f"found '{self.peek()}', expected: ',', ')' or identifier")
        found: list[str] = []
        while True:
            found.append("" if self.peek() in (",", ")") else self.take())
            end = self.take()
            if end == ")":
                return found
            if end != ",":
                raise InvalidSelector(f"found '{end}', expected: ',' or ')'")


def _refuse(where: str, texts: list[str]) -> None:
    if texts:
        raise InvalidSelector(_problem(where, texts))


def _problem(where: str, texts: list[str]) -> str:
    """Several reasons against one value stand behind it."""
    first, *others = texts
    value = re.match(r'Invalid value: "(?:[^"\\]|\\.)*": ', first)
    return "; ".join([f"{where}: {first}", *(text[value.end() if value else 0 :] for text in others)])


def _test(key: str, sign: str, values: list[str]) -> Test:
    from kubetrace.playground.validation.causes import label_value

    problems: list[str] = []
    ordered = sorted(set(values))
    if sign in (">", "<"):
        try:
            bound = parse_int(values[0], base=10)
        except BadValue:
            why = "for 'Gt', 'Lt' operators, the value must be an integer"
            problems.append(f"values[0]: Invalid value: {quote(values[0])}: {why}")
    for index, value in enumerate(ordered):
        if texts := [text for _, _, text in label_value("", value)]:
            problems.append(_problem(f"values[{index}][{key}]", texts))
    if problems:
        raise InvalidSelector(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")
    if sign in (">", "<"):
        return lambda labels: _compare(labels.get(key, ""), sign, bound)
    wanted = frozenset(values)
    if sign in ("=", "in"):
        return lambda labels: key in labels and labels[key] in wanted
    return lambda labels: key not in labels or labels[key] not in wanted


def _compare(left: str, sign: str, bound: int) -> bool:
    try:
        return int(left) > bound if sign == ">" else int(left) < bound
    except ValueError:
        return False


def parse(text: str) -> list[Test]:
    """What labels must fulfil, all of it. Raises InvalidSelector."""
    return _Parser(text).tests()


def go_selector(selector: dict[str, Any]) -> str:
    """A metav1.LabelSelector as its String method writes it."""
    labels = "".join(f"{name}: {value}," for name, value in sorted((selector.get("matchLabels") or {}).items()))
    shown = "".join(
        f"LabelSelectorRequirement{{Key:{entry['key']},Operator:{entry['operator']},"
        f"Values:[{' '.join(entry.get('values') or ())}],}},"
        for entry in selector.get("matchExpressions") or ()
    )
    parts = f"MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{shown}}},"
    return f"&LabelSelector{{{parts}}}"
