"""Requests on their way out: what client-go's wrappers add to a call, first above its log, then below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urllib3._collections import HTTPHeaderDict

from kubetrace.kubeconfig.connection import Connection
from kubetrace.trace.exchange import Headers, Request
from kubetrace.transport.adapter import CallContext, TracedRequest
from kubetrace.transport.call import Call
from kubetrace.transport.credentials import authorization, impersonation_headers
from kubetrace.transport.errors import TransportError
from kubetrace.transport.headers import canonical, is_field_value, wire_text
from kubetrace.value import replace

if TYPE_CHECKING:
    from requests.auth import AuthBase


class Outgoing:
    """Makes the requests of one client; its arguments are the client's. `auth` is who the user is where no plugin says
    so, `trace_id` (32 hex digits) goes with every request as W3C trace context."""

    def __init__(
        self, connection: Connection, auth: AuthBase | None, user_agent: str, command_headers: Headers, trace_id: str
    ) -> None:
        self._connection = connection
        self._auth = auth
        self._user_agent = user_agent
        self._command_headers = command_headers
        self._trace_id = trace_id

    def request(self, call: Call) -> Request:
        """The request as client-go's wrappers complete it, before credentials of exec plugins."""
        fields = [(canonical(name), value) for name, value in call.headers]
        if self._user_agent and not any(name == "User-Agent" for name, _ in fields):
            fields.append(("User-Agent", self._user_agent))
        fields += [(canonical(name), value) for name, value in impersonation_headers(self._connection.impersonation)]
        url = self._connection.server + call.target()
        headers = self._authorized(tuple((name, wire_text(value)) for name, value in fields))
        for name, value in headers:
            if not is_field_value(value):
                reason = f'net/http: invalid header field value for "{name}"'
                raise TransportError(call.method, url, reason, "config")
        return Request(call.method, url, headers, call.body, call.operation, call.purpose)

    def _authorized(self, headers: Headers) -> Headers:
        if any(name == "Authorization" for name, _ in headers):
            return headers
        value = authorization(self._auth)
        if value is None:
            return headers
        position = 1 + max((i for i, (name, _) in enumerate(headers) if name == "User-Agent"), default=len(headers) - 1)
        return (*headers[:position], ("Authorization", value), *headers[position:])

    def prepare(self, request: Request, context: CallContext) -> TracedRequest:
        """The request on its way to the wire, built field by field: requests' own preparation would rewrite the URL
        and look for cookies and .netrc entries."""
        headers = HTTPHeaderDict()
        for name, value in (*request.headers, *self._command_headers):
            headers.add(name, value)
        unlogged = set(context.unlogged) | {name.lower() for name, _ in self._command_headers}
        if self._trace_id:
            from kubetrace.trace.traceparent import new_span

            headers["Traceparent"] = new_span(self._trace_id)
            unlogged.add("traceparent")
        if "Accept-Encoding" not in headers:
            headers["Accept-Encoding"] = "identity" if self._connection.disable_compression else "gzip"
        if request.body is not None or request.method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = str(len(request.body or b""))
        prepared = TracedRequest()
        prepared.method, prepared.url, prepared.body = request.method, request.url, request.body or None
        prepared.headers = headers  # type: ignore[assignment]
        prepared.context = replace(context, unlogged=frozenset(unlogged))
        return prepared
