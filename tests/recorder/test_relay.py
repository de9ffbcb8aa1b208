"""What goes through the recorder: every kind of message, both ways, to the byte, and told as it was."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable

import pytest

from kubetrace.kubeconfig.connection import Connection, Impersonation
from kubetrace.trace.exchange import (
    CallStarted,
    Frame,
    RequestSent,
    ResponseBody,
    ResponseReceived,
    Upgraded,
    WatchEventReceived,
)
from tests.recorder.conftest import BEARER, Wrap, until
from tests.transport.scripted import Authority, ScriptedServer, reply, reset, then_close

Serve = Callable[..., ScriptedServer]


def test_a_get_and_its_story(wrap: Wrap, served: Serve) -> None:
    server = served(reply(b'{"kind":"NamespaceList"}', headers=(("Audit-Id", "a1"),)))
    wrapped = wrap(server, token="real-token")
    head, body = wrapped.client().get("/api/v1/namespaces?limit=5", headers="user-agent: test\r\nAccept: a/b\r\n")
    assert head.startswith("HTTP/1.1 200 OK\r\n") and "Audit-Id: a1\r\n" in head
    assert body == b'{"kind":"NamespaceList"}'
    asked = server.asked[0]
    assert asked.line == "GET /api/v1/namespaces?limit=5 HTTP/1.1"
    assert asked.headers == [
        ("Host", f"127.0.0.1:{server.port}"),
        ("Authorization", "Bearer real-token"),
        ("user-agent", "test"),
        ("Accept", "a/b"),
    ]
    exchange = wrapped.exchanges()[0]
    assert exchange.request.url == f"{server.url}/api/v1/namespaces?limit=5"
    assert exchange.request.operation == "list" and "host" in exchange.request.unlogged
    assert ("User-Agent", "test") in exchange.request.headers
    assert exchange.response is not None and exchange.response.status == 200
    assert exchange.body == body and exchange.body_size == len(body) and exchange.error is None
    assert exchange.connection.tls_version == "TLSv1.3" and not exchange.connection.reused
    kinds = [type(event).__name__ for event in wrapped.events]
    assert kinds == [
        *("CallStarted", "RequestSent", "Dialed", "TLSEstablished"),
        *("ResponseReceived", "ResponseBody", "ExchangeEnded"),
    ]


def test_both_connections_are_kept(wrap: Wrap, served: Serve) -> None:
    server = served(reply())
    wrapped = wrap(server)
    client = wrapped.client()
    for _ in range(3):
        assert client.get()[0].startswith("HTTP/1.1 200")
    other = wrapped.client()
    assert other.get()[0].startswith("HTTP/1.1 200")
    assert server.connections == 1
    assert [exchange.connection.reused for exchange in wrapped.exchanges(4)] == [False, True, True, True]


def test_without_observers_nothing_is_told(wrap: Wrap, served: Serve) -> None:
    wrapped = wrap(served(reply()), observe=False)
    assert wrapped.client().get()[1] == b"{}"
    assert wrapped.events == [] and wrapped.recorder.requests == 1


def test_head_204_and_304_have_no_body(wrap: Wrap, served: Serve) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    server = served(
        head, b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", reply()
    )
    wrapped = wrap(server)
    client = wrapped.client()
    assert "Content-Length: 1000" in client.get(method="HEAD")[0]
    assert client.get()[0].startswith("HTTP/1.1 204")
    client.send(f"GET / HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    assert client.head().startswith("HTTP/1.1 304")
    assert client.get()[1] == b"{}"
    assert server.connections == 1 and [each.body for each in wrapped.exchanges(4)] == [b"", b"", b"", b"{}"]


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    b'6;note="x"\r\n{"a":1\r\n1\r\n}\r\n0\r\nX-Sum: 7\r\nX-More: 8\r\n\r\n'
)


def test_chunks_extensions_and_trailers_pass_as_they_are(wrap: Wrap, served: Serve) -> None:
    server = served(CHUNKED, reply())
    wrapped = wrap(server)
    client = wrapped.client()
    client.send(f"GET /a HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    assert client.file.read(len(CHUNKED)) == CHUNKED
    assert client.get()[1] == b"{}"
    assert server.connections == 1 and wrapped.exchanges(2)[0].body == b'{"a":1}'


def test_any_cut_of_an_answer_is_put_together(wrap: Wrap, served: Serve) -> None:
    def byte_by_byte(connection: socket.socket) -> None:
        for index in range(len(CHUNKED)):
            connection.sendall(CHUNKED[index : index + 1])

    wrapped = wrap(served(byte_by_byte))
    client = wrapped.client()
    client.send(f"GET /a HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    assert client.file.read(len(CHUNKED)) == CHUNKED
    assert wrapped.exchanges()[0].body == b'{"a":1}'


def test_a_body_that_ends_with_the_connection(wrap: Wrap, served: Serve) -> None:
    def farewell(connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")
        connection.unwrap()
        raise OSError("closed")

    wrapped = wrap(served(farewell))
    client = wrapped.client()
    client.send(f"GET / HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    assert client.rest() == b"HTTP/1.0 200 OK\r\n\r\nuntil the end"
    assert wrapped.exchanges()[0].error is None


def test_a_body_that_would_end_with_the_connection_but_is_cut_off(wrap: Wrap, served: Serve) -> None:
    wrapped = wrap(served(then_close(b"HTTP/1.0 200 OK\r\n\r\nuntil the e")))
    client = wrapped.client()
    client.send(f"GET / HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    with pytest.raises(OSError):
        client.rest()
    assert wrapped.exchanges()[0].error == "unexpected EOF"


def test_interim_answers_pass(wrap: Wrap, served: Serve) -> None:
    wrapped = wrap(served(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + reply()))
    client = wrapped.client()
    client.send(f"GET / HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    assert client.head() == "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n"
    assert client.answer()[1] == b"{}"
    assert len(wrapped.told(ResponseReceived)) == 1


def test_a_client_that_waits_for_100_continue_gets_the_servers(wrap: Wrap, authority: Authority) -> None:
    got: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection = authority.server().wrap_socket(listener.accept()[0], server_side=True)
        file = connection.makefile("rb")
        while file.readline() != b"\r\n":
            pass
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        got.append(file.read(5))
        connection.sendall(reply(b"done", "201 Created"))
        file.close()
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    wrapped = wrap(Connection(url, certificate_authority_data=authority.pem))
    client = wrapped.client()
    client.send(
        f"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\n{BEARER}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    )
    assert client.head() == "HTTP/1.1 100 Continue\r\n"
    assert not got
    client.send("hello")
    assert client.answer()[1] == b"done" and got == [b"hello"]
    thread.join(5)
    listener.close()
    assert wrapped.exchanges()[0].request.body == b"hello"


def test_a_request_body_is_told_before_the_request(wrap: Wrap, served: Serve) -> None:
    server = served(reply(status="201 Created"))
    wrapped = wrap(server)
    client = wrapped.client()
    client.send(f"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\n{BEARER}Content-Length: 15\r\n\r\n")
    client.send(b'{"kind":"Pod"} ')
    assert client.answer()[0].startswith("HTTP/1.1 201")
    assert server.asked[0].body == b'{"kind":"Pod"} '
    started, sent = wrapped.told(CallStarted)[0], wrapped.told(RequestSent)[0]
    assert isinstance(started, CallStarted) and isinstance(sent, RequestSent)
    assert started.request.body == sent.request.body == b'{"kind":"Pod"} '


def test_a_chunked_request_is_streamed(wrap: Wrap, authority: Authority) -> None:
    """Its first chunk reaches the server before the last one is sent."""
    listener = socket.create_server(("127.0.0.1", 0))
    first = threading.Event()
    wire = b"3\r\nabc\r\n0\r\n\r\n"
    got: list[bytes] = []

    def serve() -> None:
        connection = authority.server().wrap_socket(listener.accept()[0], server_side=True)
        file = connection.makefile("rb")
        while file.readline() != b"\r\n":
            pass
        got.append(file.read(8))
        first.set()
        got.append(file.read(5))
        connection.sendall(reply())
        file.close()
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    wrapped = wrap(Connection(url, certificate_authority_data=authority.pem))
    client = wrapped.client()
    client.send(f"POST /x HTTP/1.1\r\nHost: x\r\n{BEARER}Transfer-Encoding: chunked\r\n\r\n".encode() + wire[:8])
    assert first.wait(5)
    client.send(wire[8:])
    assert client.answer()[1] == b"{}"
    thread.join(5)
    listener.close()
    assert b"".join(got) == wire and wrapped.exchanges()[0].request.body == b"abc"


def test_a_watch_comes_event_by_event(wrap: Wrap, served: Serve) -> None:
    go = threading.Event()
    event = b'{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"web","resourceVersion":"7"}}}\n'

    def watch(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"%x\r\n%s\r\n" % (len(event), event))
        go.wait(5)
        connection.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(event), event))

    wrapped = wrap(served(watch))
    client = wrapped.client()
    client.send(f"GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    assert client.head().startswith("HTTP/1.1 200")
    assert client.file.readline() + client.file.readline() == b"%x\r\n%s" % (len(event), event)
    until(lambda: len(wrapped.told(WatchEventReceived)) == 1)  # told as it comes, not when the watch ends
    go.set()
    assert client.file.read(2 + 4 + len(event) + 2 + 5).endswith(b"0\r\n\r\n")
    exchange = wrapped.exchanges()[0]
    assert exchange.request.operation == "watch" and exchange.body == event * 2
    assert wrapped.told(ResponseBody) == []  # kubectl's log shows no stream's body
    changes = [each for each in wrapped.told(WatchEventReceived) if isinstance(each, WatchEventReceived)]
    assert [(each.type, each.kind, each.name, each.resource_version) for each in changes] == [
        ("ADDED", "Pod", "web", "7"),
        ("ADDED", "Pod", "web", "7"),
    ]


def test_of_a_long_body_only_the_beginning_is_kept(wrap: Wrap, served: Serve) -> None:
    text = json.dumps({"kind": "PodList", "items": ["x" * 100] * 10_000}).encode()
    packed = gzip.compress(text)
    server = served(reply(text), reply(packed, headers=(("Content-Encoding", "gzip"),)))
    wrapped = wrap(server, keep=1000)
    client = wrapped.client()
    assert client.get()[1] == text and client.get()[1] == packed
    for exchange, event in zip(wrapped.exchanges(2), wrapped.told(ResponseBody), strict=True):
        assert isinstance(event, ResponseBody) and event.size == len(text)
        assert exchange.body == event.body == text[:1000] and exchange.body_size == len(text)


def test_many_small_bodies_unzipped_are_no_bomb(wrap: Wrap, served: Serve) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    wrapped = wrap(served(reply(bomb, headers=(("Content-Encoding", "gzip"),))), keep=10)
    assert wrapped.client().get()[1] == bomb
    exchange = wrapped.exchanges()[0]
    assert exchange.body == b"\0" * 10 and exchange.body_size == 50_000_000


def test_a_body_that_is_no_gzip_after_all(wrap: Wrap, served: Serve) -> None:
    wrapped = wrap(served(reply(b"plain", headers=(("Content-Encoding", "gzip"),))))
    assert wrapped.client().get()[1] == b"plain"
    assert wrapped.exchanges()[0].error is None


def test_requests_sent_ahead_are_answered_in_turn(wrap: Wrap, served: Serve) -> None:
    server = served(reply(b"1"), reply(b"22"), reply(b"333"))
    client = wrap(server).client()
    client.send(f"GET /1 HTTP/1.1\r\nHost: x\r\n{BEARER}\r\nGET /2 HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    client.send(f"GET /3 HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    assert [client.answer()[1] for _ in range(3)] == [b"1", b"22", b"333"]
    assert [asked.line.split()[1] for asked in server.asked] == ["/1", "/2", "/3"]


def test_connection_close_is_obeyed_on_both_sides(wrap: Wrap, served: Serve) -> None:
    server = served(reply(headers=(("Connection", "close"),)), reply())
    wrapped = wrap(server)
    client = wrapped.client()
    assert client.get()[1] == b"{}"
    assert client.rest() == b""
    client = wrapped.client()
    assert client.get(headers="Connection: close\r\n")[1] == b"{}"
    assert client.rest() == b"" and server.asked[1].values("connection") == ["close"]


# --- things that break ------------------------------------------------------------------------------------------------


def test_a_server_that_dies_in_a_body_takes_the_client_along(wrap: Wrap, served: Serve) -> None:
    cut = reply(b"half", length=100)
    wrapped = wrap(served(then_close(cut)))
    client = wrapped.client()
    client.send(f"GET / HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    assert client.file.read(len(cut)) == cut
    with pytest.raises(OSError):  # no word of farewell: what has come is not all
        client.socket.recv(1)
    exchange = wrapped.exchanges()[0]
    assert exchange.error == "unexpected EOF" and exchange.body == b"half"


def test_a_server_that_dies_between_chunks_is_no_end(wrap: Wrap, served: Serve) -> None:
    cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"
    wrapped = wrap(served(then_close(cut)))
    client = wrapped.client()
    client.send(f"GET / HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    assert client.file.read(len(cut)) == cut
    with pytest.raises(OSError):
        client.socket.recv(1)
    assert wrapped.exchanges()[0].error == "unexpected EOF"


@pytest.mark.parametrize("tls", [True, False])
def test_a_reset_stays_a_reset(wrap: Wrap, served: Serve, tls: bool) -> None:
    wrapped = wrap(served(reset, tls=tls))
    client = wrapped.client()
    client.send(f"GET / HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    with pytest.raises(OSError) as raised:
        client.socket.recv(1)
    assert "UNEXPECTED_EOF" not in str(raised.value)  # which would be a connection that ends without TLS's farewell
    error = wrapped.exchanges()[0].error
    assert error is not None and error.endswith("read: connection reset by peer")


def test_no_answer_at_all_is_an_end_without_answer(wrap: Wrap, served: Serve) -> None:
    wrapped = wrap(served(then_close(b"")))
    client = wrapped.client()
    client.send(f"POST / HTTP/1.1\r\nHost: x\r\n{BEARER}Content-Length: 2\r\n\r\n{{}}")
    with pytest.raises(OSError):
        client.socket.recv(1)
    exchange = wrapped.exchanges()[0]
    assert exchange.error == "EOF" and exchange.response is None


def test_a_dead_server_is_a_502_and_one_line(wrap: Wrap) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    wrapped = wrap(Connection(f"https://127.0.0.1:{port}"))
    client = wrapped.client()
    words = f"cannot reach https://127.0.0.1:{port}: dial tcp 127.0.0.1:{port}: connect: connection refused"
    for _ in range(2):
        head, body = client.get()
        status = json.loads(body)
        assert head.startswith("HTTP/1.1 502 Bad Gateway\r\n")
        assert (status["kind"], status["code"], status["reason"]) == ("Status", 502, "BadGateway")
        assert status["message"] == f"kubetrace: {words}"
    assert wrapped.warnings == [f"kubetrace: {words}"]
    assert wrapped.exchanges(2)[0].error == f"dial tcp 127.0.0.1:{port}: connect: connection refused"


def test_a_server_that_is_not_trusted_is_a_502(wrap: Wrap, served: Serve) -> None:
    server = served(reply())
    wrapped = wrap(Connection(server.url, certificate_authority_data=Authority().pem))
    body = wrapped.client().get()[1]
    assert "x509: certificate signed by unknown authority" in json.loads(body)["message"]
    assert server.asked == []


def test_what_is_no_http_is_said_and_ended(wrap: Wrap, served: Serve) -> None:
    wrapped = wrap(served(b"SSH-2.0-OpenSSH\r\n\r\n"))
    client = wrapped.client()
    client.send(f"GET / HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    with pytest.raises(OSError):
        client.socket.recv(1)
    assert 'malformed HTTP response "SSH-2.0-OpenSSH"' in (wrapped.exchanges()[0].error or "")


def test_a_client_that_leaves_cancels_its_request(wrap: Wrap, served: Serve) -> None:
    gone = threading.Event()

    def wait(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if connection.recv(1) == b"":
                gone.set()
        raise OSError("closed")

    wrapped = wrap(served(wait))
    client = wrapped.client()
    client.send(f"GET /api/v1/pods?watch=true HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    until(lambda: wrapped.told(RequestSent) != [])
    time.sleep(0.05)
    client.close()
    assert gone.wait(5)
    assert wrapped.exchanges()[0].error == "context canceled"


def test_a_kept_connection_that_has_died_is_replaced_unseen(wrap: Wrap, served: Serve) -> None:
    server = served(then_close(reply(b"1")), reply(b"2"))
    wrapped = wrap(server)
    client = wrapped.client()
    assert client.get()[1] == b"1"
    time.sleep(0.1)
    assert client.get()[1] == b"2"
    assert server.connections == 2 and len(wrapped.exchanges(2)) == 2


def test_a_kept_connection_that_dies_under_a_request_is_replaced_for_reads_only(wrap: Wrap, served: Serve) -> None:
    server = served(reply(b"1"), then_close(b""), reply(b"2"), then_close(b""))
    wrapped = wrap(server)
    client = wrapped.client()
    assert client.get()[1] == b"1" and client.get()[1] == b"2"
    client.send(f"POST / HTTP/1.1\r\nHost: x\r\n{BEARER}Content-Length: 2\r\n\r\n{{}}")
    with pytest.raises(OSError):
        client.socket.recv(1)
    assert len(server.asked) == 4


def test_an_answer_before_the_body_was_sent(wrap: Wrap, served: Serve) -> None:
    def early(connection: socket.socket) -> None:
        connection.sendall(reply(b"too large", "413 Request Entity Too Large", (("Connection", "close"),)))
        time.sleep(0.2)
        raise OSError("closed")

    wrapped = wrap(served(early))
    client = wrapped.client()
    client.send(f"POST /x HTTP/1.1\r\nHost: x\r\n{BEARER}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
    assert client.answer()[1] == b"too large"
    assert wrapped.exchanges()[0].error is None


# --- who is asking ----------------------------------------------------------------------------------------------------


def test_basic_credentials_and_impersonation(wrap: Wrap, served: Serve) -> None:
    who = Impersonation("alice", "7", ("dev", "ops"), (("team/x", ("a",)),))
    server = served(reply())
    wrapped = wrap(server, username="bob", password="pw", impersonation=who)
    client = wrapped.client()
    client.get()
    client.get(headers="Impersonate-User: carol\r\n")
    first, second = server.asked
    assert first.values("authorization") == ["Basic Ym9iOnB3"]
    assert first.values("impersonate-user") == ["alice"] and first.values("impersonate-group") == ["dev", "ops"]
    assert first.values("impersonate-uid") == ["7"] and first.values("impersonate-extra-team%2Fx") == ["a"]
    assert second.values("impersonate-user") == ["carol"] and second.values("impersonate-group") == []


def test_a_client_certificate_stays_here(wrap: Wrap, served: Serve, authority: Authority) -> None:
    certificate, key = authority.client()
    server = served(reply(), clients=True)
    wrapped = wrap(server, client_certificate_data=certificate, client_key_data=key)
    assert wrapped.client().get()[1] == b"{}"
    assert server.asked[0].values("authorization") == []


def test_over_plain_http_credentials_are_dropped(wrap: Wrap, served: Serve) -> None:
    server = served(reply(), tls=False)
    assert wrap(server, token="real-token").client().get()[1] == b"{}"
    assert server.asked[0].values("authorization") == []


def test_another_name_for_the_server(wrap: Wrap, authority: Authority) -> None:
    with ScriptedServer([reply()], tls=authority.server("kubernetes.example")) as server:
        assert wrap(server, tls_server_name="kubernetes.example").client().get()[1] == b"{}"


def test_a_redirect_to_the_server_leads_back_here(wrap: Wrap, served: Serve) -> None:
    server = served(reply())
    moved = reply(b"", "302 Found", (("Location", f"{server.url}/login"),))
    elsewhere = reply(b"", "302 Found", (("Location", f"{server.url}.evil.example/login"),))
    server.steps[:] = [moved, elsewhere]
    wrapped = wrap(server)
    client = wrapped.client()
    assert f"Location: https://127.0.0.1:{wrapped.port}/login\r\n" in client.get()[0]
    assert f"Location: {server.url}.evil.example/login\r\n" in client.get()[0]


# --- upgrades ---------------------------------------------------------------------------------------------------------


def test_an_upgraded_connection_carries_anything_both_ways(wrap: Wrap, served: Serve) -> None:
    switch = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"
    )
    first = b"\x82\x03\x01hi"  # already behind the head

    def echo(connection: socket.socket) -> None:
        connection.sendall(switch + first)
        while data := connection.recv(1000):
            connection.sendall(data)
        raise OSError("closed")

    wrapped = wrap(served(echo))
    client = wrapped.client()
    client.send(
        f"GET /api/v1/namespaces/n/pods/p/exec?command=cat HTTP/1.1\r\nHost: x\r\n{BEARER}"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"
    )
    assert client.head().startswith("HTTP/1.1 101")
    assert client.file.read(5) == first
    frame = b"\x82\x83" + b"\1\2\3\4" + bytes((0 ^ 1, ord("o") ^ 2, ord("k") ^ 3))
    big = b"\x82\x7f" + struct.pack(">Q", 300_000) + b"\2" + b"x" * 299_999
    client.send(frame + big)
    assert client.file.read(len(frame) + len(big)) == frame + big
    client.close()
    exchange = wrapped.exchanges()[0]
    upgraded = wrapped.told(Upgraded)[0]
    assert isinstance(upgraded, Upgraded)
    assert (upgraded.protocol, upgraded.subprotocol) == ("websocket", "v5.channel.k8s.io")
    frames = [event for event in wrapped.told(Frame) if isinstance(event, Frame)]
    assert [(each.direction, each.type, each.size, each.channel) for each in frames[:3]] == [
        ("received", "binary", 3, "stdout"),
        ("sent", "binary", 3, "stdin"),
        ("sent", "binary", 300_000, "stderr"),
    ]
    assert [(each.size, each.channel) for each in frames if each.direction == "received"][1:] == [
        (3, "stdin"),
        (300_000, "stderr"),
    ]
    assert exchange.body_size == len(first) + len(frame) + len(big) and exchange.error is None


def test_what_neither_side_takes_waits_without_filling_memory(wrap: Wrap, served: Serve) -> None:
    """A server that sends without end to a client that does not read is not read any more."""
    sent = [0]

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
        connection.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while True:
                sent[0] += connection.send(b"x" * 65536)
        raise OSError("enough")

    wrapped = wrap(served(flood))
    client = wrapped.client()
    client.send(f"GET /x HTTP/1.1\r\nHost: x\r\n{BEARER}Connection: Upgrade\r\nUpgrade: x\r\n\r\n")
    assert client.head().startswith("HTTP/1.1 101")
    time.sleep(1.5)
    assert sent[0] < 40_000_000
