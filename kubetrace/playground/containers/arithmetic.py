"""$((…)): integers of 64 bits with C's operators and their precedence."""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping

_TOKEN = re.compile(
    r"\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|\+\+|--|<<=?|>>=?|[-+*/%&|^<>=!]=|&&|\|\||\*\*|[-+*/%&|^<>=!~?:(),])"
)
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<=", ">=", "<", ">"),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)
_BITS = 1 << 64


class ArithmeticFailure(Exception):
    pass


def _wrapped(value: int) -> int:
    value %= _BITS
    return value - _BITS if value >= _BITS // 2 else value


def _divided(left: int, right: int, remainder: bool) -> int:
    if right == 0:
        raise ArithmeticFailure("divide by zero")
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return left - quotient * right if remainder else quotient


_OPERATORS: dict[str, Callable[[int, int], int]] = {
    "||": lambda a, b: int(bool(a or b)),
    "&&": lambda a, b: int(bool(a and b)),
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "&": lambda a, b: a & b,
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "<=": lambda a, b: int(a <= b),
    ">=": lambda a, b: int(a >= b),
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "<<": lambda a, b: a << (b % 64),
    ">>": lambda a, b: a >> (b % 64),
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: _divided(a, b, remainder=False),
    "%": lambda a, b: _divided(a, b, remainder=True),
}


def evaluate(text: str, variables: MutableMapping[str, str]) -> int:
    """Raises ArithmeticFailure; assignments change `variables`."""
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ArithmeticFailure("arithmetic syntax error")
        tokens.append(match.group(1))
        at = match.end()
    if not tokens:
        return 0
    if len(tokens) > 1000:
        raise ArithmeticFailure("arithmetic syntax error")
    expression = _Expression(tokens, variables)
    value = expression.several()
    if expression.tokens:
        raise ArithmeticFailure("arithmetic syntax error")
    return value


def _constant(text: str) -> int:
    """A number in C's notation: 0x1f, 017, 15."""
    try:
        octal = text.startswith("0") and text.isdigit()
        return _wrapped(int(text, 8) if octal else int(text, 0))
    except ValueError:
        raise ArithmeticFailure("arithmetic syntax error") from None


class _Expression:
    def __init__(self, tokens: list[str], variables: MutableMapping[str, str]) -> None:
        self.tokens = tokens
        self._variables = variables

    def _next(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def _value(self, name: str) -> int:
        text = self._variables.get(name, "").strip() or "0"
        sign = -1 if text.startswith("-") else 1
        return sign * _constant(text.removeprefix("-").removeprefix("+"))

    def several(self) -> int:
        """Expressions with commas between them: the last one counts."""
        value = self.assignment()
        while self._next() == ",":
            self.tokens.pop(0)
            value = self.assignment()
        return value

    def assignment(self) -> int:
        if len(self.tokens) > 1 and re.fullmatch(r"[A-Za-z_]\w*", self.tokens[0]):
            name, operator = self.tokens[0], self.tokens[1]
            if operator.endswith("=") and operator not in ("==", "<=", ">=", "!="):
                del self.tokens[:2]
                value = self.assignment()
                if operator != "=":
                    value = _wrapped(_OPERATORS[operator[:-1]](self._value(name), value))
                self._variables[name] = str(value)
                return value
        return self._choice()

    def _choice(self) -> int:
        condition = self._level(0)
        if self._next() != "?":
            return condition
        self.tokens.pop(0)
        first = self.assignment()
        if self._next() != ":":
            raise ArithmeticFailure("arithmetic syntax error")
        self.tokens.pop(0)
        second = self._choice()
        return first if condition else second

    def _level(self, number: int) -> int:
        if number == len(_LEVELS):
            return self._unary()
        value = self._level(number + 1)
        while self._next() in _LEVELS[number]:
            operator = self.tokens.pop(0)
            value = _wrapped(_OPERATORS[operator](value, self._level(number + 1)))
        return value

    def _unary(self) -> int:
        value = self._power()
        if self._next() == "**":
            self.tokens.pop(0)
            exponent = self._unary()
            if exponent < 0:
                raise ArithmeticFailure("exponent less than 0")
            value = _wrapped(pow(value, exponent, _BITS))
        return value

    def _step(self, name: str, by: int) -> int:
        value = _wrapped(self._value(name) + by)
        self._variables[name] = str(value)
        return value

    def _power(self) -> int:
        if not self.tokens:
            raise ArithmeticFailure("arithmetic syntax error")
        token = self.tokens.pop(0)
        if token in ("++", "--"):
            if re.fullmatch(r"[A-Za-z_]\w*", self._next()):
                return self._step(self.tokens.pop(0), 1 if token == "++" else -1)
            return self._power()  # two signs
        if token in ("-", "+", "!", "~"):
            value = self._power()
            return {"-": -value, "+": value, "!": int(not value), "~": ~value}[token]
        if token == "(":
            value = self.several()
            if self._next() != ")":
                raise ArithmeticFailure("arithmetic syntax error")
            self.tokens.pop(0)
            return value
        if token[0].isdigit():
            return _constant(token)
        if re.fullmatch(r"[A-Za-z_]\w*", token):
            value = self._value(token)
            if self._next() in ("++", "--"):
                self._step(token, 1 if self.tokens.pop(0) == "++" else -1)
            return value
        raise ArithmeticFailure("arithmetic syntax error")
