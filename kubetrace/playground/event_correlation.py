"""Which events are the same one happening again, which are told as one, and which are too many to be told of.

As client-go's EventCorrelator with its defaults (tools/record/events_cache.go): counted up where all is the same;
combined from the tenth message of a reason on; of an object 25 at once, then one every five minutes.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from kubetrace.playground.objects import now

SIMILAR = 10
"""Messages of one reason about an object, from which on they are combined."""
SIMILAR_SECONDS = 600.0
BURST = 25
REFILL_SECONDS = 300.0
REMEMBERED = 4096
COMBINED = "(combined from similar events): "
T = TypeVar("T")


class Happening(NamedTuple):
    """`uid`: of the object; `part`: the field path of a part of it; `host`: of the source."""

    uid: str
    type: str
    reason: str
    message: str
    part: str = ""
    host: str = ""


@dataclass(slots=True)
class Told:
    """An event as it stands after what happened."""

    name: str
    message: str
    first: str
    count: int = 0


@dataclass(slots=True)
class _Similar:
    messages: set[str] = field(default_factory=set)
    last: float = 0.0


@dataclass(slots=True)
class _Bucket:
    tokens: float = BURST
    filled: float = 0.0


class Correlator:
    """Of one source. `clock`: seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._similar: OrderedDict[Happening, _Similar] = OrderedDict()
        self._told: OrderedDict[Happening, Told] = OrderedDict()
        self._buckets: OrderedDict[Happening, _Bucket] = OrderedDict()

    def observe(self, happening: Happening, name: str) -> Told | None:
        """`name`: of the event, where it is a new one. None where it is one too many, which is counted nevertheless."""
        key, message = self._combined(happening)
        told = remembered(self._told, key, lambda: Told(name, message, now()))
        told.message, told.count = message, told.count + 1
        return told if self._may_be_told(happening) else None

    def _combined(self, happening: Happening) -> tuple[Happening, str]:
        group = happening._replace(message="", part="")
        similar = remembered(self._similar, group, _Similar)
        if self._clock() - similar.last > SIMILAR_SECONDS:
            similar.messages.clear()
        similar.messages.add(happening.message)
        similar.last = self._clock()
        if len(similar.messages) < SIMILAR:
            return happening, happening.message
        similar.messages.pop()
        return group, COMBINED + happening.message

    def _may_be_told(self, happening: Happening) -> bool:
        whose = happening._replace(reason="", message="", part="")
        bucket = remembered(self._buckets, whose, lambda: _Bucket(filled=self._clock()))
        passed = self._clock() - bucket.filled
        bucket.tokens, bucket.filled = min(BURST, bucket.tokens + passed / REFILL_SECONDS), self._clock()
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True


def remembered(known: OrderedDict[Happening, T], key: Happening, make: Callable[[], T]) -> T:
    """What is known of `key`, or something new; what was not asked for the longest is forgotten."""
    if key not in known:
        known[key] = make()
    known.move_to_end(key)
    while len(known) > REMEMBERED:
        known.popitem(last=False)
    return known[key]
