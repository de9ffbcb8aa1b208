"""When client-go tries a call again, and what it says about it (rest/with_retry.go)."""

from __future__ import annotations

import re

from kubetrace.trace.exchange import Operation, Response
from kubetrace.transport.errors import TransportError
from kubetrace.value import Value
from kubetrace.wire.go_quote import quote

MAX_RETRIES = 10
DO_RAW: frozenset[Operation] = frozenset(
    {"raw", "raw-create", "raw-delete", "raw-replace", "logs", "logs-followed", "logs-followed-again"}
)
"""Operations that client-go reads with DoRaw or Stream: a broken body is reported as it is."""
STREAMS = DO_RAW | {"stream", "oidc"}
_INTEGER = r"[+-]?[0-9]+"


class Pause(Value):
    """A retry that is due: after which attempt, in how many seconds, and why in client-go's words."""

    attempt: int
    seconds: int
    reason: str


def pause_after_answer(attempt: int, response: Response) -> Pause | None:
    """A 429 or 5xx answer is tried again when its Retry-After is a whole number of seconds."""
    if response.status != 429 and response.status < 500:
        return None
    header = (response.header("Retry-After") or "").strip()
    if attempt > MAX_RETRIES or not re.fullmatch(_INTEGER, header):
        return None
    seconds = int(header)
    if response.status == 429:
        flow = quote((response.header("X-Kubernetes-PF-FlowSchema-UID") or "").encode("latin-1", "replace"))
        cause = f"due to server-side throttling, FlowSchema UID: {flow}"
    else:
        cause = str(response.status)
    return Pause(attempt, seconds, _reason(attempt, seconds, cause))


def pause_after_error(attempt: int, error: TransportError, method: str, operation: Operation) -> Pause | None:
    """A connection that was reset or closed early is tried again after one second: for GET, never for streams; a
    watch also after a timeout."""
    if attempt > MAX_RETRIES or operation in STREAMS:
        return None
    if operation in ("watch", "watch-one"):
        retryable = error.kind in ("reset", "eof", "timeout")
    else:
        retryable = method == "GET" and error.kind in ("reset", "eof")
    if not retryable:
        return None
    return Pause(attempt, 1, _reason(attempt, 1, f"due to retryable error, error: {error}"))


def _reason(attempt: int, seconds: int, cause: str) -> str:
    return f"retries: {attempt}, retry-after: {seconds}s - retry-reason: {cause}"
