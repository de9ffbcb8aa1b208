"""Times as Go's time.Parse reads them, with its words for what is none (time/format.go)."""

from __future__ import annotations

import datetime
import re

from kubetrace.wire.go_quote import quote

RFC3339 = "2006-01-02T15:04:05Z07:00"
RFC3339_MICRO = "2006-01-02T15:04:05.000000Z07:00"
_ELEMENT = re.compile(r"2006|Z07:00|\.0+|\d\d|.")
_RANGES = {"01": (1, 12, "month"), "15": (0, 23, "hour"), "04": (0, 59, "minute"), "05": (0, 59, "second")}
_CYCLE = 400
"""Years after which the calendar repeats itself: years that Python has not are moved by it."""


def rfc3339_in_utc(text: str) -> str:
    """A time as metav1.Time writes it: in UTC, in whole seconds. Raises ValueError in Go's words."""
    year, moment = _parsed(text, RFC3339)
    return f"{year:04d}-{moment:%m-%dT%H:%M:%S}Z"


def time_problem(text: str, layout: str) -> str:
    """Why a text is no time of that layout (RFC3339, RFC3339_MICRO), in Go's words; "" where it is one."""
    try:
        _parsed(text, layout)
    except ValueError as error:
        return str(error)
    return ""


def _parsed(text: str, layout: str) -> tuple[int, datetime.datetime]:
    """The year, and the moment in UTC in a year of the same shape."""
    numbers: list[int] = []
    rest, offset = text, 0
    for element in _ELEMENT.findall(layout):
        if element == "Z07:00":
            offset, rest = _zone(text, rest, layout)
        elif element[0] == ".":
            if not re.match(rf"[.,]\d{{{len(element) - 1}}}", rest, re.ASCII):
                raise _cannot_parse(text, rest, element, layout)
            rest = rest[len(element) :]
        elif element.isdigit():
            number, rest = _number(text, rest, element, layout)
            numbers.append(number)
        elif rest.startswith(element):
            rest = rest[1:]
        else:
            raise _cannot_parse(text, rest, element, layout)
    if rest:
        raise ValueError(f"parsing time {quote(text)}: extra text: {quote(rest)}")
    year, *others = numbers
    try:
        moment = datetime.datetime(2000 + year % _CYCLE, *others)  # type: ignore[arg-type]
    except ValueError:
        raise ValueError(f"parsing time {quote(text)}: day out of range") from None
    moment -= datetime.timedelta(seconds=offset)
    return year + moment.year - (2000 + year % _CYCLE), moment


def _number(text: str, rest: str, element: str, layout: str) -> tuple[int, str]:
    width = {"2006": r"\d{4}", "15": r"\d\d?"}.get(element, r"\d\d")
    found = re.match(width, rest, re.ASCII)
    if found is None:
        raise _cannot_parse(text, rest, element, layout)
    number, rest = int(found[0]), rest[found.end() :]
    if element in _RANGES:
        low, high, name = _RANGES[element]
        if not low <= number <= high:
            raise ValueError(f"parsing time {quote(text)}: {name} out of range")
    if element == "05" and "." not in layout:  # fractions may follow all the same
        rest = re.sub(r"^[.,]\d+", "", rest, count=1, flags=re.ASCII)
    return number, rest


def _zone(text: str, rest: str, layout: str) -> tuple[int, str]:
    """Seconds east of UTC."""
    if rest.startswith("Z"):
        return 0, rest[1:]
    found = re.match(r"(.)(\d\d):(\d\d)", rest, re.ASCII | re.DOTALL)
    if found is None:
        raise _cannot_parse(text, rest, "Z07:00", layout)
    sign, hours, minutes = found[1], int(found[2]), int(found[3])
    for number, limit, name in ((hours, 24, "hour"), (minutes, 60, "minute")):
        if number > limit:
            raise ValueError(f"parsing time {quote(text)}: time zone offset {name} out of range")
    if sign not in "+-":
        raise _cannot_parse(text, rest, "Z07:00", layout)
    seconds = hours * 3600 + minutes * 60
    return -seconds if sign == "-" else seconds, rest[found.end() :]


def _cannot_parse(text: str, rest: str, element: str, layout: str) -> ValueError:
    return ValueError(f'parsing time {quote(text)} as "{layout}": cannot parse {quote(rest)} as {quote(element)}')
