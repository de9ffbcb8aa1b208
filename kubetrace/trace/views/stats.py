"""Calls by endpoint: how many, how slow (median and 95th percentile, nearest rank), how many bytes, what failed."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence

from kubetrace.trace.body_text import counted, milliseconds, one_line, size
from kubetrace.trace.exchanges import Recorded
from kubetrace.value import Mutable, fresh

_MOST = 10_000
"""Endpoints that are told apart."""
_HEADINGS = ("VERB", "ENDPOINT", "CALLS", "FAILED", "P50", "P95", "TOTAL", "RECEIVED")


class _Row(Mutable):
    seconds: array[float] = fresh(lambda: array("f"))
    received: int = 0
    failed: int = 0

    def add(self, recorded: Recorded) -> None:
        self.seconds.append(recorded.seconds)
        self.received += recorded.exchange.body_size or 0
        self.failed += recorded.status == 0 or recorded.status >= 400


def render(exchanges: Iterable[Recorded]) -> Iterator[str]:
    rows: dict[tuple[str, str], _Row] = {}
    total, connections, sent = _Row(), 0, 0
    for recorded in exchanges:
        where = recorded.endpoint
        key = (where.verb, where.template)
        if len(rows) >= _MOST and key not in rows:
            key = ("", "(other endpoints)")
        rows.setdefault(key, _Row()).add(recorded)
        total.add(recorded)
        connections += not recorded.exchange.connection.reused and recorded.exchange.connection.address is not None
        sent += len(recorded.exchange.request.body or b"")
    ordered = sorted(rows.items(), key=lambda item: (-sum(item[1].seconds), item[0]))
    yield from aligned([_HEADINGS, *(_cells(*key, row) for key, row in ordered)])
    spent = milliseconds(sum(total.seconds)) or "0 ms"
    yield (
        f"\n{counted(len(total.seconds), 'call')}, {total.failed} failed, {counted(connections, 'new connection')}, "
        f"{size(sent)} sent, {size(total.received)} received, {spent} waited\n"
    )


def _cells(verb: str, path: str, row: _Row) -> tuple[str, ...]:
    return (
        verb,
        one_line(path),
        str(len(row.seconds)),
        str(row.failed),
        milliseconds(percentile(row.seconds, 50)),
        milliseconds(percentile(row.seconds, 95)),
        milliseconds(sum(row.seconds)),
        size(row.received),
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of at least one value."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns three blanks apart, as kubectl's tables are."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
