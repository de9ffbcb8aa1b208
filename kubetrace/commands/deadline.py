"""Calls that end at a deadline, as a context's does in Go: before they are sent, or while their answer is due."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kubetrace.errors import KubetraceError
from kubetrace.transport.errors import DeadlineExceeded, TransportError
from kubetrace.value import replace

if TYPE_CHECKING:
    from kubetrace.environment import Environment
    from kubetrace.transport.call import Call

_WORDS = "context deadline exceeded"


def send_before(
    environment: Environment, deadline: float, call: Call, send: Callable[[Call], dict[str, Any]]
) -> dict[str, Any]:
    """What the call answers; `deadline` is on time.monotonic's clock. --request-timeout bounds the call as ever. Raises
    KubetraceError, see `is_deadline`."""
    seconds = deadline - time.monotonic()
    if seconds >= (environment.request_timeout or math.inf):
        return send(call)
    try:
        return send(replace(call, timeout=seconds))
    except TransportError as error:
        if error.kind != "timeout":
            raise
        raise TransportError(error.method, error.url, _WORDS, "timeout") from None


def is_deadline(error: KubetraceError) -> bool:
    """Has a deadline passed (errors.Is(err, context.DeadlineExceeded))?"""
    return isinstance(error, DeadlineExceeded) or (isinstance(error, TransportError) and error.reason == _WORDS)
