"""Which proxy, and what goes through it: CONNECT, plain forwarding, SOCKS5."""

# ruff: noqa: SIM117
from __future__ import annotations

import base64
import contextlib
import socket
import struct
import threading

import pytest

from kubetrace.transport.call import Call
from kubetrace.transport.errors import ConnectionConfigError, TransportError
from kubetrace.transport.proxy import proxy_for
from tests.transport.scripted import Authority, ScriptedServer, reply, then_close
from tests.transport.watching import watched

PODS = Call("GET", "/api/v1/pods")


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        ("https://a:6443/x", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://a:6443/x", {"https_proxy": "p:1"}, "http://p:1"),
        ("https://a:6443/x", {"HTTPS_PROXY": "", "https_proxy": "http://p:2"}, "http://p:2"),
        ("https://a:6443/x", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://a/x", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        ("https://a:6443/x", {"ALL_PROXY": "http://p:1"}, None),
        ("https://a/x", {"HTTPS_PROXY": "socks5://p:1"}, "socks5h://p:1"),
        ("https://localhost:1/x", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://127.9.9.9/x", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://[::1]:6443/x", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://a/x", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ("https://a.example.com/x", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com"}, None),
        ("https://example.com/x", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": " Example.COM , b"}, None),
        ("https://badexample.com/x", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com"}, "http://p:1"),
        ("https://example.com/x", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".example.com"}, "http://p:1"),
        ("https://example.com/x", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*.example.com"}, "http://p:1"),
        ("https://a.example.com/x", {"HTTPS_PROXY": "http://p:1", "no_proxy": "*.example.com"}, None),
        ("https://example.com/x", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com:443"}, None),
        ("https://example.com:8443/x", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com:443"}, "http://p:1"),
        ("https://10.1.2.3/x", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, None),
        ("https://11.1.2.3/x", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, "http://p:1"),
        ("https://10.1.2.3:99/x", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.1.2.3:98"}, "http://p:1"),
        ("https://10.1.2.3:99/x", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.1.2.3"}, None),
        ("https://[2001:db8::1]:99/x", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "[2001:db8::1]:99"}, None),
        ("https://10.1.2.3/x", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "3"}, "http://p:1"),
    ],
)
def test_environment_is_read_as_go_reads_it(url: str, environ: dict[str, str], expected: str | None) -> None:
    assert proxy_for("", environ)(url) == expected


def test_the_kubeconfigs_proxy_serves_every_host_and_wins() -> None:
    choose = proxy_for("socks5://p:1", {"HTTPS_PROXY": "http://q:2", "NO_PROXY": "*"})
    assert choose("https://localhost/x") == "socks5h://p:1"


def test_the_kubeconfigs_proxy_must_be_one_of_three_kinds() -> None:
    with pytest.raises(ConnectionConfigError, match='unsupported scheme "ftp", must be http, https, or socks5'):
        proxy_for("ftp://p", {})


class Tunnel(ScriptedServer):
    """A proxy that connects (CONNECT or SOCKS5) whoever asks to `target`."""

    def __init__(self, target: int, socks: bool = False) -> None:
        super().__init__([])
        self.target, self.socks = target, socks
        self.wanted: list[bytes] = []

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), connection, socket.create_connection(("127.0.0.1", self.target)) as onward:
            self._open += [connection, onward]
            self._greet(connection)
            threading.Thread(target=pump, args=(onward, connection), daemon=True).start()
            pump(connection, onward)

    def _greet(self, connection: socket.socket) -> None:
        if not self.socks:
            self.wanted.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            return
        connection.recv(65536)
        connection.sendall(b"\x05\x00")
        self.wanted.append(connection.recv(65536))
        connection.sendall(b"\x05\x00\x00\x01" + socket.inet_aton("127.0.0.1") + struct.pack("!H", 1))


def pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def test_connect(authority: Authority) -> None:
    with ScriptedServer([reply(b"ok")], tls=authority.server("api.invalid")) as server, Tunnel(server.port) as proxy:
        url = proxy.url.replace("//", "//user:pass@")
        with watched(server, authority, server=f"https://api.invalid:{server.port}", proxy_url=url, token="t") as one:
            assert one.client.send(PODS).body == b"ok"
    (wanted,) = proxy.wanted
    assert wanted.startswith(
        f"CONNECT api.invalid:{server.port} HTTP/1.1\r\nHost: api.invalid:{server.port}\r\n".encode()
    )
    assert b"Proxy-Authorization: Basic " + base64.b64encode(b"user:pass") in wanted and b"Bearer" not in wanted
    assert server.asked[0].values("Proxy-Authorization") == []
    assert one.exchanges()[0].connection.address == f"127.0.0.1:{proxy.port}"


def test_socks5_leaves_the_lookup_to_the_proxy(authority: Authority) -> None:
    with ScriptedServer([reply(b"ok")], tls=authority.server("api.invalid")) as server:
        with Tunnel(server.port, socks=True) as proxy:
            url = proxy.url.replace("http", "socks5")
            with watched(server, authority, server=f"https://api.invalid:{server.port}", proxy_url=url) as one:
                assert one.client.send(PODS).body == b"ok"
    assert b"api.invalid" in proxy.wanted[0]
    assert one.exchanges()[0].timings.tls is not None


def test_plain_http_is_forwarded() -> None:
    with ScriptedServer([reply(b"ok")]) as proxy:
        with watched(proxy, server="http://api.invalid:8080", proxy_url=proxy.url) as one:
            assert one.client.send(PODS).body == b"ok"
    assert proxy.asked[0].line == "GET http://api.invalid:8080/api/v1/pods HTTP/1.1"


def test_a_proxy_that_refuses(authority: Authority) -> None:
    with ScriptedServer([reply(status="407 Proxy Authentication Required")]) as proxy:
        with watched(proxy, authority, server="https://api.invalid", proxy_url=proxy.url) as one:
            with pytest.raises(TransportError) as caught:
                one.client.send(PODS)
    assert caught.value.lines() == ["Unable to connect to the server: Proxy Authentication Required"]
    assert caught.value.kind == "proxy"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "unexpected EOF"),
        (b"SSH\r\n", 'malformed HTTP response "SSH"'),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "Bad Gateway"),
        (b"HTTP/1.1 502\r\n\r\n", "unknown status code"),
    ],
)
def test_a_proxy_that_makes_no_tunnel(answer: bytes, words: str, authority: Authority) -> None:
    with ScriptedServer([then_close(answer)] * 3) as proxy:
        with watched(proxy, authority, server="https://api.invalid", proxy_url=proxy.url) as one:
            with pytest.raises(TransportError) as caught:
                one.client.send(PODS)
    assert caught.value.reason == words


def test_an_https_proxy_is_trusted_as_the_server_is(authority: Authority) -> None:
    with ScriptedServer([reply(status="502 Bad Gateway")], tls=authority.server()) as proxy:
        with watched(proxy, authority, server="https://api.invalid", proxy_url=proxy.url) as one:
            with pytest.raises(TransportError, match="Bad Gateway"):
                one.client.send(PODS)
    assert proxy.asked[0].line == "CONNECT api.invalid:443 HTTP/1.1"


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_is_not_there(scheme: str, authority: Authority) -> None:
    with ScriptedServer([]) as gone:
        pass
    url = gone.url.replace("http", scheme)
    with watched(gone, authority, server="https://10.1.2.3:6443", proxy_url=url) as one:
        with pytest.raises(TransportError) as caught:
            one.client.send(PODS)
    refused = f"dial tcp 127.0.0.1:{gone.port}: connect: connection refused"
    prefix = "proxyconnect tcp" if scheme == "http" else f"socks connect tcp 127.0.0.1:{gone.port}->10.1.2.3:6443"
    assert caught.value.reason == f"{prefix}: {refused}"
