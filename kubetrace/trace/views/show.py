"""A trace in the terminal: a table with a waterfall, or one exchange in full.

Cache hits, waits, retries and warnings are rows of their own. Nothing that a server sent can command the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from kubetrace.trace.body_text import milliseconds, one_line, printable, readable, size
from kubetrace.trace.exchange import (
    CacheHit,
    Event,
    Frame,
    Headers,
    Planned,
    Retrying,
    Throttled,
    Timings,
    WarningReceived,
    WatchEventReceived,
)
from kubetrace.trace.exchanges import Filter, Frames, Numbering, Recorded, WatchEvents, event_line, target
from kubetrace.trace.records import Timed
from kubetrace.value import Value, replace

if TYPE_CHECKING:
    from rich.table import Table

_BAR = 24
_CONTENT = 60
"""Columns for what a frame carries, and for why an answer broke off."""
_WIDE = 100
"""Columns from which on there is room for everything."""
_PHASES = (
    ("dns", "DNS lookup"),
    ("connect", "TCP connect"),
    ("tls", "TLS handshake"),
    ("get_connection", "until connected"),
    ("first_byte", "server processing"),
    ("headers", "until headers"),
    ("body", "body"),
    ("total", "total"),
)


class Row(Value):
    """One line of the table, small: no bodies, no headers. `start`, `wait` and `end` are seconds since the epoch;
    `wait` is when the answer began."""

    number: str
    verb: str
    path: str
    status: str
    seconds: float | None
    received: int | None
    purpose: str
    start: float
    wait: float
    end: float


def rows(events: Iterable[Timed], wanted: Filter, *, live: bool = False) -> Iterator[Row]:
    """The rows of a trace. With a filter only exchanges are shown. `live` has a row for each event of a watch as well,
    as nobody knows when the watch will end."""
    numbering = Numbering()
    for timed in events:
        recorded = numbering.take(timed)
        if recorded is not None:
            if wanted.takes(recorded):
                yield _exchange_row(recorded)
                if recorded.frames is not None:
                    yield _frames_row(recorded, recorded.frames)
                if recorded.watched is not None:
                    yield _watched_row(recorded, recorded.watched)
        elif live and not wanted.active and isinstance(timed.event, WatchEventReceived):
            told, at = timed.event, timed.at
            yield Row("", "event", one_line(event_line(told)), "", told.seconds, told.size, "", at, at, at)
        elif not wanted.active and (row := _other_row(timed.event, timed.at)):
            yield row


def joined(found: Iterable[Row]) -> Iterator[Row]:
    """The rows with runs of cache hits as one: a command asks the discovery cache for every group."""
    for is_hit, run in groupby(found, key=lambda row: row.verb == "cache"):
        if not is_hit:
            yield from run
            continue
        ends: list[Row] = []
        count = 0
        for row in run:
            ends[1:] = [row]
            count += 1
        first, last = ends[0], ends[-1]
        path = first.path if count == 1 else f"{first.path} and {count - 1} more"
        yield replace(first, path=path, wait=last.wait, end=last.end)


def _exchange_row(recorded: Recorded) -> Row:
    exchange = recorded.exchange
    start = exchange.started
    again = f" (attempt {exchange.attempt})" if exchange.attempt > 1 else ""
    purpose = one_line((exchange.request.purpose.tag if exchange.request.purpose.sentence else "") + again).strip()
    if exchange.error is not None and exchange.response is not None:
        purpose = f"{purpose}; broke off: {one_line(exchange.error)[:_CONTENT]}".lstrip("; ")
    return Row(
        str(recorded.number),
        recorded.endpoint.verb,
        one_line(recorded.target),
        str(recorded.status) if recorded.status else "error",
        recorded.seconds,
        exchange.body_size,
        purpose,
        start,
        start + min(exchange.timings.headers or recorded.seconds, recorded.seconds),
        start + recorded.seconds,
    )


def _frames_row(recorded: Recorded, frames: Frames) -> Row:
    """What passed over an upgraded connection, below its exchange."""
    start = recorded.exchange.started
    counts = ", ".join(f"{one_line(key)} {count} ({size(total)})" for key, (count, total) in frames.counts.items())
    protocol = one_line(" ".join(word for word in (frames.protocol, frames.subprotocol) if word))
    begin = start + (frames.first[0].seconds if frames.first else 0.0)
    received = sum(total for key, (_, total) in frames.counts.items() if key.startswith("received"))
    end = start + max(frames.last, begin - start)
    return Row("", "frames", counts or "none", "", end - begin, received, protocol, begin, begin, end)


def _watched_row(recorded: Recorded, watched: WatchEvents) -> Row:
    """What a watch told, below its exchange."""
    start = recorded.exchange.started
    counts = ", ".join(f"{one_line(type)} {count}" for type, (count, _) in watched.counts.items())
    begin = start + watched.first[0].seconds
    received = sum(total for _, total in watched.counts.values())
    end = start + max(watched.last, begin - start)
    return Row("", "events", counts, "", end - begin, received, "", begin, begin, end)


def _other_row(event: Event, at: float) -> Row | None:
    if isinstance(event, CacheHit):
        where = one_line(target(event.url) if event.url else event.path.rpartition("/")[2])
        return Row("", "cache", where, "hit", None, None, "not asked: cached", at, at, at)
    if isinstance(event, Planned):
        path = one_line(f"{event.request.method} {target(event.request.url)}")
        return Row(
            "", "planned", path, "unsent", None, None, one_line(event.assumed or "the plan ended here"), at, at, at
        )
    if isinstance(event, Throttled):
        path, why = one_line(target(event.request.url)), one_line(event.retry_reason or "client-side throttling")
        return Row("", "wait", path, "", event.seconds, None, why, at - event.seconds, at, at)
    if isinstance(event, Retrying) and event.phase == "after":
        path = one_line(target(event.request.url))
        return Row("", "retry", path, "", event.seconds, None, f"attempt {event.attempt}", at - event.seconds, at, at)
    if isinstance(event, WarningReceived):
        return Row("", "warning", "", "", None, None, one_line(event.text), at, at, at)
    return None


def table(found: list[Row], width: int) -> Table:
    """The rows as a rich table with a waterfall over their whole time. On a narrow terminal (`width` in columns) the
    path gets what the waterfall and the purpose give up."""
    from rich.table import Table
    from rich.text import Text

    begin = min(row.start for row in found)
    end = max(row.end for row in found)
    cells = _BAR if width >= _WIDE else max(8, min(_BAR, width // 8))
    headings = ("#", "VERB", "PATH", "STATUS", "TIME", "BYTES", "WATERFALL", "PURPOSE")[: 8 if width >= _WIDE else 7]
    result = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        result.add_column(
            heading,
            justify="right" if heading in ("#", "TIME", "BYTES") else "left",
            no_wrap=heading not in ("PATH", "PURPOSE"),
            overflow="fold",
        )
    for row in found:
        words = (row.number, row.verb, row.path, "", milliseconds(row.seconds), size(row.received), "", row.purpose)
        texts = [Text(word) for word in words]
        texts[3] = Text(row.status, style=_style(row.status))
        texts[6] = Text(bar(row, begin, end, cells), style="cyan")
        result.add_row(*texts[: len(headings)], style="" if row.number else "dim")
    return result


def _style(status: str) -> str:
    return {"2": "green", "3": "cyan", "4": "yellow", "5": "red", "e": "bold red"}.get(status[:1], "")


def bar(row: Row, begin: float, end: float, cells: int = _BAR) -> str:
    """When the row happened, in so many cells: waiting light, receiving solid."""
    scale = cells / (end - begin) if end > begin else 0.0
    first = min(int((row.start - begin) * scale), cells - 1)
    turn = max(first, min(int((row.wait - begin) * scale), cells - 1))
    last = max(first + 1, min(round((row.end - begin) * scale), cells))
    return " " * first + "".join("▒" if cell < turn else "█" for cell in range(first, last))


def line(row: Row) -> str:
    """One row without the others (a followed trace)."""
    cells = (row.number.rjust(4), row.status.ljust(5), milliseconds(row.seconds).rjust(8), size(row.received).rjust(10))
    return f"{'  '.join(cells)}  {row.verb} {row.path}{'  ' + row.purpose if row.purpose else ''}\n"


# --- one exchange -----------------------------------------------------------------------------------------------------


def full(recorded: Recorded) -> Iterator[str]:
    """Everything that the trace holds of one exchange."""
    exchange = recorded.exchange
    yield f"#{recorded.number}  {one_line(exchange.request.method)} {one_line(exchange.request.url)}\n"
    if exchange.request.purpose.sentence:
        yield f"{printable(exchange.request.purpose.sentence)}\n"
    yield from _message("Request", exchange.request.headers, exchange.request.body, "request" in recorded.cut)
    if exchange.response is not None:
        status = f"{exchange.response.status} {exchange.response.reason or ''}".strip()
        title = f"Response: {one_line(exchange.response.http_version)} {one_line(status)}"
        yield from _message(title, exchange.response.headers, exchange.body, "response" in recorded.cut)
        if exchange.body is None and "response" not in recorded.cut:
            yield f"\n  (streamed, not kept: {size(exchange.body_size) or 'size unknown'})\n"
    if recorded.frames is not None:
        yield from _frames(recorded.frames)
    if recorded.watched is not None:
        yield from _watched(recorded.watched)
    if exchange.error is not None:
        yield f"\nError: {printable(exchange.error)}\n"
    yield from _times(exchange.timings)
    connection = exchange.connection
    if connection.address:
        kept = "kept from an earlier exchange" if connection.reused else "new"
        yield f"\nConnection: {one_line(connection.address)}, {one_line(connection.tls_version or 'no TLS')}, {kept}\n"


def _message(title: str, headers: Headers, body: bytes | None, cut: bool) -> Iterator[str]:
    yield f"\n{title}\n"
    for name, value in headers:
        yield f"  {one_line(name)}: {one_line(value)}\n"
    if body:
        yield "\n" + "".join(f"  {text}\n" for text in printable(readable(body)).split("\n"))
    if cut:
        yield "  (the trace does not hold the whole body)\n"


def _frames(frames: Frames) -> Iterator[str]:
    yield f"\nFrames: {one_line(frames.protocol)} {one_line(frames.subprotocol)}".rstrip(": ") + "\n"
    for key, (count, total) in frames.counts.items():
        yield f"  {one_line(key)}: {count}, {size(total)}\n"
    if frames.first:
        yield "\n"
    for frame in frames.first:
        what = one_line(" ".join(word for word in (frame.direction, frame.type, frame.channel or "") if word))
        yield f"  {milliseconds(frame.seconds):>9}  {what}  {size(frame.size)}{_content(frame)}\n"
    if frames.total > len(frames.first):
        yield f"  … and {frames.total - len(frames.first)} more\n"


def _content(frame: Frame) -> str:
    """The beginning of what a frame carries, where the trace holds it (--unmask)."""
    if not frame.content:
        return ""
    text = one_line(frame.content.decode("utf-8", "replace"))
    return f"  {text[:_CONTENT]}{'…' if len(text) > _CONTENT else ''}"


def _watched(watched: WatchEvents) -> Iterator[str]:
    counts = ", ".join(f"{one_line(type)} {count} ({size(total)})" for type, (count, total) in watched.counts.items())
    yield f"\nWatch events: {counts}\n"
    for event in watched.first:
        yield f"  {milliseconds(event.seconds):>9}  {one_line(event_line(event))}  {size(event.size)}\n"
    if watched.total > len(watched.first):
        yield f"  … and {watched.total - len(watched.first)} more\n"


def _times(timings: Timings) -> Iterator[str]:
    known = [(name, getattr(timings, key)) for key, name in _PHASES if getattr(timings, key) is not None]
    if known:
        yield "\nTimes\n"
    for name, seconds in known:
        yield f"  {name:<18}{milliseconds(seconds):>9}\n"
