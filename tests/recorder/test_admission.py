"""Who is let in, and what becomes of everybody else: strangers, scanners, those who speak no TLS or no HTTP."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable

import pytest

from kubetrace.trace.exchange import Event
from tests.recorder.conftest import BEARER, TOKEN, Wrap, until
from tests.transport.scripted import ScriptedServer, reply

Serve = Callable[..., ScriptedServer]


@pytest.mark.parametrize(
    "authorization",
    ["", "Authorization: Bearer wrong\r\n", f"Authorization: Basic {TOKEN}\r\n", f"Authorization: Bearer {TOKEN}x\r\n"],
)
def test_without_the_token_nobody_gets_through(wrap: Wrap, served: Serve, authorization: str) -> None:
    server = served(reply())
    wrapped = wrap(server, token="real-token")
    for _ in range(2):
        client = wrapped.client()
        client.send(f"GET /api/v1/secrets HTTP/1.1\r\nHost: x\r\n{authorization}\r\n")
        head, body = client.answer()
        assert head.startswith("HTTP/1.1 401 Unauthorized\r\n") and client.rest() == b""
        status = json.loads(body)
        assert status["kind"] == "Status" and "token of the kubeconfig that kubetrace made" in status["message"]
        assert TOKEN not in head + body.decode() and "real-token" not in head + body.decode()
    assert server.asked == [] and wrapped.events == []
    assert wrapped.warnings == [
        "a client without the one-time token was refused (was it given --token, or another kubeconfig?)"
    ]


def test_a_client_that_speaks_no_tls_is_told_so(wrap: Wrap, served: Serve) -> None:
    wrapped = wrap(served(reply()))
    with socket.create_connection(("127.0.0.1", wrapped.port), 5) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = plain.makefile("rb").read()
    assert answer == b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
    assert wrapped.warnings == ["a client that does not speak TLS was turned away"]


def test_port_scans_and_broken_handshakes_are_nothing_to_tell(wrap: Wrap, served: Serve) -> None:
    wrapped = wrap(served(reply()))
    for first in (b"", b"\x16\x03\x01", b"\x16\x03\x01\x00\x05hello"):
        with socket.create_connection(("127.0.0.1", wrapped.port), 5) as plain:
            plain.sendall(first)
    untrusting = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError), socket.create_connection(("127.0.0.1", wrapped.port), 5) as plain:
        untrusting.wrap_socket(plain, server_hostname="127.0.0.1")
    assert wrapped.client().get()[1] == b"{}"
    assert wrapped.warnings == []


def test_only_http_1_is_offered(wrap: Wrap, served: Serve) -> None:
    wrapped = wrap(served(reply()))
    context = ssl.create_default_context(cadata=wrapped.ca.decode())
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", wrapped.port), 5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        assert secure.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize(
    "request_text",
    [
        "nonsense\r\n\r\n",
        f"GET / HTTP/1.1\r\n{BEARER}\r\n",
        f"POST / HTTP/1.1\r\nHost: x\r\n{BEARER}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
        f"GET / HTTP/1.1\r\nHost: x\r\n{BEARER}A: b\nC: d\r\n\r\n",
    ],
)
def test_bad_requests_are_answered_and_ended(wrap: Wrap, served: Serve, request_text: str) -> None:
    server = served(reply())
    wrapped = wrap(server)
    client = wrapped.client()
    client.send(request_text)
    head, body = client.answer()
    assert head.startswith("HTTP/1.1 400 Bad Request") and json.loads(body)["code"] == 400
    assert "Connection: close" in head and client.rest() == b"" and server.asked == []


def test_a_broken_chunk_ends_the_request(wrap: Wrap, served: Serve) -> None:
    def wait(connection: socket.socket) -> None:
        connection.recv(1)
        raise OSError("closed")

    wrapped = wrap(served(wait))
    for first, rest in (("", "zz\r\n"), ("zz\r\n", "")):
        client = wrapped.client()
        client.send(f"POST /x HTTP/1.1\r\nHost: x\r\n{BEARER}Transfer-Encoding: chunked\r\n\r\n{first}")
        client.send(rest)
        with pytest.raises(OSError):
            client.socket.recv(1)
    assert [exchange.error for exchange in wrapped.exchanges(2)] == ["context canceled"] * 2


def test_many_watches_at_once(wrap: Wrap, served: Serve) -> None:
    count = 200
    go = threading.Event()
    event = b'{"type":"ADDED"}\n'

    def watch(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        go.wait(60)
        connection.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(event), event))

    server = served(watch)
    wrapped = wrap(server)
    clients = [wrapped.client() for _ in range(count)]
    for client in clients:
        client.send(f"GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    assert all(client.head().startswith("HTTP/1.1 200") for client in clients)
    go.set()
    assert all(client.file.readline() + client.file.readline() == b"11\r\n" + event for client in clients)
    assert len(wrapped.exchanges(count)) == count and server.connections == count


def test_stopping_ends_what_is_going_on(wrap: Wrap, served: Serve) -> None:
    def hang(connection: socket.socket) -> None:
        connection.recv(1)
        raise OSError("closed")

    wrapped = wrap(served(hang))
    client = wrapped.client()
    client.send(f"GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    until(lambda: len(wrapped.events) > 2)
    wrapped.recorder.stop()
    assert [exchange.error for exchange in wrapped.exchanges()] == ["context canceled"]


def test_a_failing_observer_stops_no_request(wrap: Wrap, served: Serve) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("observer")

    wrapped = wrap(served(reply()))
    wrapped.recorder.events.add(fail)
    assert wrapped.client().get()[1] == b"{}"
