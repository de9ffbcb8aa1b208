"""A server that says exactly what a test tells it to, byte by byte, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import trustme

Step = bytes | Callable[[socket.socket], None]


@dataclass
class Asked:
    """One request as it came over the wire."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    connection: int = 0

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def names(self) -> list[str]:
        return [name for name, _ in self.headers]


@dataclass
class ScriptedServer:
    """Answers each request with the next step: bytes to send, or a function that is given the connection. The last
    step is repeated. Bytes are sent as they are; `reply` makes ordinary answers."""

    steps: list[Step]
    tls: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)
    host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._closing = False

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    def __enter__(self) -> ScriptedServer:
        self._spawn(self._accept)
        return self

    def __exit__(self, *exception: object) -> None:
        self._closing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._spawn(self._serve, connection, self.connections)

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                stack.callback(connection.close)
            self._open.append(connection)
            reader = stack.enter_context(connection.makefile("rb"))
            while (asked := read_request(reader)) is not None:
                asked.connection = number
                step = self._next(asked)
                if callable(step):
                    step(connection)
                else:
                    connection.sendall(step)

    def _next(self, asked: Asked) -> Step:
        with self._lock:
            self.asked.append(asked)
            return self.steps[min(len(self.asked), len(self.steps)) - 1]


def read_request(reader: object) -> Asked | None:
    """The next request from a connection's file, None at its end."""
    readline = reader.readline  # type: ignore[attr-defined]
    line = readline().decode("latin-1").rstrip("\r\n")
    if not line:
        return None
    headers: list[tuple[str, str]] = []
    while text := readline().decode("latin-1").rstrip("\r\n"):
        name, _, value = text.partition(":")
        headers.append((name, value.strip()))
    asked = Asked(line, headers)
    length = int((asked.values("Content-Length") or ["0"])[0])
    asked.body = reader.read(length) if length else b""  # type: ignore[attr-defined]
    return asked


def reply(
    body: bytes = b"{}", status: str = "200 OK", headers: tuple[tuple[str, str], ...] = (), length: int | None = None
) -> bytes:
    fields = [("Content-Type", "application/json"), *headers, ("Content-Length", str(len(body)))]
    if length is not None:
        fields[-1] = ("Content-Length", str(length))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + body


def then_close(data: bytes) -> Callable[[socket.socket], None]:
    """Sends and ends the connection."""

    def step(connection: socket.socket) -> None:
        connection.sendall(data)
        with contextlib.suppress(OSError):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
        raise OSError("closed by the script")

    return step


def reset(connection: socket.socket) -> None:
    """Ends the connection with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    raise OSError("reset by the script")


class Authority:
    """A certificate authority for one test, and server contexts it vouches for."""

    def __init__(self) -> None:
        self.ca = trustme.CA()

    @property
    def pem(self) -> bytes:
        return self.ca.cert_pem.bytes()

    def server(self, *names: str, clients: bool = False, issued: trustme.LeafCert | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (issued or self.ca.issue_cert(*(names or ("127.0.0.1", "localhost")))).configure_cert(context)
        if clients:
            self.ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self, name: str = "ann@example.org") -> tuple[bytes, bytes]:
        issued = self.ca.issue_cert(name)
        return issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()
