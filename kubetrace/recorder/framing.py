"""Where a message's body ends. A framing is fed the bytes as they come, and says which of them are content; the bytes
themselves are relayed as they are, chunk sizes, extensions and trailers included."""

from __future__ import annotations

import re
from typing import Protocol

from kubetrace.recorder.heads import BadMessage, RequestHead, ResponseHead
from kubetrace.transport.headers import has_body

_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[\t -\xff]*)?\r\n")
_LINE_LIMIT = 4096
_TRAILER_LIMIT = 1 << 16


class Framing(Protocol):
    """`complete` once the body's last byte was fed."""

    complete: bool

    def feed(self, data: bytes) -> tuple[bytes, int]:
        """The content in these bytes, and how many of them belong to the message. Raises BadMessage."""
        ...

    def closed(self) -> bool:
        """The sender has closed the connection: is the body whole?"""
        ...


class Nothing:
    """A message without a body."""

    complete = True

    def feed(self, data: bytes) -> tuple[bytes, int]:
        return b"", 0

    def closed(self) -> bool:
        return True


class Counted:
    """As many bytes as Content-Length says."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.complete = length == 0

    def feed(self, data: bytes) -> tuple[bytes, int]:
        content = data if len(data) <= self._left else data[: self._left]
        self._left -= len(content)
        self.complete = self._left == 0
        return content, len(content)

    def closed(self) -> bool:
        return self.complete


class UntilClose:
    """Everything until the connection ends."""

    complete = False

    def feed(self, data: bytes) -> tuple[bytes, int]:
        return data, len(data)

    def closed(self) -> bool:
        return True


class Chunked:
    """Chunks, and trailers behind the last one."""

    def __init__(self) -> None:
        self.complete = False
        self._left = 0
        self._line = b""
        self._in_trailers = False
        self._trailers = 0

    def feed(self, data: bytes) -> tuple[bytes, int]:
        content: list[bytes] = []
        at = 0
        while at < len(data) and not self.complete:
            if self._left > 2:  # the chunk's data, before the line end that closes it
                piece = data[at : at + self._left - 2]
                content.append(piece)
                self._left -= len(piece)
                at += len(piece)
            elif self._left:
                at = self._chunk_end(data, at)
            else:
                at = self._next_line(data, at)
        return (content[0] if len(content) == 1 else b"".join(content)), at

    def _chunk_end(self, data: bytes, at: int) -> int:
        if data[at : at + 1] != (b"\r" if self._left == 2 else b"\n"):
            raise BadMessage("malformed chunked encoding")
        self._left -= 1
        return at + 1

    def _next_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at) + 1
        self._line += data[at : end or len(data)]
        if len(self._line) > _LINE_LIMIT:
            raise BadMessage("a line of the chunked encoding is too long")
        if end:
            line, self._line = self._line, b""
            self._read_line(line)
        return end or len(data)

    def _read_line(self, line: bytes) -> None:
        if self._in_trailers:
            self._trailers += len(line)
            if self._trailers > _TRAILER_LIMIT:
                raise BadMessage("the trailers are too long")
            self.complete = line == b"\r\n"
            return
        match = _SIZE.fullmatch(line)
        if match is None:
            raise BadMessage("malformed chunk size")
        size = int(match[1], 16)
        self._in_trailers = size == 0
        self._left = size + 2 if size else 0

    def closed(self) -> bool:
        return self.complete


def of_request(head: RequestHead) -> Framing:
    """How a request's body is framed. Raises BadMessage."""
    if head.chunked:
        return Chunked()
    length = head.length
    return Counted(length) if length else Nothing()


def of_response(head: ResponseHead, method: bytes) -> Framing:
    """How an answer's body is framed. Raises BadMessage."""
    if not has_body(method.decode("latin-1"), head.status):
        return Nothing()
    if head.chunked:
        return Chunked()
    length = head.length
    return UntilClose() if length is None else Counted(length)
