"""HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), entry by entry.

Phases that a reused connection did not have are -1; what the trace does not hold of a body is said in a comment.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kubetrace import __version__
from kubetrace.trace.body_text import readable
from kubetrace.trace.exchange import Exchange, Headers, Timings
from kubetrace.trace.exchanges import Recorded
from kubetrace.wire import PROTOBUF, is_binary


def render(exchanges: Iterable[Recorded]) -> Iterator[str]:
    creator = json.dumps({"name": "kubetrace", "version": __version__})
    yield f'{{"log": {{"version": "1.2", "creator": {creator}, "entries": ['
    separator = "\n"
    for recorded in exchanges:
        yield separator + json.dumps(entry(recorded))
        separator = ",\n"
    yield "\n]}}\n"


def entry(recorded: Recorded) -> dict[str, Any]:
    """One exchange as a HAR entry."""
    exchange = recorded.exchange
    timings = _timings(exchange.timings)
    started = datetime.datetime.fromtimestamp(exchange.started, datetime.UTC)
    data: dict[str, Any] = {
        "startedDateTime": started.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "time": round(sum(value for name, value in timings.items() if value > 0 and name != "ssl"), 6),
        "request": _request(exchange, "request" in recorded.cut),
        "response": _response(exchange, "response" in recorded.cut),
        "cache": {},
        "timings": timings,
        "connection": str(exchange.connection.address or ""),
    }
    if exchange.connection.address:
        data["serverIPAddress"] = exchange.connection.address.rpartition(":")[0].strip("[]")
    if recorded.frames is not None:
        frames = recorded.frames
        counts = {key: {"frames": count, "bytes": total} for key, (count, total) in frames.counts.items()}
        data["_frames"] = {"protocol": frames.protocol, "subprotocol": frames.subprotocol, "counts": counts}
    if recorded.watched is not None:
        told = recorded.watched.counts.items()
        data["_watchEvents"] = {type: {"events": count, "bytes": total} for type, (count, total) in told}
    if exchange.request.purpose.sentence:
        data["comment"] = exchange.request.purpose.sentence
    return data


def _request(exchange: Exchange, cut: bool) -> dict[str, Any]:
    request = exchange.request
    data: dict[str, Any] = {
        "method": request.method,
        "url": request.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(request.headers),
        "queryString": _query(request.url),
        "headersSize": -1,
        "bodySize": len(request.body or b""),
    }
    if request.body is not None:
        data["postData"] = {"mimeType": _type(request.headers), **_posted(request.body)}
        if cut:
            data["postData"]["comment"] = "The trace holds only the beginning."
    return data


def _posted(body: bytes) -> dict[str, str]:
    """HAR's posted data is text; what is none is told in a comment."""
    content = _text(body)
    if "encoding" not in content:
        return content
    if body.startswith(PROTOBUF):
        return {"text": readable(body), "comment": "Kubernetes protobuf, decoded."}
    return {"text": content["text"], "_encoding": "base64", "comment": "The body is binary; this is its base64."}


def _response(exchange: Exchange, cut: bool) -> dict[str, Any]:
    response = exchange.response
    body = exchange.body or b""
    content: dict[str, Any] = {
        "size": exchange.body_size or 0,
        "mimeType": _type(response.headers) if response else "x-unknown",
    }
    if body:
        content.update(_text(body))
        if is_binary(body):
            content["_decoded"] = readable(body)
    if cut:
        content["comment"] = "The trace does not hold the whole body."
    data = {
        "status": response.status if response else 0,
        "statusText": (response.reason or "") if response else "",
        "httpVersion": response.http_version if response else "",
        "cookies": [],
        "headers": _headers(response.headers) if response else [],
        "content": content,
        "redirectURL": (response.header("Location") or "") if response else "",
        "headersSize": -1,
        "bodySize": exchange.body_size if exchange.body_size is not None else -1,
    }
    if exchange.error is not None:
        data["_error"] = exchange.error
    return data


def _text(body: bytes) -> dict[str, str]:
    if b"\0" not in body:
        with contextlib.suppress(UnicodeDecodeError):
            return {"text": body.decode("utf-8")}
    return {"text": base64.b64encode(body).decode("ascii"), "encoding": "base64"}


def _headers(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _query(url: str) -> list[dict[str, str]]:
    try:
        pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    except ValueError:
        return []
    return [{"name": name, "value": value} for name, value in pairs]


def _type(headers: Headers) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "application/octet-stream")


def _timings(timings: Timings) -> dict[str, float]:
    """HAR's phases in milliseconds, which add up to the whole time; "connect" includes "ssl"."""

    def ms(seconds: float | None) -> float:
        return -1 if seconds is None else round(max(0.0, seconds) * 1000, 6)

    connect = None if timings.connect is None else timings.connect + (timings.tls or 0.0)
    phases = {"dns": ms(timings.dns), "connect": ms(connect), "ssl": ms(timings.tls)}
    wait = timings.first_byte if timings.first_byte is not None else timings.headers
    blocked = send = None
    if timings.get_connection is not None:
        blocked = timings.get_connection - (timings.dns or 0.0) - (connect or 0.0)
        if timings.first_byte is not None and timings.headers is not None:
            send = timings.headers - timings.get_connection - timings.first_byte
        elif wait is not None:
            wait -= timings.get_connection
    return {
        **phases,
        "blocked": ms(blocked),
        "send": max(ms(send), 0),
        "wait": max(ms(wait), 0),
        "receive": max(ms(timings.body), 0),
    }
