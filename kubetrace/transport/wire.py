"""A socket that never makes its caller wait: TLS or plain, one end of a relay."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import ssl
import struct
from typing import Any

RECORD = 1 << 14
"""Bytes taken at once: TLS hands out one record, which holds no more."""
READABLE = select.POLLIN | select.POLLHUP | select.POLLERR
WRITABLE = select.POLLOUT | select.POLLHUP | select.POLLERR
"""What poll(2) says of a socket that can be read from, or written to, without waiting, if only to be told its end."""

_RESET = struct.pack("ii", 1, 0)


class Wire:
    """One end of a relay. `socket` is connected, with its TLS handshake done."""

    def __init__(self, sock: Any) -> None:
        self._socket = sock
        self._is_tls = isinstance(sock, ssl.SSLSocket)
        if not isinstance(sock, socket.socket) or self._is_tls:
            sock.suppress_ragged_eofs = False
        sock.settimeout(0.0)
        self.descriptor: int = sock.fileno()
        self.ragged = False
        """Has the stream ended without TLS's word of farewell? Then nobody knows whether it was whole."""

    @property
    def peer(self) -> str | None:
        """The other side's IP address; None where it has none."""
        try:
            name = self._socket.getpeername()
        except OSError:
            return None
        return str(name[0]) if isinstance(name, tuple) else None

    def receive(self) -> bytes | None:
        """The bytes that are there (b"" at the end of the stream), None where there are none now. Raises OSError."""
        try:
            data: bytes = self._socket.recv(RECORD)
            return data
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return None
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLEOFError as error:
            if error.reason != "UNEXPECTED_EOF_WHILE_READING":  # how Python words a reset under TLS
                raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)) from error
            self.ragged = True
            return b""

    def send(self, data: bytes | bytearray | memoryview) -> int:
        """How many of the bytes could be sent now. Raises OSError."""
        try:
            sent: int = self._socket.send(data)
            return sent
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return 0

    def send_all(self, data: bytes, seconds: float) -> None:
        """Sends everything, waiting where it must. Raises OSError, TimeoutError where nothing moves for so long."""
        rest = memoryview(data)
        while rest:
            sent = self.send(rest)
            rest = rest[sent:]
            if not sent and not wait(self.descriptor, select.POLLOUT, seconds):
                raise TimeoutError

    @property
    def pending(self) -> bool:
        """Are there bytes here that poll(2) does not see, because they have been decrypted already?"""
        return self._is_tls and self._socket.pending() > 0

    @property
    def is_quiet(self) -> bool:
        """Is a connection that nobody uses still open? A server that has closed it, or says something, has ended it."""
        try:
            return (not self.pending and not wait(self.descriptor, select.POLLIN, 0)) or self.receive() is None
        except OSError:
            return False

    def finish(self) -> None:
        """Ends the stream as planned: the other side is told that there is nothing more, then the socket is closed."""
        with contextlib.suppress(OSError, ValueError):
            if self._is_tls:
                self._socket.unwrap()
        self.close()

    def close(self) -> None:
        """Closes the socket without a word: a TLS peer sees that something broke off."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def reset(self) -> None:
        """Closes the socket so that the other side sees its connection reset."""
        with contextlib.suppress(OSError, AttributeError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.close()

    def interrupt(self) -> None:
        """From another thread: whoever waits for this socket sees it end."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # below TLS, which no other thread may touch


class NestedWire(Wire):
    """TLS within TLS (a server behind an https proxy): urllib3's SSLTransport, which knows no half-sent record."""

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)
        self._drained = True

    def receive(self) -> bytes | None:
        data = super().receive()
        self._drained = not data
        return data

    def send(self, data: bytes | bytearray | memoryview) -> int:
        self._socket.settimeout(None)
        try:
            return super().send(bytes(data))
        finally:
            self._socket.settimeout(0.0)

    @property
    def pending(self) -> bool:
        return not self._drained


def wire(sock: Any) -> Wire:
    """The wire for a connected socket, or what stands for one."""
    return Wire(sock) if isinstance(sock, socket.socket) else NestedWire(sock)


def honest(context: ssl.SSLContext) -> ssl.SSLContext:
    """A context whose connections tell a stream that was cut off from one that has ended (Python hides it)."""
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


def wait(descriptor: int, events: int, seconds: float | None) -> bool:
    """Whether the descriptor became ready within the time."""
    poll = select.poll()
    poll.register(descriptor, events)
    return bool(poll.poll(None if seconds is None else seconds * 1000))
