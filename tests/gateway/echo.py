"""A plain server that answers with what it was asked, and in odd ways at some paths; no HTTP library between it and the
wire."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_OWN = ("accept-encoding", "user-agent")


def _answer(target: str, told: bytes) -> tuple[bytes, bool]:
    """The answer at a path, and whether the connection ends behind it."""
    sized = b"Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(told), told)
    if target.startswith("/gone"):
        return b"", True
    if target == "/refused":
        return b"HTTP/1.1 404 Not here\r\nzeta: 1\r\nX-A: 2\r\nX-A: 1\r\n" + sized, False
    if target == "/refused-chunked":
        chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(told), told)
        return b"HTTP/1.1 500 Oops\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk, False
    if target == "/refused-close":
        return b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: a/b\r\nConnection: close\r\n\r\n" + told, True
    if target == "/refused-empty":
        return b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", False
    if target == "/broken":
        return b"hello there\r\n\r\n", True
    if target == "/early-upgrade":
        return b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n", False
    if target.startswith("/cut"):
        return b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nabc", True
    if target.startswith("/moved"):
        return b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n", False
    if target.startswith("/hop"):
        return (
            b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nX-Odd: a\r\nConnection: X-Odd\r\nzeta: 1\r\n" + sized,
            False,
        )
    if target.startswith("/chunked"):
        chunk = b"%x\r\n%s\r\n0\r\nX-T: v\r\n\r\n" % (len(told), told)
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n" + chunk,
            False,
        )
    if target.startswith("/close"):
        return b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\n" + told, True
    if target.startswith("/empty"):
        return b"HTTP/1.1 204 No Content\r\n\r\n", False
    if target.startswith("/early"):
        return b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n" + sized, False
    return b"HTTP/1.1 200 OK\r\n" + sized, False


class Echo:
    """Serves on a port of loopback until it is closed."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.closed_early = threading.Event()
        """Set when a client has gone away from /wait."""
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for connection in [self._socket, *self._connections]:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        file = connection.makefile("rb")
        with suppress(OSError), connection, file:
            while (line := file.readline().decode("latin-1").rstrip()) and self._one(connection, file, line):
                pass

    def _one(self, connection: socket.socket, file: object, line: str) -> bool:
        read = file.readline  # type: ignore[attr-defined]
        fields: list[tuple[str, str]] = []
        while text := read().decode("latin-1").rstrip():
            name, _, value = text.partition(":")
            fields.append((name.lower(), value.strip()))
        named = dict(fields)
        body = file.read(int(named.get("content-length", 0)))  # type: ignore[attr-defined]
        if named.get("transfer-encoding") == "chunked":
            while size := int(read(), 16):
                body += file.read(size + 2)[:-2]  # type: ignore[attr-defined]
            read()
        method, target, version = line.split(" ")
        place = f"127.0.0.1:{self.port}"
        shown = sorted(
            (name, value.replace(place, "SERVER"))
            for name, value in fields
            if name not in _OWN and (name, value) != ("content-length", "0")
        )
        told = json.dumps([method, target, version, shown, body.decode("latin-1")]).encode()
        if target.startswith("/upgrade"):
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n" + told)
            while data := connection.recv(4096):
                connection.sendall(data.upper())
            return False
        if target.startswith("/wait"):
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
            )
            connection.recv(1)
            self.closed_early.set()
            return False
        answer, ends = _answer(target, b"" if method == "HEAD" else told)
        connection.sendall(answer)
        return not ends


@contextmanager
def echo() -> Iterator[Echo]:
    server = Echo()
    try:
        yield server
    finally:
        server.close()
