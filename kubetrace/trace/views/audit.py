"""A trace beside its server's audit log, joined by Audit-Id: whom the server saw, why it allowed or refused, what
admission did, and how long the server took."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kubetrace.trace.audit_log import ENDS, AuditEvent
from kubetrace.trace.body_text import counted, milliseconds, one_line
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.scratch import database, packed, unpacked

if TYPE_CHECKING:
    from sqlite3 import Connection

_DECISION, _REASON = "authorization.k8s.io/decision", "authorization.k8s.io/reason"
_WORDS = {"allow": "allowed", "forbid": "refused"}
_WIDTH = 10
_NOTHING = f"    {'log'.ljust(_WIDTH)}nothing: the policy left it out, or it is another server's or time's log\n"

Mask = Callable[[str], str]


_SCHEMA = """
CREATE TABLE asked (number INTEGER PRIMARY KEY, line BLOB, audit_id BLOB, said BLOB, is_over INT DEFAULT 0);
CREATE INDEX by_id ON asked (audit_id);
"""
"""Exchanges, and what the log says of them."""


def render(exchanges: Iterable[Recorded], events: Iterable[AuditEvent], mask: Mask = str) -> Iterator[str]:
    """`mask` takes credentials out of the log's texts, which nobody has masked yet."""
    with contextlib.closing(database(_SCHEMA)) as known:
        rows = ((packed(_line(recorded)), _audit_id(recorded)) for recorded in exchanges)
        known.executemany("INSERT INTO asked (line, audit_id) VALUES (?, ?)", rows)
        others = _join(known, events, mask)
        found = 0
        for line, said in known.execute("SELECT line, said FROM asked ORDER BY number"):
            found += said is not None
            yield unpacked(line) + (_NOTHING if said is None else unpacked(said))
        count = known.execute("SELECT count(*) FROM asked").fetchone()[0]
    rest = counted(others, "other request")
    yield f"\n{found} of {counted(count, 'exchange')} found in the log, next to {rest}\n"


def _join(known: Connection, events: Iterable[AuditEvent], mask: Mask) -> int:
    """Notes what the log says of each exchange; the last stage of one counts. How many requests were none of ours."""
    others = 0
    for event in events:
        asked = known.execute("SELECT number, is_over FROM asked WHERE audit_id = ?", (packed(event.id),)).fetchall()
        is_over = event.stage in ENDS
        others += is_over and not asked
        for number, was_over in asked:
            if not was_over:
                said = packed("".join(_event(event, mask)))
                known.execute("UPDATE asked SET said = ?, is_over = ? WHERE number = ?", (said, is_over, number))
    return others


def _audit_id(recorded: Recorded) -> bytes | None:
    response = recorded.exchange.response
    audit_id = response.header("Audit-Id") if response else None
    return packed(audit_id) if audit_id else None


def _line(recorded: Recorded) -> str:
    request = recorded.exchange.request
    asked = f"#{recorded.number} {one_line(request.method)} {one_line(recorded.target)}"
    return f"{asked} → {recorded.status or 'no answer'}\n"


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
