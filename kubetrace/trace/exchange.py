"""The one noun everybody shares: an HTTP request, its answer, and the events between them.

A *call* is what a command asks for ("get the pod"). client-go may need several *exchanges* for it: retries and
redirects each make a new one. While a call runs it is a series of events, so that somebody who watches a hanging
command sees the request before the answer; once an exchange has ended it is one immutable value, `Exchange`.

Values here may hold credentials. They are masked in one place, on the way out (`kubetrace.trace.masking`).
All durations are seconds, measured on a monotonic clock; `started` is a wall-clock time in seconds since the epoch.
"""

from __future__ import annotations

import itertools
from typing import Literal

from kubetrace.value import Value, fresh

LATEST = 2.5e11
"""Seconds since the epoch up to which every view can show a time (the year 9892)."""

Headers = tuple[tuple[str, str], ...]
"""Header names and values in wire order, repeated headers kept apart (latin-1 text, as http.client decodes it)."""

Operation = Literal[
    "get",
    "namespace-get",
    "list",
    "watch",
    "watch-one",
    "create",
    "patch",
    "replace",
    "delete",
    "deletecollection",
    "discovery-api",
    "discovery-apis",
    "discovery-group",
    "version",
    "openapi-v2",
    "openapi-v3",
    "openapi-v3-group",
    "raw",
    "raw-create",
    "raw-delete",
    "raw-replace",
    "logs",
    "logs-followed",
    "logs-followed-again",
    "dump-logs",
    "typed-create",
    "typed-delete",
    "typed-get",
    "typed-list",
    "typed-patch",
    "typed-update",
    "typed-watch",
    "typed-watch-list",
    "typed-token",
    "evict",
    "csr-approval",
    "scale-get",
    "scale-update",
    "scale-patch",
    "replace-get",
    "dynamic-delete",
    "dynamic-get",
    "dynamic-list",
    "dynamic-watch",
    "dynamic-watch-list",
    "stream",
    "oidc",
    "other",
]
"""Which client function made the call: since 1.32 kubectl's log attributes bodies to that function's file:line."""

ENDLESS: frozenset[Operation] = frozenset(
    {
        "watch",
        "watch-one",
        "typed-watch",
        "typed-watch-list",
        "dynamic-watch",
        "dynamic-watch-list",
        "logs",
        "logs-followed",
        "logs-followed-again",
        "stream",
    }
)
"""Operations whose answer goes on until somebody has seen enough, and is shown as it comes."""


class Purpose(Value):
    """Why a command made a call: a short tag to filter by and one plain sentence for people."""

    tag: str
    sentence: str


UNSTATED = Purpose("other", "")


class Request(Value):
    """One HTTP request as it goes out. `unlogged` names (in lower case) the headers that kubectl's log never shows,
    because client-go adds them below its debugging round tripper (Host, Accept-Encoding, Kubectl-Command, and the
    Authorization of exec plugins)."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes | None = None
    operation: Operation = "other"
    purpose: Purpose = UNSTATED
    unlogged: frozenset[str] = frozenset()


class Response(Value):
    """Status line and headers of an answer. `reason` is None when the status line ended after the code without a
    blank; it is empty when only the phrase was missing. `http_version` is "HTTP/1.1". `wire_status` is set where the
    HTTP cache answers: the status that the server sent instead (304), 0 where it was not asked at all."""

    status: int
    reason: str | None
    headers: Headers = ()
    http_version: str = "HTTP/1.1"
    wire_status: int | None = None

    def header(self, name: str) -> str | None:
        """The first value of a header, matched without regard to case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class Connection(Value):
    """The connection that carried an exchange. `address` is "IP:PORT"; `tls_version` is OpenSSL's name ("TLSv1.3")."""

    address: str | None = None
    tls_version: str | None = None
    reused: bool = False


class Timings(Value):
    """Seconds spent in each phase; None for a phase that did not happen (a reused connection has no dial).

    `get_connection` is the time from the start to a usable connection, `first_byte` from the request having been
    written to the first byte of the answer (kubectl's ServerProcessing), `headers` from the start to the end of the
    response headers (kubectl's "in N milliseconds"), `body` from there to the last byte, `total` from start to end.
    """

    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    get_connection: float | None = None
    first_byte: float | None = None
    headers: float | None = None
    body: float | None = None
    total: float | None = None


class Exchange(Value):
    """One finished round trip. `error` is the transport error's text (as Go words it) where there was no complete
    answer. `body` is what was kept of the response body, `body_size` the bytes that arrived after decoding (of an
    upgraded connection: the bytes that came from the server). `passed` are the bytes that went to the server besides
    the request's body as it is here: over an upgraded connection, or in a body that was not kept."""

    id: int
    call: int
    attempt: int
    request: Request
    response: Response | None = None
    body: bytes | None = None
    body_size: int | None = None
    timings: Timings = fresh(Timings)
    connection: Connection = fresh(Connection)
    started: float = 0.0
    error: str | None = None
    passed: int = 0

    @property
    def on_wire(self) -> bool:
        """Whether anything was sent: False for an answer that a cache had at hand (a CacheHit tells of it)."""
        return self.response is None or self.response.wire_status != 0


# --- events, in the order in which one call emits them ---------------------------------------------------------------


class CallStarted(Value):
    """A call is about to be made; its request body is known, no throttle has been waited for, nothing is sent.
    `log_body` is False where client-go hands an io.Reader down and logs no body."""

    call: int
    request: Request
    log_body: bool = True


class Throttled(Value):
    """The client-side rate limiter (or a retry) made the call wait `seconds`. `retry_reason` is client-go's text of a
    retry wait ("retries: 1, retry-after: 1s - retry-reason: …"), None for client-side throttling."""

    call: int
    request: Request
    seconds: float
    retry_reason: str | None = None


class RequestSent(Value):
    """The request of one exchange goes out now (attempt 1 is the first)."""

    exchange: int
    call: int
    attempt: int
    request: Request


class HostResolved(Value):
    """A DNS look-up ended; `addresses` are (IP, zone) pairs, empty when it failed."""

    exchange: int
    host: str
    addresses: tuple[tuple[str, str], ...]
    seconds: float = 0.0


class Dialed(Value):
    """A TCP connection attempt ended; `error` is Go's wording where it failed."""

    exchange: int
    address: str
    error: str | None = None
    seconds: float = 0.0
    network: str = "tcp"


class TLSEstablished(Value):
    """A TLS handshake ended."""

    exchange: int
    version: str
    seconds: float = 0.0


class ResponseReceived(Value):
    """The response's status line and headers have arrived (`response` None: the round trip failed with `error`)."""

    exchange: int
    call: int
    request: Request
    response: Response | None
    timings: Timings
    connection: Connection
    error: str | None = None


class ResponseBody(Value):
    """The whole response body has been read. Not emitted for bodies that are streamed to the user (watch, logs, raw)
    nor for answers that are retried: client-go logs neither. `size` is the whole body's where `body` is only its
    beginning (a recorder keeps no more of it than its observers want)."""

    exchange: int
    call: int
    request: Request
    body: bytes
    size: int | None = None


Direction = Literal["sent", "received"]
"""Which way a frame went, seen from the client."""


WEBSOCKET_TYPES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}
"""WebSocket's words for a frame's opcode (RFC 6455, section 5.2)."""


class Upgraded(Value):
    """The server has answered 101: from here on the exchange's connection carries frames, both ways. `protocol` is what
    it was upgraded to ("websocket", "SPDY/3.1"), `subprotocol` what was agreed on for its content
    ("v5.channel.k8s.io"), empty where nothing was."""

    exchange: int
    call: int
    request: Request
    protocol: str
    subprotocol: str = ""


class Frame(Value):
    """One frame has passed over an upgraded connection, or a piece of a followed log has come, `seconds` after the
    exchange began.

    `type` is the protocol's own word in lower case: WebSocket's "text", "binary", "continuation", "close", "ping",
    "pong"; SPDY's "data", "syn_stream", "syn_reply", "rst_stream", "settings", "ping", "goaway", "headers",
    "window_update"; a "piece" of a log as it came. `size` is its payload in bytes. `channel` says whose it is ("stdin",
    "stdout", "stderr", "error", "resize", "data 8080", "error 8080", "log"; the number where only that is known), None
    for frames of the connection itself. `content` is what it carries (without the byte that names the channel), or its
    beginning; None where nobody asked for it (`Events.contents`).
    """

    exchange: int
    call: int
    direction: Direction
    type: str
    size: int
    channel: str | None = None
    seconds: float = 0.0
    content: bytes | None = None


class WatchEventReceived(Value):
    """One event of a watch has come, `seconds` after the exchange began: its `type` ("ADDED"), the object that it is
    about (the names are empty where it has none; `message` is an ERROR's), and its size in bytes."""

    exchange: int
    call: int
    type: str
    kind: str = ""
    namespace: str = ""
    name: str = ""
    resource_version: str = ""
    message: str = ""
    size: int = 0
    seconds: float = 0.0


class Retrying(Value):
    """A 429 or 5xx answer with Retry-After (or a reset connection) will be tried again after `seconds`; `phase` says
    whether the pause is about to begin or has just ended (kubectl's log moved from the one to the other in 1.24)."""

    call: int
    request: Request
    attempt: int
    seconds: float
    phase: Literal["before", "after"]


class WarningReceived(Value):
    """The text of a `Warning: 299` header, unescaped."""

    text: str
    request: Request | None = None


class ExchangeEnded(Value):
    """An exchange is complete and immutable from here on."""

    exchange: Exchange


class CacheHit(Value):
    """An answer came from the discovery cache: a call that was not made. `url` is the call it saved, where known."""

    path: str
    url: str | None = None


class Planned(Value):
    """A call that is not made because only a plan is wanted (--plan). `assumed` says with which answer the command goes
    on; None where nobody can know one, so that the plan ends here."""

    call: int
    request: Request
    assumed: str | None = None


class Note(Value):
    """Anything else that kubectl logs, by name; the dialect knows its level, its words and its file:line.

    `name` is one of the keys of `kubetrace.trace.dialects` notes ("config-loaded", "cache-invalidated",
    "server-response-object", "connection-error", …); `values` are the values its format uses.
    """

    name: str
    values: dict[str, object] = fresh(dict)


Event = (
    CallStarted
    | Throttled
    | RequestSent
    | HostResolved
    | Dialed
    | TLSEstablished
    | ResponseReceived
    | ResponseBody
    | Upgraded
    | Frame
    | WatchEventReceived
    | Retrying
    | WarningReceived
    | ExchangeEnded
    | CacheHit
    | Planned
    | Note
)

_ids = itertools.count(1)


def next_id() -> int:
    """A number for a call or an exchange, unique in this process and rising with time."""
    return next(_ids)
