"""A server that says what a script tells, byte for byte where Go's log keeps the bytes, over TLS and in the clear."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol

from tests.end_to_end.answers import Answer


class Answering(Protocol):
    def answer(self, method: str, path: str) -> Answer: ...


class Handler(BaseHTTPRequestHandler):
    """Answers from the server's script."""

    protocol_version = "HTTP/1.1"
    server: ScriptedServer
    wbufsize = -1
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.script.answer(self.command, self.path)
        if not answer.status_line:
            self._break()
            return
        body = answer.body or b""
        given = [(name, value) for name, value in answer.headers if name != "Content-Length"]
        lines = [f"HTTP/1.1 {answer.status_line}", *(f"{name}: {value}" for name, value in given)]
        if not answer.known_headers or "Content-Length" in dict(answer.headers):
            lines.append(f"Content-Length: {len(body)}")
        else:  # Go's log leaves these two out
            lines.append("Transfer-Encoding: chunked")
            body = (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
        self.wfile.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def _break(self) -> None:
        """The connection ends without an answer; `slow` keeps the client waiting until it gives up."""
        if "/slow" in self.path:
            self.server.patience.wait(5)
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _answer

    def log_message(self, format: str, *args: object) -> None:
        pass


class ScriptedServer(ThreadingHTTPServer):
    """One port; `script` may be changed between runs."""

    daemon_threads = True
    script: Answering

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.patience = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gives up (bad certificates, timeouts) is part of the play."""


@contextlib.contextmanager
def serving(certificate: Path | None = None, client_ca: Path | None = None) -> Iterator[ScriptedServer]:
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
    server = ScriptedServer(context)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.patience.set()
        server.shutdown()
        server.server_close()
        thread.join()
