"""awk's values: numbers, texts, and texts that count as numbers; what its operators and functions make of them."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

from kubetrace.playground.containers.arguments import UsageFailure
from kubetrace.playground.containers.printing import NUMBER, formatted

Value = str | float
_PLAIN = {"sqrt": math.sqrt, "exp": math.exp, "log": math.log, "sin": math.sin, "cos": math.cos}


class Outside(str):
    """Text that came from outside: where it looks like a number it compares as one."""

    __slots__ = ()


def number(value: Value) -> float:
    if isinstance(value, float):
        return value
    match = NUMBER.match(value)
    return float(match.group()) if match is not None else 0.0


def looks_numeric(value: Value) -> bool:
    if isinstance(value, float):
        return True
    match = NUMBER.match(value) if isinstance(value, Outside) else None
    return match is not None and not value[match.end() :].strip()


def is_true(value: Value) -> bool:
    return number(value) != 0 if looks_numeric(value) else value != ""


def shown(value: Value, form: str) -> str:
    """As text: a number that is not whole by the format of CONVFMT or OFMT."""
    if isinstance(value, str):
        return value
    if math.isfinite(value) and value == int(value):
        return str(int(value))
    return form % value


def computed(operator: str, left: float, right: float) -> float:
    try:
        if operator == "+":
            return left + right
        if operator == "-":
            return left - right
        if operator == "*":
            return left * right
        if operator == "/":
            return left / right
        if operator == "%":
            return math.fmod(left, right)
        return float(left**right)
    except (ZeroDivisionError, ValueError):
        raise UsageFailure("cmd. line:1: Division by zero") from None
    except OverflowError:
        return math.inf


def compared(operator: str, left: Value, right: Value, text_of: Callable[[Value], str]) -> bool:
    """As numbers where both are, or look so; else as texts."""
    if (
        (looks_numeric(left) and looks_numeric(right))
        or (left == "" and isinstance(right, float))
        or (right == "" and isinstance(left, float))
    ):
        a, b = number(left), number(right)
        order = (a > b) - (a < b)
    else:
        c, d = text_of(left), text_of(right)
        order = (c > d) - (c < d)
    known = {"<": order < 0, "<=": order <= 0, "==": order == 0, "!=": order != 0, ">": order > 0}
    return known.get(operator, order >= 0)


def applied(name: str, values: list[Value], line: str, text_of: Callable[[Value], str]) -> Value:
    """A function that needs its arguments only; `line` stands for none. Raises IndexError for too few of them."""
    text = text_of(values[0]) if values else line
    if name == "length":
        return float(len(text))
    if name == "substr":
        start = round(number(values[1]))
        end = start + round(number(values[2])) if len(values) > 2 else len(text) + 1
        return text[max(1, start) - 1 : max(0, end - 1)]
    if name == "index":
        return float(text.find(text_of(values[1])) + 1)
    if name in ("toupper", "tolower"):
        return text.upper() if name == "toupper" else text.lower()
    if name == "sprintf":
        return formatted(text, [text_of(value) for value in values[1:]])
    if name == "int":
        return float(int(number(values[0])))
    if name == "rand":
        return random.random()
    if name == "srand":
        random.seed(number(values[0]) if values else None)
        return 0.0
    if name == "systime":
        return float(int(time.time()))
    if name == "strftime":
        form = text if values else "%a %b %e %H:%M:%S UTC %Y"
        return time.strftime(form, time.gmtime(number(values[1]) if len(values) > 1 else None))
    if name == "atan2":
        return math.atan2(number(values[0]), number(values[1]))
    if name in _PLAIN:
        return _PLAIN[name](number(values[0]))
    raise UsageFailure("cmd. line:1: Call to undefined function")
