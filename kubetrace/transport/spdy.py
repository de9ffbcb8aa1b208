"""The client's end of SPDY/3.1 on an upgraded connection: on the connection itself, or in the binary messages of a
WebSocket (client-go tools/portforward/tunneling_connection.go). The framing is `kubetrace.serving.spdy_framing`'s."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kubetrace.serving.spdy_framing import Frame, Framer, GoAway, Ping, SpdyError
from kubetrace.transport.tunnel import TunnelBroken, TunnelReader
from kubetrace.transport.upgrade import UpgradedConnection
from kubetrace.transport.websocket import ABNORMAL, UNEXPECTED_END, Closed, WebSocket

if TYPE_CHECKING:
    from kubetrace.transport.tunnel_log import TunnelLog

GREEDY = 1 << 18
"""Bytes that are read in one go, so that a busy connection is not looked at for every record of TLS."""
CANCEL = 5
"""RST_STREAM's status for a stream that is not wanted any more."""


class Ended(Exception):
    """The server has ended the connection; the message says how."""


class Unsent(Ended):
    """What was to be sent can't be; the message is Go's."""


class SPDYConnection:
    """Nothing here waits: wait for `connection` with poll(2). Streams are numbers, odd ones as we open them."""

    def __init__(self, connection: UpgradedConnection, *, in_websocket: bool, log: TunnelLog | None = None) -> None:
        self.connection = connection
        self._websocket = WebSocket(connection) if in_websocket else None
        self._log = log
        self._tunnel = TunnelReader(log)
        self._framer = Framer()
        self._end: Ended | None = None
        self._next_stream = 1
        self._next_ping = 1

    def receive(self) -> Iterator[Frame]:
        """The frames that have come since the last time, of no more than `GREEDY` bytes; pings are answered here.
        Raises Ended."""
        try:
            for frame in self._framer.feed(self._arrived()):
                if isinstance(frame, GoAway):
                    raise Ended("the server says goodbye")
                if not isinstance(frame, Ping):
                    yield frame
                elif frame.number % 2 == 0:
                    self._send(self._framer.ping(frame.number))
        except SpdyError as error:
            raise Ended(str(error)) from error
        if self._end is not None:
            raise self._end

    def _arrived(self) -> bytes:
        """What is there. What came before the end is handed on first."""
        pieces: list[bytes] = []
        size = 0
        try:
            while size < GREEDY and (data := self.connection.read()) is not None:
                if not data:
                    raise Ended("EOF")
                size += len(data)
                if self._websocket is None:
                    pieces.append(data)
                    continue
                found, pings = self._tunnel.feed(data)
                pieces += found
                for ping in pings:
                    self._websocket.pong(ping)
        except (Ended, OSError, TunnelBroken) as error:
            self._end = error if isinstance(error, Ended) else Ended(str(error))
            if self._log is not None:
                self._log.ended(self._words(error))
        return b"".join(pieces)

    def _words(self, error: Exception) -> str:
        """What gorilla/websocket says of an end; nothing of one that was planned."""
        if isinstance(error, TunnelBroken):
            return "" if error.planned else str(error)
        return self.connection.explain(error) if isinstance(error, OSError) else str(Closed(ABNORMAL, UNEXPECTED_END))

    @property
    def clogged(self) -> bool:
        """Does so much wait for the server that nothing more should be read for it?"""
        return self.connection.unsent >= GREEDY

    def open(self, headers: Sequence[tuple[str, str]]) -> int:
        """A new stream's number. Raises Ended."""
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        self._send(self._framer.open(stream, headers))
        return stream

    def data(self, stream: int, data: bytes, *, fin: bool = False) -> None:
        """Raises Ended."""
        self._send(self._framer.data(stream, data, fin))

    def reset(self, stream: int) -> None:
        """Raises Ended."""
        self._send(self._framer.reset(stream, CANCEL))

    def ping(self) -> None:
        """Raises Ended."""
        number, self._next_ping = self._next_ping, self._next_ping + 2
        self._send(self._framer.ping(number))

    def flush(self) -> None:
        """Sends what the server had not taken yet. Raises Ended."""
        try:
            self.connection.flush()
        except OSError as error:
            raise Unsent(self.connection.explain(error)) from error

    def _send(self, frame: bytes) -> None:
        try:
            if self._websocket is None:
                self.connection.write(frame)
            else:
                if self._log is not None:
                    self._log.writing(frame)
                self._websocket.send(frame)
        except OSError as error:
            raise Unsent(self.connection.explain(error)) from error

    def close(self) -> None:
        """Says goodbye, as far as somebody listens, and ends the connection."""
        with contextlib.suppress(Ended, OSError):
            self._send(self._framer.go_away(0))
            if self._websocket is not None:
                if self._log is not None:
                    self._log.closing()
                self._websocket.close()
        self.connection.close()
        if self._log is not None and self._end is None:
            self._log.ended(self.connection.closed_words)
