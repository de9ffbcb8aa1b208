"""HAR 1.2 files as events, entry by entry: those that browsers, mitmproxy and others write, and kubetrace's own.

Beyond the standard, Chromium's `_webSocketMessages` become frames, and the events of a watch are read from its body.
When each came an entry does not tell: they have the time of the answer's head. What it does not tell stays open.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from kubetrace.errors import KubetraceError
from kubetrace.trace.endpoint import endpoint
from kubetrace.trace.exchange import (
    LATEST,
    UNSTATED,
    WEBSOCKET_TYPES,
    Connection,
    Direction,
    Exchange,
    Frame,
    Headers,
    Purpose,
    Request,
    Response,
    Timings,
    Upgraded,
)
from kubetrace.trace.imported import told
from kubetrace.trace.loose_json import mapping, mappings, moment, string
from kubetrace.trace.records import Timed
from kubetrace.trace.watch_stream import Change, WatchReader

_ENTRIES = re.compile(rb'(?<!\\)"entries"\s*:\s*\[')
_BLANKS = re.compile(r"[\s,]*")
_CHUNK = 1 << 18
_HEAD = 1 << 24
_TAIL = 16
"""Characters at the end of a text in which an error may be that there is no more of it."""


class Stream(Protocol):
    """What can be read piece by piece."""

    def read(self, size: int, /) -> bytes: ...


class NoHar(KubetraceError):
    """A file that ends, or turns into something else, where a HAR goes on."""


def events(stream: Stream) -> Iterator[Timed]:
    """The round trips of a HAR, in its order. Raises NoHar."""
    for number, entry in enumerate(entries(stream), 1):
        if isinstance(entry, dict):
            yield from _events(entry, number)


def entries(stream: Stream) -> Iterator[Any]:
    """The entries, read as they come: a big file does not fill the memory. Raises NoHar."""
    text, rest = _start(stream)
    decoder = json.JSONDecoder()
    wanted = _CHUNK
    while True:
        text = text[_BLANKS.match(text).end() :]  # type: ignore[union-attr]
        if text.startswith("]"):
            return
        try:
            entry, end = decoder.raw_decode(text)
        except RecursionError:
            raise NoHar("an entry of the HAR is nested too deeply") from None
        except json.JSONDecodeError as error:
            if error.pos < len(text) - _TAIL and not error.msg.startswith("Unterminated string"):
                raise NoHar("the HAR is no JSON in the middle of an entry") from None
            data = rest + stream.read(wanted)
            if len(data) == len(rest):
                raise NoHar("the HAR ends in the middle of an entry, or is no JSON there") from None
            more, rest = _decoded(data)
            text += more
            wanted *= 2  # one huge entry is tried a few times only
            continue
        yield entry
        text = text[end:]
        wanted = _CHUNK


def _start(stream: Stream) -> tuple[str, bytes]:
    """The text behind `"entries": [`, and what is left of a character."""
    head = b""
    while (match := _ENTRIES.search(head)) is None:
        data = stream.read(_CHUNK)
        if not data or len(head) > _HEAD:
            raise NoHar("the file holds no log of HAR entries")
        head += data
    return _decoded(head[match.end() :])


def _decoded(data: bytes) -> tuple[str, bytes]:
    """Text, and the bytes of a character that is not whole yet."""
    try:
        return data.decode("utf-8"), b""
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3:
            return data[: error.start].decode("utf-8"), data[error.start :]
        return data.decode("utf-8", "replace"), b""


# --- one entry --------------------------------------------------------------------------------------------------------


def _events(entry: dict[str, Any], number: int) -> Iterator[Timed]:
    asked, answered = mapping(entry.get("request")), mapping(entry.get("response"))
    if not isinstance(asked.get("url"), str):
        return
    started = moment(entry.get("startedDateTime"))
    timings = _timings(mapping(entry.get("timings")), entry.get("time"))
    request, request_cut = _request(asked, string(entry.get("comment")))
    status = answered.get("status")
    response = _response(answered, status) if isinstance(status, int) and 100 <= status <= 599 else None
    body, size, response_cut = _content(answered) if response is not None else (None, None, False)
    error = None
    if response is None:
        known = answered.get("_error") or entry.get("_error") or answered.get("statusText")
        error = string(known) or "no answer (the HAR does not say why)"
    connection = _connection(entry, asked)
    exchange = Exchange(number, number, 1, request, response, body, size, timings, connection, started, error)
    ended = started + (timings.total or 0.0)
    cut = [name for name, is_cut in (("request", request_cut), ("response", response_cut)) if is_cut]
    head = started + (timings.headers or 0.0)
    passed = chain(_frames(entry, exchange), _watched(exchange, head))
    yield from told(exchange, sent=started, answered=head, ended=ended, cut=cut, passed=passed)


def _request(asked: dict[str, Any], comment: str) -> tuple[Request, bool]:
    posted = mapping(asked.get("postData"))
    body: bytes | None = None
    if isinstance(posted.get("text"), str):
        body = posted["text"].encode("utf-8", "surrogatepass")
        if posted.get("_encoding") == "base64":
            body = _unpacked(posted["text"])
    elif params := _pairs(posted.get("params")):
        body = urlencode(params).encode("ascii")
    size = asked.get("bodySize")
    cut = body is None and isinstance(size, int) and size > 0
    purpose = Purpose("har", comment) if comment else UNSTATED
    return Request(string(asked.get("method")) or "GET", asked["url"], _headers(asked), body, purpose=purpose), cut


def _response(answered: dict[str, Any], status: int) -> Response:
    version = string(answered.get("httpVersion")) or "HTTP/1.1"
    return Response(status, string(answered.get("statusText")), _headers(answered), version)


def _content(answered: dict[str, Any]) -> tuple[bytes | None, int | None, bool]:
    """The body, its size, and whether the HAR lacks some of it."""
    content = mapping(answered.get("content"))
    size = content.get("size")
    size = size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None
    if not isinstance(content.get("text"), str):
        return None, size, bool(size)
    if content.get("encoding") == "base64":
        body = _unpacked(content["text"])
    else:
        body = content["text"].encode("utf-8", "surrogatepass")
    if size is None or size < len(body):
        size = len(body)
    return body, size, size > len(body)


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        return text.encode("utf-8", "surrogatepass")


def _headers(message: dict[str, Any]) -> Headers:
    """The headers without HTTP/2's pseudo-headers."""
    return tuple((name, value) for name, value in _pairs(message.get("headers")) if not name.startswith(":"))


def _pairs(items: Any) -> list[tuple[str, str]]:
    return [(string(one.get("name")), string(one.get("value"))) for one in mappings(items)]


def _timings(phases: dict[str, Any], whole: Any) -> Timings:
    """Milliseconds to seconds. HAR's "connect" includes "ssl", ours does not, nor does mitmproxy's."""
    dns, connect, tls = (_seconds(phases.get(name)) for name in ("dns", "connect", "ssl"))
    wait, receive = _seconds(phases.get("wait")), _seconds(phases.get("receive"))
    before = [_seconds(phases.get(name)) for name in ("blocked", "dns", "connect", "send", "wait")]
    head = sum(part for part in before if part is not None)
    total = _seconds(whole)
    return Timings(
        dns=dns,
        connect=connect if connect is None or tls is None or connect < tls else connect - tls,
        tls=tls,
        first_byte=wait,
        headers=head,
        body=receive,
        total=head + (receive or 0.0) if total is None else total,
    )


def _seconds(value: Any) -> float | None:
    """A phase; None for one that did not happen (-1)."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < LATEST:
        return None
    return value / 1000


def _connection(entry: dict[str, Any], asked: dict[str, Any]) -> Connection:
    """Where the request went; "connection" is an address in kubetrace's own files, elsewhere a port or a number."""
    address = string(entry.get("serverIPAddress")).strip("[]")
    known = string(entry.get("connection"))
    if not address:
        return Connection(known if ":" in known else None, None, False)
    if known.startswith((f"{address}:", f"[{address}]:")):
        shown = known
    else:
        shown = f"[{address}]:{_port(asked)}" if ":" in address else f"{address}:{_port(asked)}"
    phases = mapping(entry.get("timings"))
    return Connection(shown, None, _seconds(phases.get("connect")) is None)


def _port(asked: dict[str, Any]) -> int:
    try:
        parts = urlsplit(asked["url"])
        return parts.port or (80 if parts.scheme == "http" else 443)
    except ValueError:
        return 443


def _frames(entry: dict[str, Any], exchange: Exchange) -> Iterator[Timed]:
    messages = entry.get("_webSocketMessages")
    if not isinstance(messages, list) or exchange.response is None:
        return
    agreed = exchange.response.header("Sec-WebSocket-Protocol") or ""
    yield Timed(Upgraded(exchange.id, exchange.call, exchange.request, "websocket", agreed), exchange.started)
    for message in mappings(messages):
        kind = WEBSOCKET_TYPES.get(message.get("opcode"), "text")  # type: ignore[arg-type]
        data = string(message.get("data"))
        size = len(_unpacked(data)) if kind == "binary" else len(data.encode("utf-8", "surrogatepass"))
        at = message.get("time")
        at = at if isinstance(at, int | float) and 0 <= at < LATEST else exchange.started
        direction: Direction = "sent" if message.get("type") == "send" else "received"
        seconds = max(0.0, at - exchange.started)
        yield Timed(Frame(exchange.id, exchange.call, direction, kind, size, None, seconds), at)


def _watched(exchange: Exchange, at: float) -> Iterator[Timed]:
    """What a watch told."""
    response = exchange.response
    if response is None or response.status != 200 or not exchange.body or endpoint(exchange.request).verb != "watch":
        return
    changes: list[Change] = []
    WatchReader(response.header("Content-Type") or "", changes.append).feed(exchange.body)
    for change in changes:
        yield Timed(change.within(exchange.id, exchange.call, at - exchange.started), at)


def looks_like(start: bytes) -> bool:
    """Whether a file that begins so may be a HAR: one JSON object with a log in it."""
    return re.match(rb'(?:\xef\xbb\xbf)?\s*\{\s*"log"\s*:', start) is not None
