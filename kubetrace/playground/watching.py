"""Watches: changes of one resource as a stream of events, each seen exactly once and in order.

Resumes from a resourceVersion, starts with what is there, sends bookmarks, and ends with 410 Gone where the history
does not reach back (apiserver pkg/endpoints/handlers/watch.go).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from kubetrace.playground.encoding import html_safe
from kubetrace.playground.status import ApiError
from kubetrace.playground.storage import Change, Lost, Store
from kubetrace.serving.status import failure

BOOKMARK_SECONDS = 60.0
DEFAULT_SECONDS = 1800.0
_BATCH, _BATCH_BYTES = 100, 1 << 18
"""How many events are sent in one piece at most, and after how many bytes no more are added."""
_LAST_BOOKMARK_SECONDS = 2.0
"""So long before a watch ends there is one more bookmark (nextBookmarkTime in cacher/cache_watcher.go)."""
_PAUSE_SECONDS = 0.01
"""In a burst of changes a watcher waits that long for more of them: a hundred watchers cost a write each."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched; `show` turns an object into the form that the client asked for."""

    resource: str
    namespace: str
    matches: Callable[[dict[str, Any]], bool]
    show: Callable[[dict[str, Any]], dict[str, Any]]
    mark: Callable[[int, bool], dict[str, Any]]
    """The object of a bookmark: version, and whether the initial events end with it."""
    since: int | None = None
    """None: start with the objects that are there."""
    initial_events: bool = False
    bookmarks: bool = False
    seconds: float = DEFAULT_SECONDS
    form: Hashable = None
    """Watches of the same form show an object in the same bytes; None: this one's are its own."""


def _line(kind: str, item: dict[str, Any]) -> bytes:
    return html_safe(msgspec.json.encode({"type": kind, "object": item})) + b"\n"


def _event(watch: Watch, change: Change) -> bytes | None:
    if watch.namespace and change.namespace != watch.namespace:
        return None
    now = change.kind != "DELETED" and watch.matches(change.object)
    before = change.before is not None and watch.matches(change.before)
    if not now and not before:
        return None
    kind = ("MODIFIED" if before else "ADDED") if now else "DELETED"
    line = change.lines.get((kind, watch.form)) if watch.form is not None else None
    if line is None:
        line = _line(kind, watch.show(change.object if now else _last(change)))
        if watch.form is not None:
            change.lines[(kind, watch.form)] = line
    return line


def _last(change: Change) -> dict[str, Any]:
    """An object that left a selection is shown as it was, with the version of its leaving."""
    item = change.object if change.kind == "DELETED" else change.before or change.object
    return item | {"metadata": item["metadata"] | {"resourceVersion": str(change.version)}}


async def events(store: Store, watch: Watch) -> AsyncIterator[bytes]:
    """The stream's chunks, a JSON event a line."""
    queue = store.subscribe(watch.resource)
    try:
        seen = store.version
        try:
            for chunk in _start(store, watch, seen):
                yield chunk
        except Lost as error:
            yield _line("ERROR", failure(410, str(error), "Expired"))
            return
        async for chunk in _live(queue, watch, seen, store):
            yield chunk
    except ApiError:  # an event that is not to be had in the wanted form: the stream ends
        return
    finally:
        store.unsubscribe(watch.resource, queue)


def _start(store: Store, watch: Watch, version: int) -> Iterator[bytes]:
    """What a watch starts with, line by line: the store is asked before the first one, at `version`."""
    if watch.since is not None:
        past = (_event(watch, change) for change in store.since(watch.resource, watch.since))
        yield from filter(None, past)
        return
    for item in store.select(watch.resource, watch.namespace):
        if watch.matches(item):
            yield _line("ADDED", watch.show(item))
    if watch.initial_events and watch.bookmarks:
        yield _line("BOOKMARK", watch.mark(version, True))


async def _live(queue: asyncio.Queue[Change | None], watch: Watch, seen: int, store: Store) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    end, sent = loop.time() + watch.seconds, 0.0
    marked, unmarked = loop.time(), watch.since is None and not watch.initial_events
    while (left := end - loop.time()) > 0:
        due = marked + BOOKMARK_SECONDS
        if left > _LAST_BOOKMARK_SECONDS:
            due = min(due, end - _LAST_BOOKMARK_SECONDS)
        pause = min(left, max(0.0, due - loop.time())) if watch.bookmarks else left
        try:
            async with asyncio.timeout(pause):
                change = await queue.get()
        except TimeoutError:
            if watch.bookmarks and loop.time() < end:
                yield _line("BOOKMARK", watch.mark(store.version, unmarked))
                marked, unmarked = loop.time(), False
            continue
        if loop.time() - sent < 2 * _PAUSE_SECONDS:
            await asyncio.sleep(_PAUSE_SECONDS)
        sent = loop.time()
        chunk, change = _batch(queue, watch, seen, change)
        if chunk:
            yield chunk
        if change is None:
            yield _line("ERROR", failure(410, "the watcher was too slow", "Expired"))
            return


def _batch(
    queue: asyncio.Queue[Change | None], watch: Watch, seen: int, change: Change | None
) -> tuple[bytes, Change | None]:
    """The events of `change` and of what waits behind it, in one piece, and the last change; None where the watcher
    fell behind."""
    lines: list[bytes] = []
    count = size = 0
    while change is not None:
        count += 1
        line = _event(watch, change) if change.version > seen else None
        if line is not None:
            lines.append(line)
            size += len(line)
        if queue.empty() or count >= _BATCH or size >= _BATCH_BYTES:
            break
        change = queue.get_nowait()
    return b"".join(lines), change
