"""Answers that come from kubetrace and not from a server: refusals, faults, word of servers out of reach."""

from __future__ import annotations

import json
from email.utils import formatdate

from kubetrace.recorder.heads import Fields, written
from kubetrace.serving.phrases import PHRASES
from kubetrace.serving.status import failure
from kubetrace.value import Value, fresh

JSON = b"application/json"


class LocalAnswer(Value):
    """A whole answer, in HTTP/1.`minor`. `close` ends the client's connection after it; a `content_type` of b"" is not
    told."""

    status: int
    body: bytes
    fields: Fields = fresh(list)
    close: bool = False
    content_type: bytes = JSON
    minor: int = 1

    @property
    def reason(self) -> bytes:
        return PHRASES.get(self.status, "").encode()

    def head(self, length: int | None = None) -> bytes:
        """The head; `length` is the body's where that is sent on its own."""
        line = b"HTTP/1.%d %d %s" % (self.minor, self.status, self.reason)
        date = formatdate(usegmt=True).encode()
        length = len(self.body) if length is None else length
        size = [] if self.status == 304 else [(b"Content-Length", b"%d" % length)]
        kind = [(b"Content-Type", self.content_type)] if self.content_type else []
        fields = [*kind, *self.fields, (b"Date", date), *size]
        return written(line, [*fields, *lifetime(self.minor, self.close)])


def lifetime(minor: int, close: bool) -> Fields:
    """The field that says what becomes of a connection, where that is not what HTTP/1.`minor` takes for granted."""
    if minor == 0:
        return [] if close else [(b"Connection", b"keep-alive")]
    return [(b"Connection", b"close")] if close else []


def refusal(
    code: int, message: str, reason: str, *, details: dict[str, object] | None = None, fields: Fields | None = None
) -> LocalAnswer:
    """A Status object, as every Kubernetes client knows how to show it."""
    body = json.dumps(failure(code, message, reason, details)).encode() + b"\n"
    return LocalAnswer(code, body, fields or [])


def error_event(code: int, message: str, reason: str) -> LocalAnswer:
    """A watch that ends with an ERROR event."""
    event = {"type": "ERROR", "object": failure(code, message, reason)}
    return LocalAnswer(200, json.dumps(event).encode() + b"\n")
