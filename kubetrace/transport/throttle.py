"""client-go's client-side rate limiter: a token bucket in front of every request (util/flowcontrol).

kubectl gives its discovery client 50 requests a second and a burst of 300 (cmd/cmd.go); every other REST client gets
client-go's 5 and 10 (rest/config.go). kubectl mostly makes such a client anew for every object it touches, so those
limits are felt only where one object or list is asked for again and again (pages of a long list, polling), and in
commands that keep a typed client for each API group (drain, certificate).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from kubetrace.transport.call import Call

DISCOVERY_RATE = 50.0
DISCOVERY_BURST = 300
CLIENT_RATE = 5.0
CLIENT_BURST = 10
WORTH_TELLING = 0.05
"""Seconds of waiting below which client-go says nothing (longThrottleLatency, rest/request.go)."""


class TokenBucket:
    """`rate` tokens a second, at most `burst` at once. `wait` takes one, sleeping until it is there, and returns the
    seconds it slept. Those who wait are served in turn."""

    def __init__(
        self,
        rate: float,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._sleep = sleep
        self._tokens = float(burst)
        self._at = clock()
        self._lock = threading.Lock()

    def wait(self) -> float:
        seconds = self._reserve()
        if seconds > 0:
            self._sleep(seconds)
        return seconds

    def _reserve(self) -> float:
        with self._lock:
            now = self._clock()
            self._tokens = min(float(self._burst), self._tokens + (now - self._at) * self._rate)
            self._at = now
            self._tokens -= 1
            return max(0.0, -self._tokens / self._rate)


class Throttles:
    """The buckets of one command: one for discovery, one for the dynamic client (kubectl has one of each), one for each
    typed client that it keeps, one for each other path that it asks for repeatedly."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._discovery = TokenBucket(DISCOVERY_RATE, DISCOVERY_BURST, clock, sleep)
        self._dynamic = TokenBucket(CLIENT_RATE, CLIENT_BURST, clock, sleep)
        self._clients: dict[str, TokenBucket] = {}
        self._lock = threading.Lock()

    def wait(self, call: Call) -> float:
        """Waits as client-go would before this call; seconds slept. Watches are not throttled (Request.Watch)."""
        bucket = self._bucket(call)
        return bucket.wait() if bucket is not None else 0.0

    def _bucket(self, call: Call) -> TokenBucket | None:
        if call.operation.startswith(("discovery", "openapi")) or call.operation == "version":
            return self._discovery
        if call.operation in ("dynamic-delete", "dynamic-get", "dynamic-list"):
            return self._dynamic
        if not call.client and call.operation not in ("get", "list"):
            return None
        key = call.client or call.path
        with self._lock:
            if key not in self._clients:
                self._clients[key] = TokenBucket(CLIENT_RATE, CLIENT_BURST, self._clock, self._sleep)
            return self._clients[key]
