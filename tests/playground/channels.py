"""The client's end of upgraded connections, for tests: WebSocket by wsproto, SPDY by the playground's own framer."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

from kubetrace.serving.spdy_framing import Data, Framer, GoAway, Opened, Replied
from tests.playground.conftest import Client


def connect(client: Client) -> ssl.SSLSocket:
    raw = socket.create_connection(("127.0.0.1", client.port), timeout=20)
    return client.tls.wrap_socket(raw, server_hostname="127.0.0.1")


def query(*words: str, **flags: str) -> str:
    pairs = [("command", word) for word in words] + list(flags.items())
    return urlencode(pairs)


class Socket:
    """One WebSocket; `messages` gives what arrives until the server closes."""

    def __init__(self, client: Client, target: str, *protocols: str) -> None:
        self._socket = connect(client)
        self._connection = WSConnection(ConnectionType.CLIENT)
        headers = [(b"Authorization", f"Bearer {client.token}".encode())]
        request = Request(host="127.0.0.1", target=target, subprotocols=list(protocols), extra_headers=headers)
        self._socket.sendall(self._connection.send(request))
        self._events: list[Any] = []
        self.refusal = b""
        self.status = 101
        event = self._next()
        if isinstance(event, RejectConnection):
            self.status = event.status_code
            while isinstance(part := self._next(), RejectData):
                self.refusal += part.data
                if part.body_finished:
                    break
            return
        assert isinstance(event, AcceptConnection)
        self.protocol = event.subprotocol

    def _next(self) -> Any:
        while not self._events:
            data = self._socket.recv(65536)
            self._connection.receive_data(data or None)
            self._events += list(self._connection.events())
            if not data and not self._events:
                return None
        return self._events.pop(0)

    def send(self, data: bytes | str) -> None:
        event = TextMessage(data=data) if isinstance(data, str) else BytesMessage(data=data)
        self._socket.sendall(self._connection.send(event))

    def messages(self) -> Iterator[bytes]:
        message = b""
        while True:
            event = self._next()
            if event is None or isinstance(event, CloseConnection):
                return
            if isinstance(event, BytesMessage | TextMessage):
                message += event.data.encode() if isinstance(event, TextMessage) else bytes(event.data)
                if event.message_finished:
                    yield message
                    message = b""

    def read_until(self, channel: int, wanted: bytes) -> bytes:
        found = b""
        for message in self.messages():
            if message[:1] == bytes([channel]):
                found += message[1:]
            if wanted in found:
                return found
        raise AssertionError(f"{wanted!r} never came: {found!r}")

    def outcome(self) -> dict[int, bytes]:
        """Everything to the end, by channel."""
        found: dict[int, bytes] = {}
        for message in self.messages():
            found[message[0]] = found.get(message[0], b"") + message[1:]
        return found

    def close(self) -> None:
        self._socket.close()

    __del__ = close


def exit_code(status: bytes) -> int:
    """Of the error channel's Status."""
    value = json.loads(status)
    if value["status"] == "Success":
        return 0
    return int(value["details"]["causes"][0]["message"])


class Spdy:
    """One SPDY connection, over its own TLS connection or through a WebSocket."""

    def __init__(self, client: Client, target: str, *protocols: str, method: str = "POST") -> None:
        self._socket = connect(client)
        head = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {client.token}"]
        head += ["Connection: Upgrade", "Upgrade: SPDY/3.1", "Content-Length: 0"]
        head += [f"X-Stream-Protocol-Version: {protocol}" for protocol in protocols]
        self._socket.sendall("\r\n".join([*head, "", ""]).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = self._socket.recv(65536)
            if not data:
                break
            answer += data
        self.head, _, rest = answer.partition(b"\r\n\r\n")
        self._framer, self._rest, self._number = Framer(), rest, 1
        self.data: dict[int, bytes] = {}
        self.ended: set[int] = set()

    def open(self, fin: bool = False, **headers: str) -> int:
        number, self._number = self._number, self._number + 2
        self._socket.sendall(self._framer.open(number, list(headers.items()), fin))
        return number

    def send(self, stream: int, data: bytes, fin: bool = False) -> None:
        self._socket.sendall(self._framer.data(stream, data, fin))

    def run(self, *streams: int) -> None:
        """Takes frames until those streams have ended."""
        while not set(streams) <= self.ended:
            data, self._rest = self._rest or self._socket.recv(65536), b""
            if not data:
                return
            for frame in self._framer.feed(data):
                if isinstance(frame, Data):
                    self.data[frame.stream] = self.data.get(frame.stream, b"") + frame.data
                    if frame.fin:
                        self.ended.add(frame.stream)
                else:
                    assert isinstance(frame, Replied | GoAway | Opened)

    def close(self) -> None:
        self._socket.close()

    __del__ = close
