"""SPDY/3.1 frames, as far as somebody who looks on needs them: their kinds, their sizes, and what their streams are for
(the SPDY protocol, draft 3.1; k8s.io/apimachinery/pkg/util/httpstream/spdy says what Kubernetes sends in it)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from kubetrace.serving.spdy import dictionary

FRAME_HEADER = 8
HEADERS_LIMIT = 1 << 16
"""Larger header blocks are passed over, and with them the names of what follows: they share one compressor."""

_SYN_STREAM, _SYN_REPLY, _HEADERS = 1, 2, 8
_KINDS = {
    1: "syn_stream", 2: "syn_reply", 3: "rst_stream", 4: "settings", 6: "ping", 7: "goaway", 8: "headers",
    9: "window_update",
}  # fmt: skip
_BLOCK_AT = {_SYN_STREAM: 10, _SYN_REPLY: 4, _HEADERS: 4}
"""Where the compressed header block begins in these frames' payload."""
_OF_A_STREAM = frozenset({1, 2, 3, 8, 9})


Frame = tuple[str, int, str | None]


class SPDYReader:
    """Reads one direction of a connection. `channels` (stream number → name) is shared by both directions. `keep` is
    how many bytes of a data frame are kept: with 0 frames are told as they begin, else when they are whole."""

    def __init__(self, channels: dict[int, str], keep: int = 0) -> None:
        self._channels = channels
        self._keep = keep
        self._awaited: Frame | None = None
        self._content = bytearray()
        self._inflate: zlib._Decompress | None = zlib.decompressobj(zdict=dictionary())
        self._pending = b""
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[tuple[str, int, str | None, bytes | None]]:
        """(kind, payload bytes, channel, content) of each frame that begins, or ends, in these bytes."""
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        if self._awaited is not None:
            self._content += data[: min(skipped, self._keep - len(self._content))]
            if self._skip:
                return
            yield *self._awaited, bytes(self._content)
            self._awaited = None
        data = self._pending + data[skipped:]
        while len(data) >= FRAME_HEADER:
            word, flags_and_size = struct.unpack(">II", data[:FRAME_HEADER])
            size = flags_and_size & 0xFFFFFF
            wanted = self._wanted(word, size)
            if len(data) < FRAME_HEADER + wanted:
                break
            found = self._frame(word, size, data[FRAME_HEADER : FRAME_HEADER + wanted])
            end = FRAME_HEADER + size
            self._skip = max(0, end - len(data))
            is_kept = self._keep > 0 and not word & 0x80000000
            content = data[FRAME_HEADER : min(end, FRAME_HEADER + self._keep)] if is_kept else None
            data = data[end:]
            if is_kept and self._skip:
                self._awaited, self._content = found, bytearray(content or b"")
            else:
                yield *found, content
        self._pending = data

    @staticmethod
    def _wanted(word: int, size: int) -> int:
        """How much of a frame's payload has to be seen."""
        if not word & 0x80000000:
            return 0
        kind = word & 0xFFFF
        if kind in _BLOCK_AT and size <= HEADERS_LIMIT:
            return size
        return min(4, size) if kind in _OF_A_STREAM else 0

    def _frame(self, word: int, size: int, payload: bytes) -> tuple[str, int, str | None]:
        if not word & 0x80000000:
            return "data", size, self._name(word)
        kind = word & 0xFFFF
        channel = None
        if kind in _OF_A_STREAM and len(payload) >= 4:
            stream = int.from_bytes(payload[:4], "big") & 0x7FFFFFFF
            if kind in _BLOCK_AT:
                self._read_block(kind, stream, payload)
            channel = self._name(stream) if stream else None
        return _KINDS.get(kind, str(kind)), size, channel

    def _name(self, stream: int) -> str:
        return self._channels.get(stream, str(stream))

    def _read_block(self, kind: int, stream: int, payload: bytes) -> None:
        """Every block goes through the one decompressor, wanted or not."""
        if self._inflate is None or len(payload) < _BLOCK_AT[kind]:
            self._inflate = None
            return
        try:
            headers = _headers(self._inflate.decompress(payload[_BLOCK_AT[kind] :], HEADERS_LIMIT))
        except (zlib.error, struct.error):
            self._inflate = None
            return
        if kind == _SYN_STREAM and (name := headers.get("streamtype")):
            port = headers.get("port")
            self._channels[stream] = f"{name} {port}" if port else name


def _headers(block: bytes) -> dict[str, str]:
    """A name/value block. Raises struct.error where it is cut off."""
    (count,) = struct.unpack_from(">I", block)
    texts: list[str] = []
    at = 4
    for _ in range(2 * count):
        (size,) = struct.unpack_from(">I", block, at)
        texts.append(block[at + 4 : at + 4 + size].decode("latin-1"))
        at += 4 + size
    return dict(zip(texts[::2], texts[1::2], strict=True))
