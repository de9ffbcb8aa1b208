"""Label selectors, where the client itself reads one (`get -f … -l`, `create pdb --selector`): apimachinery's
pkg/labels/selector.go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubetrace.api.go_words import quoted
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

_SPECIAL = "=!(),><"
_BLANK = " \t\r\n"
_KEYWORDS = ("in", "notin")
_SIGNS = ("!=", "==", "!", "=", "(", ")", ",", ">", "<")
_OPERATORS = ("in", "notin", "=", "==", "!=", ">", "<")
_END = ""

Labels = Mapping[str, str]


class Requirement(Value):
    """One part of a selector. `operator` is "in", "notin", "=", "==", "!=", ">", "<", "exists" or "!"; `values` are
    sorted and each is there once."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, labels: Labels) -> bool:
        """Do these labels meet it?"""
        found = labels.get(self.key)
        if self.operator in ("exists", "!"):
            return (found is not None) == (self.operator == "exists")
        if self.operator in ("in", "=", "=="):
            return found is not None and found in self.values
        if self.operator in ("notin", "!="):
            return found is None or found not in self.values
        try:
            number, bound = int(found or ""), int(self.values[0])
        except ValueError:
            return False
        return number > bound if self.operator == ">" else number < bound

    def __str__(self) -> str:
        if self.operator in ("exists", "!"):
            return self.key if self.operator == "exists" else f"!{self.key}"
        if self.operator in ("in", "notin"):
            return f"{self.key} {self.operator} ({','.join(self.values)})"
        return f"{self.key}{self.operator}{self.values[0]}"


def matches(selector: str, labels: Labels) -> bool:
    """Whether labels meet a selector. Raises KubetraceError where it is none."""
    return all(requirement.holds(labels) for requirement in parse(selector))


def parse(selector: str) -> list[Requirement]:
    """A selector's requirements, all of which must hold, by key. Raises KubetraceError."""
    try:
        return requirements(selector)
    except ValueError as error:
        raise KubetraceError(f"the provided selector {quoted(selector)} is not valid: {error}") from None


def requirements(selector: str) -> list[Requirement]:
    """The same, with the bare words of labels.ParseToRequirements: raises ValueError."""
    return sorted(_Parser(_tokens(selector)).requirements(), key=lambda requirement: requirement.key)


def canonical(selector: str) -> str:
    """The selector as kubectl sends it where it has parsed it itself. Raises KubetraceError in labels.Parse's words."""
    try:
        return ",".join(map(str, requirements(selector)))
    except ValueError as error:
        raise KubetraceError(str(error)) from None


def label_selector(selector: str) -> dict[str, Any]:
    """A metav1.LabelSelector that says the same. Raises KubetraceError (metav1.ParseToLabelSelector)."""
    try:
        found = requirements(selector)
    except ValueError as error:
        raise KubetraceError(f'couldn\'t parse the selector string "{selector}": {error}') from None
    labels: dict[str, str] = {}
    expressions: list[dict[str, Any]] = []
    names = {"in": "In", "notin": "NotIn", "exists": "Exists", "!": "DoesNotExist"}
    for requirement in found:
        operator = requirement.operator
        if operator in ("=", "=="):
            labels[requirement.key] = requirement.values[0]
        elif operator in names:
            expression = {"key": requirement.key, "operator": names[operator], "values": list(requirement.values)}
            expressions.append(expression)
        elif operator == "!=":
            raise KubetraceError('"!=" is not a valid label selector operator')
        else:
            sign = {">": "gt", "<": "lt"}[operator]
            raise KubetraceError(f"{quoted(sign)} isn't supported in label selectors")
    return {"matchLabels": labels, "matchExpressions": expressions}


def selector_text(selector: Mapping[str, Any] | None) -> str:
    """A metav1.LabelSelector as a query has it: "app=web,tier in (a,b),!old"; empty for everything and for nothing
    (metav1.LabelSelectorAsSelector)."""
    found: list[tuple[str, str]] = []
    for key, value in ((selector or {}).get("matchLabels") or {}).items():
        found.append((key, f"{key}={value}"))
    for requirement in (selector or {}).get("matchExpressions") or ():
        key, operator = str(requirement.get("key", "")), str(requirement.get("operator", ""))
        values = ",".join(sorted(map(str, requirement.get("values") or ())))
        if operator == "Exists":
            found.append((key, key))
        elif operator == "DoesNotExist":
            found.append((key, f"!{key}"))
        else:
            found.append((key, f"{key} {operator.lower()} ({values})"))
    return ",".join(text for _, text in sorted(found, key=lambda pair: pair[0]))


def format_labels(labels: Labels | None) -> str:
    """ "a=1,b=2", or "<none>" (labels.FormatLabels)."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or "<none>"


def _tokens(text: str) -> list[str]:
    """The words and signs of a selector, then the end."""
    tokens, at = [], 0
    while at < len(text):
        if text[at] in _BLANK:
            at += 1
        elif text[at] in _SPECIAL:
            sign = next(sign for sign in _SIGNS if text.startswith(sign, at))
            tokens.append(sign)
            at += len(sign)
        else:
            start = at
            while at < len(text) and text[at] not in _SPECIAL + _BLANK:
                at += 1
            tokens.append(text[start:at])
    return [*tokens, _END]


def _is_word(token: str) -> bool:
    return token not in _SIGNS and token != _END


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[min(self._at, len(self._tokens) - 1)]

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while (token := self._peek()) != _END:
            if not _is_word(token) and token != "!":
                raise ValueError(f"found '{token}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._requirement())
            except ValueError as error:
                raise ValueError(f"unable to parse requirement: {error}") from None
            separator = self._next()
            if separator == _END:
                break
            if separator != ",":
                raise ValueError(f"found '{separator}', expected: ',' or 'end of string'")
            if not _is_word(self._peek()) and self._peek() != "!":
                raise ValueError(f"found '{self._peek()}', expected: identifier after ','")
        return found

    def _requirement(self) -> Requirement:
        token = self._next()
        negated = token == "!"
        key = self._next() if negated else token
        if not _is_word(key):
            raise ValueError(f"found '{key}', expected: identifier")
        _check_key(key)
        if negated:
            return Requirement(key, "!")
        if self._peek() in (_END, ","):
            return Requirement(key, "exists")
        operator = self._next()
        if operator not in _OPERATORS:
            raise ValueError(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")
        values = self._values() if operator in _KEYWORDS else (self._value(),)
        _check_values(key, operator, values)
        return Requirement(key, operator, values)

    def _value(self) -> str:
        if self._peek() in (_END, ","):
            return ""
        token = self._next()
        if not _is_word(token):
            raise ValueError(f"found '{token}', expected: identifier")
        return token

    def _values(self) -> tuple[str, ...]:
        token = self._next()
        if token != "(":
            raise ValueError(f"found '{token}' expected: '('")
        first = self._peek()
        if first == ")":
            self._next()
            return ("",)
        if not _is_word(first) and first != ",":
            raise ValueError(f"found '{first}', expected: ',', ')' or identifier")
        values = self._identifiers()
        if self._next() != ")":
            raise ValueError(f"found '{first}', expected: ')'")
        return tuple(sorted(values))

    def _identifiers(self) -> set[str]:
        values: set[str] = set()
        while True:
            token = self._next()
            if _is_word(token):
                values.add(token)
                if self._peek() == ")":
                    return values
                if self._peek() != ",":
                    raise ValueError(f"found '{self._peek()}', expected: ',' or ')'")
            elif token == ",":
                if not values or self._peek() in (")", ","):
                    values.add("")
                if self._peek() == ")":
                    return values
            else:
                raise ValueError(f"found '{token}', expected: ',', or identifier")


def _check_key(key: str) -> None:
    from kubetrace.api.names import label_key

    if problems := label_key(key):
        raise ValueError(f"<nil>: Invalid value: {quoted(key)}: {'; '.join(problems)}")


def _check_values(key: str, operator: str, values: tuple[str, ...]) -> None:
    from kubetrace.api.names import label_value

    problems = []
    for index, value in enumerate(values):
        if operator in "><" and not value.lstrip("+-").isdecimal():
            words = "for 'Gt', 'Lt' operators, the value must be an integer"
            problems.append(f"values[{index}]: Invalid value: {quoted(value)}: {words}")
    for index, value in enumerate(values):
        if objections := label_value(value):
            problems.append(f"values[{index}][{key}]: Invalid value: {quoted(value)}: {'; '.join(objections)}")
    if problems:
        raise ValueError(problems[0] if len(problems) == 1 else "[" + ", ".join(problems) + "]")
