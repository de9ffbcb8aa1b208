"""Watch streams as events, and watching on after a stream ended.

Decoding is client-go's (rest/watch/decoder.go, apimachinery watch/streamwatcher.go): a stream that ends, whole or torn,
is an end and no error; what can't be decoded becomes an ERROR event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kubetrace.api import status, verbs
from kubetrace.api.go_words import json_problem, quoted
from kubetrace.api.metadata import text
from kubetrace.api.objects import Objects
from kubetrace.api.resources import Mapping
from kubetrace.errors import KubetraceError
from kubetrace.trace.events import Events
from kubetrace.trace.exchange import UNSTATED, Note, Purpose
from kubetrace.transport.call import Answer
from kubetrace.transport.errors import TransportError
from kubetrace.value import Value, replace

_TIMED_OUT = "net/http: request canceled (Client.Timeout or context cancellation while reading body)"
TYPES = ("ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR")


class WatchEvent(Value):
    """One change. `object` is the object after it; for ERROR a Status. `undecodable` when nobody sent it: it stands for
    what could not be read."""

    type: str
    object: dict[str, Any]
    undecodable: bool = False

    @property
    def resource_version(self) -> str:
        return text(self.object, "resourceVersion")

    def error(self) -> status.StatusError:
        """The error in an ERROR event."""
        return status.StatusError(self.object)


def events(chunks: Iterable[bytes], observers: Events | None = None) -> Iterator[WatchEvent]:
    """The events in a stream's bytes, each as soon as it is whole. Ends where the stream does; `observers` are told
    where that was a time that ran out."""
    for line in _lines(chunks, observers):
        event = _event(line)
        yield event
        if event.undecodable:
            return


def _lines(chunks: Iterable[bytes], observers: Events | None) -> Iterator[bytes]:
    """Newline-delimited JSON texts; the last may lack its newline."""
    rest: list[bytes] = []
    try:
        for chunk in chunks:
            first, *others = chunk.split(b"\n")
            rest.append(first)
            for other in others:
                line = b"".join(rest)
                rest = [other]
                if line.strip():
                    yield line
    except TransportError as error:
        if observers is not None and error.kind == "timeout":
            observers.emit(Note("watch-undecodable", {"error": _TIMED_OUT}))
        return
    last = b"".join(rest)
    if _is_whole(last):
        yield last


def _is_whole(text: bytes) -> bool:
    from kubetrace.wire.go_json import InvalidJSON, loads

    try:
        loads(text)
    except InvalidJSON:
        return False
    return True


def _event(line: bytes) -> WatchEvent:
    from kubetrace.wire.go_json import InvalidJSON, dumps_in_order, loads

    try:
        value = loads(line)
    except InvalidJSON:
        return _undecodable(json_problem(line))
    if not isinstance(value, dict) or value.get("type") not in TYPES:
        kind = value.get("type") if isinstance(value, dict) else value
        return _undecodable(f"got invalid watch event type: {kind or ''}")
    item = value.get("object")
    found = item if isinstance(item, dict) else {}
    missing = "Kind" if not found.get("kind") else "apiVersion" if not found.get("apiVersion") else ""
    if missing:
        body = dumps_in_order(item).decode()
        return _undecodable(f"unable to decode watch event: Object '{missing}' is missing in '{body}'")
    return WatchEvent(value["type"], found)


def _undecodable(problem: str) -> WatchEvent:
    """What client-go makes of it: an error of the server's (apierrors.NewClientErrorReporter)."""
    words = f"unable to decode an event from the watch stream: {problem}"
    causes = [{"reason": reason, "message": words} for reason in ("UnexpectedServerResponse", "ClientWatchDecoding")]
    refused = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"an error on the server ({quoted(words)}) has prevented the request from succeeding",
        "reason": "InternalError",
        "details": {"causes": causes},
        "code": 500,
    }
    return WatchEvent("ERROR", refused, undecodable=True)


def watch(
    objects: Objects,
    mapping: Mapping,
    namespace: str,
    options: verbs.ListOptions,
    *,
    purpose: Purpose = UNSTATED,
    timeout: float | None = None,
) -> Iterator[WatchEvent]:
    """One watch call and its events, until the stream ends or the caller closes the iterator. `timeout` (seconds)
    bounds the whole stream. Raises StatusError where the server refuses."""
    call = verbs.watch(mapping, namespace, options, purpose=purpose)
    if timeout is not None:
        call = replace(call, timeout=timeout)
    answer: Answer = objects.sender.send(objects.transform(call) if objects.transform else call)
    if answer.status != 200:
        try:
            if not status.is_success(answer.status):
                raise status.failure(answer, mapping.resource.group_resource, events=objects.events)
            raise KubetraceError(f"for request {answer.url}, got status: {answer.status}")
        finally:
            answer.close()
    try:
        yield from events(answer.chunks())
    finally:
        answer.close()


def watch_single(
    objects: Objects,
    mapping: Mapping,
    namespace: str,
    name: str,
    resource_version: str,
    *,
    purpose: Purpose = UNSTATED,
) -> Iterator[WatchEvent]:
    """One object's changes (resource.Helper.WatchSingle)."""
    options = verbs.ListOptions(
        field_selector=f"metadata.name={verbs.escaped_value(name)}", resource_version=resource_version
    )
    return watch(objects, mapping, namespace, options, purpose=purpose)


def watch_on(
    start: Callable[[str], Iterator[WatchEvent]], resource_version: str, relist: Callable[[], str]
) -> Iterator[WatchEvent]:
    """Events of as many streams as it takes: a stream that ends is resumed after the last event seen (bookmarks
    count, and are not handed on); after 410 or an expired version `relist` names a new version to start from."""
    while True:
        for event in start(resource_version):
            if event.type == "ERROR":
                error = event.error()
                if not (status.is_gone(error) or status.is_expired(error)):
                    raise error
                resource_version = relist()
                break
            resource_version = event.resource_version or resource_version
            if event.type != "BOOKMARK":
                yield event
