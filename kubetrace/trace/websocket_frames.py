"""WebSocket frames, as far as somebody who looks on needs them: their kinds, their sizes, their channels (RFC 6455)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubetrace.trace.exchange import WEBSOCKET_TYPES

_MESSAGES = ("text", "binary")

Payload = Callable[[bytes], None]


class WebSocketReader:
    """Reads one direction of a connection. With `has_channels` the first byte of a message names its channel; `tell`
    is given the payload of data frames, where somebody wants it."""

    def __init__(self, has_channels: bool, tell: Payload | None = None) -> None:
        self._has_channels = has_channels
        self._tell = tell
        self._channel: int | None = None
        self._pending = b""
        self._left = 0
        self._mask = b""
        self._is_data = False

    def feed(self, data: bytes) -> Iterator[tuple[str, int, int | None]]:
        """(kind, payload bytes, channel number) of each frame that begins in these bytes."""
        data = self._pending + data
        self._pending = b""
        while data:
            if self._left:
                data = self._payload(data)
                continue
            head = self._head(data)
            if head is None:
                self._pending = data
                return
            size, mask, at, kind = head
            is_message = kind in _MESSAGES and self._has_channels and size > 0
            if is_message and len(data) == at:
                self._pending = data
                return
            if is_message:
                self._channel = data[at] ^ (mask[0] if mask else 0)
            self._is_data = kind in (*_MESSAGES, "continuation")
            yield kind, size, self._channel if self._is_data and self._has_channels else None
            self._left, self._mask = size, mask
            data = data[at:]

    @staticmethod
    def _head(data: bytes) -> tuple[int, bytes, int, str] | None:
        """Payload size, mask, where the payload begins, kind; None where the head is not complete."""
        if len(data) < 2:
            return None
        size, at = data[1] & 0x7F, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            at += width
            size = int.from_bytes(data[2:at], "big")
        masked = bool(data[1] & 0x80)
        end = at + 4 if masked else at
        if len(data) < end:
            return None
        return size, data[at:end], end, WEBSOCKET_TYPES.get(data[0] & 0x0F, str(data[0] & 0x0F))

    def _payload(self, data: bytes) -> bytes:
        piece = data[: self._left]
        if self._tell is not None and self._is_data:
            self._tell(_unmasked(piece, self._mask))
        if self._mask:
            turn = len(piece) % 4
            self._mask = self._mask[turn:] + self._mask[:turn]
        self._left -= len(piece)
        return data[len(piece) :]


def _unmasked(piece: bytes, mask: bytes) -> bytes:
    if not mask:
        return piece
    key = (mask * (len(piece) // 4 + 1))[: len(piece)]
    return (int.from_bytes(piece, "big") ^ int.from_bytes(key, "big")).to_bytes(len(piece), "big")
