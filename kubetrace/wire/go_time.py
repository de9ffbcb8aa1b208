"""Times as Go's time.Parse reads them, with its words for what is none (time/format.go)."""

from __future__ import annotations

import datetime
import re

from kubetrace.wire.go_quote import quote

RFC3339 = "2006-01-02T15:04:05Z07:00"
_ELEMENTS = ("2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05", "Z07:00")
_RANGES = {"01": (1, 12, "month"), "15": (0, 23, "hour"), "04": (0, 59, "minute"), "05": (0, 59, "second")}
_CYCLE = 400
"""Years after which the calendar repeats itself: years that Python has not are moved by it."""


def rfc3339_in_utc(text: str) -> str:
    """A time as metav1.Time writes it: in UTC, in whole seconds. Raises ValueError in Go's words."""
    numbers: list[int] = []
    rest, offset = text, 0
    for element in _ELEMENTS:
        if not element[0].isdigit() and len(element) == 1:
            if not rest.startswith(element):
                raise _cannot_parse(text, rest, element)
            rest = rest[1:]
        elif element == "Z07:00":
            offset, rest = _zone(text, rest)
        else:
            number, rest = _number(text, rest, element)
            numbers.append(number)
    if rest:
        raise ValueError(f"parsing time {quote(text)}: extra text: {quote(rest)}")
    year, *others = numbers
    try:
        moment = datetime.datetime(2000 + year % _CYCLE, *others)  # type: ignore[arg-type]
    except ValueError:
        raise ValueError(f"parsing time {quote(text)}: day out of range") from None
    moment -= datetime.timedelta(seconds=offset)
    year += moment.year - (2000 + year % _CYCLE)
    return f"{year:04d}-{moment:%m-%dT%H:%M:%S}Z"


def _number(text: str, rest: str, element: str) -> tuple[int, str]:
    width = {"2006": r"\d{4}", "15": r"\d\d?"}.get(element, r"\d\d")
    found = re.match(width, rest, re.ASCII)
    if found is None:
        raise _cannot_parse(text, rest, element)
    number, rest = int(found[0]), rest[found.end() :]
    if element in _RANGES:
        low, high, name = _RANGES[element]
        if not low <= number <= high:
            raise ValueError(f"parsing time {quote(text)}: {name} out of range")
    if element == "05":  # fractions may follow, whatever the layout says
        rest = re.sub(r"^[.,]\d+", "", rest, count=1, flags=re.ASCII)
    return number, rest


def _zone(text: str, rest: str) -> tuple[int, str]:
    """Seconds east of UTC."""
    if rest.startswith("Z"):
        return 0, rest[1:]
    found = re.match(r"(.)(\d\d):(\d\d)", rest, re.ASCII | re.DOTALL)
    if found is None:
        raise _cannot_parse(text, rest, "Z07:00")
    sign, hours, minutes = found[1], int(found[2]), int(found[3])
    for number, limit, name in ((hours, 24, "hour"), (minutes, 60, "minute")):
        if number > limit:
            raise ValueError(f"parsing time {quote(text)}: time zone offset {name} out of range")
    if sign not in "+-":
        raise _cannot_parse(text, rest, "Z07:00")
    seconds = hours * 3600 + minutes * 60
    return -seconds if sign == "-" else seconds, rest[found.end() :]


def _cannot_parse(text: str, rest: str, element: str) -> ValueError:
    return ValueError(f'parsing time {quote(text)} as "{RFC3339}": cannot parse {quote(rest)} as {quote(element)}')
