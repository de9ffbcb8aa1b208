"""The channels of exec and attach on one upgraded connection: stdin, stdout, stderr, error and resize, in WebSocket
messages or in SPDY streams (client-go tools/remotecommand: websocket.go, spdy.go).

Nothing here waits: whoever runs a session waits for the connection, and calls `beat` when it is due.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from kubetrace.errors import KubetraceError
from kubetrace.trace.frames import CHANNELS, CLOSE
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.serving.spdy_framing import Frame
    from kubetrace.transport.upgrade import UpgradedConnection

PING_PERIOD = 5.0
PONG_DEADLINE = 12 * PING_PERIOD + 1
"""Seconds without an answer to a ping after which a WebSocket is given up."""

NUMBERS = {name: number for number, name in enumerate(CHANNELS)}
"""The first byte of a message in *.channel.k8s.io."""
_CHUNK = 32 * 1024

Note = Callable[..., object]
"""Takes what kubectl logs of its streams: a note's name and values."""


class StreamsCut(KubetraceError):
    """The connection ended before the streams did."""


class Arrived(Value):
    """Data of a channel; None at the channel's end."""

    channel: str
    data: bytes | None


class Channels(Protocol):
    """A session's channels. Sending raises StreamsCut where the connection is gone."""

    connection: UpgradedConnection

    def receive(self) -> Iterator[Arrived]:
        """What has come since the last time. Raises StreamsCut."""
        ...

    def send(self, channel: str, data: bytes) -> None: ...

    def end(self, channel: str) -> None:
        """Nothing more will be sent on this channel."""
        ...

    def beat(self) -> float:
        """Sends a ping if one is due; the seconds until the next. Raises StreamsCut when nobody answers any more."""
        ...

    def close(self) -> None: ...


class _Heart:
    """When the next ping is due."""

    def __init__(self) -> None:
        self._due = time.monotonic() + PING_PERIOD

    def beats(self, now: float) -> bool:
        if now < self._due:
            return False
        self._due = now + PING_PERIOD
        return True

    def rest(self, now: float) -> float:
        return max(0.0, self._due - now)


class WebSocketChannels:
    """v5.channel.k8s.io. `names` are the channels of this session; what comes for others is dropped. `tells_writes`:
    does anybody want a note of every message?"""

    def __init__(
        self, connection: UpgradedConnection, names: Sequence[str], note: Note, *, tells_writes: bool = True
    ) -> None:
        from kubetrace.transport.websocket import WebSocket

        self.connection = connection
        self._socket = WebSocket(connection)
        self._names = {NUMBERS[name]: name for name in names}
        self._note = note
        self._tells_writes = tells_writes
        self._current: str | None = None
        self._heart = _Heart()
        self._deadline = time.monotonic() + PONG_DEADLINE
        note("websocket-reading", deadline="1m1s")

    def receive(self) -> Iterator[Arrived]:
        from kubetrace.transport.websocket import NORMAL, Closed, Piece

        try:
            for item in self._socket.receive():
                if not isinstance(item, Piece):
                    self._note("websocket-pong", message="")
                    self._deadline = time.monotonic() + PONG_DEADLINE
                elif (arrived := self._arrived(item)) is not None:
                    yield arrived
        except Closed as closed:
            if closed.said:
                self._note("websocket-closed")
            if closed.code != NORMAL:
                raise StreamsCut(f"next reader: {closed}") from closed
            for name in self._names.values():
                yield Arrived(name, None)
        except OSError as error:
            raise StreamsCut(f"next reader: {self.connection.explain(error)}") from error

    def _arrived(self, piece: Any) -> Arrived | None:
        if piece.is_text:
            raise StreamsCut("unexpected message type: 1")
        data = piece.data
        if piece.first:
            if not data:
                if piece.last:
                    raise StreamsCut("read stream id: EOF")
                return None
            self._current = self._names.get(data[0])
            if self._current is None:
                self._note("unknown-stream", id=data[0])
            data = data[1:]
        return Arrived(self._current, data) if self._current is not None and data else None

    def send(self, channel: str, data: bytes) -> None:
        number = NUMBERS[channel]
        if self._tells_writes:
            self._note("stream-write", id=number)
        self._message(bytes((number,)) + data)
        if self._tells_writes:
            self._note("stream-write-done", id=number)

    def end(self, channel: str) -> None:
        number = NUMBERS[channel]
        self._note("stream-close", id=number)
        self._message(bytes((CLOSE, number)))
        self._note("stream-close-done", id=number)

    def _message(self, data: bytes) -> None:
        try:
            self._socket.send(data)
        except OSError as error:
            raise StreamsCut(self.connection.explain(error)) from error

    def beat(self) -> float:
        now = time.monotonic()
        if now >= self._deadline:
            raise StreamsCut(f"next reader: {self.connection.explain(TimeoutError())}")
        if self._heart.beats(now):
            try:
                self._socket.ping()
            except OSError as error:
                raise StreamsCut(self.connection.explain(error)) from error
            self._note("websocket-ping")
        return self._heart.rest(now)

    def close(self) -> None:
        self.connection.close()


class SpdyChannels:
    """Streams of SPDY/3.1, one a channel, which the client opens."""

    def __init__(self, connection: UpgradedConnection, names: Sequence[str]) -> None:
        from kubetrace.transport.spdy import SPDYConnection

        self.connection = connection
        self._spdy = SPDYConnection(connection, in_websocket=False)
        self._heart = _Heart()
        self._open = set(names)
        self._numbers: dict[str, int] = {}
        with self._cutting():
            for name in names:
                self._numbers[name] = self._spdy.open((("streamtype", name),))
        self._names = {number: name for name, number in self._numbers.items()}

    def receive(self) -> Iterator[Arrived]:
        from kubetrace.transport.spdy import Ended

        try:
            with self._cutting():
                for frame in self._spdy.receive():
                    yield from self._arrived(frame)
        except Ended:  # spdystream tells its readers of the end, not of the reason
            for name in sorted(self._open):
                yield self._ended(name)

    def _arrived(self, frame: Frame) -> Iterator[Arrived]:
        from kubetrace.serving.spdy_framing import Data, Reset

        if not isinstance(frame, Data | Reset) or (name := self._names.get(frame.stream)) not in self._open:
            return
        assert name is not None
        if isinstance(frame, Data) and frame.data:
            yield Arrived(name, frame.data)
        if isinstance(frame, Reset) or frame.fin:
            yield self._ended(name)

    def _ended(self, name: str) -> Arrived:
        self._open.discard(name)
        return Arrived(name, None)

    def send(self, channel: str, data: bytes) -> None:
        with self._cutting():
            for start in range(0, len(data), _CHUNK):
                self._spdy.data(self._numbers[channel], data[start : start + _CHUNK])

    def end(self, channel: str) -> None:
        with self._cutting():
            self._spdy.data(self._numbers[channel], b"", fin=True)

    @contextlib.contextmanager
    def _cutting(self) -> Iterator[None]:
        from kubetrace.transport.spdy import Unsent

        try:
            yield
        except Unsent as error:
            raise StreamsCut(str(error)) from error

    def beat(self) -> float:
        now = time.monotonic()
        if self._heart.beats(now):
            with self._cutting():
                self._spdy.ping()
        return self._heart.rest(now)

    def close(self) -> None:
        self._spdy.close()
