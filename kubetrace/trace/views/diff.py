"""What another trace did differently: calls that came, went or changed; ids, times and versions are set aside."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from urllib.parse import parse_qsl, urlsplit

from kubetrace.trace.body_text import counted, one_line, readable
from kubetrace.trace.exchange import Headers, Request
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.scratch import database, packed, unpacked
from kubetrace.value import Value

_HEADERS = ("accept", "content-type", "kubectl-command", "if-match", "if-none-match")
_VOLATILE_QUERY = frozenset({"resourceVersion", "continue", "timeoutSeconds", "hash"})
_VOLATILE = re.compile(
    r'^\s*"(uid|resourceVersion|creationTimestamp|deletionTimestamp|generation|time|lastTransitionTime|lastUpdateTime'
    r'|lastHeartbeatTime|lastProbeTime|startTime|startedAt|finishedAt|renewTime|continue)": .*$',
    re.MULTILINE,
)
_LINES = 12
_ALIGNED = 5000
"""Calls that are put side by side; finding the best way takes time that grows with their square."""
_ROOM = 32 << 20
"""Bytes of packed bodies that are kept of one trace."""
_TOGETHER = 20_000
"""Calls that are counted before the database hears of them."""


class Call(Value):
    """What is compared of an exchange, small enough to keep many. `line` is method and path; `body` is packed, None
    where there was no room left for it: `digest` tells it from others all the same. A `cut` body is not whole in its
    trace."""

    number: int
    line: str
    query: tuple[str, ...]
    headers: tuple[str, ...]
    digest: bytes
    body: bytes | None
    cut: bool
    status: str

    @property
    def same(self) -> tuple[object, ...]:
        return self.line, self.query, self.headers, self.digest, self.status

    @property
    def whole(self) -> str:
        """Method, path and query."""
        return _whole(self.line, self.query)

    @property
    def text(self) -> str | None:
        return None if self.body is None else zlib.decompress(self.body).decode()


def _calls(exchanges: Iterable[Recorded]) -> list[Call]:
    """The calls of a trace as they are compared."""
    found: list[Call] = []
    known: dict[str, str] = {}
    room = _ROOM
    for recorded in exchanges:
        call = _call(recorded, known, room > 0)
        room -= len(call.body or b"")
        found.append(call)
    return found


def _call(recorded: Recorded, known: dict[str, str], keep: bool) -> Call:
    """`known` holds every text once: a long trace says the same again and again."""
    request = recorded.exchange.request
    body = (_settled(request.body) if request.body else "").encode("utf-8", "replace")
    status = _status(recorded)
    path, query = _settled_target(request.url)
    line = _line(request, path)
    return Call(
        recorded.number,
        known.setdefault(line, line),
        tuple(known.setdefault(one, one) for one in query),
        tuple(known.setdefault(header, header) for header in _compared(request.headers)),
        hashlib.sha256(body).digest() if body else b"",
        zlib.compress(body, 1) if keep or not body else None,
        "request" in recorded.cut,
        known.setdefault(status, status),
    )


def _line(request: Request, path: str) -> str:
    return f"{one_line(request.method)} {one_line(path)}"


def _whole(line: str, query: Sequence[str]) -> str:
    return line + ("?" + "&".join(query) if query else "")


def _status(recorded: Recorded) -> str:
    return str(recorded.status) if recorded.status else "no answer"


def _compared(headers: Headers) -> tuple[str, ...]:
    return tuple(sorted(f"{name}: {one_line(value)}" for name, value in headers if name.lower() in _HEADERS))


def _settled_target(url: str) -> tuple[str, list[str]]:
    """Path and query, without what differs from run to run."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, []
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in _VOLATILE_QUERY]
    return parts.path, [one_line(f"{name}={value}") for name, value in sorted(query)]


def _settled(body: bytes) -> str:
    text = readable(body)
    try:
        text = json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
    return _VOLATILE.sub("", text)


def render(before: Iterable[Recorded], after: Iterable[Recorded]) -> Iterator[str]:
    """Lines "-" for calls that went, "+" for those that came, "~" for changed ones; nothing where all is equal. Lines
    that begin with "#" are no differences."""
    rest = iter(before), iter(after)
    old, new = (_calls(islice(side, _ALIGNED)) for side in rest)
    more = [list(islice(side, 1)) for side in rest]
    if any(more):
        counted_calls = (_asked(one, two, three) for one, two, three in zip((old, new), more, rest, strict=True))
        yield from _counted(*counted_calls)
        return
    cut = 0
    matcher = difflib.SequenceMatcher(None, [call.line for call in old], [call.line for call in new], autojunk=False)
    for tag, first, last, start, stop in matcher.get_opcodes():
        if tag == "equal":
            for one, other in zip(old[first:last], new[start:stop], strict=True):
                yield from _changed(one, other)
                cut += (one.cut or other.cut) and one.digest != other.digest
        else:
            yield from (f"- #{call.number} {call.whole} → {call.status}\n" for call in old[first:last])
            yield from (f"+ #{call.number} {call.whole} → {call.status}\n" for call in new[start:stop])
    if cut:
        yield f"# {counted(cut, 'body', 'bodies')} not compared: the traces do not hold them whole.\n"


def _asked(calls: Iterable[Call], *exchanges: Iterable[Recorded]) -> Iterator[tuple[str, str]]:
    """Method, path and query, and how it was answered: of calls, and of exchanges that are none yet."""
    yield from ((call.whole, call.status) for call in calls)
    for recorded in chain(*exchanges):
        path, query = _settled_target(recorded.exchange.request.url)
        yield _whole(_line(recorded.exchange.request, path), query), _status(recorded)


def _counted(old: Iterable[tuple[str, str]], new: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Long traces: how often each call was made and how it was answered, whatever the order."""
    schema = "CREATE TABLE calls (line BLOB, status BLOB, old INT, new INT, PRIMARY KEY (line, status)) WITHOUT ROWID"
    with contextlib.closing(database(schema)) as known:
        for column, side in (("old", old), ("new", new)):
            add = (
                f"INSERT INTO calls VALUES (?1, ?2, {'?3, 0' if column == 'old' else '0, ?3'}) "
                f"ON CONFLICT DO UPDATE SET {column} = {column} + ?3"
            )
            while some := Counter(islice(side, _TOGETHER)):
                rows = ((packed(line), packed(status), count) for (line, status), count in sorted(some.items()))
                known.executemany(add, rows)
        different = known.execute("SELECT * FROM calls WHERE old != new ORDER BY line, status")
        for place, (line, status, was, now) in enumerate(different):
            if not place:
                yield f"# More than {_ALIGNED} calls: counted, not put side by side.\n"
            sign = "+" if not was else "-" if not now else "~"
            yield f"{sign} {unpacked(line)} → {unpacked(status)}: {was} → {now} times\n"


def _changed(old: Call, new: Call) -> Iterator[str]:
    if old.same == new.same:
        return
    details = [*_different(old, new)]
    if details:
        yield f"~ #{old.number} → #{new.number} {old.line}\n"
        yield from (f"    {detail}\n" for detail in details)


def _different(old: Call, new: Call) -> Iterator[str]:
    if old.status != new.status:
        yield f"status {old.status} → {new.status}"
    yield from (f"- ?{one}" for one in old.query if one not in new.query)
    yield from (f"+ ?{one}" for one in new.query if one not in old.query)
    yield from (f"- {header}" for header in old.headers if header not in new.headers)
    yield from (f"+ {header}" for header in new.headers if header not in old.headers)
    if old.digest == new.digest or old.cut or new.cut:
        return
    one, other = old.text, new.text
    if one is None or other is None:
        yield "the bodies differ"
    else:
        yield from _lines(one, other)


def _lines(old: str, new: str) -> Iterator[str]:
    found = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0))[2:]
    lines = [line for line in found if not line.startswith("@@") and line[1:].strip()]
    yield from (f"{line[0]} {one_line(line[1:])}" for line in lines[:_LINES])
    if len(lines) > _LINES:
        yield f"… and {len(lines) - _LINES} more lines of the body"
