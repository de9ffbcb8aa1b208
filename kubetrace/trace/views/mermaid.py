"""A sequence diagram in mermaid's language: who asked whom for what, and what came back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from kubetrace.trace.body_text import milliseconds, one_line, size
from kubetrace.trace.exchanges import Recorded

_LONGEST = 120
_ROOM = 48_000
"""Characters of a diagram: mermaid draws no more than 50,000 (maxTextSize)."""


def render(exchanges: Iterable[Recorded]) -> Iterator[str]:
    yield "sequenceDiagram\n    participant C as client\n"
    servers: dict[str, str] = {}
    room, left = _ROOM, 0
    for recorded in exchanges:
        lines = "".join(_lines(recorded, servers)) if room > 0 else ""
        room -= len(lines)
        if room > 0:
            yield lines
        else:
            left += 1
    if left:
        yield f"    Note over C: {left} more exchanges are left out#59; filters choose others\n"


def _lines(recorded: Recorded, servers: dict[str, str]) -> Iterator[str]:
    exchange = recorded.exchange
    host = _host(exchange.request.url)
    if host not in servers:
        servers[host] = f"S{len(servers) + 1}"
        yield f"    participant {servers[host]} as {escaped(host)}\n"
    server = servers[host]
    if exchange.request.purpose.sentence:
        yield f"    Note over C,{server}: {escaped(exchange.request.purpose.sentence)}\n"
    yield f"    C->>{server}: {escaped(f'{recorded.number}. {exchange.request.method} {recorded.target}')}\n"
    if exchange.response is None:
        yield f"    {server}--xC: {escaped(exchange.error or 'no answer')}\n"
        return
    answer = f"{exchange.response.status} {exchange.response.reason or ''}".strip()
    facts = [part for part in (size(exchange.body_size), milliseconds(recorded.seconds)) if part]
    yield f"    {server}-->>C: {escaped(', '.join([answer, *facts]))}\n"


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or "server"
    except ValueError:
        return "server"


def escaped(text: str) -> str:
    """Text without what the language (or HTML in it) would understand, as mermaid's entity codes."""
    text = one_line(text)
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return "".join(f"#{ord(one)};" if one in "#;<>&\"'`{}\\%" else one for one in text)
