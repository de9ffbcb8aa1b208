"""The lines of one round trip, in the classic and in the structured form (client-go transport/round_trippers.go).

Each function yields entries `(table entry, message)`; the writer in `klog` adds header and colour. Levels replace each
other: 9 shows a curl line where 8 shows headers.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubetrace.trace.dialects import Dialect
from kubetrace.trace.exchange import Dialed, HostResolved, Request, Response, ResponseReceived, Timings
from kubetrace.trace.go_text import hexdump, hexdump_size, quote
from kubetrace.trace.header_view import logged_request_headers, logged_response_headers
from kubetrace.trace.masking import Masker
from kubetrace.trace.structured_text import Text, format_entry

Entry = tuple[str, bytes]
Pairs = list[tuple[str, object]]

BODY_LIMITS = {8: 1024, 9: 10240}


def wire_bytes(text: str) -> bytes:
    """Header text back as the bytes it was decoded from (latin-1)."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")


def status_text(response: Response | None) -> str:
    """Go's Response.Status: code, a blank and the phrase; the blank is missing where the server left it out."""
    if response is None:
        return ""
    return str(response.status) if response.reason is None else f"{response.status} {response.reason}"


def milliseconds(seconds: float | None) -> int:
    """Whole milliseconds, cut off as Go cuts whole nanoseconds (a float may lie a hair below what it stands for)."""
    whole = int(seconds or 0.0)
    return whole * 1000 + round(((seconds or 0.0) - whole) * 1_000_000_000) // 1_000_000


def request_entries(dialect: Dialect, level: int, request: Request, masker: Masker) -> Iterator[Entry]:
    """What is logged before a request is sent, at 6, 7, 8 or 9."""
    if level < 7:
        return
    url = masker.url(request.url)
    headers = [
        (name.encode("latin-1", "replace"), wire_bytes(masker.header(name, value)))
        for name, value in logged_request_headers(request)
    ]
    if level >= 9:
        yield _curl(dialect, request.method, url, headers)
    elif dialect.structured_http:
        pairs: Pairs = [("verb", request.method), ("url", url), ("headers", _header_block(headers))]
        yield "request", format_entry("Request", pairs)
    else:
        yield "request", f"{request.method} {url}".encode()
        yield "request-headers", b"Request Headers:"
        for name, value in headers:
            yield "request-header", b"    " + name + b": " + value


def _curl(dialect: Dialect, method: str, url: str, headers: list[tuple[bytes, bytes]]) -> Entry:
    options = b"".join(b" -H " + quote(name + b": " + value) for name, value in headers)
    start = dialect.texts["curl"] if not dialect.structured_http else "curl -v -X"
    command = f"{start}{method} ".encode() + options + f" '{url}'".encode()
    if dialect.structured_http:
        return "curl", format_entry("Request", [("curlCommand", Text(command + b"\n"))])
    return "curl", command


def _header_block(headers: list[tuple[bytes, bytes]]) -> Text:
    # A stable sort by name alone: the values of one name keep their order.
    ordered = sorted(headers, key=lambda pair: pair[0])
    return Text(b"".join(name + b": " + value + b"\n" for name, value in ordered))


def trace_entry(dialect: Dialect, event: HostResolved | Dialed, masker: Masker) -> Entry:
    """An HTTP Trace line (level 9)."""
    if isinstance(event, HostResolved):
        return _resolved(dialect, event)
    if dialect.structured_http:
        pairs: Pairs = [("network", event.network), ("address", event.address)]
        if event.error is None:
            return "trace-dial", format_entry("HTTP Trace: Dial succeed", pairs)
        return "trace-dial-failed", format_entry("HTTP Trace: Dial failed", [*pairs, ("err", masker.text(event.error))])
    start = f"HTTP Trace: Dial to {event.network}:{event.address} "
    if event.error is None:
        return "trace-dial", (start + "succeed").encode()
    return "trace-dial-failed", (start + "failed: " + masker.text(event.error)).encode("utf-8", "surrogateescape")


def _resolved(dialect: Dialect, event: HostResolved) -> Entry:
    if dialect.structured_http:
        addresses = [{"IP": ip, "Zone": zone} for ip, zone in event.addresses]
        pairs: Pairs = [("host", event.host), ("address", addresses)]
        return "trace-dns", format_entry("HTTP Trace: DNS Lookup resolved", pairs)
    addresses_text = " ".join(f"{{{ip} {zone}}}" for ip, zone in event.addresses)
    return "trace-dns", f"HTTP Trace: DNS Lookup for {event.host} resolved to [{addresses_text}]".encode()


def response_entries(dialect: Dialect, level: int, event: ResponseReceived, masker: Masker) -> Iterator[Entry]:
    """What is logged when response headers (or an error) have arrived, at 6, 7, 8 or 9."""
    if dialect.structured_http:
        yield "response", _structured_response(level, event, masker)
    else:
        yield from _classic_response(dialect, level, event, masker)


def _taken(timings: Timings) -> int:
    return milliseconds(timings.headers if timings.headers is not None else timings.total)


def _structured_response(level: int, event: ResponseReceived, masker: Masker) -> bytes:
    pairs: Pairs = []
    if level in (6, 9):
        pairs += [("verb", event.request.method), ("url", masker.url(event.request.url))]
    pairs.append(("status", Text(wire_bytes(status_text(event.response)))))
    if level >= 8:
        pairs.append(("headers", _header_block(_response_headers(event, masker, authorization=True))))
    pairs.append(("milliseconds", _taken(event.timings)))
    if level >= 9:
        pairs += _detailed_timing(event)
    return format_entry("Response", pairs)


def _detailed_timing(event: ResponseReceived) -> Pairs:
    timings = event.timings
    if event.connection.reused:
        pairs: Pairs = [("getConnectionMilliseconds", milliseconds(timings.get_connection))]
    else:
        pairs = [
            ("dnsLookupMilliseconds", milliseconds(timings.dns)),
            ("dialMilliseconds", milliseconds(timings.connect)),
            ("tlsHandshakeMilliseconds", milliseconds(timings.tls)),
        ]
    if timings.first_byte is not None:
        pairs.append(("serverProcessingMilliseconds", milliseconds(timings.first_byte)))
    return pairs


def _response_headers(event: ResponseReceived, masker: Masker, authorization: bool) -> list[tuple[bytes, bytes]]:
    if event.response is None:
        return []
    return [
        (name.encode("latin-1", "replace"), wire_bytes(masker.header(name, value, authorization=authorization)))
        for name, value in logged_response_headers(event.request, event.response)
    ]


def _classic_response(dialect: Dialect, level: int, event: ResponseReceived, masker: Masker) -> Iterator[Entry]:
    status = wire_bytes(status_text(event.response))
    taken = f" in {_taken(event.timings)} milliseconds".encode()
    if level == 6 or (level >= 9 and dialect.status_at_9):
        start = f"{event.request.method} {masker.url(event.request.url)} ".encode()
        yield "response", start + status + taken
    if level >= 9 and dialect.traces:
        yield "statistics", _statistics(event)
    if level in (7, 8):
        yield "response-status", b"Response Status: " + status + taken
    if level >= 8:
        yield "response-headers", b"Response Headers:"
        for name, value in _response_headers(event, masker, authorization=False):
            yield "response-header", b"    " + name + b": " + value


def _statistics(event: ResponseReceived) -> bytes:
    timings = event.timings
    if event.connection.reused:
        text = f"GetConnection {milliseconds(timings.get_connection)} ms"
    else:
        text = (
            f"DNSLookup {milliseconds(timings.dns)} ms Dial {milliseconds(timings.connect)} ms "
            f"TLSHandshake {milliseconds(timings.tls)} ms"
        )
    if timings.first_byte is not None:
        text += f" ServerProcessing {milliseconds(timings.first_byte)} ms"
    return f"HTTP Statistics: {text} Duration {_taken(timings)} ms".encode()


def is_binary(body: bytes) -> bool:
    """client-go's test: any byte below 0x0a (a tab is one) makes a body binary."""
    return any(bytes((code,)) in body for code in range(10))


def body_text(body: bytes, level: int, missing: int = 0) -> tuple[bytes, bool]:
    """A (masked) body as it is logged at 8, 9 or above, cut to the level's limit; and whether it is a hexdump.
    `missing` bytes more have followed, which nobody kept."""
    limit = BODY_LIMITS.get(level, len(body) if missing else None)
    if not is_binary(body):
        return (body if limit is None else _cut(body, limit, len(body) + missing)), False
    if limit is None:
        return hexdump(body), True
    return _cut(hexdump(body, limit), limit, hexdump_size(len(body) + missing)), True


def _cut(text: bytes, limit: int, size: int) -> bytes:
    return text if size <= limit else text[:limit] + b" [truncated %d chars]" % (size - limit)
