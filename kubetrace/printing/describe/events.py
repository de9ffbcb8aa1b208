"""The events of an object, as the last part of its description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubetrace.api.go_sort import go_sort
from kubetrace.printing.describe.writer import NONE, Writer, epoch
from kubetrace.printing.durations import age

Event = Mapping[str, Any]


def describe_events(w: Writer, events: Sequence[Event] | None) -> None:
    """Events in the order of their last timestamps (Go's sort leaves equal ones in an order of its own); nothing where
    they were not asked for."""
    if events is None:
        return
    if not events:
        w.line(f"Events:\t{NONE}")
        return
    w.flush()
    w.line("Events:")
    w.line("Type\tReason\tAge\tFrom\tMessage", 1)
    w.line("----\t------\t----\t----\t-------", 1)
    ordered = list(events)
    go_sort(ordered, lambda left, right: epoch(left.get("lastTimestamp")) < epoch(right.get("lastTimestamp")))
    for event in ordered:
        source = (event.get("source") or {}).get("component") or event.get("reportingComponent") or ""
        message = str(event.get("message") or "").strip()
        path = (event.get("involvedObject") or {}).get("fieldPath")
        if path:
            message = f"{path}: {message}"
        w.line(f"{event.get('type', '')}\t{event.get('reason', '')}\t{interval(event, w.now)}\t{source}\t{message}", 1)


def interval(event: Event, now: float) -> str:
    """How long ago, and how often since when. `now` is in seconds since the epoch."""
    first = age(event.get("eventTime") or event.get("firstTimestamp"), now)
    series = event.get("series")
    if series is not None:
        return f"{age(series.get('lastObservedTime'), now)} (x{series.get('count') or 0} over {first})"
    if (event.get("count") or 0) > 1:
        return f"{age(event.get('lastTimestamp'), now)} (x{event['count']} over {first})"
    return first
