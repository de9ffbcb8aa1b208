"""What kubetrace was told to do to requests: to let nothing write, to be late, to make them fail."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from kubetrace.recorder.answers import LocalAnswer, error_event, refusal
from kubetrace.serving.faults import Fault, take
from kubetrace.trace.endpoint import STREAMS, Endpoint
from kubetrace.trace.exchange import UNSTATED, Purpose
from kubetrace.value import Value

BLOCKED = Purpose("blocked", "kubetrace did not let this request through (--block-writes).")
FAULT = Purpose("fault", "kubetrace made this request fail (--fault).")
_MESSAGE = "a fault that kubetrace was told to make"
_REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed",
    409: "Conflict", 410: "Expired", 413: "RequestEntityTooLarge", 415: "UnsupportedMediaType", 422: "Invalid",
    429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
}  # fmt: skip
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_REVIEWS = {
    "authorization.k8s.io": (
        "selfsubjectaccessreviews",
        "selfsubjectrulesreviews",
        "subjectaccessreviews",
        "localsubjectaccessreviews",
    ),
    "authentication.k8s.io": ("selfsubjectreviews", "tokenreviews"),
}


class Verdict(Value):
    """What is to become of a request: an `answer` in the server's place, a `reset`, or `pause` seconds in the middle of
    the answer's body."""

    answer: LocalAnswer | None = None
    purpose: Purpose = UNSTATED
    reset: bool = False
    pause: float = 0.0


PASS = Verdict()


class Policy:
    """Safe for many threads. `latency` is in seconds and comes before each request."""

    def __init__(self, *, block_writes: bool = False, faults: Iterable[Fault] = (), latency: float = 0.0) -> None:
        self.latency = latency
        self._block_writes = block_writes
        self._faults = list(faults)
        self._lock = threading.Lock()

    @property
    def judges(self) -> bool:
        """Is there anything that a request could meet?"""
        return self._block_writes or bool(self._faults)

    def judge(self, method: str, where: Endpoint, upgrades: bool) -> Verdict:
        if self._block_writes and not reads(method, where, upgrades):
            return Verdict(_forbidden(method, where), BLOCKED)
        if not self._faults:
            return PASS
        watch = where.verb == "watch"
        with self._lock:
            fault = take(self._faults, method, where.path, where.full_resource, watch)
        return PASS if fault is None else _verdict(fault, watch)


def reads(method: str, where: Endpoint, upgrades: bool) -> bool:
    """Does a request leave everything as it was? Reviews ask a question by POST; a GET that opens a connection into a
    container does not leave it alone."""
    if method in _READS:
        return not upgrades and where.subresource not in STREAMS
    return method == "POST" and where.resource in _REVIEWS.get(where.group, ()) and not where.subresource


def _forbidden(method: str, where: Endpoint) -> LocalAnswer:
    resource = f"{where.full_resource}.{where.group}" if where.group else where.full_resource
    target = f'{resource} "{where.name}"' if where.name else resource or f'path "{where.path}"'
    message = f"{target} is forbidden: kubetrace lets nothing write (--block-writes): {method} {where.path}"
    details = {"name": where.name, "group": where.group, "kind": where.resource}
    return refusal(403, message, "Forbidden", details={key: value for key, value in details.items() if value})


def _verdict(fault: Fault, watch: bool) -> Verdict:
    if fault.reset:
        return Verdict(None, FAULT, reset=True)
    if fault.slow:
        return Verdict(None, FAULT, pause=fault.slow)
    reason = _REASONS.get(fault.code, "")
    if watch and fault.code == 410:
        return Verdict(error_event(410, _MESSAGE, reason), FAULT)
    details: dict[str, object] = {"retryAfterSeconds": fault.retry_after} if fault.retry_after else {}
    fields = [(b"Retry-After", b"%d" % fault.retry_after)] if fault.retry_after else []
    return Verdict(refusal(fault.code, _MESSAGE, reason, details=details, fields=fields), FAULT)
