"""The trace file's lines: what they hold, and back to events (docs/trace-file.md).

Facts are written once: a response names its exchange, not its request again, and a body that an earlier line holds is
not repeated. Durations are seconds, `at` and `started` seconds since the epoch. Lines with an unknown `event` are
skipped on reading; a file of a newer format is refused.
"""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, cast

from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import (
    LATEST,
    UNSTATED,
    CacheHit,
    CallStarted,
    Connection,
    Dialed,
    Direction,
    Event,
    Exchange,
    ExchangeEnded,
    Frame,
    Headers,
    HostResolved,
    Note,
    Operation,
    Planned,
    Purpose,
    Request,
    RequestSent,
    Response,
    ResponseBody,
    ResponseReceived,
    Retrying,
    Throttled,
    Timings,
    TLSEstablished,
    Upgraded,
    WarningReceived,
    WatchEventReceived,
)
from kubetrace.value import Value, replace

FORMAT = 1
HEADER_KEY = "kubetrace_trace"
REMEMBERED = 64
"""How many calls' requests are kept, so that a line can refer to an earlier one."""

JSON = dict[str, Any]


class InvalidTrace(KubetraceError):
    """A file that is no trace, or one of a format that this kubetrace does not know."""


class Header(Value):
    """The first line of a run: which program made it, by which command, and whether credentials were masked."""

    kubetrace: str
    command: tuple[str, ...] = ()
    started: float = 0.0
    masked: bool = True
    format: int = FORMAT

    def to_json(self) -> JSON:
        return {
            HEADER_KEY: self.format,
            "kubetrace": self.kubetrace,
            "command": list(self.command),
            "started": round(self.started, 6),
            "masked": self.masked,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Header:
        """Raises InvalidTrace for a newer format."""
        found = data[HEADER_KEY]
        if not isinstance(found, int) or found < 1:
            raise InvalidTrace(f"{found!r} is no format of a trace file")
        if found > FORMAT:
            made_by = f" (written by kubetrace {data['kubetrace']})" if "kubetrace" in data else ""
            raise InvalidTrace(f"the trace has format {found}{made_by}, this kubetrace reads up to format {FORMAT}")
        words = tuple(str(word) for word in data.get("command", ()))
        try:
            started = _seconds(data.get("started", 0))
        except TypeError as error:
            raise InvalidTrace(f"the header is not complete ({error})") from None
        masked = data.get("masked") is True
        return cls(str(data.get("kubetrace", "")), words, started, masked, found)


class Timed(Value):
    """An event and when it happened (seconds since the epoch). `cut` names the bodies ("request", "response") of an
    ended exchange that the trace does not hold whole."""

    event: Event
    at: float
    cut: frozenset[str] = frozenset()


class Decoder:
    """JSON values to events, of one run. Keeps only the exchanges that have not ended and a few request bodies."""

    def __init__(self) -> None:
        self._calls: OrderedDict[int, tuple[Request, bool]] = OrderedDict()
        self._open: dict[int, _Open] = {}

    def decode(self, data: Mapping[str, Any]) -> Timed | None:
        """One line's event; None for an event that this version does not know. Raises InvalidTrace."""
        read = _READERS.get(data.get("event", ""))
        if read is None:
            return None
        try:
            at = _seconds(data["at"])
            found = read(self, data, at)
        except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
            raise InvalidTrace(
                f'the event "{data["event"]}" is not complete ({type(error).__name__}: {error})'
            ) from None
        return found if isinstance(found, Timed) else Timed(found, at)

    def unfinished(self) -> list[Timed]:
        """What had no end when the trace ended: exchanges whose error says so."""
        found = [Timed(ExchangeEnded(known.unfinished()), known.at, known.cut()) for known in self._open.values()]
        self._open.clear()
        return found

    def _call_started(self, data: JSON, at: float) -> CallStarted:
        request, cut = self._request(data["request"])
        self._calls[data["call"]] = request, cut
        if len(self._calls) > REMEMBERED:
            self._calls.popitem(last=False)
        return CallStarted(_integer(data["call"]), request, data.get("log_body", True) is True)

    def _request_sent(self, data: JSON, at: float) -> RequestSent:
        request, cut = self._request(data["request"], data["call"]) if "request" in data else self._calls[data["call"]]
        known = _Open(_integer(data["exchange"]), _integer(data["call"]), _integer(data["attempt"]), request, cut, at)
        self._open[known.id] = known
        return RequestSent(known.id, known.call, known.attempt, request)

    def _request(self, data: JSON, call: int | None = None) -> tuple[Request, bool]:
        body, cut = None, False
        if (held := data.get("body")) is not None:
            known = held.get("of") == "call" and call is not None
            body, cut = self._body_of(cast(int, call)) if known else _read_body(held)
        purpose = data.get("purpose")
        return (
            Request(
                _word(data["method"]),
                _word(data["url"]),
                _pairs(data.get("headers", ())),
                body,
                cast(Operation, _word(data.get("operation", "other"))),
                UNSTATED if purpose is None else Purpose(_word(purpose["tag"]), _word(purpose["sentence"])),
                frozenset(data.get("unlogged", ())),
            ),
            cut,
        )

    def _body_of(self, call: int) -> tuple[bytes | None, bool]:
        request, cut = self._calls.get(call, (None, True))
        return None if request is None else request.body, cut

    def _known(self, data: JSON, at: float) -> _Open:
        number = _integer(data["exchange"])
        known = self._open.get(number)
        if known is None:
            known = self._open[number] = _Open(number, _integer(data["call"]), 1, Request("", ""), False, at)
        if "request" in data:
            known.request, known.request_cut = self._request(data["request"], data["call"])
        return known

    def _response_received(self, data: JSON, at: float) -> ResponseReceived:
        known = self._known(data, at)
        known.response = _read_response(data["response"])
        known.timings, known.connection = _read_timings(data["timings"]), _read_connection(data["connection"])
        error = data.get("error")
        return ResponseReceived(
            known.id, known.call, known.request, known.response, known.timings, known.connection, error
        )

    def _response_body(self, data: JSON, at: float) -> ResponseBody:
        known = self._known(data, at)
        known.body, known.body_cut = _read_body(data["body"])
        size = _integer(data["body"]["size"]) if known.body_cut else None
        return ResponseBody(known.id, known.call, known.request, known.body or b"", size)

    def _upgraded(self, data: JSON, at: float) -> Upgraded:
        known = self._known(data, at)
        return Upgraded(known.id, known.call, known.request, _word(data["protocol"]), _word(data["subprotocol"]))

    def _frame(self, data: JSON, at: float) -> Frame:
        if data["direction"] not in ("sent", "received"):
            raise ValueError(f"{data['direction']!r} is no direction")
        channel = data.get("channel")
        return Frame(
            _integer(data["exchange"]),
            _integer(data["call"]),
            cast(Direction, data["direction"]),
            _word(data["type"]),
            _integer(data["size"]),
            None if channel is None else _word(channel),
            _seconds(data["seconds"]),
            _read_body(data["content"])[0] if "content" in data else None,
        )

    def _watch_event(self, data: JSON, at: float) -> WatchEventReceived:
        return WatchEventReceived(
            _integer(data["exchange"]),
            _integer(data["call"]),
            _word(data["type"]),
            _word(data.get("kind", "")),
            _word(data.get("namespace", "")),
            _word(data.get("name", "")),
            _word(data.get("resource_version", "")),
            _word(data.get("message", "")),
            _integer(data["size"]),
            _seconds(data["seconds"]),
        )

    def _exchange_ended(self, data: JSON, at: float) -> Timed:
        known = self._known(data, at)
        del self._open[known.id]
        if "response" in data:
            known.response = _read_response(data["response"])
        if "body" in data:
            known.body, known.body_cut = _read_body(data["body"])
        size = data.get("body_size")
        exchange = replace(
            known.unfinished(),
            attempt=_integer(data.get("attempt", 1)),
            timings=_read_timings(data["timings"]),
            connection=_read_connection(data["connection"]),
            started=_seconds(data["started"]),
            body_size=None if size is None else _integer(size),
            error=None if data.get("error") is None else _word(data["error"]),
        )
        return Timed(ExchangeEnded(exchange), at, known.cut().union(data.get("cut", ())))


class _Open:
    """An exchange that has not ended yet."""

    __slots__ = (
        "at",
        "attempt",
        "body",
        "body_cut",
        "call",
        "connection",
        "id",
        "request",
        "request_cut",
        "response",
        "timings",
    )

    def __init__(self, number: int, call: int, attempt: int, request: Request, request_cut: bool, at: float) -> None:
        self.id, self.call, self.attempt, self.at = number, call, attempt, at
        self.request, self.request_cut = request, request_cut
        self.response: Response | None = None
        self.body: bytes | None = None
        self.body_cut = False
        self.timings = Timings()
        self.connection = Connection()

    def cut(self) -> frozenset[str]:
        return frozenset(
            name for name, is_cut in (("request", self.request_cut), ("response", self.body_cut)) if is_cut
        )

    def unfinished(self) -> Exchange:
        return Exchange(
            self.id,
            self.call,
            self.attempt,
            self.request,
            self.response,
            self.body,
            None,
            self.timings,
            self.connection,
            self.at,
            "the trace ends before the exchange does",
        )


def _short(data: JSON) -> Request:
    return Request(_word(data["method"]), _word(data["url"]))


_READERS: Mapping[str, Callable[[Decoder, Any, float], Event | Timed]] = {
    "call-started": Decoder._call_started,
    "request-sent": Decoder._request_sent,
    "response-received": Decoder._response_received,
    "response-body": Decoder._response_body,
    "upgraded": Decoder._upgraded,
    "frame": Decoder._frame,
    "watch-event": Decoder._watch_event,
    "exchange-ended": Decoder._exchange_ended,
    "throttled": lambda _, data, at: Throttled(
        _integer(data["call"]), _short(data["request"]), _seconds(data["seconds"]), data.get("retry_reason")
    ),
    "retrying": lambda _, data, at: Retrying(
        _integer(data["call"]),
        _short(data["request"]),
        _integer(data["attempt"]),
        _seconds(data["seconds"]),
        data["phase"],
    ),
    "host-resolved": lambda _, data, at: HostResolved(
        _integer(data["exchange"]),
        _word(data["host"]),
        tuple((_word(ip), _word(zone)) for ip, zone in data["addresses"]),
        _seconds(data["seconds"]),
    ),
    "dialed": lambda _, data, at: Dialed(
        _integer(data["exchange"]),
        _word(data["address"]),
        data.get("error"),
        _seconds(data["seconds"]),
        data.get("network", "tcp"),
    ),
    "tls-established": lambda _, data, at: TLSEstablished(
        _integer(data["exchange"]), _word(data["version"]), _seconds(data["seconds"])
    ),
    "warning": lambda _, data, at: WarningReceived(
        _word(data["text"]), _short(data["request"]) if "request" in data else None
    ),
    "planned": lambda _, data, at: Planned(
        _integer(data["call"]), _short(data["request"]), None if data["assumed"] is None else _word(data["assumed"])
    ),
    "cache-hit": lambda _, data, at: CacheHit(_word(data["path"]), data.get("url")),
    "note": lambda _, data, at: Note(_word(data["name"]), dict(data["values"])),
}


def _read_body(data: JSON) -> tuple[bytes | None, bool]:
    """The bytes that were kept, and whether some were not."""
    if "base64" in data:
        body = base64.b64decode(data["base64"], validate=True)
    elif "text" in data:
        body = _word(data["text"]).encode("utf-8", "surrogatepass")
    else:
        return (b"", False) if data.get("size") == 0 else (None, True)
    return body, len(body) < _integer(data["size"])


def _read_response(data: JSON | None) -> Response | None:
    if data is None:
        return None
    reason = data.get("reason")
    return Response(
        _integer(data["status"]),
        None if reason is None else _word(reason),
        _pairs(data.get("headers", ())),
        _word(data.get("http_version", "HTTP/1.1")),
        None if data.get("wire_status") is None else _integer(data["wire_status"]),
    )


def _read_timings(data: JSON) -> Timings:
    return Timings(**{name: _seconds(value) for name, value in data.items() if name in Timings.field_names})


def _read_connection(data: JSON) -> Connection:
    return Connection(data.get("address"), data.get("tls_version"), data.get("reused") is True)


def _pairs(data: Any) -> Headers:
    return tuple((_word(name), _word(value)) for name, value in data)


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _seconds(value: object) -> float:
    """A length or a point of time that every view can show."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < LATEST:
        raise TypeError(f"{value!r} is no time")
    return float(value)


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    return value
