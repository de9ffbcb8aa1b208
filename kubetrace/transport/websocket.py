"""The client's end of a WebSocket on an upgraded connection (gorilla/websocket's words). wsproto does the framing; only
the data that is sent, which may be much, is framed here with half of its copies."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from wsproto.events import Event

    from kubetrace.transport.upgrade import UpgradedConnection

NORMAL = 1000
ABNORMAL = 1006
UNEXPECTED_END = "unexpected EOF"
_NAMES = {
    1000: "normal", 1001: "going away", 1002: "protocol error", 1003: "unsupported data", 1005: "no status",
    1006: "abnormal closure", 1007: "invalid payload data", 1008: "policy violation", 1009: "message too big",
    1010: "mandatory extension missing", 1011: "internal server error", 1015: "TLS handshake error",
}  # fmt: skip


class Piece(Value):
    """A piece of a message's payload, as it came. `first` and `last` say where the message begins and ends."""

    data: bytes
    first: bool
    last: bool
    is_text: bool = False


class Pong(Value):
    """The answer to a ping."""


class Closed(KubetraceError):
    """The connection has ended; `code` is the server's, if it `said` one (1006 where it said nothing)."""

    def __init__(self, code: int, text: str = "", *, said: bool = False) -> None:
        self.code = code
        self.said = said
        name = f" ({_NAMES[code]})" if code in _NAMES else ""
        super().__init__(f"websocket: close {code}{name}" + (f": {text}" if text else ""))


@functools.cache
def _xor_table(code: int) -> bytes:
    return bytes(map(code.__xor__, range(256)))


def binary_frame(payload: bytes, key: bytes) -> bytearray:
    """A whole binary message as a client sends it, masked (RFC 6455, sections 5.2 and 5.3)."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b""
    if not length:
        length = b"\xfe" + size.to_bytes(2, "big") if size < 1 << 16 else b"\xff" + size.to_bytes(8, "big")
    frame = bytearray(b"\x82" + length + key)
    start = len(frame)
    frame += payload
    for offset, code in enumerate(key):
        frame[start + offset :: 4] = frame[start + offset :: 4].translate(_xor_table(code))
    return frame


class WebSocket:
    """Nothing here waits: wait for the connection with poll(2). Frames to be sent are kept until the connection takes
    them; `connection.unsent` says how much that is."""

    def __init__(self, connection: UpgradedConnection) -> None:
        from wsproto.connection import Connection, ConnectionType

        self.connection = connection
        self._protocol = Connection(ConnectionType.CLIENT)
        self._inside = False
        self._closing = False

    def receive(self) -> Iterator[Piece | Pong]:
        """What has come since the last time; pings are answered here. Raises Closed when the connection has ended,
        and OSError."""
        from wsproto.utilities import RemoteProtocolError

        while (data := self.connection.read()) is not None:
            if not data:
                raise Closed(ABNORMAL, UNEXPECTED_END)
            try:
                self._protocol.receive_data(data)
                for event in self._protocol.events():
                    if (found := self._read(event)) is not None:
                        yield found
            except RemoteProtocolError as error:
                raise Closed(ABNORMAL, str(error)) from error
            if not self.connection.pending:
                return

    def _read(self, event: Event) -> Piece | Pong | None:
        from wsproto import events

        if isinstance(event, events.Message):
            first, self._inside = not self._inside, not event.message_finished
            is_text = isinstance(event, events.TextMessage)
            data = event.data.encode() if is_text else bytes(event.data)
            return Piece(data, first, event.message_finished, is_text)
        if isinstance(event, events.Ping):
            self._send(event.response())
        elif isinstance(event, events.CloseConnection):
            if not self._closing:
                self._closing = True
                with contextlib.suppress(OSError):
                    self._send(event.response())
            raise Closed(int(event.code), event.reason or "", said=True)
        return Pong() if isinstance(event, events.Pong) else None

    def send(self, message: bytes) -> None:
        """One binary message. Raises OSError."""
        self.connection.write(binary_frame(message, os.urandom(4)))

    def ping(self) -> None:
        """Raises OSError."""
        from wsproto.events import Ping

        self._send(Ping())

    def pong(self, payload: bytes) -> None:
        """Answers a ping. Raises OSError."""
        from wsproto.events import Pong as PongEvent

        self._send(PongEvent(payload=payload))

    def close(self, code: int = NORMAL) -> None:
        """Says goodbye. Nothing can be sent afterwards."""
        from wsproto.events import CloseConnection

        if not self._closing:
            self._closing = True
            self._send(CloseConnection(code=code))

    def _send(self, event: Event) -> None:
        self.connection.write(self._protocol.send(event))
