"""What a server says in a tunnel through a WebSocket: the payload of its binary messages as one stream of bytes. A
tunnel cuts its stream into messages of a few bytes (gorilla's writer makes one of each write), so that an object for
each, which a library makes, costs more than all else together; the client's own messages are few and large."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.transport.websocket import NORMAL, Closed

if TYPE_CHECKING:
    from kubetrace.transport.tunnel_log import TunnelLog

_CONTINUATION, _TEXT, _BINARY, _CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_CONTROL_LIMIT = 125


class TunnelBroken(Exception):
    """The stream has ended: the server said so, or what it sent is no tunnel. `planned`: it said goodbye."""

    def __init__(self, why: str, *, planned: bool = False) -> None:
        super().__init__(why)
        self.planned = planned


class TunnelReader:
    """Reads the server's side of a connection, whose frames are not masked (RFC 6455, section 5.2)."""

    def __init__(self, log: TunnelLog | None = None) -> None:
        self._rest = b""
        self._left = 0
        self._log = log

    def feed(self, data: bytes) -> tuple[list[bytes], list[bytes]]:
        """The payload in these bytes, in pieces, and the payloads of the pings among them. Raises TunnelBroken."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        pieces: list[bytes] = []
        pings: list[bytes] = []
        at, end = 0, len(data)
        while at < end:
            if self._left:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                if self._log is not None:
                    self._log.received(piece, over=not self._left)
                continue
            if end - at < 2:
                break
            size, start = data[at + 1], at + 2
            if size >= 126:
                start = at + (4 if size == 126 else 10)
                if size > 127:
                    raise TunnelBroken("websocket: bad MASK")
                if end < start:
                    break
                size = int.from_bytes(data[at + 2 : start], "big")
            code = data[at] & 0x0F
            if code in (_BINARY, _CONTINUATION):
                self._left = size
                at = start
                if self._log is not None:
                    self._log.message(size)
                continue
            if end < start + size and size <= _CONTROL_LIMIT:
                break
            self._control(code, data[start : start + size], pings)
            at = start + size
        self._rest = data[at:]
        return pieces, pings

    @staticmethod
    def _control(code: int, payload: bytes, pings: list[bytes]) -> None:
        if code == PING:
            pings.append(payload)
        elif code == _CLOSE:
            number = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
            closed = Closed(number, payload[2:].decode("utf-8", "replace"), said=True)
            raise TunnelBroken(str(closed), planned=number == NORMAL)
        elif code != PONG:
            raise TunnelBroken("invalid message type received" if code == _TEXT else f"websocket: bad opcode {code}")
