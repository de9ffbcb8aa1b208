"""cron's schedules, as CronJobs write them (robfig/cron's standard parser)."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

_MONTHS = {
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "oct": 10,
    "nov": 11,
    "dec": 12,
}
_DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}


class InvalidSchedule(Exception):
    """The message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Schedule:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool
    """Whether a day may match by its date or by its weekday (both are restricted)."""
    every: float = 0.0
    """@every: seconds."""

    def after(self, time: datetime.datetime) -> datetime.datetime | None:
        """The first moment of the schedule behind a time, within five years."""
        if self.every:
            return time.replace(microsecond=0) + datetime.timedelta(seconds=self.every)
        moment = time.replace(second=0, microsecond=0) + datetime.timedelta(minutes=1)
        end = time + datetime.timedelta(days=5 * 366)
        while moment < end:
            if moment.month not in self.months or not self._day(moment):
                moment = moment.replace(hour=0, minute=0) + datetime.timedelta(days=1)
            elif moment.hour not in self.hours:
                moment = moment.replace(minute=0) + datetime.timedelta(hours=1)
            elif moment.minute not in self.minutes:
                moment += datetime.timedelta(minutes=1)
            else:
                return moment
        return None

    def _day(self, moment: datetime.datetime) -> bool:
        date, weekday = moment.day in self.days, (moment.weekday() + 1) % 7 in self.weekdays
        return date or weekday if self.either else date and weekday


def parse(text: str) -> Schedule:
    """Raises InvalidSchedule."""
    text = text.strip()
    if text.startswith("@every "):
        parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", text[7:])
        if not parts or "".join(a + b for a, b in parts) != text[7:].strip():
            raise InvalidSchedule(f'failed to parse duration {text}: time: invalid duration "{text[7:]}"')
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
        empty: frozenset[int] = frozenset()
        return Schedule(empty, empty, empty, empty, empty, False, max(1.0, seconds))
    if text.startswith("@"):
        if text not in _NAMED:
            raise InvalidSchedule(f"unrecognized descriptor: {text}")
        text = _NAMED[text]
    fields = text.split()
    if len(fields) != 5:
        raise InvalidSchedule(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    minutes, hours, days = _field(fields[0], 0, 59), _field(fields[1], 0, 23), _field(fields[2], 1, 31)
    months, weekdays = _field(fields[3], 1, 12, _MONTHS), _field(fields[4], 0, 6, _DAYS)
    either = not (fields[2].startswith(("*", "?")) or fields[4].startswith(("*", "?")))
    return Schedule(minutes, hours, days, months, weekdays, either)


def _field(text: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        width = _value(step, names) if slash else 1
        if width < 1:
            raise InvalidSchedule(f"step of range should be a positive number: {part}")
        if span in ("*", "?"):
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = _value(start, names)
            last = _value(end, names) if dash else high if slash else first
        if first < low:
            raise InvalidSchedule(f"beginning of range ({first}) below minimum ({low}): {part}")
        if last > high:
            raise InvalidSchedule(f"end of range ({last}) above maximum ({high}): {part}")
        if first > last:
            raise InvalidSchedule(f"beginning of range ({first}) beyond end of range ({last}): {part}")
        found |= set(range(first, last + 1, width))
    return frozenset(found)


def _value(text: str, names: dict[str, int] | None) -> int:
    if names and text.lower() in names:
        return names[text.lower()]
    if not re.fullmatch(r"\d{1,9}", text):
        told = f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax'
        raise InvalidSchedule(told)
    return int(text)
