"""One exchange while it happens: collects phases from the connection below, tells observers, ends as an `Exchange`.

The adapter starts a recording for every send and makes it the current one of its thread; the connection classes
(`kubetrace.transport.connections`) report to it. It also knows which phase it is in, so that errors can be told in the
words Go uses for that phase.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal

from kubetrace.trace.events import Events
from kubetrace.trace.exchange import (
    CacheHit,
    Connection,
    Dialed,
    Direction,
    Exchange,
    ExchangeEnded,
    Frame,
    HostResolved,
    Request,
    RequestSent,
    Response,
    ResponseBody,
    ResponseReceived,
    Timings,
    TLSEstablished,
    Upgraded,
    next_id,
)
from kubetrace.value import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubetrace.trace.frames import FrameWatcher
    from kubetrace.trace.watch_stream import Change
    from kubetrace.transport.errors import Kind
    from kubetrace.transport.tls_words import Peer

Phase = Literal["start", "dns", "dial", "proxy", "tls", "write", "headers", "body", "done"]

current: ContextVar[Recording | None] = ContextVar("kubetrace_exchange", default=None)
"""The exchange that this thread is sending, for the connection classes, which urllib3 builds and calls."""


class Recording:
    """The state of one exchange in progress. With no observers it only keeps its phase and a few clock readings."""

    def __init__(self, request: Request, events: Events, *, call: int, attempt: int = 1) -> None:
        self.request = request
        self.events = events
        self.active = events.active
        self.id = next_id()
        self.call = call
        self.attempt = attempt
        self.phase: Phase = "start"
        self.handshake_timeout: float | None = None
        self.deadline: float | None = None
        self.aborted = False
        self.strict = False
        self.failure: tuple[str, Kind] | None = None
        self.peer: Peer | None = None
        self.watchdog: threading.Timer | None = None
        self.status_line = b""
        self.address: str | None = None
        self.local: str | None = None
        self.tls_version: str | None = None
        self.reused = True
        self.dns: float | None = None
        self.dial: float | None = None
        self.tls: float | None = None
        self.response: Response | None = None
        self.keep: Callable[[Response, bytes], None] | None = None
        self.wire_status: int | None = None
        self.passed = 0
        """Bytes sent besides the body of the request."""
        self._socket: socket.socket | None = None
        self._begun = time.perf_counter()
        self._started = time.time() if self.active else 0.0
        self._connected: float | None = None
        self._written: float | None = None
        self._first_byte: float | None = None
        self._headers: float | None = None
        self._ended = False

    def begin(self) -> None:
        """The request goes out: tell, then start the clock (kubectl starts it after its request lines)."""
        if self.active:
            self.events.emit(RequestSent(self.id, self.call, self.attempt, self.request))
        self._begun = time.perf_counter()

    # --- what the HTTP cache reports -------------------------------------------------------------------------------

    def saved(self, hit: CacheHit) -> None:
        """Nothing goes over the wire: the cache has the answer."""
        self.wire_status = 0
        if self.active:
            self.events.emit(hit)

    def conditional(self, fields: Mapping[str, str]) -> None:
        """The request goes out with these fields, too; kubectl's log, which is above the cache, never shows them."""
        unlogged = self.request.unlogged | {name.lower() for name in fields}
        headers = (*self.request.headers, *fields.items())
        self.request = replace(self.request, headers=headers, unlogged=unlogged)

    # --- what the connection reports -------------------------------------------------------------------------------

    def resolved(self, host: str, addresses: tuple[tuple[str, str], ...], seconds: float) -> None:
        self.dns = (self.dns or 0.0) + seconds
        if self.active:
            self.events.emit(HostResolved(self.id, host, addresses, seconds))

    def dialed(self, address: str, error: str | None, seconds: float) -> None:
        self.dial = seconds
        if self.active:
            self.events.emit(Dialed(self.id, address, error, seconds))

    def secured(self, version: str, seconds: float) -> None:
        self.tls, self.tls_version = seconds, version
        if self.active:
            self.events.emit(TLSEstablished(self.id, version, seconds))

    def connected(self, local: str | None, address: str | None, tls_version: str | None) -> None:
        """A usable connection is there, new or from the pool; the request is about to be written."""
        self.local, self.address, self.tls_version = local, address, tls_version
        self._connected = time.perf_counter()
        self.phase = "write"

    def written(self) -> None:
        self._written = time.perf_counter()
        self.phase = "headers"

    def first_byte(self) -> None:
        self._first_byte = time.perf_counter()

    def watch(self, sock: socket.socket | None) -> None:
        """From here on this socket carries the exchange; `abort` cuts it."""
        self._socket = sock
        if self.aborted:  # time was up before there was a socket
            self._shut_down()

    def abort(self) -> None:
        """Cuts the exchange off from another thread: whoever waits on the socket sees it end."""
        self.aborted = True
        self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # below TLS: no thread may touch that here

    def forget_stale(self) -> bool:
        """Whether it was a kept connection that ended before a byte of the answer came; then it is forgotten, for
        another try."""
        stale = self.reused and self._connected is not None and self._first_byte is None and not self.aborted
        if stale:
            self._written = self._connected = self.failure = None
        return stale

    def remaining(self) -> float | None:
        """Seconds until the deadline (never negative); None where the exchange has none."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def timed_out(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline

    # --- how it goes on --------------------------------------------------------------------------------------------

    def received(self, response: Response) -> None:
        """Status line and headers are there."""
        self.response = response
        self._headers = time.perf_counter()
        self.phase = "body"
        if self.active:
            self.events.emit(
                ResponseReceived(self.id, self.call, self.request, response, self.timings(), self.connection(), None)
            )

    def failed(self, error: str) -> None:
        """No answer: the round trip ended with a transport error, in Go's words."""
        self._tell_failure(error)
        self.ended(None, None, error)

    def refused(self, response: Response, body: bytes, error: str) -> None:
        """The server answered, but for the layer that kubectl logs there was no answer: `error`, in client-go's
        words."""
        self.response = response
        self._tell_failure(error)
        self.ended(body, len(body), error)

    def _tell_failure(self, error: str) -> None:
        self._headers = time.perf_counter()
        if self.active:
            self.events.emit(
                ResponseReceived(self.id, self.call, self.request, None, self.timings(), self.connection(), error)
            )

    def body_read(self, body: bytes, size: int | None = None) -> None:
        """The whole body is there and is one that kubectl's log shows; `size` is its size where no more than its
        beginning was kept."""
        if self.active:
            self.events.emit(ResponseBody(self.id, self.call, self.request, body, size))

    def body_listener(self, status: int, content_type: str) -> Callable[[bytes], None] | None:
        """Who is to be given a body as it comes, and tells of a watch's events or a followed log's pieces; None for
        whatever is neither, and where nobody follows them."""
        if not self.active or status != 200 or not self.events.follows_frames:
            return None
        from kubetrace.trace.endpoint import endpoint, follows_log

        if follows_log(self.request):
            return self._log_listener()
        if endpoint(self.request).verb != "watch":
            return None
        from kubetrace.trace.watch_stream import WatchReader

        def tell(change: Change) -> None:
            self.events.emit(change.within(self.id, self.call, self.seconds))

        return WatchReader(content_type, tell).feed

    def _log_listener(self) -> Callable[[bytes], None]:
        keep = self.events.contents

        def tell(piece: bytes) -> None:
            self._frame_passed("received", "piece", len(piece), "log", piece[:keep] if keep else None)

        return tell

    def upgraded(self, protocol: str, subprotocol: str) -> FrameWatcher | None:
        """The connection carries frames from here on. Who is to be given its bytes, and tells of its frames; None where
        nobody follows them, or can read them."""
        if self.active:
            self.events.emit(Upgraded(self.id, self.call, self.request, protocol, subprotocol))
        if not self.events.follows_frames:
            return None
        from kubetrace.trace.frames import frame_watcher

        return frame_watcher(protocol, subprotocol, self.request.url, self._frame_passed, self.events.contents)

    def _frame_passed(
        self, direction: Direction, kind: str, size: int, channel: str | None, content: bytes | None
    ) -> None:
        self.events.emit(Frame(self.id, self.call, direction, kind, size, channel, self.seconds, content))

    def ended(self, body: bytes | None, size: int | None, error: str | None = None) -> None:
        """Nothing more will come; harmless when said twice."""
        if self._ended:
            return
        self._ended = True
        self.phase = "done"
        if self.watchdog is not None:
            self.watchdog.cancel()
        if self.active:
            self.events.emit(ExchangeEnded(self._exchange(body, size, error)))

    def _exchange(self, body: bytes | None, size: int | None, error: str | None) -> Exchange:
        now = time.perf_counter()
        return Exchange(
            self.id,
            self.call,
            self.attempt,
            self.request,
            self.response,
            body,
            size,
            self.timings(now),
            self.connection(),
            self._started,
            error,
            self.passed,
        )

    def connection(self) -> Connection:
        return Connection(self.address, self.tls_version, self.reused and self._connected is not None)

    @property
    def seconds(self) -> float:
        """How long the exchange has been going on."""
        return max(0.0, time.perf_counter() - self._begun)

    def timings(self, end: float | None = None) -> Timings:
        """The phases so far; `end` (a perf_counter reading) closes the body and the total."""
        headers = self._headers
        return Timings(
            self.dns,
            self.dial,
            self.tls,
            _between(self._begun, self._connected),
            _between(self._written, self._first_byte),
            _between(self._begun, headers),
            _between(headers, end) if self.response is not None else None,
            _between(self._begun, end),
        )


class Watchdog:
    """Cuts an exchange off at its deadline, headers and body alike; it lives until the exchange has ended. Without a
    deadline there is none. A failed send ends the exchange, and with it the watchdog."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def __enter__(self) -> None:
        remaining = self._recording.remaining()
        if remaining is not None:
            self._recording.watchdog = threading.Timer(remaining, self._recording.abort)
            self._recording.watchdog.daemon = True
            self._recording.watchdog.start()

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is not None and self._recording.watchdog is not None:
            self._recording.watchdog.cancel()


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else max(0.0, end - start)
