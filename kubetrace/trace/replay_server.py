"""The server of `trace serve`: HTTP/1.1 on loopback, over TLS with an authority of its own or plain, for whoever has
its kubeconfig. Answers come from `kubetrace.trace.replay`."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kubetrace.trace.replay import Answer, Answers, unauthorized

_HANDSHAKE = 10.0
_LONGEST_BODY = 64 << 20
_WATCH = 300.0
"""Seconds for which a watch is left open whose client names no time."""


class ReplayServer:
    """Serves from `start` to `stop`; `port` 0 takes a free one (OSError where a port is taken). `tell` is told of
    requests that the trace has no answer to."""

    def __init__(self, answers: Answers, *, plain: bool, port: int = 0, tell: Callable[[str], object]) -> None:
        self._answers = answers
        self._tell = tell
        self._lock = threading.Lock()
        self._token = "" if plain else secrets.token_hex(24)
        self._stopping = threading.Event()
        self._authority = b""
        self._context: ssl.SSLContext | None = None
        if not plain:
            self._secure()
        owner = self

        class Handler(_Handler):
            server_of = owner

        self._server = _Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    def _secure(self) -> None:
        from kubetrace.serving.authority import Authority

        authority = Authority("kubetrace trace serve", timedelta(days=30))
        certificate, key = authority.issue("127.0.0.1", hosts=["127.0.0.1", "localhost"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        with tempfile.NamedTemporaryFile() as file:  # mode 0600, gone at once
            file.write(certificate + key)
            file.flush()
            context.load_cert_chain(file.name)
        self._authority, self._context = authority.pem, context

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self._server.server_address[1]}"

    def kubeconfig(self) -> dict[str, Any]:
        """A kubeconfig for this server, as a value."""
        import base64

        cluster: dict[str, str] = {"server": self.url}
        user: dict[str, str] = {}
        if self._context:
            cluster["certificate-authority-data"] = base64.b64encode(self._authority).decode()
            user["token"] = self._token
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "trace", "cluster": cluster}],
            "users": [{"name": "trace", "user": user}],
            "contexts": [{"name": "trace", "context": {"cluster": "trace", "user": "trace"}}],
            "current-context": "trace",
        }

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._answers.close()

    # --- for the handlers, each in a thread of its own -------------------------------------------------------------

    def secured(self, connection: socket.socket) -> socket.socket:
        """The connection after its handshake. Raises OSError (ssl.SSLError is one) for a client that speaks no TLS."""
        if self._context is None:
            return connection
        connection.settimeout(_HANDSHAKE)
        secured = self._context.wrap_socket(connection, server_side=True)
        secured.settimeout(None)
        return secured

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
        headers = tuple((name, value) for name, value in handler.headers.items())
        given = handler.headers.get("Authorization", "").partition(" ")[2]
        if self._token and not secrets.compare_digest(given.encode(), self._token.encode()):
            return unauthorized()
        with self._lock:
            answer = self._answers.to(handler.command, handler.path, headers, body)
        if not answer.found:
            self._tell(f"no answer: {handler.command} {handler.path}")
        return answer

    def wait(self, seconds: float) -> None:
        self._stopping.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that breaks off, or speaks something else, ends its own connection and nothing more."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: ReplayServer
    timeout = 180

    def setup(self) -> None:
        self.request = self.server_of.secured(self.request)
        super().setup()

    def finish(self) -> None:
        """The server closes the socket that it accepted; the one over TLS, which took its place, is ours."""
        with contextlib.suppress(OSError):
            super().finish()
        self.request.close()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: who serves a trace wants no log of its own."""

    def version_string(self) -> str:
        return "kubetrace"

    def _any(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            self.send_error(400)
            return
        answer = self.server_of.answer(self, body)
        if answer.stays:
            self._stay(answer)
        else:
            self._send(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _any

    def _body(self) -> bytes | None:
        """The request's body; None for one that makes no sense or is too long."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._chunks()
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _LONGEST_BODY:
            return None
        return self.rfile.read(int(length))

    def _chunks(self) -> bytes | None:
        found = bytearray()
        while True:
            try:
                size = int(self.rfile.readline(100).partition(b";")[0], 16)
            except ValueError:
                return None
            if size < 0 or len(found) + size > _LONGEST_BODY:
                return None
            found += self.rfile.read(size)
            if self.rfile.readline(100) not in (b"\r\n", b"\n"):
                return None
            if not size:
                return bytes(found)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status, answer.reason)
        for name, value in answer.headers:
            with contextlib.suppress(UnicodeEncodeError):
                self.send_header(name, value.replace("\r", " ").replace("\n", " "))
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD" and answer.status not in (204, 304):
            self.wfile.write(answer.body)

    def _stay(self, answer: Answer) -> None:
        """An open watch without events, for as long as it was asked for."""
        asked = parse_qs(urlsplit(self.path).query).get("timeoutSeconds", [""])[0]
        self.send_response(200, "OK")
        for name, value in (*answer.headers, ("Transfer-Encoding", "chunked")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()
        self.server_of.wait(float(asked) if asked.isdecimal() and len(asked) < 6 else _WATCH)
        self.wfile.write(b"0\r\n\r\n")


def kubeconfig_text(value: dict[str, Any]) -> str:
    """A kubeconfig's text: JSON, which is YAML."""
    return json.dumps(value, indent=2) + "\n"
