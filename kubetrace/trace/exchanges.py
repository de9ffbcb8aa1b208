"""A trace's exchanges, numbered as views cite them, and which of them somebody wants to see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from kubetrace.errors import KubetraceError
from kubetrace.trace.endpoint import Endpoint, endpoint
from kubetrace.trace.exchange import (
    Event,
    Exchange,
    ExchangeEnded,
    Frame,
    Throttled,
    Upgraded,
    WatchEventReceived,
)
from kubetrace.trace.records import Timed
from kubetrace.value import Mutable, Value, fresh

_FRAMES_KEPT = 200


class Frames(Mutable):
    """What passed over an upgraded connection, or came of a followed log: how many frames and bytes by direction and
    channel ("sent stdin"), and the first frames one by one. `last` is when the last one passed, in seconds after the
    exchange began."""

    protocol: str
    subprotocol: str = ""
    counts: dict[str, tuple[int, int]] = fresh(dict)
    first: list[Frame] = fresh(list)
    last: float = 0.0

    @property
    def total(self) -> int:
        return sum(count for count, _ in self.counts.values())

    def add(self, frame: Frame) -> None:
        key = f"{frame.direction} {frame.channel or frame.type}"
        count, size = self.counts.get(key, (0, 0))
        self.counts[key] = count + 1, size + frame.size
        self.last = frame.seconds
        if len(self.first) < _FRAMES_KEPT:
            self.first.append(frame)


class WatchEvents(Mutable):
    """What a watch told: how many events and bytes of each type, and the first events one by one."""

    counts: dict[str, tuple[int, int]] = fresh(dict)
    first: list[WatchEventReceived] = fresh(list)
    last: float = 0.0

    @property
    def total(self) -> int:
        return sum(count for count, _ in self.counts.values())

    def add(self, event: WatchEventReceived) -> None:
        count, size = self.counts.get(event.type, (0, 0))
        self.counts[event.type] = count + 1, size + event.size
        self.last = event.seconds
        if len(self.first) < _FRAMES_KEPT:
            self.first.append(event)


def event_line(event: WatchEventReceived) -> str:
    """What a watch's event says, in a few words: "ADDED Pod default/web at 123"."""
    name = "/".join(filter(None, (event.namespace, event.name)))
    version = f"at {event.resource_version}" if event.resource_version else ""
    return " ".join(filter(None, (event.type, event.kind, name, version, event.message)))


class Recorded(Value):
    """An exchange and its number in the trace (1 is the first that ended). `cut` names bodies ("request", "response")
    that the trace does not hold whole; `frames` is what passed where the connection was upgraded, `watched` what a
    watch told; `waited` are the seconds for which the client's own rate limiter held the call back."""

    number: int
    exchange: Exchange
    cut: frozenset[str] = frozenset()
    frames: Frames | None = None
    waited: float = 0.0
    watched: WatchEvents | None = None

    @property
    def endpoint(self) -> Endpoint:
        return endpoint(self.exchange.request)

    @property
    def status(self) -> int:
        """The status that came over the wire; 0 where there was no answer."""
        response = self.exchange.response
        return (response.wire_status or response.status) if response else 0

    @property
    def seconds(self) -> float:
        return self.exchange.timings.total or self.exchange.timings.headers or 0.0

    @property
    def target(self) -> str:
        """Path and query."""
        return target(self.exchange.request.url)


def target(url: str) -> str:
    """Path and query of a URL."""
    match = re.match(r"[a-zA-Z][\w+.-]*://[^/?#]*", url)
    return (url[match.end() :] if match else url) or "/"


class Numbering:
    """Numbers the exchanges of a trace as their ends come by, and counts frames and watch events until then."""

    def __init__(self) -> None:
        self._number = 0
        self._frames: dict[int, Frames] = {}
        self._watched: dict[int, WatchEvents] = {}
        self._waited: dict[int, float] = {}

    def take(self, timed: Timed) -> Recorded | None:
        """The exchange that has ended with this event, if one has and anything was sent."""
        event: Event = timed.event
        if isinstance(event, Upgraded):
            self._frames[event.exchange] = Frames(event.protocol, event.subprotocol)
        elif isinstance(event, Frame):
            self._frames.setdefault(event.exchange, Frames("")).add(event)
        elif isinstance(event, WatchEventReceived):
            self._watched.setdefault(event.exchange, WatchEvents()).add(event)
        elif isinstance(event, Throttled) and event.retry_reason is None:
            self._waited[event.call] = event.seconds
        elif isinstance(event, ExchangeEnded):
            waited = self._waited.pop(event.exchange.call, 0.0)
            if event.exchange.on_wire:
                self._number += 1
                frames = self._frames.pop(event.exchange.id, None)
                watched = self._watched.pop(event.exchange.id, None)
                return Recorded(self._number, event.exchange, timed.cut, frames, waited, watched)
        return None


def numbered(events: Iterable[Timed]) -> Iterator[Recorded]:
    """The ended exchanges of a trace."""
    numbering = Numbering()
    for timed in events:
        recorded = numbering.take(timed)
        if recorded is not None:
            yield recorded


def chosen(events: Iterable[Timed], takes: Callable[[Recorded], bool]) -> Iterator[Timed]:
    """The events of those exchanges that are taken, each exchange's together, in the order in which they ended. What
    belongs to no exchange is left out, and so is what passed within a stream, which may be without end."""
    numbering = Numbering()
    waiting: dict[tuple[str, int], list[Timed]] = {}
    for timed in events:
        event = timed.event
        recorded = numbering.take(timed)
        if isinstance(event, ExchangeEnded):
            exchange = event.exchange
            of_call = waiting.pop(("call", exchange.call), [])
            of_exchange = waiting.pop(("exchange", exchange.id), [])
            if recorded is not None and takes(recorded):
                yield from (*of_call, *of_exchange, timed)
        elif isinstance(event, Frame | WatchEventReceived):
            continue
        elif (number := getattr(event, "exchange", None)) is not None:
            waiting.setdefault(("exchange", number), []).append(timed)
        elif (number := getattr(event, "call", None)) is not None:
            waiting.setdefault(("call", number), []).append(timed)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which exchanges to take; empty fields take all. `verbs` are RBAC's verbs (lower case) or HTTP methods (upper
    case), `statuses` codes, classes ("4xx"), "error" (no answer, or not the whole) or "failed" (those, 4xx and 5xx);
    `slower` is in seconds. Raises KubetraceError for what makes no sense."""

    verbs: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    namespace: str = ""
    statuses: tuple[str, ...] = ()
    slower: float = 0.0
    grep: str = ""

    def __post_init__(self) -> None:
        for status in self.statuses:
            if not re.fullmatch(r"[1-5](\d\d|xx)|error|failed", status, re.ASCII | re.IGNORECASE):
                raise KubetraceError(f'--status takes codes, classes such as 4xx, "error" or "failed", not "{status}"')
        try:
            re.compile(self.grep)
        except re.error as error:
            raise KubetraceError(f"--grep: {error}") from None

    @property
    def active(self) -> bool:
        return self != Filter()

    def takes(self, recorded: Recorded) -> bool:
        where = recorded.endpoint
        return (
            (not self.verbs or where.verb in self.verbs or recorded.exchange.request.method in self.verbs)
            and (not self.resources or any(_names(wanted, where) for wanted in self.resources))
            and (not self.namespace or where.namespace == self.namespace)
            and (not self.statuses or any(_has(wanted, recorded) for wanted in self.statuses))
            and recorded.seconds >= self.slower
            and (not self.grep or self._found(recorded.exchange))
        )

    def _found(self, exchange: Exchange) -> bool:
        expression = re.compile(self.grep)
        response = exchange.response
        headers = (*exchange.request.headers, *(response.headers if response else ()))
        texts = [exchange.request.url, exchange.error or "", *(f"{name}: {value}" for name, value in headers)]
        bodies = (body.decode("utf-8", "replace") for body in (exchange.request.body, exchange.body) if body)
        return any(expression.search(text) for text in (*texts, *bodies))


def _names(wanted: str, where: Endpoint) -> bool:
    """Does "pods", "pods/log", "deployments.apps" mean this endpoint?"""
    resource, _, subresource = wanted.lower().partition("/")
    plain, _, group = resource.partition(".")
    same_group = not group or group == where.group
    return plain == where.resource and same_group and (not subresource or subresource == where.subresource)


def _has(wanted: str, recorded: Recorded) -> bool:
    wanted, status = wanted.lower(), recorded.status
    if wanted in ("error", "failed"):
        broken = status == 0 or recorded.exchange.error is not None
        return broken or (wanted == "failed" and status >= 400)
    return str(status)[:1] == wanted[0] if wanted.endswith("xx") else str(status) == wanted
