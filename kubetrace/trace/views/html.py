"""One HTML page that holds a trace: no network, no outside files, light and dark, by keyboard as by mouse.

The page's own script and style (`page/`) are let in by their hashes; everything else is data that the script shows as
text. Bodies lie there packed until somebody looks at them. What the page leaves out it says.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files

from kubetrace.trace import meaning
from kubetrace.trace.body_text import milliseconds, printable, readable, size
from kubetrace.trace.exchange import Exchange, Headers
from kubetrace.trace.exchanges import Frames, Recorded, WatchEvents, event_line
from kubetrace.trace.sentences import Catalogue
from kubetrace.trace.warning_header import warnings_of
from kubetrace.wire import CBOR, PROTOBUF, is_watch_stream

MOST = 10_000
"""Exchanges of a page."""
LONGEST_BODY = 256 * 1024
"""Characters of a body."""
ALL_BODIES = 16 * 1024 * 1024
"""Characters of all packed bodies together."""
_LONGEST_LINE = 4096
_LONGEST_PARSED = 8 * 1024 * 1024
_LEGEND = (("dns", "DNS"), ("connect", "connect"), ("tls", "TLS"), ("wait", "waiting"), ("body", "body"))


def render(exchanges: Iterable[Recorded]) -> Iterator[str]:
    style, script = (files(f"{__package__}.page").joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    bodies = _Bodies()
    catalogue = Catalogue("en")
    yield _head(style, script)
    yield '<script type="application/json" id="trace">{"calls": [\n'
    count = left = 0
    for recorded in exchanges:
        if count >= MOST:
            left += 1
            continue
        yield (",\n" if count else "") + _json(_call(recorded, bodies, catalogue))
        count += 1
    yield '\n], "bodies": [\n'
    for number, packed in enumerate(bodies.packed):
        yield (",\n" if number else "") + f'"{packed}"'
    yield f"\n]}}</script>\n{_left_out(left, bodies.left)}<script>{script}</script>\n</body>\n</html>\n"


def _json(value: object) -> str:
    """JSON that no HTML reader takes for markup."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _head(style: str, script: str) -> str:
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    legend = "".join(
        f'<span><svg aria-hidden="true"><rect class="{name}" width="100%" height="100%"/></svg>{word}</span>'
        for name, word in _LEGEND
    )
    legend += "<span>(idle time is shortened)</span>"
    columns = ("number", "#"), ("verb", "Verb"), ("path", "Path"), ("status", "Status"), ("time", "Time")
    heads = "".join(
        f'<th scope="col" class="{name}">{word}</th>'
        for name, word in (*columns, ("bytes", "Bytes"), ("waterfall", "When"))
    )
    kinds = (("all", "all"), ("failed", "failed"), ("writes", "writes"), ("warned", "with warnings"))
    options = "".join(f'<option value="{value}">{escape(word)}</option>' for value, word in kinds)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>kubetrace</title>\n<style>{style}</style>\n</head>\n<body>\n"
        '<header><h1>kubetrace</h1><p id="summary">This page needs its script to show the trace.</p></header>\n'
        '<form role="search"><label>Search <input id="search" type="search" aria-keyshortcuts="/"></label>\n'
        '<label><input id="in-bodies" type="checkbox"> in bodies, too</label>\n'
        f'<label>Show <select id="kind">{options}</select></label>\n'
        f'<output id="count" aria-live="polite"></output><span class="legend">{legend}</span></form>\n'
        '<main><div id="rows"><table id="calls" role="grid" aria-label="Exchanges">'
        f"<thead><tr>{heads}</tr></thead><tbody></tbody></table></div>\n"
        '<section id="detail" aria-label="The chosen exchange" hidden></section></main>\n'
    )


def _left_out(exchanges: int, bodies: int) -> str:
    """What the page does not hold; its script moves it up to where everybody sees it."""
    said = []
    if exchanges:
        said.append(f"{exchanges} more exchanges are left out: filters choose others.")
    if bodies:
        said.append(f"{bodies} bodies are left out: the page holds no more.")
    return f'<p class="left-out" id="left-out">{" ".join(said)}</p>\n' if said else ""


class _Bodies:
    """Bodies, packed: equal ones once, and no more than the page can hold."""

    def __init__(self) -> None:
        self.packed: list[str] = []
        self.left = 0
        self._room = ALL_BODIES
        self._known: dict[bytes, tuple[int, str]] = {}

    def add(self, body: bytes | None, cut: bool) -> tuple[int | None, str]:
        """Where the body lies (None: nowhere), and what there is to say about it."""
        note = "The trace does not hold the whole body." if cut else ""
        if not body:
            return None, note
        digest = hashlib.sha256(body).digest()
        if digest not in self._known:
            found = self._pack(body)
            if found is None:
                self.left += 1
                return None, f"This body ({size(len(body))}) is left out: the page holds no more."
            self._known[digest] = found
        index, left = self._known[digest]
        return index, " ".join(part for part in (left, note) if part)

    def _pack(self, body: bytes) -> tuple[int, str] | None:
        if self._room <= 0:
            return None
        text = printable(_text(body))
        left = f"{len(text) - LONGEST_BODY} more characters are left out." if len(text) > LONGEST_BODY else ""
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        data = packer.compress(text[:LONGEST_BODY].encode("utf-8", "replace")) + packer.flush()
        packed = base64.b64encode(data).decode("ascii")
        if len(packed) > self._room:
            self._room = 0
            return None
        self._room -= len(packed)
        self.packed.append(packed)
        return len(self.packed) - 1, left


def _text(body: bytes) -> str:
    """A body for people; of a huge one the beginning, as it is."""
    if is_watch_stream(body) or body.startswith(CBOR):
        return readable(body[:_LONGEST_PARSED])
    if len(body) > _LONGEST_PARSED and not body.startswith(PROTOBUF):
        return body[: LONGEST_BODY * 4].decode("utf-8", "replace") + "…"
    return readable(body)


def _call(recorded: Recorded, bodies: _Bodies, catalogue: Catalogue) -> dict[str, object]:
    exchange, timings = recorded.exchange, recorded.exchange.timings
    request, response = exchange.request, exchange.response
    line = f"{response.http_version} {response.status} {response.reason or ''}".strip() if response else ""
    return {
        "number": recorded.number,
        "method": _line(request.method),
        "verb": _line(recorded.endpoint.verb),
        "target": _line(recorded.target),
        "url": _line(request.url),
        "status": recorded.status,
        "why": _line(catalogue.purpose(request.purpose) or _said(catalogue, meaning.reason(request))),
        "meant": _line(_said(catalogue, *meaning.outcomes(exchange))),
        "warnings": [_line(text) for text in warnings_of(response)],
        "error": _line(exchange.error or ""),
        "at": exchange.started,
        "seconds": recorded.seconds,
        "head": timings.headers,
        "phases": [timings.dns, timings.connect, timings.tls, timings.first_byte],
        "size": exchange.body_size,
        "asked": _pairs(request.headers),
        "sent": bodies.add(request.body, "request" in recorded.cut),
        "line": _line(line),
        "answered": _pairs(response.headers if response else ()),
        "got": bodies.add(exchange.body, "response" in recorded.cut),
        "frames": _frames(recorded.frames),
        "events": _watched(recorded.watched),
        "connection": _connection(exchange),
    }


def _said(catalogue: Catalogue, *found: meaning.Said) -> str:
    known = next((one for one in found if catalogue.knows(one.key)), None)
    return "" if known is None else catalogue.say(known.key, **known.values)


def _line(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}… ({len(text) - _LONGEST_LINE} more)"


def _pairs(headers: Headers) -> list[tuple[str, str]]:
    return [(_line(name), _line(value)) for name, value in headers]


def _frames(frames: Frames | None) -> list[tuple[str, str]]:
    if frames is None:
        return []
    words = [word for word in (frames.protocol, frames.subprotocol) if word]
    counts = ((_line(key), f"{count}, {size(total)}") for key, (count, total) in frames.counts.items())
    return [*([("protocol", _line(" ".join(words)))] if words else []), *counts]


def _watched(watched: WatchEvents | None) -> list[tuple[str, str]]:
    if watched is None:
        return []
    counts = [(_line(type), f"{count}, {size(total)}") for type, (count, total) in watched.counts.items()]
    told = [(milliseconds(event.seconds), _line(event_line(event))) for event in watched.first]
    more = watched.total - len(told)
    return [*counts, *told, *([("…", f"and {more} more")] if more else [])]


def _connection(exchange: Exchange) -> list[tuple[str, str]]:
    connection = exchange.connection
    if not connection.address:
        return []
    kept = "kept from an earlier exchange" if connection.reused else "new"
    return [("address", _line(connection.address)), ("TLS", _line(connection.tls_version or "none")), ("state", kept)]
