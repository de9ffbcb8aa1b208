"""`TracingAdapter`: the round tripper that reports, for kubetrace's own client and for anybody's requests Session.

    session = requests.Session()
    session.mount("https://", TracingAdapter(verbosity=8))

Every send is one exchange, so redirects and retries, which come through the adapter again, each log their own.
"""

from __future__ import annotations

import re
import ssl
import sys
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import BaseAdapter, HTTPAdapter
from requests.models import PreparedRequest

from kubetrace.trace.events import Events, Observer
from kubetrace.trace.exchange import (
    UNSTATED,
    CallStarted,
    Headers,
    Operation,
    Purpose,
    Request,
    Response,
    next_id,
)
from kubetrace.transport.body import ObservedBody, ObservedFile
from kubetrace.transport.connections import TracedPoolManager, proxy_manager
from kubetrace.transport.errors import UnusableURLError
from kubetrace.transport.failures import explain
from kubetrace.transport.headers import canonical, has_body, response_headers
from kubetrace.transport.recording import Recording, Watchdog, current
from kubetrace.value import Mutable, replace

if TYPE_CHECKING:
    import requests

    from kubetrace.transport.http_cache import HTTPCache

UNLOGGED = frozenset({"host", "accept-encoding", "connection", "content-length", "transfer-encoding"})
"""Fields that requests and urllib3 add by themselves; kubectl's log never shows their like."""

LAST_PORT = 65535
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class CallContext(Mutable):
    """What the client knows about a send that the HTTP request does not say."""

    call: int
    attempt: int = 1
    operation: Operation = "other"
    purpose: Purpose = UNSTATED
    unlogged: frozenset[str] = UNLOGGED
    deadline: float | None = None
    authorize: Callable[[PreparedRequest], None] | None = None
    cache: HTTPCache | None = None
    recording: Recording | None = None


class TracedRequest(PreparedRequest):
    """A prepared request that belongs to a call of `kubetrace.transport.client`, which reads the body itself."""

    context: CallContext


class TracingAdapter(HTTPAdapter):
    """A requests adapter that turns every send into events for its observers.

    `verbosity` (kubectl's -v) logs to `write` (default: standard error) as kubectl `like` would; `observers` are
    called with every event (`kubetrace.trace.exchange`). `inner` is another adapter that does the sending (betamax's,
    say): then only what can be seen from outside is timed. `ssl_context` replaces what the Session's verify and cert
    say. Timeouts, proxies, verify and cert of the Session mean what they mean to requests.
    """

    def __init__(
        self,
        verbosity: int | None = None,
        *,
        observers: Iterable[Observer] = (),
        events: Events | None = None,
        inner: BaseAdapter | None = None,
        ssl_context: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
        like: str = "1.31",
        write: Callable[[bytes], Any] | None = None,
        handshake_timeout: float | None = None,
        **options: Any,
    ) -> None:
        self.events = events if events is not None else Events()
        for observer in observers:
            self.events.add(observer)
        if verbosity is not None:
            self.events.add(_klog_observer(verbosity, like, write))
        self.inner = inner
        self._ssl_context = ssl_context
        self._server_hostname = server_hostname
        self._handshake_timeout = handshake_timeout
        self._managers = threading.Lock()
        super().__init__(**options)

    # --- requests' extension points --------------------------------------------------------------------------------

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        self._pool_connections = connections
        self._pool_maxsize = maxsize
        self._pool_block = block
        self.poolmanager = TracedPoolManager(num_pools=connections, maxsize=maxsize, block=block, **pool_kwargs)

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        with self._managers:
            if proxy not in self.proxy_manager:
                if self._ssl_context is not None and proxy.lower().startswith("https:"):
                    proxy_kwargs["proxy_ssl_context"] = self._ssl_context  # Go has one TLS configuration for both
                self.proxy_manager[proxy] = proxy_manager(
                    proxy,
                    self.proxy_headers(proxy),
                    num_pools=self._pool_connections,
                    maxsize=self._pool_maxsize,
                    block=self._pool_block,
                    **proxy_kwargs,
                )
            return self.proxy_manager[proxy]

    def build_connection_pool_key_attributes(  # type: ignore[override]
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """With an `ssl_context`, verify and cert are out of the game: the context says whom to trust."""
        host: Any
        pool: Any
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if self._ssl_context is None or host["scheme"] != "https":
            return host, pool
        own: dict[str, Any] = {"ssl_context": self._ssl_context}
        if self._server_hostname:
            own["server_hostname"] = self._server_hostname
        return host, own

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """requests would add certifi's roots to a given context here, and so widen what the kubeconfig trusts."""
        if self._ssl_context is None:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]

    @property
    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS context of the caller's own, where there is one."""
        return self._ssl_context

    def use_context(self, context: ssl.SSLContext) -> None:
        """Sends through another TLS context from now on, over new connections (a rotated client certificate)."""
        self._ssl_context = context
        self.close()

    def close(self) -> None:
        super().close()
        if self.inner is not None:
            self.inner.close()

    # --- sending ---------------------------------------------------------------------------------------------------

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        ours = isinstance(request, TracedRequest)
        if not ours and not self.events.active:
            return self._forward(request, *args, **kwargs)
        recording = self._record(request)
        token = current.set(recording)
        try:
            recording.begin()
            if isinstance(request, TracedRequest):
                response = self._send_through_cache(request, recording, *args, **kwargs)
            else:
                response = self._forward(request, *args, **kwargs)
        except Exception as error:
            recording.failed(explain(error, recording)[0])
            raise
        finally:
            current.reset(token)
        recording.received(_response_value(response, request, recording))
        if not ours:
            _observe_body(response, recording, request)
        return response

    def _send_through_cache(
        self, request: TracedRequest, recording: Recording, *args: Any, **kwargs: Any
    ) -> requests.Response:
        if request.context.cache is None:
            return self._send_ours(request, recording, *args, **kwargs)
        response: requests.Response = request.context.cache.send(
            request,
            recording,
            wire=lambda: self._send_ours(request, recording, *args, **kwargs),
            build=lambda raw: self.build_response(request, raw),
        )
        return response

    def _send_ours(self, request: TracedRequest, recording: Recording, *args: Any, **kwargs: Any) -> requests.Response:
        """Credentials that the log does not show, then the wire, where the URL leads to one. A kept connection that the
        server had closed in the meantime is replaced unseen, as Go's transport does for requests that may be
        repeated."""
        authorize(request, recording)
        _require_target(request.url or "")
        with Watchdog(recording):
            while True:
                try:
                    return self._forward(request, *args, **kwargs)
                except Exception as error:
                    if request.method not in REPEATABLE or explain(error, recording)[1] not in ("reset", "eof"):
                        raise
                    if not recording.forget_stale():
                        raise

    def _forward(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        if self.inner is not None:
            return self.inner.send(request, *args, **kwargs)
        return super().send(request, *args, **kwargs)

    def _record(self, request: PreparedRequest) -> Recording:
        if isinstance(request, TracedRequest):
            context = request.context
        else:
            context = CallContext(next_id())
        value = _request_value(request, context)
        recording = Recording(value, self.events, call=context.call, attempt=context.attempt)
        recording.handshake_timeout = self._handshake_timeout
        recording.deadline = context.deadline
        recording.strict = isinstance(request, TracedRequest)
        context.recording = recording
        if not isinstance(request, TracedRequest):
            self.events.emit(CallStarted(context.call, value, log_body=value.body is not None or request.body is None))
        return recording


def authorize(request: TracedRequest, recording: Recording) -> None:
    """Puts on the credentials that kubectl's log does not show. Raises CredentialError."""
    if request.context.authorize is not None:
        request.context.authorize(request)
        unlogged = recording.request.unlogged | {"authorization"}
        recording.request = replace(recording.request, headers=_request_headers(request), unlogged=unlogged)


def _require_target(url: str) -> None:
    """Raises UnusableURLError where Go's transport would not even dial (http.Transport.roundTrip, net.Dialer)."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        from kubetrace.wire.go_quote import quote

        raise UnusableURLError(f"unsupported protocol scheme {quote(parts.scheme)}", "protocol")
    if not parts.netloc:
        raise UnusableURLError("http: no Host in request URL", "protocol")
    _, colon, port = parts.netloc.rpartition("]")[2].rpartition(":")
    if colon and port.isdecimal() and int(port) > LAST_PORT:
        raise UnusableURLError(f"dial tcp: address {port}: invalid port", "dial")


def request_value(request: TracedRequest) -> Request:
    """A client's request as it goes out."""
    return _request_value(request, request.context)


def _request_value(request: PreparedRequest, context: CallContext) -> Request:
    body = request.body
    return Request(
        method=request.method or "GET",
        url=request.url or "",
        headers=_request_headers(request),
        body=body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else None,
        operation=context.operation,
        purpose=context.purpose,
        unlogged=context.unlogged,
    )


def _request_headers(request: PreparedRequest) -> Headers:
    """The fields that go out, Host first as urllib3 writes it."""
    fields = [(canonical(_text(name)), _text(value)) for name, value in request.headers.items()]
    if not any(name == "Host" for name, _ in fields):
        authority = (request.url or "").partition("://")[2].partition("/")[0]
        fields.insert(0, ("Host", authority.rpartition("@")[2]))
    return tuple(fields)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _response_value(response: requests.Response, request: PreparedRequest, recording: Recording) -> Response:
    """The answer as Go's http.Response has it."""
    raw = response.raw
    fields = list(getattr(raw, "headers", response.headers).items())
    encoded = any(name.lower() == "content-encoding" and value.lower() == "gzip" for name, value in fields)
    asked = "gzip" in _text(request.headers.get("Accept-Encoding") or "")
    decoded = encoded and asked and has_body(request.method or "", response.status_code)
    version = {9: "HTTP/0.9", 10: "HTTP/1.0", 11: "HTTP/1.1"}.get(getattr(raw, "version", 11), "HTTP/1.1")
    reason = None if _ends_after_code(recording.status_line) else response.reason
    headers = response_headers(fields, decoded=decoded)
    return Response(response.status_code, reason, headers, version, recording.wire_status)


def _ends_after_code(line: bytes) -> bool:
    """Whether a status line stops at its code, without the blank that HTTP wants before an empty phrase."""
    return re.match(rb"HTTP/\d\.\d \d{3}\r?\n", line) is not None


def _observe_body(response: requests.Response, recording: Recording, request: PreparedRequest) -> None:
    if not has_body(request.method or "", response.status_code):
        recording.body_read(b"")
        recording.ended(b"", 0)
        return
    observed = ObservedBody if hasattr(response.raw, "stream") else ObservedFile
    response.raw = observed(response.raw, recording)


def _klog_observer(verbosity: int, like: str, write: Callable[[bytes], Any] | None) -> Observer:
    from kubetrace.trace.klog import KlogObserver

    return KlogObserver(write if write is not None else _to_stderr, verbosity=verbosity, like=like)


def _to_stderr(line: bytes) -> None:
    sys.stderr.buffer.write(line)
    sys.stderr.buffer.flush()
