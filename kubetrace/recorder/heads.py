"""Heads of HTTP/1.1 messages: read strictly, since what two readers read differently can be smuggled past one of them
(RFC 9112, section 11), and kept as the bytes they were."""

from __future__ import annotations

import re

from kubetrace.transport.words import malformed_status_line

LIMIT = 1 << 20
"""The most bytes of a head: net/http's DefaultMaxHeaderBytes."""

Fields = list[tuple[bytes, bytes]]

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([!-\xff]+) HTTP/1\.([01])")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([\t -\xff]*))?")
_FIELD = re.compile(rb"(?m)^(" + _TOKEN + rb"):[ \t]*([^\r\n\0]*?)[ \t]*\r\n")
_LENGTH = re.compile(rb"[0-9]{1,18}")


class BadMessage(Exception):
    """Bytes that are no HTTP/1.1 message, or one that can be read in two ways. `status` is what net/http would answer,
    "400 Bad Request" mostly."""

    def __init__(self, what: str, status: str = "400 Bad Request") -> None:
        super().__init__(what)
        self.status = status


class Head:
    """What requests and answers have in common: HTTP/1.`minor` and the fields in wire order."""

    __slots__ = ("_by_name", "fields", "minor")

    def __init__(self, minor: int, fields: Fields) -> None:
        self.minor = minor
        self.fields = fields
        self._by_name: dict[bytes, list[bytes]] = {}
        for name, value in fields:
            self._by_name.setdefault(name.lower(), []).append(value)

    def values(self, name: bytes) -> list[bytes]:
        """The values of a field, named in lower case."""
        return self._by_name.get(name, [])

    def first(self, name: bytes) -> bytes | None:
        found = self._by_name.get(name)
        return found[0] if found else None

    def lists(self, name: bytes, word: bytes) -> bool:
        """Does a comma-separated field hold this word (lower case)?"""
        return any(word == each.strip().lower() for value in self.values(name) for each in value.split(b","))

    @property
    def keeps_alive(self) -> bool:
        if self.minor == 0:
            return self.lists(b"connection", b"keep-alive")
        return not self.lists(b"connection", b"close")

    @property
    def chunked(self) -> bool:
        """Raises BadMessage for a transfer coding that is not exactly "chunked"."""
        codings = self.values(b"transfer-encoding")
        if not codings:
            return False
        if len(codings) > 1 or codings[0].lower() != b"chunked" or self.minor == 0:
            raise BadMessage("unsupported transfer encoding")
        return True

    @property
    def length(self) -> int | None:
        """Content-Length. Raises BadMessage where it is no number, or several."""
        lengths = set(self.values(b"content-length"))
        if not lengths:
            return None
        value = lengths.pop()
        if lengths or not _LENGTH.fullmatch(value):
            raise BadMessage("bad Content-Length")
        return int(value)


class RequestHead(Head):
    """Raises BadMessage for a request whose end is not clear, or that does not say to whom it goes."""

    __slots__ = ("method", "target")

    def __init__(self, minor: int, fields: Fields, method: bytes, target: bytes) -> None:
        super().__init__(minor, fields)
        self.method = method
        self.target = target
        if self.chunked and self.length is not None:
            raise BadMessage("both Transfer-Encoding and Content-Length")
        hosts = len(self.values(b"host"))
        if hosts > 1:
            raise BadMessage("repeated Host")
        if not hosts and minor:
            raise BadMessage("missing Host", "400 Bad Request: missing required Host header")


class ResponseHead(Head):
    """`reason` is None where the status line ends after its code."""

    __slots__ = ("reason", "status")

    def __init__(self, minor: int, fields: Fields, status: int, reason: bytes | None) -> None:
        super().__init__(minor, fields)
        self.status = status
        self.reason = reason


def split(buffer: bytes | bytearray) -> int:
    """Where a head ends (behind its empty line); 0 where it has not ended. Raises BadMessage for one too long."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > LIMIT:
            raise BadMessage("the head is too long", "431 Request Header Fields Too Large")
        return 0
    if end > LIMIT:
        raise BadMessage("the head is too long", "431 Request Header Fields Too Large")
    return end + 4


def request_head(head: bytes, *, of_origin: bool = True) -> RequestHead:
    """A request's head with its empty line. An `of_origin` one names a path of a server's that it names, too. Raises
    BadMessage."""
    line, fields = _read(head)
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise BadMessage("malformed request line", _version_refused(line))
    found = RequestHead(int(match[3]), fields, match[1], match[2])
    if of_origin and not found.target.startswith(b"/"):
        raise BadMessage("the target is no path")
    if of_origin and found.first(b"host") is None:
        raise BadMessage("missing Host")
    return found


def _version_refused(line: bytes) -> str:
    if re.fullmatch(rb"[!-\xff]+ [!-\xff]+ HTTP/[0-9]\.[0-9]", line) and not line.endswith((b"/1.0", b"/1.1")):
        return "505 HTTP Version Not Supported: unsupported protocol version"
    return "400 Bad Request"


def response_head(head: bytes) -> ResponseHead:
    """An answer's head with its empty line. Raises BadMessage."""
    line, fields = _read(head)
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise BadMessage(malformed_status_line(line))
    return ResponseHead(int(match[1]), fields, int(match[2]), match[3])


def _read(head: bytes) -> tuple[bytes, Fields]:
    line, _, block = head[:-2].partition(b"\r\n")
    fields = _FIELD.findall(block)
    if len(fields) != block.count(b"\n"):
        raise BadMessage("malformed header field", "400 Bad Request: invalid header name")
    return line, fields


def written(line: bytes, fields: Fields) -> bytes:
    """A head's bytes."""
    return b"\r\n".join((line, *(name + b": " + value for name, value in fields), b"\r\n"))
