"""W3C Trace Context's `traceparent`, as --traceparent takes and sends it: 00-TRACE-SPAN-FLAGS in hex digits
(https://www.w3.org/TR/trace-context/)."""

from __future__ import annotations

import os
import re

from kubetrace.errors import KubetraceError


def trace_id(wanted: str) -> str:
    """The 32 digits of the trace that --traceparent means; "new" is one of its own. Raises KubetraceError."""
    if wanted == "new":
        return os.urandom(16).hex()
    found = re.fullmatch(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", wanted)
    if found is None or not int(found[1], 16):
        raise KubetraceError(f'--traceparent takes a W3C traceparent (00-TRACE-PARENT-FLAGS), not "{wanted}"')
    return found[1]


def new_span(trace: str) -> str:
    """The header's value for one request of this trace: a span of its own, sampled."""
    return f"00-{trace}-{os.urandom(8).hex()}-01"
