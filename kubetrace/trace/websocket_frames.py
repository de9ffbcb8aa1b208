"""WebSocket frames, as far as somebody who looks on needs them: their kinds, their sizes, their channels (RFC 6455)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubetrace.trace.exchange import WEBSOCKET_TYPES

_MESSAGES = ("text", "binary")

Payload = Callable[[bytes], None]
Frame = tuple[str, int, int | None]


class WebSocketReader:
    """Reads one direction of a connection. With `has_channels` the first byte of a message names its channel; `tell`
    is given the payload of data frames, where somebody wants it. `keep` is how many bytes of a frame's payload are
    kept: with 0 frames are told as they begin, else when they are whole."""

    def __init__(self, has_channels: bool, tell: Payload | None = None, *, keep: int = 0) -> None:
        self._has_channels = has_channels
        self._tell = tell
        self._keep = keep
        self._awaited: Frame | None = None
        self._content = bytearray()
        self._leads = False
        self._channel: int | None = None
        self._pending = b""
        self._left = 0
        self._mask = b""
        self._is_data = False

    def feed(self, data: bytes) -> Iterator[tuple[str, int, int | None, bytes | None]]:
        """(kind, payload bytes, channel number, content) of each frame that begins, or ends, in these bytes. The byte
        that names the channel is no part of the content."""
        data = self._pending + data
        self._pending = b""
        while data:
            if self._left:
                data = self._payload(data)
                if not self._left and self._awaited is not None:
                    yield *self._awaited, bytes(self._content[1 if self._leads else 0 :])
                    self._awaited = None
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
            found = kind, size, self._channel if self._is_data and self._has_channels else None
            self._left, self._mask = size, mask
            if self._keep and size:
                self._awaited, self._leads = found, is_message
                self._content.clear()
            else:
                yield *found, b"" if self._keep else None
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
        if self._awaited is not None and (room := self._keep + self._leads - len(self._content)) > 0:
            self._content += _unmasked(piece[:room], self._mask)
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
