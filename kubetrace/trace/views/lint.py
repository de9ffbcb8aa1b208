"""Findings about a trace, each citing its exchanges: calls that could be saved, and answers that ask for attention."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qs, urlsplit

from kubetrace.trace.body_text import counted, milliseconds, one_line, size
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.warning_header import warnings_of
from kubetrace.value import Mutable, fresh

_CITED = 8
_POLLS = 5
_MANY_ITEMS = 500
_BIG = 1 << 20
_COLD = 10
_CONNECTIONS = 5
_LONG_WAIT = 0.05
_REMEMBERED = 20_000
"""Different reads and findings that are told apart; of more, the rare ones are forgotten."""


class _Seen(Mutable):
    """The calls of one kind: their numbers, and the digests of what was answered."""

    numbers: list[int] = fresh(list)
    count: int = 0
    digests: set[bytes] = fresh(set)
    amount: float = 0.0

    def add(self, number: int, body: bytes | None = None) -> None:
        self.count += 1
        if len(self.numbers) < _CITED:
            self.numbers.append(number)
        if body is not None and len(self.digests) < _CITED:
            self.digests.add(hashlib.sha256(body).digest())

    def cite(self) -> str:
        more = f" and {self.count - len(self.numbers)} more" if self.count > len(self.numbers) else ""
        return ", ".join(f"#{number}" for number in self.numbers) + more


class _Memory(defaultdict[tuple[str, ...], _Seen]):
    """What has been seen, by what it is. A long trace of ever new things does not fill it."""

    def __init__(self) -> None:
        super().__init__(_Seen)

    def add(self, key: tuple[str, ...], number: int, body: bytes | None = None) -> None:
        if len(self) >= _REMEMBERED and key not in self:
            often = sorted(self.items(), key=lambda item: -item[1].count)[: _REMEMBERED // 2]
            self.clear()
            self.update(often)
        self[key].add(number, body)


def render(exchanges: Iterable[Recorded]) -> Iterator[str]:
    found, reads, asked = _Memory(), _Memory(), _Memory()
    discovery, connections, waits, calls = _Seen(), _Seen(), _Seen(), 0
    for recorded in exchanges:
        calls += 1
        exchange = recorded.exchange
        for key in _findings(recorded):
            found.add(key, recorded.number)
        if exchange.connection.address and not exchange.connection.reused:
            connections.add(recorded.number)
        if recorded.waited > _LONG_WAIT:
            waits.add(recorded.number)
            waits.amount += recorded.waited
        if exchange.request.method == "GET" and recorded.status == 200:
            if _is_discovery(recorded.endpoint.path):
                discovery.add(recorded.number)
                asked.add((recorded.endpoint.path,), recorded.number)
            elif recorded.endpoint.verb in ("get", "list"):
                reads.add((recorded.target,), recorded.number, exchange.body or b"")
    lines = [f"{rule}: {what} ({seen.cite()})\n" for (rule, what), seen in found.items()]
    lines += [*_repeated(reads), *_discovered(discovery, asked)]
    if waits.count:
        lines.append(
            f"throttled: the client's own rate limiter held {counted(waits.count, 'call')} back for "
            f"{milliseconds(waits.amount)} ({waits.cite()})\n"
        )
    if connections.count >= _CONNECTIONS and connections.count > calls // 2:
        lines.append(
            f"no keep-alive: {connections.count} of {counted(calls, 'call')} made a new connection "
            f"({connections.cite()})\n"
        )
    yield from sorted(lines) or ["nothing found\n"]


def _findings(recorded: Recorded) -> Iterator[tuple[str, str]]:
    exchange, where = recorded.exchange, recorded.endpoint
    path = one_line(where.template)
    for text in warnings_of(exchange.response):
        rule = "deprecated API" if "deprecated" in text.lower() else "warning"
        yield rule, f"{path}: {one_line(text)}"
    if recorded.status == 409:
        yield "conflict", f"{where.verb} {path} met a newer version or an object that exists"
    if recorded.status == 429:
        yield "throttled", f"the server was too busy for {where.verb} {path}"
    if recorded.status == 403:
        yield "forbidden", f"{where.verb} {path}"
    if recorded.status == 410:
        yield "expired", f"{where.verb} {path} asked for what the server no longer has: start anew from a list"
    if recorded.status >= 500 or not recorded.status:
        yield "failed", f"{where.verb} {path}: {recorded.status or one_line(exchange.error or 'no answer')}"
    if where.verb == "list" and recorded.status == 200:
        query = _query(exchange.request.url)
        items = _items(exchange.body)
        if "limit" not in query and items > _MANY_ITEMS:
            yield "unpaged list", f"{path} without limit answered {items} objects at once"
        if (exchange.body_size or 0) > _BIG and not _wants_less(recorded):
            yield "big answer", f"{path} sent {size(exchange.body_size)}; a Table or PartialObjectMetadata is smaller"


def _repeated(reads: _Memory) -> Iterator[str]:
    for (target,), seen in reads.items():
        if seen.count < 2:
            continue
        shown = one_line(target)
        if seen.count >= _POLLS and len(seen.digests) > 1:
            yield f"polling: {shown} was read {seen.count} times and changed; a watch tells changes ({seen.cite()})\n"
        elif len(seen.digests) == 1:
            yield f"repeated: {shown} was read {seen.count} times and answered the same ({seen.cite()})\n"


def _discovered(discovery: _Seen, asked: _Memory) -> Iterator[str]:
    again = any(seen.count > 1 for seen in asked.values())
    if discovery.count >= _COLD:
        yield f"cold discovery: {discovery.count} calls asked what the server serves ({discovery.cite()})\n"
    elif again:
        yield (
            f"cold discovery: what the server serves was asked more than once in {discovery.count} calls, which a "
            f"cache saves ({discovery.cite()})\n"
        )


def _is_discovery(path: str) -> bool:
    return re.fullmatch(r"/(api|apis)(/[^/]+){0,2}/?|/openapi/.*", path) is not None


def _items(body: bytes | None) -> int:
    """How many objects a list holds, near enough: a Kubernetes object has one uid of its own."""
    return 0 if body is None else len(re.findall(rb'"uid":\s*"', body))


def _wants_less(recorded: Recorded) -> bool:
    headers = recorded.exchange.request.headers
    return any(name.lower() == "accept" and "as=" in value for name, value in headers)


def _query(url: str) -> dict[str, list[str]]:
    try:
        return parse_qs(urlsplit(url).query, keep_blank_values=True)
    except ValueError:
        return {}
