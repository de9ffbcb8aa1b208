"""What another trace did differently: calls that came, went or changed; ids, times and versions are set aside."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, urlsplit

from kubetrace.trace.body_text import one_line, readable
from kubetrace.trace.exchange import Headers
from kubetrace.trace.exchanges import Recorded
from kubetrace.value import Value

_HEADERS = ("accept", "content-type", "kubectl-command", "if-match", "if-none-match")
_VOLATILE_QUERY = frozenset({"resourceVersion", "continue", "timeoutSeconds"})
_VOLATILE = re.compile(
    r'^\s*"(uid|resourceVersion|creationTimestamp|deletionTimestamp|generation|time|lastTransitionTime|lastUpdateTime'
    r'|lastHeartbeatTime|lastProbeTime|startTime|startedAt|finishedAt|renewTime|continue)": .*$',
    re.MULTILINE,
)
_LINES = 12


class Call(Value):
    """What is compared of an exchange, small enough to keep many."""

    number: int
    line: str
    headers: tuple[str, ...]
    body: str
    status: str

    @property
    def same(self) -> tuple[str, tuple[str, ...], str, str]:
        return self.line, self.headers, self.body, self.status


def calls(exchanges: Iterable[Recorded]) -> list[Call]:
    """The calls of a trace as they are compared."""
    return [_call(recorded) for recorded in exchanges]


def _call(recorded: Recorded) -> Call:
    exchange = recorded.exchange
    body = _settled(exchange.request.body) if exchange.request.body else ""
    status = str(recorded.status) if recorded.status else "no answer"
    line = f"{one_line(exchange.request.method)} {one_line(_settled_target(exchange.request.url))}"
    return Call(recorded.number, line, _compared(exchange.request.headers), body, status)


def _compared(headers: Headers) -> tuple[str, ...]:
    return tuple(sorted(f"{name}: {one_line(value)}" for name, value in headers if name.lower() in _HEADERS))


def _settled_target(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in _VOLATILE_QUERY]
    return parts.path + ("?" + "&".join(f"{name}={value}" for name, value in sorted(query)) if query else "")


def _settled(body: bytes) -> str:
    text = readable(body)
    try:
        text = json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
    return _VOLATILE.sub("", text)


def render(before: Iterable[Recorded], after: Iterable[Recorded]) -> Iterator[str]:
    """Lines "-" for calls that went, "+" for those that came, "~" for changed ones; nothing where all is equal."""
    old, new = calls(before), calls(after)
    matcher = difflib.SequenceMatcher(None, [call.line for call in old], [call.line for call in new], autojunk=False)
    for tag, first, last, start, stop in matcher.get_opcodes():
        if tag == "equal":
            for one, other in zip(old[first:last], new[start:stop], strict=True):
                yield from _changed(one, other)
        else:
            yield from (f"- #{call.number} {call.line} → {call.status}\n" for call in old[first:last])
            yield from (f"+ #{call.number} {call.line} → {call.status}\n" for call in new[start:stop])


def _changed(old: Call, new: Call) -> Iterator[str]:
    if old.same == new.same:
        return
    yield f"~ #{old.number} → #{new.number} {old.line}\n"
    if old.status != new.status:
        yield f"    status {old.status} → {new.status}\n"
    yield from (f"    - {header}\n" for header in old.headers if header not in new.headers)
    yield from (f"    + {header}\n" for header in new.headers if header not in old.headers)
    if old.body != new.body:
        found = list(difflib.unified_diff(old.body.splitlines(), new.body.splitlines(), lineterm="", n=0))[2:]
        lines = [line for line in found if not line.startswith("@@") and line[1:].strip()]
        yield from (f"    {line[0]} {one_line(line[1:])}\n" for line in lines[:_LINES])
        if len(lines) > _LINES:
            yield f"    … and {len(lines) - _LINES} more lines of the body\n"
