"""Response bodies: observed while somebody else's program reads them, or read by kubetrace's own client."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from kubetrace.transport.failures import explain
from kubetrace.transport.recording import Recording


class ObservedFile:
    """Stands before the file in `requests.Response.raw` and keeps a copy of what its user reads; at the end of the
    body, or when it is closed early, the exchange ends."""

    def __init__(self, raw: Any, recording: Recording) -> None:
        self._raw = raw
        self._recording = recording
        self._kept: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def __iter__(self) -> Iterator[bytes]:
        return self._observed(iter(self._raw))

    def read(self, amt: int | None = None, *args: Any, **kwargs: Any) -> bytes:
        return self._took(self._guarded(self._raw.read, amt, *args, **kwargs), whole=amt is None, asked=amt != 0)

    def read1(self, amt: int | None = None, *args: Any, **kwargs: Any) -> bytes:
        return self._took(self._guarded(self._raw.read1, amt, *args, **kwargs), whole=False, asked=amt != 0)

    def readinto(self, buffer: Any) -> int:
        count: int = self._guarded(self._raw.readinto, buffer)
        self._took(bytes(memoryview(buffer)[:count]), whole=False, asked=len(buffer) > 0)
        return count

    def close(self) -> None:
        self._raw.close()
        self._recording.ended(b"".join(self._kept), sum(map(len, self._kept)))

    def _took(self, data: bytes, *, whole: bool, asked: bool) -> bytes:
        self._keep(data)
        if whole or (asked and not data):
            self._finish()
        return data

    def _keep(self, data: bytes) -> None:
        if data:
            self._kept.append(data)

    def _finish(self) -> None:
        if self._recording.phase != "done":
            body = b"".join(self._kept)
            self._recording.body_read(body)
            self._recording.ended(body, len(body))

    def _guarded(self, read: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return read(*args, **kwargs)
        except Exception as error:
            self._fail(error)
            raise

    def _observed(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        try:
            for chunk in chunks:
                self._keep(chunk)
                yield chunk
        except Exception as error:
            self._fail(error)
            raise
        self._finish()

    def _fail(self, error: Exception) -> None:
        body = b"".join(self._kept)
        self._recording.ended(body, len(body), explain(error, self._recording, reading=True)[0])


class ObservedBody(ObservedFile):
    """The same for urllib3's responses, which requests reads by their `stream`."""

    def stream(self, amt: int | None = 2**16, decode_content: bool | None = None) -> Iterator[bytes]:
        return self._observed(self._raw.stream(amt, decode_content=decode_content))


class Decoder:
    """Undoes the gzip that the client asked for, piece by piece; without gzip it hands everything through."""

    def __init__(self, gzipped: bool) -> None:
        self.seen = 0
        self._inflate = zlib.decompressobj(wbits=31) if gzipped else None

    def feed(self, data: bytes) -> bytes:
        """Decoded bytes; raises zlib.error where the data is no gzip. Members may follow one another."""
        self.seen += len(data)
        if self._inflate is None:
            return data
        out = [self._inflate.decompress(data)]
        while self._inflate.eof and self._inflate.unused_data:
            rest = self._inflate.unused_data
            self._inflate = zlib.decompressobj(wbits=31)
            out.append(self._inflate.decompress(rest))
        return b"".join(out)

    @property
    def complete(self) -> bool:
        """Whether the data so far is a whole (Go says "unexpected EOF" where it is not)."""
        return self._inflate is None or self._inflate.eof
