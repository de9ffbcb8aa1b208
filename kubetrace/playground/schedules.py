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
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_DURATION = r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)"


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
    """Raises InvalidSchedule, in robfig/cron v3's words."""
    if text.startswith("@every "):
        if not re.fullmatch(rf"({_DURATION})+", text[7:]):
            raise InvalidSchedule(f'failed to parse duration {text}: time: invalid duration "{text[7:]}"')
        seconds = sum(float(number) * _UNITS[unit] for number, unit in re.findall(_DURATION, text[7:]))
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
    return frozenset(value for part in text.split(",") for value in _range(part, low, high, names or {}))


def _range(text: str, low: int, high: int, names: dict[str, int]) -> range:
    """ "*", "5", "mon-fri" or "1-30/2"; N/STEP goes on to the end."""
    span, *steps = text.split("/")
    ends = span.split("-")
    if ends[0] in ("*", "?"):
        first, last = low, high
    else:
        numbers = [_number(word, names) for word in ends[:2]]
        if len(ends) > 2:
            raise InvalidSchedule(f"too many hyphens: {text}")
        first, last = numbers[0], high if steps and len(ends) == 1 else numbers[-1]
    if len(steps) > 1:
        raise InvalidSchedule(f"too many slashes: {text}")
    step = _number(steps[0], {}) if steps else 1
    if first < low:
        raise InvalidSchedule(f"beginning of range ({first}) below minimum ({low}): {text}")
    if last > high:
        raise InvalidSchedule(f"end of range ({last}) above maximum ({high}): {text}")
    if first > last:
        raise InvalidSchedule(f"beginning of range ({first}) beyond end of range ({last}): {text}")
    if step == 0:
        raise InvalidSchedule(f"step of range should be a positive number: {text}")
    return range(first, last + 1, step)


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not text.isdecimal():
        raise InvalidSchedule(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)
