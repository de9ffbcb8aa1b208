"""The client's answers: bodies read whole, or handed on as they arrive."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from kubetrace.trace.exchange import Request, Response
from kubetrace.transport.body import Decoder
from kubetrace.transport.errors import BodyReadError, Kind
from kubetrace.transport.failures import explain
from kubetrace.transport.headers import has_body
from kubetrace.transport.recording import Recording

CHUNK = 1 << 16
GZIP_HEADER = 10
SLURP = 2048
"""Bytes of a discarded body that are read so that its connection can be kept (readAndCloseResponseBody)."""


class ClientAnswer:
    """An answer as `kubetrace.transport.call.Answer` describes it, with the exchange's request and response values."""

    def __init__(self, answer: Any, recording: Recording, *, bare_errors: bool = False) -> None:
        assert recording.response is not None
        self.request: Request = recording.request
        self.response: Response = recording.response
        self._raw = answer.raw
        self._recording = recording
        self._bare_errors = bare_errors
        self._body: bytes | None = None
        self._streamed: int | None = None
        # What an issuer of tokens says is nobody's to keep.
        is_kept = recording.active and self.request.operation != "oidc"
        self._room = recording.events.streamed if is_kept else 0
        self._beginning = bytearray()
        gzipped = (self._raw.headers.get("Content-Encoding") or "").lower() == "gzip"
        hidden = self.response.header("Content-Encoding") is None
        self._decoder = Decoder(gzipped and hidden)

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def url(self) -> str:
        return self.request.url

    @property
    def method(self) -> str:
        return self.request.method

    def header(self, name: str) -> str | None:
        return self.response.header(name)

    @property
    def body(self) -> bytes:
        return self.read()

    def read(self) -> bytes:
        """The whole decoded body; tells it to the observers when it is first read. Raises BodyReadError."""
        if self._body is None:
            self._body = self._read() if has_body(self.method, self.status) else b""
            self._release()
            if self._recording.keep is not None:
                self._recording.keep(self.response, self._body)
            self._recording.body_read(self._body)
            self._recording.ended(self._body, len(self._body))
        return self._body

    def chunks(self) -> Iterator[bytes]:
        """Decoded pieces as they arrive, none held back. Raises BodyReadError. Closing early ends the connection."""
        if self._body is not None:
            if self._body:
                yield self._body
            return
        size, kept = 0, self._beginning
        listen = self._recording.body_listener(self.status, self.header("Content-Type") or "")
        try:
            while data := self._piece():
                decoded = self._decoder.feed(data)
                size += len(decoded)
                self._streamed = size
                if self._room is None or len(kept) < self._room:
                    kept += decoded if self._room is None else decoded[: self._room - len(kept)]
                if decoded:
                    if listen is not None:
                        listen(decoded)
                    yield decoded
            if size and not self._decoder.complete:
                raise EOFError
            self._release()
            self._recording.ended(self._kept, size)
        except (GeneratorExit, KeyboardInterrupt):
            self.close()
            raise
        except Exception as error:
            raise self._failure(error, size) from error

    def close(self) -> None:
        """Ends the exchange; a body not read to its end takes the connection with it."""
        self._raw.close()
        self._release()
        if self._body is None:
            self._recording.ended(self._kept, self._streamed)
        else:
            self._recording.ended(self._body, len(self._body))

    @property
    def _kept(self) -> bytes | None:
        """As much as somebody wants of a body that was handed on as it came."""
        return bytes(self._beginning) or None

    def discard(self) -> None:
        """Lets an answer go that nobody wants (a retry, a redirect), keeping the connection where that is cheap."""
        body = b""
        try:
            length = int(self.header("Content-Length") or 0)
            if has_body(self.method, self.status) and length <= SLURP:
                body = self._raw.read(SLURP, decode_content=False) or b""
                if self._raw.read(1, decode_content=False):
                    self._raw.close()
        except Exception:
            self._raw.close()
        self._release()
        self._recording.ended(body, len(body))

    def _read(self) -> bytes:
        try:
            data = self._raw.read(decode_content=False)
            decoded = self._decoder.feed(data)
            if not self._decoder.complete and data:
                raise EOFError
            return decoded
        except Exception as error:
            raise self._failure(error, None) from error

    def _piece(self) -> bytes:
        data: bytes | None = self._raw.read1(CHUNK, decode_content=False)
        return data or b""

    def _release(self) -> None:
        self._raw.release_conn()

    def _failure(self, error: Exception, size: int | None) -> BodyReadError:
        reason, kind = self._explained(error)
        self._raw.close()
        self._recording.ended(self._kept, size, reason)
        return BodyReadError(self.method, self.url, reason, kind, bare=self._bare_errors)

    def _explained(self, error: Exception) -> tuple[str, Kind]:
        if isinstance(error, EOFError):
            return "unexpected EOF", "eof"
        if isinstance(error, zlib.error):
            return (
                ("unexpected EOF", "eof") if self._decoder.seen < GZIP_HEADER else ("gzip: invalid header", "protocol")
            )
        return explain(error, self._recording, reading=True)
