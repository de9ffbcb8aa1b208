"""What a client may write into its connection, beside proper requests, and what a real kube-apiserver answered."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

_WHO = b"Host: 127.0.0.1\r\nAuthorization: Bearer TOKEN\r\n"
_LAST = _WHO + b"Connection: close\r\n"
_POST = b"POST /api/v1/namespaces/default/configmaps?dryRun=All HTTP/1.1\r\n" + _LAST
_POST += b"Content-Type: application/json\r\n"
_PODS = b"GET /api/v1/namespaces/default/pods/nope HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: "
_WEBSOCKET = b"GET /api/v1/namespaces/default/pods/nope HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, close\r\n"
_WEBSOCKET += b"Upgrade: websocket\r\nSec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io."
CASES = {
    "a negative length": _POST + b"Content-Length: -1\r\n\r\n{}",
    "a length of twenty digits": _POST + b"Content-Length: 99999999999999999999\r\n\r\n{}",
    "two lengths": _POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    "a length and chunks": _POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "an encoding of transfer": _POST + b"Transfer-Encoding: gzip\r\n\r\n{}",
    "chunks of no length": _POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    "another expectation": _POST + b"Expect: tea\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/1.2": b"GET /healthz HTTP/1.2\r\n" + _LAST + b"\r\n",
    "HTTP/3.0": b"GET / HTTP/3.0\r\n" + _WHO + b"\r\n",
    "garbage": b"\x00\x01\x02garbage\r\n\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a whole URL": b"GET https://127.0.0.1/healthz HTTP/1.1\r\n" + _LAST + b"\r\n",
    "a relative path": b"GET healthz HTTP/1.1\r\n" + _LAST + b"\r\n",
    "a header of two lines": b"GET /healthz HTTP/1.1\r\n" + _LAST + b"X-A: b\r\n c\r\n\r\n",
    "a blank before a colon": b"GET /healthz HTTP/1.1\r\n" + _LAST + b"X-A : b\r\n\r\n",
    "plain ends of lines": b"GET /healthz HTTP/1.1\n" + _LAST.replace(b"\r", b"") + b"\n",
    "NUL in the path": b"GET /heal\0thz HTTP/1.1\r\n" + _LAST + b"\r\n",
    "a broken escape": b"GET /healthz%zz HTTP/1.1\r\n" + _LAST + b"\r\n",
    "a blank in the path": b"GET /api v1 HTTP/1.1\r\n" + _LAST + b"\r\n",
    "http in small letters": b"GET /healthz http/1.1\r\n" + _LAST + b"\r\n",
    "a method that is no word": b"G@T /healthz HTTP/1.1\r\n" + _LAST + b"\r\n",
    "a line of 1.2 MB": b"GET /api/v1/pods?labelSelector=" + b"a" * 1200000 + b" HTTP/1.1\r\n" + _LAST + b"\r\n",
    "a header of 1.2 MB": b"GET /healthz HTTP/1.1\r\n" + _LAST + b"X-A: " + b"a" * 1200000 + b"\r\n\r\n",
    "a selector of 900 kB": b"GET /api/v1/pods?labelSelector=" + b"a" * 900000 + b" HTTP/1.1\r\n" + _LAST + b"\r\n",
    "10,000 headers": b"GET /healthz HTTP/1.1\r\n"
    + _LAST
    + b"".join(b"X-%d: a\r\n" % i for i in range(20000))
    + b"\r\n",
    "OPTIONS of all": b"OPTIONS * HTTP/1.1\r\n" + _LAST + b"\r\n",
    "a body where none belongs": b"GET /healthz HTTP/1.1\r\n" + _LAST + b"Content-Length: 5\r\n\r\nhello",
    "basic authentication": _PODS + b"Basic YTpi\r\n\r\n",
    "an unknown token": _PODS + b"Bearer nope\r\n\r\n",
    "a scheme without a token": _PODS + b"Bearer\r\n\r\n",
    "two blanks before a token": _PODS + b"Bearer  TOKEN\r\n\r\n",
    "something behind a token": _PODS + b"Bearer TOKEN x\r\n\r\n",
    "a scheme in small letters": _PODS + b"bearer TOKEN\r\n\r\n",
    "a token in a WebSocket's protocols": _WEBSOCKET + b"bm9wZQ, x\r\n\r\n",
}
_PATIENCE = 60.0
_CHANGING = re.compile(rb"(?im)^(Audit-Id|Date|Cache-Control|X-Kubernetes-[\w-]+):.*\r\n")


def _said(host: str, tls: ssl.SSLContext, data: bytes) -> list[str]:
    """[status line, headers in alphabetical order, body]"""
    name, _, port = host.partition(":")
    answer = b""
    with (
        socket.create_connection((name, int(port)), timeout=_PATIENCE) as plain,
        tls.wrap_socket(plain, server_hostname=name) as connection,
        contextlib.suppress(ConnectionError, ssl.SSLError),
    ):
        connection.sendall(data)
        while part := connection.recv(65536):
            answer += part
    head, _, body = _CHANGING.sub(b"", answer).decode().partition("\r\n\r\n")
    status, *headers = head.split("\r\n")
    return [status, ", ".join(sorted(line for line in headers if not line.startswith("Content-Length"))), body.strip()]


def answers(host: str, tls: ssl.SSLContext, token: str) -> dict[str, list[str]]:
    """What a server says to all cases."""
    with ThreadPoolExecutor(6) as pool:
        sent = [data.replace(b"TOKEN", token.encode()) for data in CASES.values()]
        return dict(zip(CASES, pool.map(lambda data: _said(host, tls, data), sent), strict=True))
