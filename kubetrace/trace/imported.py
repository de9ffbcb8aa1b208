"""A round trip that somebody else wrote down, as the events that kubetrace would have told of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubetrace.trace.exchange import Exchange, ExchangeEnded, RequestSent, ResponseReceived
from kubetrace.trace.records import Timed


def told(
    exchange: Exchange, *, sent: float, answered: float, ended: float, cut: Iterable[str], passed: Iterable[Timed] = ()
) -> Iterator[Timed]:
    """`sent`, `answered` and `ended` are when its events happened (seconds since the epoch), `cut` the bodies that are
    not whole, `passed` the frames or watch events that passed within it."""
    yield Timed(RequestSent(exchange.id, exchange.call, exchange.attempt, exchange.request), sent)
    head = ResponseReceived(
        exchange.id,
        exchange.call,
        exchange.request,
        exchange.response,
        exchange.timings,
        exchange.connection,
        exchange.error,
    )
    yield Timed(head, answered)
    yield from passed
    yield Timed(ExchangeEnded(exchange), ended, frozenset(cut))
