"""Every exception of requests, urllib3, http.client and ssl, translated into Go's words.

`translate` looks through the wrappers for the cause that knows most; `KINDS` is the fallback by type, and a test walks
both libraries' exception trees to see that none is missing from it.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests.exceptions as r
import urllib3.exceptions as u

from kubetrace.transport.errors import Kind, TransportError
from kubetrace.transport.recording import Recording
from kubetrace.transport.tls_words import certificate_words, tls_words
from kubetrace.transport.words import CONNECTION_BROKEN, errno_text, lookup_error, malformed_status_line

KINDS: dict[type[BaseException], Kind] = {
    r.RequestException: "protocol",
    r.InvalidJSONError: "protocol",
    r.JSONDecodeError: "protocol",
    r.HTTPError: "protocol",
    r.ConnectionError: "dial",
    r.ProxyError: "proxy",
    r.SSLError: "tls",
    r.Timeout: "timeout",
    r.ConnectTimeout: "timeout",
    r.ReadTimeout: "timeout",
    r.URLRequired: "config",
    r.TooManyRedirects: "protocol",
    r.MissingSchema: "config",
    r.InvalidSchema: "config",
    r.InvalidURL: "config",
    r.InvalidHeader: "config",
    r.InvalidProxyURL: "proxy",
    r.ChunkedEncodingError: "eof",
    r.ContentDecodingError: "protocol",
    r.StreamConsumedError: "protocol",
    r.RetryError: "protocol",
    r.UnrewindableBodyError: "protocol",
    u.HTTPError: "protocol",
    u.PoolError: "protocol",
    u.RequestError: "protocol",
    u.SSLError: "tls",
    u.ProxyError: "proxy",
    u.DecodeError: "protocol",
    u.ProtocolError: "eof",
    u.MaxRetryError: "dial",
    u.HostChangedError: "protocol",
    u.TimeoutStateError: "timeout",
    u.TimeoutError: "timeout",
    u.ReadTimeoutError: "timeout",
    u.ConnectTimeoutError: "timeout",
    u.NewConnectionError: "dial",
    u.NameResolutionError: "dns",
    u.EmptyPoolError: "protocol",
    u.FullPoolError: "protocol",
    u.ClosedPoolError: "protocol",
    u.LocationValueError: "config",
    u.LocationParseError: "config",
    u.URLSchemeUnknown: "config",
    u.ResponseError: "protocol",
    u.ResponseNotChunked: "protocol",
    u.BodyNotHttplibCompatible: "protocol",
    u.IncompleteRead: "eof",
    u.InvalidChunkLength: "eof",
    u.InvalidHeader: "protocol",
    u.ProxySchemeUnknown: "proxy",
    u.ProxySchemeUnsupported: "proxy",
    u.HeaderParsingError: "protocol",
    u.UnrewindableBodyError: "protocol",
}

AWAITING_HEADERS = "net/http: request canceled (Client.Timeout exceeded while awaiting headers)"
READING_BODY = "context deadline exceeded (Client.Timeout or context cancellation while reading body)"


def translate(error: BaseException, recording: Recording, *, reading: bool = False) -> TransportError:
    """The failure of one exchange as an error with Go's text; `reading` when it happened in the body."""
    reason, kind = explain(error, recording, reading=reading)
    return TransportError(recording.request.method, recording.request.url, reason, kind)


def explain(error: BaseException, recording: Recording, *, reading: bool = False) -> tuple[str, Kind]:
    """Go's text for a failure, and what kind it is."""
    if recording.failure is None:
        recording.failure = _explain(error, recording, reading)
    return recording.failure


def _explain(error: BaseException, recording: Recording, reading: bool) -> tuple[str, Kind]:
    if recording.aborted or recording.timed_out():
        return _deadline_words(recording, reading), "timeout"
    chain = list(causes(error))
    said = next((cause for cause in chain if isinstance(getattr(cause, "text", None), str)), None)
    if said is not None:
        reason, kind = str(said.text), _kind_of(said)  # type: ignore[attr-defined]
        if kind == "proxy":
            return reason, kind
    else:
        reason, kind = _from_chain(chain, recording, reading)
    if recording.phase in ("dns", "dial", "proxy") and any(isinstance(cause, u.ProxyError) for cause in chain):
        return _through_proxy(reason), "proxy"
    return reason, kind


def _deadline_words(recording: Recording, reading: bool) -> str:
    """Which of client-go's two clocks strikes first depends on where the exchange is."""
    if reading:
        return READING_BODY
    return "context deadline exceeded" if recording.phase == "tls" else AWAITING_HEADERS


def _through_proxy(reason: str) -> str:
    marker = "Tunnel connection failed: "
    if marker in reason:
        return reason.partition(marker)[2].partition(" ")[2] or "unknown status code"
    return reason if reason.startswith("socks connect") else f"proxyconnect tcp: {reason}"


def _kind_of(cause: BaseException) -> Kind:
    declared = getattr(cause, "kind", None)
    if declared is not None:
        return declared  # type: ignore[no-any-return]
    if "connection refused" in str(getattr(cause, "text", "")):
        return "refused"
    return next((KINDS[kind] for kind in type(cause).__mro__ if kind in KINDS), "protocol")


def _from_chain(chain: list[BaseException], recording: Recording, reading: bool) -> tuple[str, Kind]:
    for cause in chain:
        told = _from_cause(cause, recording, reading)
        if told is not None:
            return told
    outermost = chain[0]
    innermost = next((cause for cause in reversed(chain) if str(cause)), outermost)
    return str(innermost), _kind_of(outermost)


def _from_cause(cause: BaseException, recording: Recording, reading: bool) -> tuple[str, Kind] | None:
    match cause:
        case ssl.SSLCertVerificationError():
            return certificate_words(cause, recording), "tls"
        # Python's ssl reports a reset as an end of file, too: below TLS the two can't be told apart
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return ("unexpected EOF" if reading else "EOF"), "eof"
        case ssl.SSLError():
            return tls_words(cause, recording), "tls"
        case http.client.IncompleteRead() | u.InvalidChunkLength():
            return _incomplete_words(cause), "eof"
        case http.client.BadStatusLine():
            return _bad_status_line(cause, recording)
        case http.client.LineTooLong():
            return "net/http: server response headers exceeded 10485760 bytes; aborted", "protocol"
        case socket.gaierror():
            return lookup_error(urlsplit(recording.request.url).hostname or "", cause), "dns"
        case ConnectionResetError() | BrokenPipeError():
            return _socket_words(cause, recording), "reset"
        case socket.timeout() | u.ReadTimeoutError():
            return _timeout_words(recording)
        case OSError() if cause.errno and not isinstance(cause, (r.RequestException, ssl.SSLError)):
            return _socket_words(cause, recording), "dial"
        case OSError() if str(cause).startswith("Tunnel connection failed"):
            return str(cause), "proxy"
    return None


def _incomplete_words(cause: BaseException) -> str:
    """http.client reports a chunk size that is no number as an incomplete read, too."""
    parsing = next((inner for inner in causes(cause) if type(inner) is ValueError), None)
    if parsing is not None and not str(parsing).endswith("b''"):
        return "invalid byte in chunk length"
    return "unexpected EOF"


def _bad_status_line(cause: http.client.BadStatusLine, recording: Recording) -> tuple[str, Kind]:
    line = recording.status_line.rstrip(b"\r\n")
    if isinstance(cause, http.client.RemoteDisconnected) or not line:
        return "EOF", "eof"
    return f"{CONNECTION_BROKEN}{malformed_status_line(line)}", "protocol"


def _socket_words(cause: OSError, recording: Recording) -> str:
    verb = "write" if recording.phase == "write" else "read"
    return f"{verb} tcp {recording.local}->{recording.address}: {verb}: {errno_text(cause)}"


def _timeout_words(recording: Recording) -> tuple[str, Kind]:
    if recording.phase == "tls":
        return "net/http: TLS handshake timeout", "timeout"
    return f"read tcp {recording.local}->{recording.address}: i/o timeout", "timeout"


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and everything it wraps, outermost first: arguments, `reason`, cause, context."""
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending:
        cause = pending.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
        pending.extend(item for item in inner if isinstance(item, BaseException))
