"""Watch streams: what is an event, what is an end, what is an error."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.api import watch
from kubetrace.api.objects import Objects
from kubetrace.api.resources import GroupVersionKind, GroupVersionResource, Mapping
from kubetrace.api.status import StatusError
from kubetrace.api.verbs import ListOptions
from kubetrace.transport.errors import TransportError
from tests.api.fake import FakeAnswer, FakeServer, failure

PODS = Mapping(GroupVersionResource("", "v1", "pods"), GroupVersionKind("", "v1", "Pod"), True)


def line(kind: str, name: str, version: str = "1") -> bytes:
    metadata = {"name": name, "resourceVersion": version}
    return (
        json.dumps({"type": kind, "object": {"kind": "Pod", "apiVersion": "v1", "metadata": metadata}}).encode() + b"\n"
    )


STREAM = line("ADDED", "a", "1") + line("MODIFIED", "ä", "2") + line("BOOKMARK", "", "3") + line("DELETED", "a", "4")


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_events_do_not_depend_on_how_the_bytes_arrive(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[a:b] for a, b in itertools.pairwise(edges)]
    assert [event.type for event in watch.events(chunks)] == ["ADDED", "MODIFIED", "BOOKMARK", "DELETED"]


def test_a_torn_stream_is_an_end() -> None:
    def torn() -> Iterator[bytes]:
        yield line("ADDED", "a") + b'{"type":"ADD'
        raise TransportError("GET", "https://h/", "unexpected EOF", "eof")

    assert [event.type for event in watch.events(torn())] == ["ADDED"]
    assert [event.type for event in watch.events([line("ADDED", "a"), b'{"type":"ADD'])] == ["ADDED"]
    assert [event.type for event in watch.events([line("ADDED", "a").strip()])] == ["ADDED"]


def test_what_is_no_event_becomes_an_error_and_the_end() -> None:
    found = list(watch.events([b"<html>\n", line("ADDED", "a")]))
    assert [event.type for event in found] == ["ERROR"]
    assert str(found[0].error()) == (
        'an error on the server ("unable to decode an event from the watch stream: '
        "invalid character '<' looking for beginning of value\") has prevented the request from succeeding"
    )
    [event] = watch.events([b'{"type":"WHAT","object":{}}\n'])
    assert "got invalid watch event type: WHAT" in str(event.error())


def test_a_watch_is_one_streamed_call_and_its_answer_is_closed() -> None:
    answer = FakeAnswer(200, STREAM)
    server = FakeServer({"/api/v1/namespaces/ns/pods": answer})
    found = list(watch.watch_single(Objects(server), PODS, "ns", "a,b", "7"))
    assert len(found) == 4
    assert server.targets == [
        "GET /api/v1/namespaces/ns/pods?fieldSelector=metadata.name%3Da%5C%2Cb&resourceVersion=7&watch=true"
    ]
    assert server.calls[0].stream
    assert answer.closed


def test_a_refused_watch_raises_the_servers_words() -> None:
    server = FakeServer({"/api/v1/namespaces/ns/pods": failure(403, "Forbidden", "no watching")})
    with pytest.raises(StatusError, match="no watching"):
        list(watch.watch(Objects(server), PODS, "ns", ListOptions()))


def test_watching_on_resumes_after_the_last_event_and_starts_anew_after_410() -> None:
    gone: dict[str, Any] = {
        "type": "ERROR",
        "object": {"kind": "Status", "apiVersion": "v1", "code": 410, "reason": "Expired"},
    }
    streams = {
        "1": [line("ADDED", "a", "5"), line("BOOKMARK", "", "8")],
        "8": [json.dumps(gone).encode() + b"\n"],
        "20": [line("DELETED", "a", "21")],
        "21": [json.dumps({"type": "ERROR", "object": {"code": 500, "message": "broken"}}).encode()],
    }
    started: list[str] = []

    def start(version: str) -> Iterator[watch.WatchEvent]:
        started.append(version)
        return watch.events(streams[version])

    seen: list[str] = []
    with pytest.raises(StatusError, match="broken"):
        seen.extend(event.type for event in watch.watch_on(start, "1", lambda: "20"))
    found = watch.watch_on(start, "1", lambda: "20")
    assert [next(found).type, next(found).type] == ["ADDED", "DELETED"]
    assert started == ["1", "8", "20", "21", "1", "8", "20"]
