"""Frames as they pass: their kinds, sizes and channels, however the bytes are cut."""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from kubetrace.serving.spdy import dictionary
from kubetrace.trace.exchange import Direction
from kubetrace.trace.frames import frame_watcher

EXEC = "https://h/api/v1/namespaces/n/pods/p/exec?command=sh"
Told = tuple[str, str, int, str | None]


def watched(protocol: str, subprotocol: str, url: str = EXEC) -> tuple[Callable[[bool, bytes], None], list[Told]]:
    told: list[Told] = []

    def tell(direction: Direction, kind: str, size: int, channel: str | None, content: bytes | None) -> None:
        assert content is None
        told.append((direction, kind, size, channel))

    watcher = frame_watcher(protocol, subprotocol, url, tell)
    assert watcher is not None
    return watcher, told


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0, 1, 124, 125, 126, 70_000])), max_size=4),
    st.lists(st.integers(0, 90_000), max_size=8),
)
def test_websocket_frames_in_any_pieces(messages: list[tuple[int, int]], cuts: list[int]) -> None:
    client = Connection(ConnectionType.CLIENT)
    data = b"".join(client.send(BytesMessage(bytes([channel]) + b"x" * size)) for channel, size in messages)
    data += client.send(Ping(b"hi")) + client.send(CloseConnection(code=1000))
    watcher, told = watched("websocket", "v5.channel.k8s.io")
    for piece in pieces(data, cuts):
        watcher(True, piece)
    names = ("stdin", "stdout", "stderr", "error", "resize")
    assert told == [
        *(("sent", "binary", size + 1, names[channel]) for channel, size in messages),
        ("sent", "ping", 2, None),
        ("sent", "close", 2, None),
    ]


def test_a_message_in_fragments_stays_on_its_channel() -> None:
    server = Connection(ConnectionType.SERVER)
    data = server.send(BytesMessage(b"\x01he", message_finished=False)) + server.send(BytesMessage(b"llo"))
    watcher, told = watched("websocket", "v4.channel.k8s.io")
    watcher(False, data)
    assert told == [("received", "binary", 3, "stdout"), ("received", "continuation", 3, "stdout")]


def test_channels_of_other_subprotocols() -> None:
    client = Connection(ConnectionType.CLIENT)
    watcher, told = watched("WebSocket", "base64.channel.k8s.io")
    watcher(True, client.send(TextMessage("1aGk=")))
    assert told == [("sent", "text", 5, "stdout")]
    watcher, told = watched("websocket", "v5.channel.k8s.io")
    watcher(True, client.send(BytesMessage(b"\xff\x00")) + client.send(BytesMessage(b"\x09")))
    assert told == [("sent", "binary", 2, "close"), ("sent", "binary", 1, "9")]
    watcher, told = watched("websocket", "")
    watcher(True, client.send(BytesMessage(b"\x00")))
    assert told == [("sent", "binary", 1, None)]
    forward = "https://h/api/v1/namespaces/n/pods/p/portforward?ports=8080&ports=9090"
    watcher, told = watched("websocket", "v4.channel.k8s.io", forward)
    watcher(True, client.send(BytesMessage(b"\x00a")) + client.send(BytesMessage(b"\x03b")))
    assert [channel for _, _, _, channel in told] == ["data 8080", "error 9090"]


class Speaker:
    """One end of a SPDY connection."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=dictionary())

    def _control(self, kind: int, payload: bytes) -> bytes:
        return struct.pack(">HHI", 0x8003, kind, len(payload)) + payload

    def _block(self, headers: dict[str, str]) -> bytes:
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            block += struct.pack(">I", len(name)) + name.encode() + struct.pack(">I", len(value)) + value.encode()
        return self._deflate.compress(block) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def open(self, stream: int, headers: dict[str, str]) -> bytes:
        return self._control(1, struct.pack(">IIH", stream, 0, 0) + self._block(headers))

    def accept(self, stream: int) -> bytes:
        return self._control(2, struct.pack(">I", stream) + self._block({}))

    def data(self, stream: int, content: bytes) -> bytes:
        return struct.pack(">II", stream, len(content)) + content

    def ping(self) -> bytes:
        return self._control(6, b"\0\0\0\1")


@given(st.lists(st.integers(0, 3000), max_size=10))
def test_spdy_frames_in_any_pieces(cuts: list[int]) -> None:
    client, server = Speaker(), Speaker()
    sent = client.open(1, {"streamtype": "error"}) + client.open(3, {"streamtype": "stdin"})
    sent += client.data(3, b"x" * 1000) + client.ping() + client.data(9, b"")
    watcher, told = watched("SPDY/3.1", "v4.channel.k8s.io")
    for piece in pieces(sent, cuts):
        watcher(True, piece)
    watcher(False, server.accept(1) + server.accept(3) + server.data(3, b"hi"))
    assert [(direction, kind, channel) for direction, kind, _, channel in told] == [
        ("sent", "syn_stream", "error"),
        ("sent", "syn_stream", "stdin"),
        ("sent", "data", "stdin"),
        ("sent", "ping", None),
        ("sent", "data", "9"),
        ("received", "syn_reply", "error"),
        ("received", "syn_reply", "stdin"),
        ("received", "data", "stdin"),
    ]
    assert told[2][2] == 1000 and told[3][2] == 4


def test_spdy_within_websocket() -> None:
    outer, inner = Connection(ConnectionType.CLIENT), Speaker()
    opened = inner.open(1, {"streamtype": "data", "port": "80", "requestid": "0"}) + inner.data(1, b"GET /")
    watcher, told = watched("websocket", "SPDY/3.1+portforward.k8s.io")
    watcher(True, outer.send(BytesMessage(opened[:20])) + outer.send(Ping()) + outer.send(BytesMessage(opened[20:])))
    assert [(kind, channel) for _, kind, _, channel in told] == [
        ("ping", None),
        ("syn_stream", "data 80"),
        ("data", "data 80"),
    ]


@given(st.binary(max_size=300), st.sampled_from(["websocket", "SPDY/3.1"]))
def test_garbage_harms_nobody(data: bytes, protocol: str) -> None:
    for subprotocol in ("", "v5.channel.k8s.io", "SPDY/3.1+portforward.k8s.io"):
        watcher, _ = watched(protocol, subprotocol)
        watcher(True, data)
        watcher(False, b"\x80\x03\x00\x01" + data)


def test_broken_headers_cost_the_names_and_nothing_else() -> None:
    client = Speaker()
    watcher, told = watched("SPDY/3.1", "")
    broken = struct.pack(">HHI", 0x8003, 1, 20) + struct.pack(">IIH", 1, 0, 0) + b"no zlib!!!"
    watcher(True, broken + client.open(3, {"streamtype": "stdin"}) + client.data(3, b"x"))
    assert [(kind, channel) for _, kind, _, channel in told] == [
        ("syn_stream", "1"),
        ("syn_stream", "3"),
        ("data", "3"),
    ]


def test_a_protocol_that_nobody_here_reads() -> None:
    assert frame_watcher("h2c", "", EXEC, lambda *told: pytest.fail("nothing to tell")) is None


def contents(
    protocol: str, subprotocol: str, sent: bytes, cuts: list[int], keep: int
) -> list[tuple[str | None, object]]:
    found: list[tuple[str | None, object]] = []
    watcher = frame_watcher(protocol, subprotocol, EXEC, lambda *told: found.append(told[3:]), keep)
    assert watcher is not None
    for piece in pieces(sent, cuts):
        watcher(True, piece)
    return found


@given(st.lists(st.integers(0, 700), max_size=10))
def test_what_frames_carry_where_somebody_asks(cuts: list[int]) -> None:
    client = Connection(ConnectionType.CLIENT)
    sent = client.send(BytesMessage(b"\0ls\n")) + client.send(BytesMessage(b"\1" + b"x" * 500))
    sent += client.send(BytesMessage(b"\2he", message_finished=False)) + client.send(BytesMessage(b"llo"))
    sent += client.send(Ping())
    kept = [("stdin", b"ls\n"), ("stdout", b"x" * 10), ("stderr", b"he"), ("stderr", b"llo"), (None, b"")]
    assert contents("websocket", "v5.channel.k8s.io", sent, cuts, 10) == kept
    speaker = Speaker()
    sent = speaker.open(1, {"streamtype": "stdin"}) + speaker.data(1, b"ls\n") + speaker.data(1, b"x" * 500)
    sent += speaker.data(1, b"") + speaker.ping()
    kept = [("stdin", None), ("stdin", b"ls\n"), ("stdin", b"x" * 10), ("stdin", b""), (None, None)]
    assert contents("SPDY/3.1", "v4.channel.k8s.io", sent, cuts, 10) == kept
