"""Headers as kubectl's log sees them: below auth and user agent, above the transport (transport/round_trippers.go).

The exchange holds every header that went over the wire. Go's log shows the request's map before the transport adds its
own, and the response's after the transport has taken away what it used up.
"""

from __future__ import annotations

from kubetrace.trace.exchange import Headers, Request, Response
from kubetrace.trace.go_text import canonical_header


def grouped(headers: Headers) -> list[tuple[str, str]]:
    """Canonical names, the values of one name together at the place of its first (a Go map has each key once)."""
    groups: dict[str, list[str]] = {}
    for name, value in headers:
        groups.setdefault(canonical_header(name), []).append(value)
    return [(name, value) for name, values in groups.items() for value in values]


def logged_request_headers(request: Request) -> list[tuple[str, str]]:
    """A request's headers without those that client-go adds below its log (`Request.unlogged`)."""
    return grouped(tuple(pair for pair in request.headers if pair[0].lower() not in request.unlogged))


def logged_response_headers(request: Request, response: Response) -> list[tuple[str, str]]:
    """A response's headers as net/http hands them up: framing headers are gone, and after a gzip that the transport
    itself asked for Content-Encoding and Content-Length are gone, too."""
    hidden = {"transfer-encoding", "trailer"}
    if _unzipped(request, response):
        hidden |= {"content-encoding", "content-length"}
    kept = []
    for name, value in response.headers:
        lower = name.lower()
        if lower in hidden or (lower == "connection" and value.strip().lower() == "close"):
            continue
        kept.append((name, value))
    return grouped(tuple(kept))


def _unzipped(request: Request, response: Response) -> bool:
    asked = "accept-encoding" in request.unlogged
    return asked and (response.header("Content-Encoding") or "").lower() == "gzip"
