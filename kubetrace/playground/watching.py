"""Watches: changes of one resource as a stream of events, each seen exactly once and in order.

Resumes from a resourceVersion, starts with what is there, sends bookmarks, and ends with 410 Gone where the history
does not reach back (apiserver pkg/endpoints/handlers/watch.go).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from kubetrace.playground.storage import Change, Lost, Store
from kubetrace.serving.status import failure

BOOKMARK_SECONDS = 60.0
DEFAULT_SECONDS = 1800.0


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


def _line(kind: str, item: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"type": kind, "object": item}) + b"\n"


def _event(watch: Watch, change: Change) -> bytes | None:
    if watch.namespace and change.namespace != watch.namespace:
        return None
    now = change.kind != "DELETED" and watch.matches(change.object)
    before = change.before is not None and watch.matches(change.before)
    if now:
        return _line("MODIFIED" if before else "ADDED", watch.show(change.object))
    return _line("DELETED", watch.show(_last(change))) if before else None


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
            for chunk in _start(store, watch):
                yield chunk
        except Lost as error:
            yield _line("ERROR", failure(410, str(error), "Expired"))
            return
        async for chunk in _live(queue, watch, seen, store):
            yield chunk
    finally:
        store.unsubscribe(watch.resource, queue)


def _start(store: Store, watch: Watch) -> list[bytes]:
    if watch.since is not None:
        past = (_event(watch, change) for change in store.since(watch.resource, watch.since))
        return [chunk for chunk in past if chunk is not None]
    chunks = [_line("ADDED", watch.show(i)) for i in store.select(watch.resource, watch.namespace) if watch.matches(i)]
    if watch.initial_events:
        chunks.append(_line("BOOKMARK", watch.mark(store.version, True)))
    return chunks


async def _live(queue: asyncio.Queue[Change | None], watch: Watch, seen: int, store: Store) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    end = loop.time() + watch.seconds
    while (left := end - loop.time()) > 0:
        try:
            change = await asyncio.wait_for(queue.get(), min(left, BOOKMARK_SECONDS))
        except TimeoutError:
            if watch.bookmarks:
                yield _line("BOOKMARK", watch.mark(store.version, False))
            continue
        if change is None:
            yield _line("ERROR", failure(410, "the watcher was too slow", "Expired"))
            return
        if change.version > seen:
            chunk = _event(watch, change)
            if chunk is not None:
                yield chunk
