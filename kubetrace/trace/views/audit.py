"""A trace beside its server's audit log, joined by Audit-Id: whom the server saw, why it allowed or refused, what
admission did, and how long the server took."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kubetrace.trace.audit_log import ENDS, AuditEvent
from kubetrace.trace.body_text import counted, milliseconds, one_line
from kubetrace.trace.exchanges import Recorded
from kubetrace.value import Mutable

_DECISION, _REASON = "authorization.k8s.io/decision", "authorization.k8s.io/reason"
_WORDS = {"allow": "allowed", "forbid": "refused"}
_WIDTH = 10

Mask = Callable[[str], str]


class _Asked(Mutable):
    """An exchange that waits for its events, small enough to keep many."""

    number: int
    line: str
    event: AuditEvent | None = None


def render(exchanges: Iterable[Recorded], events: Iterable[AuditEvent], mask: Mask = str) -> Iterator[str]:
    """`mask` takes credentials out of the log's texts, which nobody has masked yet."""
    asked: list[_Asked] = []
    by_id: dict[str, list[_Asked]] = {}
    for recorded in exchanges:
        one = _Asked(recorded.number, _line(recorded))
        asked.append(one)
        response = recorded.exchange.response
        if audit_id := response.header("Audit-Id") if response else None:
            by_id.setdefault(audit_id, []).append(one)
    others = 0
    for event in events:
        found = by_id.get(event.id)
        others += found is None and event.stage in ENDS
        for one in found or ():
            if one.event is None or one.event.stage not in ENDS:
                one.event = event
    joined = 0
    for one in asked:
        yield f"#{one.number} {one.line}\n"
        if one.event is not None:
            joined += 1
            yield from _event(one.event, mask)
        else:
            yield f"    {'log'.ljust(_WIDTH)}nothing: the policy left it out, or it is another server's or time's log\n"
    rest = counted(others, "other request")
    yield f"\n{joined} of {counted(len(asked), 'exchange')} found in the log, next to {rest}\n"


def _line(recorded: Recorded) -> str:
    request = recorded.exchange.request
    return f"{one_line(request.method)} {one_line(recorded.target)} → {recorded.status or 'no answer'}"


def _event(event: AuditEvent, mask: Mask) -> Iterator[str]:
    def row(name: str, text: str) -> str:
        return f"    {name.ljust(_WIDTH)}{one_line(mask(text))}\n"

    yield row("seen as", _user(event.user))
    if event.impersonated:
        yield row("acting as", _user(event.impersonated))
    where = ", ".join(event.source_ips)
    if where or event.user_agent:
        yield row("from", " with ".join(part for part in (where, event.user_agent) if part))
    decision = event.annotations.get(_DECISION, "")
    if decision:
        reason = event.annotations.get(_REASON) or "no reason given"
        yield row(_WORDS.get(decision, decision), reason)
    for key, text in sorted(event.annotations.items()):
        if key not in (_DECISION, _REASON):
            yield row("noted", f"{key}: {text}")
    if event.code >= 400:
        message = f"{event.status.get('reason') or ''}: {event.status.get('message') or ''}".strip(": ")
        yield row("answered", f"{event.code} {message}".strip())
    if event.seconds is not None and event.stage in ENDS:
        yield row("took", f"{milliseconds(event.seconds)} in the server")
    elif event.stage not in ENDS:
        yield row("log", f"ends at the stage {event.stage}")


def _user(user: Mapping[str, Any]) -> str:
    groups = user.get("groups")
    names = ", ".join(str(one) for one in groups) if isinstance(groups, list) else ""
    return f"{user.get('username') or 'nobody'}{f' ({names})' if names else ''}"
