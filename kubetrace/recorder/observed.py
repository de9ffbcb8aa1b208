"""What is told of an exchange as it passes: the request, the answer, and as much of the bodies as somebody wants."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from kubetrace.recorder.heads import Fields, RequestHead, ResponseHead
from kubetrace.trace.endpoint import STREAMS, Endpoint, endpoint_of
from kubetrace.trace.events import Events
from kubetrace.trace.exchange import (
    CallStarted,
    Event,
    Headers,
    Operation,
    Purpose,
    Request,
    Response,
    next_id,
)
from kubetrace.trace.frames import FrameWatcher
from kubetrace.transport.headers import canonical, has_body, response_headers
from kubetrace.transport.recording import Recording
from kubetrace.value import replace

PROTOBUF = "application/vnd.kubernetes.protobuf"
_PIECE = 1 << 16
_OPERATIONS: dict[str, Operation] = {
    "get": "get",
    "list": "list",
    "watch": "watch",
    "create": "create",
    "update": "replace",
    "patch": "patch",
    "delete": "delete",
    "deletecollection": "deletecollection",
}


def operation(where: Endpoint, content_type: str = "") -> Operation:
    """Which of client-go's functions makes such a call (the log of kubectl 1.32 and later names it). Only its typed
    clients write protobuf."""
    if where.verb == "create" and content_type == PROTOBUF:
        return "typed-create"
    if where.subresource in STREAMS:
        return "stream"
    if where.subresource == "log":
        return "logs"
    if where.subresource == "scale" and where.verb in ("get", "update"):
        return "scale-get" if where.verb == "get" else "scale-update"
    if where.resource:
        return _OPERATIONS.get(where.verb, "other")
    return _discovery(where.path.rstrip("/"))


def _discovery(path: str) -> Operation:
    match path.split("/")[1:]:
        case ["api"]:
            return "discovery-api"
        case ["apis"]:
            return "discovery-apis"
        case ["api", _] | ["apis", _, _]:
            return "discovery-group"
        case ["version"]:
            return "version"
        case ["openapi", "v2"]:
            return "openapi-v2"
        case ["openapi", "v3"]:
            return "openapi-v3"
        case ["openapi", "v3", *_]:
            return "openapi-v3-group"
    return "raw"


def request_value(
    head: RequestHead, origin: str, fields: Fields, body: bytes | None, unlogged: frozenset[str], purpose: Purpose
) -> Request:
    """The request as it goes to the server at `origin`, with its true fields."""
    method, url = head.method.decode("latin-1"), origin + head.target.decode("latin-1")
    headers = tuple([(canonical(name.decode("latin-1")), value.decode("latin-1")) for name, value in fields])
    content_type = (head.first(b"content-type") or b"").decode("latin-1")
    made_by = operation(endpoint_of(method, url), content_type)
    return Request(method, url, headers, body, made_by, purpose, unlogged)


class Kept:
    """The beginning of a body and its size, both after gzip is undone. `limit` is the most that is kept (None: all);
    `listen` is given all of it, as it comes."""

    def __init__(
        self, limit: int | None, *, gzipped: bool = False, listen: Callable[[bytes], None] | None = None
    ) -> None:
        self._limit = limit
        self._listen = listen
        self._inflate = zlib.decompressobj(wbits=31) if gzipped else None
        self._parts: list[bytes] = []
        self._held = 0
        self.size = 0

    def feed(self, content: bytes) -> None:
        if self._inflate is None:
            self._keep(content)
        else:
            self._unzip(content)

    def _unzip(self, content: bytes) -> None:
        """Piece by piece: a body may be a thousand times as large as what came over the wire."""
        rest = content
        while rest and self._inflate is not None:
            try:
                self._keep(self._inflate.decompress(rest, _PIECE))
            except zlib.error:  # no gzip after all: what was read stands
                self._inflate = None
                return
            rest = self._inflate.unconsumed_tail
            if self._inflate.eof:
                rest = self._inflate.unused_data
                self._inflate = zlib.decompressobj(wbits=31)

    def _keep(self, content: bytes) -> None:
        self.size += len(content)
        if self._listen is not None and content:
            self._listen(content)
        room = len(content) if self._limit is None else self._limit - self._held
        if room > 0 and content:
            part = content[:room]
            self._parts.append(part)
            self._held += len(part)

    @property
    def beginning(self) -> bytes:
        return b"".join(self._parts)

    @property
    def whole(self) -> bool:
        return self._held == self.size


class Moment(Events):
    """Hands an exchange's events on; between `hold` and `tell` it keeps them, to hand them on together: an answer that
    comes in one piece is one moment, and one write to a trace."""

    def __init__(self, events: Events) -> None:
        super().__init__()
        self._events = events
        self._held: list[Event] | None = None
        self.contents = events.contents

    @property
    def active(self) -> bool:
        return self._events.active

    @property
    def follows_frames(self) -> bool:
        return self._events.follows_frames

    def emit(self, *events: Event) -> None:
        if self._held is None:
            self._events.emit(*events)
        else:
            self._held += events

    def hold(self) -> None:
        if self._held is None:
            self._held = []

    def tell(self) -> None:
        held, self._held = self._held, None
        if held:
            self._events.emit(*held)


class Observed:
    """Tells the observers of one exchange, in the order of the events; without observers it does next to nothing.
    `keep` bounds what is held of each body. What `answered` and `passed` have to tell waits for `tell`."""

    def __init__(self, request: Request, events: Events, keep: int | None) -> None:
        self._moment = Moment(events)
        self.recording = Recording(request, self._moment, call=next_id())
        self.tell = self._moment.tell
        self.active = events.active
        self._keep = keep
        self._sent = Kept(keep)
        self._received = Kept(keep)
        self._logs_body = True
        self._upgraded = False
        self._frames: FrameWatcher | None = None

    @property
    def _request(self) -> Request:
        return self.recording.request

    def begin(self) -> None:
        """Told before anything is sent."""
        self._moment.hold()
        if self.active:
            log_body = self._request.operation != "stream"
            self.recording.events.emit(CallStarted(self.recording.call, self._request, log_body))
        self.recording.begin()
        self.tell()

    def sent(self, content: bytes) -> None:
        """A piece of a request body that is streamed."""
        if self.active:
            self._sent.feed(content)

    def answered(self, head: ResponseHead) -> None:
        """The answer's head is there; a 101 turns the connection into frames."""
        if not self.active:
            self.recording.phase = "body"
            return
        self._moment.hold()
        has_content = has_body(self._request.method, head.status)
        content_type = (head.first(b"content-type") or b"").decode("latin-1")
        gzipped = has_content and (head.first(b"content-encoding") or b"").lower() == b"gzip"
        listen = self.recording.body_listener(head.status, content_type)
        self._received = Kept(self._keep, gzipped=gzipped, listen=listen)
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.fields]
        headers = response_headers(fields, decoded=gzipped)
        reason = None if head.reason is None else head.reason.decode("latin-1")
        self._logs_body = self._request.operation not in ("watch", "logs", "stream")
        self.recording.received(Response(head.status, reason, headers, f"HTTP/1.{head.minor}", None))
        if head.status == 101:
            self._upgrade(headers)

    def _upgrade(self, headers: Headers) -> None:
        found = {name.lower(): value for name, value in headers}
        protocol = found.get("upgrade", "")
        subprotocol = found.get("sec-websocket-protocol") or found.get("x-stream-protocol-version", "")
        self._upgraded = True
        self._frames = self.recording.upgraded(protocol, subprotocol)

    def received(self, content: bytes) -> None:
        """A piece of the answer's body."""
        if self.active:
            self._moment.hold()
            self._received.feed(content)

    def passed(self, sent: bool, data: bytes) -> None:
        """Bytes of an upgraded connection, sent by the client or by the server."""
        if not self.active:
            return
        self._moment.hold()
        if sent:
            self.recording.passed += len(data)
        else:
            self._received.size += len(data)
        if self._frames is not None:
            self._frames(sent, data)

    def ended(self, error: str | None = None) -> None:
        """Nothing more will come; `error` says why, where the exchange is not whole."""
        if not self.active:
            return
        self._moment.hold()
        if self._sent.size and self._sent.whole:
            self.recording.request = replace(self._request, body=self._sent.beginning)
        else:
            self.recording.passed += self._sent.size
        if self._upgraded:
            self.recording.ended(None, self._received.size, error)
        else:
            body, size = self._received.beginning, self._received.size
            if error is None and self._logs_body:
                self.recording.body_read(body, None if self._received.whole else size)
            self.recording.ended(body, size, error)
        self.tell()

    def failed(self, error: str) -> None:
        """There was no answer."""
        if self.active:
            self._moment.hold()
            self.recording.failed(error)
            self.tell()
