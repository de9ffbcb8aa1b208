"""SPDY/3.1 framing, as much as Kubernetes' streams use (kubectl before 1.31, and its tunnel through WebSockets since).

No input or output happens here: bytes in, frames out, and the other way round. No kept library speaks SPDY.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kubetrace.serving.spdy import dictionary

MAX_FRAME = 16 * 1024 * 1024
_VERSION = 3
_HEAD = struct.Struct(">II")
_FIN = 1
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _HEADERS = 1, 2, 3, 4, 6, 7, 8


class SpdyError(Exception):
    """The peer does not speak SPDY/3.1."""


@dataclass(frozen=True, slots=True)
class Opened:
    """SYN_STREAM."""

    stream: int
    headers: dict[str, str]
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    stream: int
    data: bytes = field(repr=False)
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """RST_STREAM."""

    stream: int
    code: int


@dataclass(frozen=True, slots=True)
class Replied:
    """SYN_REPLY."""

    stream: int
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Ping:
    number: int


@dataclass(frozen=True, slots=True)
class GoAway:
    last: int


Frame = Opened | Data | Reset | Replied | Ping | GoAway


class Framer:
    """Both directions of one connection."""

    def __init__(self) -> None:
        self._rest = b""
        self._inflate = zlib.decompressobj(zdict=dictionary())
        self._deflate = zlib.compressobj(zlib.Z_BEST_COMPRESSION, zdict=dictionary())

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now; those that Kubernetes does not use are skipped. Raises SpdyError."""
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 8:
            first, second = _HEAD.unpack_from(data, at)
            flags, length = second >> 24, second & 0xFFFFFF
            if length > MAX_FRAME:
                raise SpdyError("frame too large")
            if end - at < 8 + length:
                break
            payload = data[at + 8 : at + 8 + length]
            at += 8 + length
            if not first >> 31:
                yield Data(first, payload, bool(flags & _FIN))
            elif (frame := self._control(first, flags, payload)) is not None:
                yield frame
        self._rest = data[at:]

    def _control(self, first: int, flags: int, payload: bytes) -> Frame | None:
        if first >> 16 & 0x7FFF != _VERSION:
            raise SpdyError("not SPDY/3.1")
        kind = first & 0xFFFF
        try:
            if kind == _SYN_STREAM:
                stream = struct.unpack(">I", payload[:4])[0] & 0x7FFFFFFF
                return Opened(stream, self._headers(payload[10:]), bool(flags & _FIN))
            if kind == _SYN_REPLY:
                self._headers(payload[4:])
                return Replied(struct.unpack(">I", payload[:4])[0] & 0x7FFFFFFF, bool(flags & _FIN))
            if kind == _HEADERS:
                self._headers(payload[4:])
            if kind == _RST_STREAM:
                return Reset(*struct.unpack(">II", payload[:8]))
            if kind == _PING:
                return Ping(*struct.unpack(">I", payload[:4]))
            if kind == _GOAWAY:
                return GoAway(struct.unpack(">I", payload[:4])[0])
        except (struct.error, zlib.error, UnicodeDecodeError) as error:
            raise SpdyError(f"malformed frame: {error}") from error
        return None

    def _headers(self, block: bytes) -> dict[str, str]:
        text = self._inflate.decompress(block, 1024 * 1024)
        count, at = struct.unpack(">I", text[:4])[0], 4
        values = []
        for _ in range(min(count, 1000) * 2):
            length = struct.unpack(">I", text[at : at + 4])[0]
            values.append(text[at + 4 : at + 4 + length].decode())
            at += 4 + length
        return dict(zip(values[::2], values[1::2], strict=True))

    def _block(self, headers: Sequence[tuple[str, str]]) -> bytes:
        parts = [struct.pack(">I", len(headers))]
        for pair in headers:
            for text in pair:
                parts.append(struct.pack(">I", len(text.encode())) + text.encode())
        return self._deflate.compress(b"".join(parts)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    @staticmethod
    def _frame(kind: int, flags: int, payload: bytes) -> bytes:
        return struct.pack(">II", 1 << 31 | _VERSION << 16 | kind, flags << 24 | len(payload)) + payload

    def open(self, stream: int, headers: Sequence[tuple[str, str]], fin: bool = False) -> bytes:
        payload = struct.pack(">IIBB", stream, 0, 0, 0) + self._block(headers)
        return self._frame(_SYN_STREAM, _FIN if fin else 0, payload)

    def reply(self, stream: int, fin: bool = False) -> bytes:
        return self._frame(_SYN_REPLY, _FIN if fin else 0, struct.pack(">I", stream) + self._block([]))

    def data(self, stream: int, data: bytes, fin: bool = False) -> bytes:
        """Up to 16 MiB less one byte."""
        return struct.pack(">II", stream, (_FIN if fin else 0) << 24 | len(data)) + data

    def reset(self, stream: int, code: int) -> bytes:
        return self._frame(_RST_STREAM, 0, struct.pack(">II", stream, code))

    def ping(self, number: int) -> bytes:
        return self._frame(_PING, 0, struct.pack(">I", number))

    def go_away(self, last: int) -> bytes:
        return self._frame(_GOAWAY, 0, struct.pack(">II", last, 0))
