"""One local connection and its two streams: bytes and, at the end, what went wrong (handleConnection, client-go
tools/portforward/portforward.go)."""

from __future__ import annotations

import contextlib
import select
import time
from typing import Literal

from kubetrace.forwarding.ports import Forward
from kubetrace.transport.spdy import SPDYConnection
from kubetrace.transport.wire import READABLE, WRITABLE, Wire
from kubetrace.transport.words import errno_text

HIGH_WATER = 1 << 22
"""Bytes that may wait for one side before the other is no longer read."""
REPLY_SECONDS = 30.0
"""How long the server may take to accept a stream (createStreamResponseTimeout)."""


Stage = Literal["opening-errors", "opening-data", "open", "ending", "over"]


class LocalFailure(Exception):
    """The local connection broke; the message is Go's, `reading` says which way the bytes went."""

    def __init__(self, why: str, *, reading: bool) -> None:
        super().__init__(why)
        self.reading = reading


class Pair:
    """Carries one local connection. The streams are opened one after the other, as each waits for its reply; at the
    end the data stream is reset before the error stream's last word is waited for."""

    def __init__(self, wire: Wire, name: str, forward: Forward, request: int, remote: SPDYConnection) -> None:
        self.forward = forward
        self.wire = wire
        self.stage: Stage = "opening-errors"
        self.deadline: float | None = time.monotonic() + REPLY_SECONDS
        self.error_text = bytearray()
        self._name = name
        self._remote = remote
        self._request = request
        self._to_local = bytearray()
        self._sent_all = False
        self._received_all = False
        self._errors_ended = False
        self.error_stream = self._open("error")
        self.data_stream: int | None = None

    @property
    def streams(self) -> tuple[int, ...]:
        return (self.error_stream,) if self.data_stream is None else (self.error_stream, self.data_stream)

    @property
    def full(self) -> bool:
        """Do so many bytes wait for the local side that nothing more should be read for it?"""
        return len(self._to_local) >= HIGH_WATER

    def _open(self, kind: str) -> int:
        headers = [("streamtype", kind), ("port", str(self.forward.remote)), ("requestid", str(self._request))]
        return self._remote.open(headers)

    # --- from the server ----------------------------------------------------------------------------------------------

    def replied(self, stream: int) -> None:
        """The server has accepted a stream. Raises Ended."""
        if stream == self.error_stream and self.stage == "opening-errors":
            self._remote.data(self.error_stream, b"", fin=True)  # nothing is written to it
            self.data_stream = self._open("data")
            self.stage, self.deadline = "opening-data", time.monotonic() + REPLY_SECONDS
        elif stream == self.data_stream and self.stage == "opening-data":
            self.stage, self.deadline = "open", None

    def received(self, stream: int, data: bytes, *, fin: bool) -> None:
        """Keeps what has come, until `settle`."""
        if stream == self.error_stream:
            self.error_text += data
            self._errors_ended = self._errors_ended or fin
        elif self.stage in ("opening-data", "open"):
            self._to_local += data
            self._received_all = self._received_all or fin

    def stream_reset(self, stream: int) -> None:
        """The server gives up a stream."""
        if stream == self.error_stream:
            self._errors_ended = True
        else:
            self._received_all = True

    def settle(self) -> None:
        """Hands on what has come. Raises LocalFailure, Ended."""
        self._flush()
        self._advance()

    # --- the local side -----------------------------------------------------------------------------------------------

    def events(self) -> int:
        """What the local connection is waited for (poll(2))."""
        if self.stage != "open":
            return WRITABLE if self._to_local else 0
        wants_more = not self._sent_all and not self._remote.clogged
        return (READABLE if wants_more else 0) | (WRITABLE if self._to_local else 0)

    def serve(self, events: int) -> None:
        """Raises LocalFailure, Ended."""
        if self._to_local and events & WRITABLE:
            self._flush()
        if events & READABLE and self.events() & select.POLLIN:
            self._read()
        self._advance()

    def _read(self) -> None:
        assert self.data_stream is not None
        try:
            data = self.wire.receive()
        except OSError as error:
            raise LocalFailure(f"writeto {self._name}: {self._words('read', error)}", reading=True) from error
        if data:
            self._remote.data(self.data_stream, data)
        elif data is not None:
            self._sent_all = True
            self._remote.data(self.data_stream, b"", fin=True)

    def _flush(self) -> None:
        try:
            while self._to_local and (sent := self.wire.send(self._to_local)):
                del self._to_local[:sent]
        except OSError as error:
            raise LocalFailure(self._words("write", error), reading=False) from error

    def _words(self, what: str, error: OSError) -> str:
        return f"{what} {self._name}: {what}: {errno_text(error)}"

    # --- the end ------------------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        if self.stage == "open" and self._received_all and not self._to_local:
            self.give_up()
        if self.stage == "ending" and self._errors_ended:
            self.stage = "over"

    def give_up(self) -> None:
        """Nothing more is carried; what the error stream says is waited for. Raises Ended."""
        if self.stage in ("open", "opening-data"):
            assert self.data_stream is not None
            self._remote.reset(self.data_stream)
        self._to_local.clear()
        self.deadline = None
        self.stage = "over" if self._errors_ended else "ending"

    def close(self) -> None:
        """Ends the local connection. What it has sent meanwhile is taken, as a connection that is closed over unread
        bytes is reset, and what it was sent before with it."""
        with contextlib.suppress(OSError):
            while self.wire.receive():
                pass
        self.wire.close()

    def timed_out(self) -> None:
        """The server has not accepted a stream in time."""
        self.stage = "over"
