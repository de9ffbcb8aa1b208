"""Events to the trace file's JSON values, masked on the way out (`kubetrace.trace.records` reads them back)."""

from __future__ import annotations

import base64
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kubetrace.trace.exchange import (
    UNSTATED,
    CacheHit,
    CallStarted,
    Connection,
    Dialed,
    Event,
    ExchangeEnded,
    Frame,
    Headers,
    HostResolved,
    Note,
    Planned,
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
from kubetrace.trace.masking import Masker
from kubetrace.trace.records import JSON, REMEMBERED
from kubetrace.value import replace

DEFAULT_BODIES = 256 * 1024
_HIDDEN_HEADER = (
    r"(?:^|-)(?:cookie2?|token|secret|password|passwd|api-?key|jwt|signature|credentials?)(?:-|$)"
    r"|^(?:proxy-authorization|authentication-info)$"
)
"""Header fields that hold a credential, by their names."""
_NUL_SEARCH = 1024
_KNOWN = 1000
_UNKNOWN: tuple[Request | None, int | None] = (None, None)

_K = TypeVar("_K")
_V = TypeVar("_V")


class Encoder:
    """Events to JSON values. `limit` is the most bytes of a body that are kept: None keeps all, 0 none."""

    def __init__(self, masker: Masker, limit: int | None = DEFAULT_BODIES) -> None:
        self._masker = masker
        self._limit = limit
        self._calls: OrderedDict[int, tuple[Request, int | None]] = OrderedDict()
        """Each call's request without its body, and the body's hash."""
        self._open: dict[int, Request] = {}
        self._answered: set[int] = set()
        self._told: set[int] = set()
        self._pairs: dict[tuple[str, str], list[str]] = {}
        self._urls: dict[str, str] = {}
        self._version = 0

    def encode(self, event: Event, at: float, cut: frozenset[str] = frozenset()) -> JSON:
        """`cut` names bodies of an ended exchange that were not whole to begin with."""
        name, write = _WRITERS[type(event)]
        data = {"event": name, "at": round(at, 6), **write(self, event)}
        return {**data, "cut": sorted(cut)} if cut else data

    def _call_started(self, event: CallStarted) -> JSON:
        request = event.request
        self._calls[event.call] = request if request.body is None else replace(request, body=None), _hash(request.body)
        if len(self._calls) > REMEMBERED:
            self._calls.popitem(last=False)
        return {"call": event.call, "request": self._request(request), "log_body": event.log_body}

    def _request_sent(self, event: RequestSent) -> JSON:
        self._open[event.exchange] = event.request
        data: JSON = {"exchange": event.exchange, "call": event.call, "attempt": event.attempt}
        return data if self._is_calls(event) else {**data, "request": self._request(event.request, event.call)}

    def _is_calls(self, event: RequestSent) -> bool:
        """Is it the call's request, unchanged?"""
        request, (known, body) = event.request, self._calls.get(event.call, _UNKNOWN)
        if request is known:
            return True
        return body == _hash(request.body) and replace(request, body=None) == known

    def _request(self, request: Request, call: int | None = None) -> JSON:
        data: JSON = {
            "method": request.method,
            "url": self._url(request.url),
            "headers": self._headers(request.headers),
            "operation": request.operation,
        }
        if request.purpose != UNSTATED:
            data["purpose"] = {"tag": request.purpose.tag, "sentence": self._text(request.purpose.sentence)}
        if request.unlogged:
            data["unlogged"] = sorted(request.unlogged)
        if request.body is not None:
            same = call is not None and self._calls.get(call, _UNKNOWN)[1] == _hash(request.body)
            data["body"] = {"of": "call"} if same else self._body(request.body, request.url)
        return data

    def _headers(self, headers: Headers) -> list[list[str]]:
        """Nearly all fields of a run are the same in each of its requests: they are masked once."""
        pairs = self._known(self._pairs)
        return [pairs.get(pair) or self._pair(pair) for pair in headers]

    def _known(self, masked: dict[_K, _V]) -> dict[_K, _V]:
        """What has been masked already, emptied where it is too much or where more is masked than before."""
        if self._version != self._masker.version:
            self._version = self._masker.version
            self._pairs.clear()
            self._urls.clear()
        if len(masked) > _KNOWN:
            masked.clear()
        return masked

    def _url(self, url: str) -> str:
        known = self._known(self._urls)
        found = known.get(url)
        if found is None:
            found = known[url] = self._masker.url(url)
        return found

    def _pair(self, pair: tuple[str, str]) -> list[str]:
        name, value = pair
        found = self._pairs[pair] = [name, self._header(name, value)]
        return found

    def _header(self, name: str, value: str) -> str:
        if not self._masker.unmask and re.search(_HIDDEN_HEADER, name.lower()):
            return "<masked>"
        return _clean(self._masker.header(name, value))

    def _body(self, body: bytes, url: str, size: int | None = None) -> JSON:
        """`size`: how large the body was, where this is only its beginning."""
        missing = max(0, (size or 0) - len(body))
        if self._limit == 0:
            return {"size": len(body) + missing}
        masked = self._masker.body(body, url)
        kept = masked if self._limit is None else masked[: self._limit]
        cut = missing > 0 or len(kept) < len(masked)
        data: JSON = {"size": len(masked) + missing, **_content(kept, cut)}
        return data

    def _text(self, text: str | None) -> str | None:
        return None if text is None else _clean(self._masker.text(text))

    def _again(self, exchange: int, request: Request, call: int) -> JSON:
        """The request, where an earlier line has not told it as it is now (credentials are added late, and so is a body
        that was streamed)."""
        known = self._open.get(exchange)
        self._open[exchange] = request
        if known is None or known.headers != request.headers or known.url != request.url or known.body != request.body:
            return {"request": self._request(request, call)}
        return {}

    def _response_received(self, event: ResponseReceived) -> JSON:
        self._answered.add(event.exchange)
        return {
            "exchange": event.exchange,
            "call": event.call,
            **self._again(event.exchange, event.request, event.call),
            "response": self._response(event.response),
            "timings": _timings(event.timings),
            "connection": _connection(event.connection),
            **self._error(event.error),
        }

    def _error(self, error: str | None) -> JSON:
        return {} if error is None else {"error": self._text(error)}

    def _response(self, response: Response | None) -> JSON | None:
        if response is None:
            return None
        return {
            "status": response.status,
            "reason": None if response.reason is None else _clean(response.reason),
            "headers": self._headers(response.headers),
            "http_version": response.http_version,
            **({} if response.wire_status is None else {"wire_status": response.wire_status}),
        }

    def _response_body(self, event: ResponseBody) -> JSON:
        self._told.add(event.exchange)
        body = self._body(event.body, event.request.url, event.size)
        return {"exchange": event.exchange, "call": event.call, "body": body}

    def _upgraded(self, event: Upgraded) -> JSON:
        names = {"protocol": _clean(event.protocol), "subprotocol": self._text(event.subprotocol)}
        return {"exchange": event.exchange, "call": event.call, **names}

    def _frame(self, event: Frame) -> JSON:
        data: JSON = {
            "exchange": event.exchange,
            "call": event.call,
            "direction": event.direction,
            "type": event.type,
            "size": event.size,
            "seconds": round(event.seconds, 6),
        }
        if event.channel is not None:
            data["channel"] = _clean(event.channel)
        if event.content is not None and self._masker.unmask:  # whatever passes a shell may be a secret
            data["content"] = self._body(event.content, "")
        return data

    def _watch_event(self, event: WatchEventReceived) -> JSON:
        data: JSON = {"exchange": event.exchange, "call": event.call, "type": event.type}
        for name in ("kind", "namespace", "name", "resource_version", "message"):
            if text := getattr(event, name):
                data[name] = self._text(text)
        return {**data, "size": event.size, "seconds": round(event.seconds, 6)}

    def _exchange_ended(self, event: ExchangeEnded) -> JSON:
        exchange = event.exchange
        data: JSON = {
            "exchange": exchange.id,
            "call": exchange.call,
            "attempt": exchange.attempt,
            **self._again(exchange.id, exchange.request, exchange.call),
            "timings": _timings(exchange.timings),
            "connection": _connection(exchange.connection),
            "started": round(exchange.started, 6),
            "body_size": exchange.body_size,
            **self._error(exchange.error),
        }
        if exchange.id not in self._answered:
            data["response"] = self._response(exchange.response)
        if exchange.id not in self._told and exchange.body is not None:
            data["body"] = self._body(exchange.body, exchange.request.url, exchange.body_size)
        self._open.pop(exchange.id, None)
        self._answered.discard(exchange.id)
        self._told.discard(exchange.id)
        return data

    def _short_request(self, request: Request) -> JSON:
        return {"method": request.method, "url": self._url(request.url)}

    def _throttled(self, event: Throttled) -> JSON:
        return {
            "call": event.call,
            "request": self._short_request(event.request),
            "seconds": event.seconds,
            "retry_reason": self._text(event.retry_reason),
        }

    def _retrying(self, event: Retrying) -> JSON:
        return {
            "call": event.call,
            "request": self._short_request(event.request),
            "attempt": event.attempt,
            "seconds": event.seconds,
            "phase": event.phase,
        }

    def _warning(self, event: WarningReceived) -> JSON:
        data: JSON = {"text": self._text(event.text)}
        if event.request is not None:
            data["request"] = self._short_request(event.request)
        return data

    def _host_resolved(self, event: HostResolved) -> JSON:
        return {
            "exchange": event.exchange,
            "host": event.host,
            "addresses": [list(pair) for pair in event.addresses],
            "seconds": event.seconds,
        }

    def _dialed(self, event: Dialed) -> JSON:
        return {
            "exchange": event.exchange,
            "address": event.address,
            "seconds": event.seconds,
            "network": event.network,
            **self._error(event.error),
        }

    def _secured(self, event: TLSEstablished) -> JSON:
        return {"exchange": event.exchange, "version": event.version, "seconds": event.seconds}

    def _cache_hit(self, event: CacheHit) -> JSON:
        return {"path": _clean(event.path), "url": None if event.url is None else self._masker.url(event.url)}

    def _planned(self, event: Planned) -> JSON:
        return {"call": event.call, "request": self._short_request(event.request), "assumed": event.assumed}

    def _note(self, event: Note) -> JSON:
        return {"name": event.name, "values": {key: self._value(key, value) for key, value in event.values.items()}}

    def _value(self, key: str, value: object) -> object:
        if isinstance(value, str):
            if key == "json":
                masked = self._masker.body(value.encode("utf-8", "surrogateescape"))
                return masked.decode("utf-8", "replace")
            return self._text(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {str(name): self._value(str(name), one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._value(key, one) for one in value]
        return self._text(str(value))


_WRITERS: Mapping[type, tuple[str, Callable[[Encoder, Any], JSON]]] = {
    CallStarted: ("call-started", Encoder._call_started),
    Throttled: ("throttled", Encoder._throttled),
    RequestSent: ("request-sent", Encoder._request_sent),
    HostResolved: ("host-resolved", Encoder._host_resolved),
    Dialed: ("dialed", Encoder._dialed),
    TLSEstablished: ("tls-established", Encoder._secured),
    ResponseReceived: ("response-received", Encoder._response_received),
    ResponseBody: ("response-body", Encoder._response_body),
    Upgraded: ("upgraded", Encoder._upgraded),
    Frame: ("frame", Encoder._frame),
    WatchEventReceived: ("watch-event", Encoder._watch_event),
    Retrying: ("retrying", Encoder._retrying),
    WarningReceived: ("warning", Encoder._warning),
    ExchangeEnded: ("exchange-ended", Encoder._exchange_ended),
    CacheHit: ("cache-hit", Encoder._cache_hit),
    Planned: ("planned", Encoder._planned),
    Note: ("note", Encoder._note),
}


def _clean(text: str) -> str:
    """Text that any JSON reader takes: no lone surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _content(kept: bytes, cut: bool) -> JSON:
    if b"\0" not in kept[:_NUL_SEARCH]:
        try:
            return {"text": kept.decode("utf-8")}
        except UnicodeDecodeError as error:
            if cut and error.start >= len(kept) - 3:  # the limit fell into a character
                return {"text": kept[: error.start].decode("utf-8")}
    return {"base64": base64.b64encode(kept).decode("ascii")}


def _hash(body: bytes | None) -> int | None:
    return None if body is None else hash(body)


def _timings(timings: Timings) -> JSON:
    found: JSON = {}
    for name in Timings.field_names:
        value = getattr(timings, name)
        if value is not None:
            found[name] = round(value, 9)
    return found


def _connection(connection: Connection) -> JSON:
    return {"address": connection.address, "tls_version": connection.tls_version, "reused": connection.reused}
