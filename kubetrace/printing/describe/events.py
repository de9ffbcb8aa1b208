"""The events of an object, as the last part of its description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubetrace.printing.describe.writer import NONE, Writer, epoch

Event = Mapping[str, Any]


def describe_events(w: Writer, events: Sequence[Event] | None) -> None:
    """Events in the order of their last timestamps; nothing where they were not asked for."""
    if events is None:
        return
    if not events:
        w.line(f"Events:\t{NONE}")
        return
    w.flush()
    w.line("Events:")
    w.line("Type\tReason\tAge\tFrom\tMessage", 1)
    w.line("----\t------\t----\t----\t-------", 1)
    for event in sorted(events, key=lambda event: epoch(event.get("lastTimestamp"))):
        source = (event.get("source") or {}).get("component") or event.get("reportingComponent") or ""
        message = str(event.get("message") or "").strip()
        path = (event.get("involvedObject") or {}).get("fieldPath")
        if path:
            message = f"{path}: {message}"
        w.line(f"{event.get('type', '')}\t{event.get('reason', '')}\t{interval(w, event)}\t{source}\t{message}", 1)


def interval(w: Writer, event: Event) -> str:
    """How long ago, and how often since when."""
    first = w.since(event.get("eventTime") or event.get("firstTimestamp"))
    series = event.get("series")
    if series is not None:
        return f"{w.since(series.get('lastObservedTime'))} (x{series.get('count') or 0} over {first})"
    if (event.get("count") or 0) > 1:
        return f"{w.since(event.get('lastTimestamp'))} (x{event['count']} over {first})"
    return first
