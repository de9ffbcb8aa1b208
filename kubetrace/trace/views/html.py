"""One HTML page that holds a trace: no network, no outside files, light and dark, by keyboard as by mouse.

Everything from the trace is escaped text; a content security policy lets only this page's own script and style run, by
their hashes. What the page leaves out it says.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from html import escape

from kubetrace.trace.body_text import milliseconds, printable, readable, size
from kubetrace.trace.exchange import Headers, Timings
from kubetrace.trace.exchanges import Recorded

MOST = 2000
LONGEST_BODY = 64 * 1024
_WIDTH = 200

_STYLE = """
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
body { margin: 1rem auto; max-width: 80rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; }
input { font: inherit; padding: .3rem .5rem; width: min(30rem, 100%); box-sizing: border-box; }
ol { list-style: none; padding: 0; }
li { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); content-visibility: auto;
  contain-intrinsic-size: auto 2.2rem; }
summary { display: grid; grid-template-columns: 3rem 5rem minmax(0, 1fr) 4rem 5rem 6rem 200px; gap: .5rem;
  padding: .35rem 0; cursor: pointer; align-items: center; }
summary:focus-visible { outline: 2px solid Highlight; }
.path { overflow-wrap: anywhere; font-family: ui-monospace, monospace; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.bad { font-weight: bold; color: light-dark(#b00020, #ff8a8a); }
pre { overflow: auto; max-height: 30rem; padding: .5rem; background: color-mix(in srgb, currentColor 7%, transparent); }
svg { width: 200px; height: 12px; }
.wait { fill: light-dark(#9db7e0, #54709c); } .body { fill: light-dark(#2457a8, #9cc1ff); }
table { border-collapse: collapse; }
th { text-align: left; font-weight: normal; padding-right: 1rem; vertical-align: top; }
td { overflow-wrap: anywhere; font-family: ui-monospace, monospace; }
@media (max-width: 60rem) { summary { grid-template-columns: 2rem 4rem minmax(0, 1fr) 3rem; }
  summary .n ~ .n, summary svg { display: none; } }
"""
_SCRIPT = """
const search = document.getElementById('search'), count = document.getElementById('count');
const rows = [...document.querySelectorAll('li')];
search.addEventListener('input', () => {
  const wanted = search.value.toLowerCase();
  let shown = 0;
  for (const row of rows) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
    shown += !row.hidden;
  }
  count.textContent = shown + ' of ' + rows.length;
});
"""


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def render(exchanges: Iterable[Recorded]) -> Iterator[str]:
    kept: list[Recorded] = []
    left = 0
    for recorded in exchanges:
        if len(kept) < MOST:
            kept.append(recorded)
        else:
            left += 1
    yield _head(len(kept), left)
    begin = min((one.exchange.started for one in kept), default=0.0)
    end = max((one.exchange.started + one.seconds for one in kept), default=1.0)
    for recorded in kept:
        yield from _row(recorded, begin, end)
    yield f"</ol>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n"


def _head(count: int, left: int) -> str:
    policy = f"default-src 'none'; script-src {_hash(_SCRIPT)}; style-src {_hash(_STYLE)}; "
    missing = f"<p>{left} more exchanges are left out: filters choose others.</p>\n" if left else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}base-uri 'none'; form-action 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>kubetrace: {count} exchanges</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{count} exchanges</h1>\n{missing}"
        '<p><label for="search">Search</label> <input id="search" type="search"> '
        f'<output id="count" for="search" aria-live="polite">{count} of {count}</output></p>\n<ol>\n'
    )


def _text(text: str) -> str:
    """Text from a trace: escaped for any place in the page, control characters visible."""
    return escape(printable(text.replace("\r\n", "\n")), quote=True)


def _row(recorded: Recorded, begin: float, end: float) -> Iterator[str]:
    exchange = recorded.exchange
    bad = ' class="n bad"' if recorded.status == 0 or recorded.status >= 400 else ' class="n"'
    yield (
        f'<li><details><summary><span class="n">{recorded.number}</span><span>{_text(exchange.request.method)}</span>'
        f'<span class="path">{_text(recorded.target)}</span><span{bad}>{recorded.status or "error"}</span>'
        f'<span class="n">{milliseconds(recorded.seconds)}</span><span class="n">{size(exchange.body_size)}</span>'
        f"{_bar(recorded, begin, end)}</summary>\n"
    )
    if exchange.request.purpose.sentence:
        yield f"<p>{_text(exchange.request.purpose.sentence)}</p>\n"
    yield from _message("Request", exchange.request.url, exchange.request.headers, exchange.request.body,
                        "request" in recorded.cut)  # fmt: skip
    if exchange.response is not None:
        status = f"{exchange.response.http_version} {exchange.response.status} {exchange.response.reason or ''}"
        yield from _message("Response", status, exchange.response.headers, exchange.body, "response" in recorded.cut)
    if exchange.error is not None:
        yield f'<p class="bad">{_text(exchange.error)}</p>\n'
    yield _times(exchange.timings) + "</details></li>\n"


def _bar(recorded: Recorded, begin: float, end: float) -> str:
    scale = _WIDTH / (end - begin) if end > begin else 0.0
    start = (recorded.exchange.started - begin) * scale
    total = max(recorded.seconds * scale, 1.0)
    wait = min((recorded.exchange.timings.headers or 0.0) * scale, total)
    return (
        f'<svg viewBox="0 0 {_WIDTH} 12" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="wait" x="{start:.2f}" width="{wait:.2f}" height="12"/>'
        f'<rect class="body" x="{start + wait:.2f}" width="{total - wait:.2f}" height="12"/></svg>'
    )


def _message(title: str, line: str, headers: Headers, body: bytes | None, cut: bool) -> Iterator[str]:
    yield f"<h2>{title}</h2>\n<p>{_text(line)}</p>\n<table>\n"
    yield from (f'<tr><th scope="row">{_text(name)}</th><td>{_text(value)}</td></tr>\n' for name, value in headers)
    yield "</table>\n"
    if body:
        text = readable(body)
        yield f'<pre tabindex="0">{_text(text[:LONGEST_BODY])}</pre>\n'
        if len(text) > LONGEST_BODY:
            yield f"<p>{len(text) - LONGEST_BODY} more characters are left out.</p>\n"
    if cut:
        yield "<p>The trace does not hold the whole body.</p>\n"


def _times(timings: Timings) -> str:
    phases = ("dns", "connect", "tls", "first_byte", "headers", "body", "total")
    known = [(name, getattr(timings, name)) for name in phases if getattr(timings, name) is not None]
    cells = "".join(
        f'<tr><th scope="row">{name.replace("_", " ")}</th><td>{milliseconds(value)}</td></tr>\n'
        for name, value in known
    )
    return f"<h2>Times</h2>\n<table>\n{cells}</table>\n" if known else ""
