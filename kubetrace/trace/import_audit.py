"""A server's audit log as events: the requests of every client, as far as the policy kept them.

An audit log has no URL but the path, no headers but the user agent, and bodies only where its level is Request or
RequestResponse: as the server read them, not as they were sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from kubetrace.trace.audit_log import ENDS, AuditEvent
from kubetrace.trace.audit_log import events as audit_events
from kubetrace.trace.exchange import (
    Exchange,
    Purpose,
    Request,
    Response,
    Timings,
)
from kubetrace.trace.imported import told
from kubetrace.trace.records import Timed

_METHODS = {
    **dict.fromkeys(("get", "list", "watch", "proxy"), "GET"),
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    **dict.fromkeys(("delete", "deletecollection"), "DELETE"),
}
_OPEN = 10_000
"""Requests that are remembered until they end."""


def events(lines: Iterable[bytes]) -> Iterator[Timed]:
    """The requests of a log, in the order in which they ended; those without an end come last."""
    waiting: dict[str, AuditEvent] = {}
    number = 0
    for event in audit_events(lines):
        if event.stage in ENDS:
            waiting.pop(event.id, None)
            number += 1
            yield from _events(event, number)
        elif event.stage == "ResponseStarted":
            waiting[event.id] = event
            if len(waiting) > _OPEN:
                number += 1
                yield from _events(waiting.pop(next(iter(waiting))), number)
    for event in waiting.values():
        number += 1
        yield from _events(event, number)


def _events(event: AuditEvent, number: int) -> Iterator[Timed]:
    user = event.user.get("username")
    purpose = Purpose("audit", f"audit: asked by {user}" if isinstance(user, str) and user else "")
    request = Request(
        _METHODS.get(event.verb, event.verb.upper() or "GET"), event.uri, _headers(event), _body(event.asked),
        purpose=purpose,
    )  # fmt: skip
    answered = _body(event.answered if event.answered is not None else _failure(event))
    response = Response(event.code, "", (("Audit-Id", event.id),)) if 100 <= event.code <= 599 else None
    seconds = event.seconds
    timings = Timings(headers=seconds, total=seconds)
    error = None
    if event.stage == "Panic":
        error = "the server panicked"
    elif event.stage not in ENDS:
        error = "the log ends before the request does"
    elif response is None:
        error = "no answer (the log does not say why)"
    started = event.received or event.at
    size = None if answered is None else len(answered)
    exchange = Exchange(number, number, 1, request, response, answered, size, timings, started=started, error=error)
    cut = {"response"} if answered is None and response is not None else set()
    if request.body is None and request.method in ("POST", "PUT", "PATCH"):
        cut.add("request")
    at = event.at or started
    yield from told(exchange, sent=started, answered=at, ended=at, cut=cut)


def _headers(event: AuditEvent) -> tuple[tuple[str, str], ...]:
    found = [("User-Agent", event.user_agent)] if event.user_agent else []
    acting = event.impersonated.get("username")
    if isinstance(acting, str) and acting:
        found.append(("Impersonate-User", acting))
    return tuple(found)


def _failure(event: AuditEvent) -> object:
    """The Status of a refusal, which every policy keeps."""
    return {"kind": "Status", "apiVersion": "v1", **event.status} if event.code >= 400 and event.status else None


def _body(value: object) -> bytes | None:
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def looks_like(start: bytes) -> bool:
    """Whether a file that begins so may be an audit log."""
    return start.lstrip()[:1] == b"{" and (b'"audit.k8s.io/' in start or b'"auditID"' in start)
