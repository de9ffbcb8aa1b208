"""--stats: what one run cost, as one line: calls, connections, bytes, time in the network and in kubetrace."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from kubetrace.trace.body_text import counted, milliseconds, size
from kubetrace.trace.exchange import CacheHit, Event, ExchangeEnded, Throttled

Interval = tuple[float, float]


class RunStats:
    """Counts what it observes. Calls that ran at the same time count once in the network's time."""

    follows_frames = False

    def __init__(self) -> None:
        self.elsewhere = "in kubetrace"
        """Where the time goes that is not the network's."""
        self.calls = 0
        self.cached = 0
        self.connections = 0
        self.sent = 0
        self.received = 0
        self.waited = 0.0
        self._intervals: list[Interval] = []
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, CacheHit):
                self.cached += 1
            elif isinstance(event, Throttled):
                self.waited += event.seconds
            elif isinstance(event, ExchangeEnded) and event.exchange.on_wire:
                exchange = event.exchange
                self.calls += 1
                connection = exchange.connection
                self.connections += connection.address is not None and not connection.reused
                self.sent += len(exchange.request.body or b"") + exchange.passed
                self.received += exchange.body_size or 0
                self._intervals.append((exchange.started, exchange.started + (exchange.timings.total or 0.0)))

    @property
    def network(self) -> float:
        """Seconds in which at least one exchange was under way."""
        return covered(self._intervals)

    def line(self, elapsed: float) -> str:
        """The line; `elapsed` is the whole run's time in seconds."""
        network = min(self.network, elapsed)
        own = max(0.0, elapsed - network - self.waited)
        parts = [
            counted(self.calls, "call"),
            counted(self.connections, "new connection"),
            f"{size(self.sent)} sent",
            f"{size(self.received)} received",
            f"{milliseconds(network)} in the network",
            f"{milliseconds(own)} {self.elsewhere}",
        ]
        if self.waited:
            parts.append(f"{milliseconds(self.waited)} of waiting")
        if self.cached:
            parts.append(f"{counted(self.cached, 'answer')} from the discovery cache")
        return f"stats: {', '.join(parts)}\n"


def covered(intervals: Iterable[Interval]) -> float:
    """The length of what the intervals cover together."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(intervals):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
