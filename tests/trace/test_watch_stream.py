"""A watch's body, however its bytes are cut: each event is told once, as soon as it is whole."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kubetrace.trace.body_text import readable
from kubetrace.trace.masking import Masker
from kubetrace.trace.watch_stream import LIMIT, Change, WatchReader
from tests.trace.test_frames import pieces
from tests.wire.test_protobuf import body, field

POD = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web", "namespace": "n", "resourceVersion": "7"}}
CBOR = [
    base64.b64decode(event)
    for event in json.loads((Path(__file__).parent / "data" / "watch-cbor.json").read_text())["events"]
]
"""What apimachinery writes (tests/tools/record_cbor.py)."""
GONE = {"kind": "Status", "metadata": {}, "message": "too old resource version: 1 (9)", "code": 410}


def told(stream: bytes, cuts: list[int], content_type: str = "application/json") -> list[Change]:
    found: list[Change] = []
    reader = WatchReader(content_type, found.append)
    for piece in pieces(stream, cuts):
        reader.feed(piece)
    return found


def line(type: str, object: dict[str, object]) -> bytes:
    return json.dumps({"type": type, "object": object}).encode() + b"\n"


def framed(type: str, object: bytes) -> bytes:
    event = field(1, type) + field(2, field(1, object))
    return len(event).to_bytes(4, "big") + event


@given(st.lists(st.integers(0, 2000), max_size=10))
def test_lines_of_json(cuts: list[int]) -> None:
    row = {"cells": ["web"], "object": {"kind": "PartialObjectMetadata", "metadata": POD["metadata"]}}
    table = {"kind": "Table", "metadata": {"resourceVersion": "7"}, "rows": [row]}
    events = [("ADDED", POD), ("MODIFIED", table), ("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "8"}})]
    lines = [line(type, object) for type, object in [*events, ("ERROR", GONE)]]
    assert told(b"".join(lines), cuts) == [
        Change("ADDED", "Pod", "n", "web", "7", "", len(lines[0]) - 1),
        Change("MODIFIED", "Table", "n", "web", "7", "", len(lines[1]) - 1),
        Change("BOOKMARK", "Pod", "", "", "8", "", len(lines[2]) - 1),
        Change("ERROR", "Status", "", "", "", "too old resource version: 1 (9)", len(lines[3]) - 1),
    ]


@given(st.lists(st.integers(0, 300), max_size=10))
def test_protobuf(cuts: list[int]) -> None:
    pod = body("v1", "Pod", field(1, field(1, "web") + field(3, "n") + field(6, "7")))
    status = body("v1", "Status", field(1, field(2, "8")) + field(3, "gone") + field(6, 410))
    stream = framed("DELETED", pod) + framed("ERROR", status)
    found = told(stream, cuts, "application/vnd.kubernetes.protobuf;stream=watch")
    assert found == [
        Change("DELETED", "Pod", "n", "web", "7", "", len(framed("", pod)) - 4 + len("DELETED")),
        Change("ERROR", "Status", "", "", "8", "gone", len(framed("", status)) - 4 + len("ERROR")),
    ]


@given(st.binary(max_size=300), st.sampled_from(["application/json", "application/vnd.kubernetes.protobuf", "x/cbor"]))
def test_garbage_harms_nobody(data: bytes, content_type: str) -> None:
    assert all(change.type == "ADDED" for change in told(data + b'\n{"type":"ADDED"}\n', [3, 9], content_type))


def test_what_cannot_be_read_is_passed_over() -> None:
    stream = b'{"type":7}\n{"type":"ECLIPSE"}\n{"type":"ADDED","object":null}\nnonsense\n' + line("DELETED", POD)
    assert [change.type for change in told(stream, [])] == ["ADDED", "DELETED"]


def test_an_event_without_end_is_not_held() -> None:
    found: list[Change] = []
    reader = WatchReader("application/json", found.append)
    for _ in range(3):
        reader.feed(b"x" * (LIMIT // 2))
    assert len(reader._held) <= LIMIT
    reader.feed(b"\n" + line("ADDED", POD))
    assert [change.name for change in found] == ["web"]


@given(st.lists(st.integers(0, 600), max_size=10))
def test_cbor(cuts: list[int]) -> None:
    assert told(b"".join(CBOR), cuts, "application/cbor-seq") == [
        Change("ADDED", "Pod", "shop", "web", "7", "", len(CBOR[0])),
        Change("MODIFIED", "Secret", "shop", "web", "7", "", len(CBOR[1])),
        Change("BOOKMARK", "Pod", "", "", "8", "", len(CBOR[2])),
        Change("ERROR", "Status", "", "", "", "gone", len(CBOR[3])),
    ]


@given(st.binary(max_size=200), st.lists(st.integers(0, 600), max_size=5))
def test_nothing_that_is_no_cbor_stops_a_watch(rubbish: bytes, cuts: list[int]) -> None:
    told(CBOR[0] + rubbish, cuts, "application/cbor-seq")
    readable(CBOR[0] + rubbish)


def test_cbor_is_shown_as_json() -> None:
    events = readable(b"".join(CBOR) + CBOR[0][:50])
    pod = json.loads(events[: events.index("\n}") + 2])
    assert pod["object"]["spec"]["priority"] == -70000
    assert '"k": "c2VjcmV0"' in events
    assert events.endswith("(50 bytes of CBOR that are not here as a whole)")
    masked = Masker().body(b"".join(CBOR), "https://x/api/v1/secrets?watch=1")
    assert b"secret" not in masked
    assert readable(masked).endswith("bytes of CBOR, masked)")
