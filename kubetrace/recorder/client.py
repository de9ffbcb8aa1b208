"""A client's connection as whoever serves it needs it: requests read, one after the other, and answers of our own."""

from __future__ import annotations

import contextlib
import select
import time

from kubetrace.recorder.answers import LocalAnswer
from kubetrace.recorder.framing import Framing
from kubetrace.recorder.heads import BadMessage, RequestHead, split
from kubetrace.recorder.passage import Broken, Reset
from kubetrace.recorder.relay import ClientGone
from kubetrace.transport.wire import Wire, wait
from kubetrace.value import replace

FIRST_HEAD_SECONDS = 30.0
"""How long a stranger may take to say what it wants."""
BODY_SECONDS = 60.0
SEND_SECONDS = 60.0
WHOLE_BODY = 4 << 20
"""Request bodies up to this size are read before they are sent on, so that a log can show them first, as kubectl's
does; an API server takes 3 MiB at most. Larger ones, and those of unknown size, are streamed."""


class ClientConnection:
    """Serves one connection on the calling thread, until either side has had enough. Subclasses say what becomes of a
    request."""

    def __init__(self, client: Wire) -> None:
        self._client = client
        self._buffer = bytearray()
        self._known = False
        """Has it said something sensible? Then it may take its time."""

    def run(self) -> None:
        try:
            while self._next():
                pass
            self._client.finish()
        except Reset:
            self._client.reset()
        except (Broken, ClientGone, OSError):
            self._client.close()

    def _next(self) -> bool:
        """Serves one request. False where the connection is to be closed after it. Raises Broken, Reset, ClientGone,
        OSError."""
        raise NotImplementedError

    # --- reading ------------------------------------------------------------------------------------------------------

    def _read_head(self) -> bytes | None:
        seconds = None if self._known else FIRST_HEAD_SECONDS
        while not (end := split(self._buffer)):
            if not self._receive(seconds):
                return None
        head = bytes(self._buffer[:end])
        del self._buffer[:end]
        return head

    def _receive(self, seconds: float | None) -> bool:
        """Takes more of what the client says; False where it has said everything. Raises TimeoutError, OSError."""
        data = self._client.receive()
        while data is None:
            if not wait(self._client.descriptor, select.POLLIN, seconds):
                raise TimeoutError
            data = self._client.receive()
        self._buffer += data
        return bool(data)

    def _read_body(self, head: RequestHead, framing: Framing) -> bytes | None:
        """A body that is read whole before it is sent on (b"" for none); None for one that is streamed."""
        if framing.complete:
            return b""
        length = head.length
        if length is None or length > WHOLE_BODY or head.first(b"expect") is not None:
            return None
        while len(self._buffer) < length:
            if not self._receive(BODY_SECONDS):
                raise ClientGone
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        framing.feed(body)
        return body

    # --- answers of our own -------------------------------------------------------------------------------------------

    def _answer(self, answer: LocalAnswer, method: bytes = b"GET", *, close: bool = False, minor: int = 1) -> None:
        body = b"" if method == b"HEAD" else answer.body
        answer = replace(answer, close=close, minor=minor)
        self._client.send_all(answer.head() + body, SEND_SECONDS)

    def _refuse(self, head: RequestHead, framing: Framing, answer: LocalAnswer) -> bool:
        """Answers in the server's place. A body that is still coming in is not waited for."""
        close = not framing.complete or not head.keeps_alive
        self._answer(answer, head.method, close=close, minor=head.minor)
        if close:
            self._drain(framing)
        return not close

    def _drain(self, framing: Framing) -> None:
        """Lets a client that still sends read its answer: to close a socket that has unread bytes would reset it."""
        until = time.monotonic() + 1.0
        with contextlib.suppress(OSError, BadMessage):
            while not framing.complete and (left := until - time.monotonic()) > 0:
                if not wait(self._client.descriptor, select.POLLIN, left):
                    return
                data = self._client.receive()
                if data == b"":
                    return
                framing.feed(data or b"")
