"""A trace's exchanges, numbered as views cite them, and which of them somebody wants to see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kubetrace.errors import KubetraceError
from kubetrace.trace.endpoint import Endpoint, endpoint
from kubetrace.trace.exchange import Exchange, ExchangeEnded
from kubetrace.trace.records import Timed


@dataclass(frozen=True, slots=True)
class Recorded:
    """An exchange and its number in the trace (1 is the first that ended). `cut` names bodies ("request", "response")
    that the trace does not hold whole."""

    number: int
    exchange: Exchange
    cut: frozenset[str] = frozenset()

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


def numbered(events: Iterable[Timed]) -> Iterator[Recorded]:
    """The ended exchanges of a trace."""
    number = 0
    for timed in events:
        if isinstance(timed.event, ExchangeEnded) and timed.event.exchange.on_wire:
            number += 1
            yield Recorded(number, timed.event.exchange, timed.cut)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which exchanges to take; empty fields take all. `verbs` are RBAC's verbs (lower
    case) or HTTP methods (upper case), `statuses` codes,
    classes ("4xx") or "error" (no answer); `slower` is in seconds. Raises KubetraceError for what makes no sense."""

    verbs: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    namespace: str = ""
    statuses: tuple[str, ...] = ()
    slower: float = 0.0
    grep: str = ""

    def __post_init__(self) -> None:
        for status in self.statuses:
            if not re.fullmatch(r"[1-5](\d\d|xx)|error", status, re.ASCII | re.IGNORECASE):
                raise KubetraceError(f'--status takes codes, classes such as 4xx, or "error", not "{status}"')
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
            and (not self.statuses or any(_has(wanted, recorded.status) for wanted in self.statuses))
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


def _has(wanted: str, status: int) -> bool:
    if wanted.lower() == "error":
        return status == 0
    return str(status)[:1] == wanted[0] if wanted.lower().endswith("xx") else str(status) == wanted
