"""The client: sends a `Call` as client-go's rest.Request does, over one pooled Session a command.

Throttle, send, retry, follow redirects, read and decode the body, tell warnings, in that order, each step an event.
"""

from __future__ import annotations

import os
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from requests import Response as Response_
from requests import Session

from kubetrace.errors import KubetraceError, PlanEnd
from kubetrace.kubeconfig.connection import Connection
from kubetrace.trace.events import Events
from kubetrace.trace.exchange import (
    CallStarted,
    Headers,
    Note,
    Operation,
    Purpose,
    Request,
    Response,
    Retrying,
    Throttled,
    WarningReceived,
    next_id,
)
from kubetrace.trace.go_text import duration
from kubetrace.trace.warning_header import warning_texts
from kubetrace.transport.adapter import CallContext, TracingAdapter
from kubetrace.transport.answer import ClientAnswer
from kubetrace.transport.call import Call, ClientMaker
from kubetrace.transport.client_tls import ClientTLS
from kubetrace.transport.credentials import static_auth
from kubetrace.transport.errors import DeadlineExceeded, TransportError
from kubetrace.transport.exec_plugin import Plugins
from kubetrace.transport.failures import translate
from kubetrace.transport.outgoing import Outgoing
from kubetrace.transport.plugin_auth import PluginAuth
from kubetrace.transport.proxy import proxy_for
from kubetrace.transport.redirects import LIMIT, next_hop
from kubetrace.transport.retry import DO_RAW, Pause, pause_after_answer, pause_after_error
from kubetrace.transport.throttle import WORTH_TELLING, Throttles
from kubetrace.value import replace

if TYPE_CHECKING:
    from kubetrace.transport.http_cache import HTTPCache
    from kubetrace.transport.oidc import Keep, OIDCAuth
    from kubetrace.transport.upgrade import Offer, UpgradedConnection

Plan = Callable[[int, Request, Callable[[], ClientAnswer], Callable[[], ClientAnswer]], ClientAnswer]
"""Decides whether a call (its number, its request) is sent, or which answer takes the place of the server's; may send
it, and may read what it would write."""

DIAL_TIMEOUT = 30.0
HANDSHAKE_TIMEOUT = 10.0
IDLE_CONNECTIONS = 25
"""client-go's numbers: transport/cache.go."""

PLANNED_READ = Purpose("plan", "plan: how is the object now? (without --plan this is not asked)")
_TELLS_NO_TIMEOUT = frozenset({"typed-list", "typed-watch", "typed-watch-list"})
"""Operations that --request-timeout ends, too, but of which the server is not told so: client-go's typed clients put
the list's own timeout, which is none, in its place (gentype/type.go)."""


class Client:
    """Sends calls to one server as one user. Safe for use from several threads.

    `request_timeout` (seconds) bounds every call that brings no timeout of its own, from the first dial to the last
    byte; `command_headers` go with every request and, as in kubectl, not into its log; `http_cache` keeps what
    discovery and OpenAPI answer. Raises `TransportError` where there is no answer; any status is an answer. `learn`
    is told each token that a file or a plugin gives before it is sent, so that it can be masked; `keep` gets a
    kubeconfig's user and the tokens that an auth provider renewed, to write them there. `plan` decides over
    every call whether it is sent; `manifest_read` tells whether a manifest was read from standard input, which an exec
    plugin then can't have; `say` writes what was said so far before each call, as whoever ends the program while it
    waits for an answer wants to know what was done. A context manager; `close` ends the kept connections.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        events: Events | None = None,
        user_agent: str = "kubetrace",
        command_headers: Headers = (),
        request_timeout: float | None = None,
        environ: Mapping[str, str] | None = None,
        throttles: Throttles | None = None,
        http_cache: HTTPCache | None = None,
        sleep: Callable[[float], None] = time.sleep,
        learn: Callable[[str], object] | None = None,
        keep: Keep | None = None,
        plan: Plan | None = None,
        trace_id: str = "",
        manifest_read: Callable[[], bool] = bool,
        say: Callable[[], object] | None = None,
    ) -> None:
        self._connection = connection
        self._events = events if events is not None else Events()
        self._user_agent = user_agent
        self._request_timeout = request_timeout or None
        self._http_cache = http_cache
        self._throttles = throttles or Throttles(sleep=sleep)
        self._sleep = sleep
        self._plan = plan
        self._warned: set[str] = set()
        self._warned_lock = threading.Lock()
        self._environ = os.environ if environ is None else environ
        self._proxy = proxy_for(connection.proxy_url, self._environ)
        self._learn = learn
        self._say = say
        auth = static_auth(connection, learn)
        self._outgoing = Outgoing(connection, auth, user_agent, command_headers, trace_id)
        self._plugins = Plugins(connection, authorized=auth is not None, environ=environ, manifest_read=manifest_read)
        self._oidc = self._make_oidc(keep)
        self._session = self._make_session()
        self._tls = ClientTLS(connection, self._adapter.use_context)
        if connection.server.lower().startswith("https:"):
            self._tls.secure()  # what is wrong with the CA is told before anything is asked

    @property
    def server(self) -> str:
        """The server's URL, without a trailing slash."""
        return self._connection.server

    @property
    def tls_context(self) -> ssl.SSLContext | None:
        """The context in use; None before the first https request. An upgrade to WebSocket takes it from here."""
        return self._adapter.ssl_context

    @property
    def warnings(self) -> int:
        """How many different warnings the server has sent (for --warnings-as-errors)."""
        return len(self._warned)

    def another(self, maker: ClientMaker) -> Client:
        """One more of the clients that kubectl makes, which are all this one here."""
        self._plugins.client_made(maker)
        return self

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the kept connections."""
        self._session.close()

    def send(self, call: Call) -> ClientAnswer:
        """Makes the call and returns its answer, the body already read unless `call.stream`."""
        if call.refusal:
            raise self._refused(call)
        number, request = self._begin(call)
        if call.preflight:
            raise KubetraceError(call.preflight)
        if call.timeout is not None and call.timeout < 0:
            raise DeadlineExceeded
        if self._plan is not None:
            return self._plan(number, request, partial(self._send, call, number, request), partial(self._look, call))
        return self._send(call, number, request)

    def _look(self, call: Call) -> ClientAnswer:
        """What a call of a plan would write, as it is now."""
        read = Call("GET", call.path, headers=(("Accept", "application/json"),), operation="get", purpose=PLANNED_READ)
        return self._send(read, *self._begin(read))

    def upgrade(self, call: Call, offer: Offer) -> UpgradedConnection:
        """Makes the call over a connection of its own, which the server turns into what is offered. No throttle, no
        retry, no redirect, and --request-timeout bounds none of it, as in client-go. Raises UpgradeRefused,
        UpgradeError, and PlanEnd where only a plan is wanted."""
        from kubetrace.transport.dial import Dialer
        from kubetrace.transport.upgrade import WEBSOCKET, UpgradeRefused, negotiate

        number, request = self._begin(replace(call, headers=(*offer.headers, *call.headers)))
        if self._plan is not None:
            self._plan(number, request, _never_sent, _never_sent)
        plugin = self._plugin_for(request, call.operation)
        prepared = self._outgoing.prepare(request, CallContext(number, operation=call.operation, purpose=call.purpose))
        prepared.context.authorize = plugin
        connection = self._connection
        dialer = Dialer(
            connection.server,
            proxy_url=connection.proxy_url,
            tls_server_name=connection.tls_server_name,
            environ=self._environ,
        )
        if connection.server.lower().startswith("https:"):
            self._tls.secure()
        try:
            return negotiate(prepared, self._events, offer, dialer, lambda told: dialer.dial(told, self.tls_context))
        except UpgradeRefused as refusal:
            if refusal.response.status == 401 and plugin is not None and offer.protocol != WEBSOCKET:
                plugin.refused()
            raise

    def _refused(self, call: Call) -> KubetraceError:
        """Why the call is not made: the error that kubectl's request has had since it was put together, which is why it
        got no body."""
        if self._events.active:
            values = {"error": call.refusal, "operation": call.operation, "log_body": call.log_request_body}
            self._events.emit(Note("request-error", values))
        return KubetraceError(call.refusal)

    def _begin(self, call: Call) -> tuple[int, Request]:
        """The call's number and its request, told to the observers."""
        if self._say is not None:
            self._say()
        told = call.operation in _TELLS_NO_TIMEOUT or any(name == "timeout" for name, _ in call.query)
        if self._request_timeout is not None and not told:
            call = replace(call, query=(*call.query, ("timeout", duration(self._request_timeout))))
        request = self._outgoing.request(call)
        number = next_id()
        if self._events.active:
            self._events.emit(CallStarted(number, request, call.log_request_body))
        return number, request

    def _send(self, call: Call, number: int, request: Request) -> ClientAnswer:
        self._throttle(call, number, request, None)
        seconds = call.timeout if call.timeout is not None else self._request_timeout
        deadline = time.monotonic() + seconds if seconds else None
        return self._attempts(call, number, request, deadline)

    # --- attempts --------------------------------------------------------------------------------------------------

    def _attempts(self, call: Call, number: int, request: Request, deadline: float | None) -> ClientAnswer:
        attempt = 1
        previous: TransportError | None = None
        while True:
            try:
                answer = self._follow(call, CallContext(number, attempt, deadline=deadline), request)
            except TransportError as error:
                pause = pause_after_error(attempt, error, request.method, call.operation)
                if pause is None or _passed(deadline):
                    raise error.after(previous) from error
                previous = error
            else:
                pause = pause_after_answer(attempt, answer.response)
                if pause is None or _passed(deadline):
                    return self._complete(call, answer)
                answer.discard()
            self._pause(call, number, request, pause, deadline)
            attempt += 1

    def _pause(self, call: Call, number: int, request: Request, pause: Pause, deadline: float | None) -> None:
        if self._events.active:
            self._events.emit(Retrying(number, request, pause.attempt, pause.seconds, "before"))
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        self._sleep(max(0.0, pause.seconds if left is None else min(pause.seconds, left)))
        if _passed(deadline):
            reason = "context deadline exceeded"
            raise TransportError(request.method, request.url, reason, "timeout")
        self._throttle(call, number, request, pause.reason)
        if self._events.active:
            self._events.emit(Retrying(number, request, pause.attempt, pause.seconds, "after"))

    def _throttle(self, call: Call, number: int, request: Request, reason: str | None) -> None:
        seconds = self._throttles.wait(call)
        if seconds > WORTH_TELLING and self._events.active:
            self._events.emit(Throttled(number, request, seconds, reason))

    def _follow(self, call: Call, context: CallContext, request: Request) -> ClientAnswer:
        """One attempt and the redirects it leads to; each hop is an exchange of its own."""
        origin = request.url
        for _ in range(LIMIT):
            answer = self._round_trip(call, context, request)
            hop = next_hop(request.method, request.url, origin, answer.response)
            if hop is None:
                return answer
            answer.discard()
            request = replace(
                request,
                method=hop.method,
                url=hop.url,
                body=request.body if hop.keep_body else None,
                headers=hop.headers(request.headers),
            )
        location = answer.header("Location") or ""  # Go tells it as it was written
        raise TransportError(request.method, location, f"stopped after {LIMIT} redirects", "protocol")

    def _round_trip(self, call: Call, context: CallContext, request: Request) -> ClientAnswer:
        plugin = self._plugin_for(request, call.operation)
        prepared = self._outgoing.prepare(request, replace(context, operation=call.operation, purpose=call.purpose))
        prepared.context.authorize = plugin
        if request.method == "GET" and call.operation in _CACHED and call.cached:
            prepared.context.cache = self._http_cache
        if request.url.lower().startswith("https:"):
            self._tls.secure()  # a plain server may redirect to one
        proxy = self._proxy(request.url)
        try:
            answer = self._session.send(
                prepared,
                stream=True,
                allow_redirects=False,
                verify=True,
                cert=None,
                proxies={"http": proxy, "https": proxy} if proxy else {},
                timeout=(DIAL_TIMEOUT, None),
            )
        except Exception as error:
            recording = prepared.context.recording
            if recording is None:
                raise
            raise translate(error, recording) from error
        assert prepared.context.recording is not None
        if answer.status_code == 401 and plugin is not None:
            plugin.refused()
        return ClientAnswer(answer, prepared.context.recording, bare_errors=call.operation in DO_RAW)

    def _complete(self, call: Call, answer: ClientAnswer) -> ClientAnswer:
        """Reads the body where it is ours to read, then tells the warnings."""
        if not call.stream or not 200 <= answer.status < 300:
            try:
                answer.read()
            except TransportError as error:
                if self._events.active and call.operation not in DO_RAW:
                    self._events.emit(Note("body-read-error", {"error": error.reason}))
                raise
        self._tell_warnings(answer.response, answer.request)
        return answer

    def _tell_warnings(self, response: Response, request: Request) -> None:
        for text in warning_texts(value for name, value in response.headers if name == "Warning"):
            with self._warned_lock:
                if text in self._warned:
                    continue
                self._warned.add(text)
            self._events.emit(WarningReceived(text, request))

    # --- credentials and connections --------------------------------------------------------------------------------

    def _make_oidc(self, keep: Keep | None) -> OIDCAuth | None:
        settings = self._connection.oidc
        if settings is None:
            return None
        from kubetrace.transport.oidc import provider

        return provider(
            settings,
            events=self._events,
            user_agent=self._user_agent,
            environ=self._environ,
            keep=keep,
            learn=self._learn,
        )

    def _plugin_for(self, request: Request, operation: Operation) -> PluginAuth | OIDCAuth | None:
        """What puts credentials on a request below the log; none where it has some, and none for other servers."""
        if any(name == "Authorization" for name, _ in request.headers) or self._foreign(request.url):
            return None
        plugin = self._plugins.authenticator(_maker(operation))
        if plugin is not None:
            return PluginAuth(plugin, self._tls.show, self._events, self._learn)
        return self._oidc

    def _foreign(self, url: str) -> bool:
        """Whether a redirect has led away from the server."""
        return urlsplit(url).netloc != urlsplit(self._connection.server).netloc

    def _make_session(self) -> Session:
        session = _ClientSession()
        session.trust_env = False
        session.headers.clear()
        self._adapter = TracingAdapter(
            events=self._events,
            server_hostname=self._connection.tls_server_name or None,
            handshake_timeout=HANDSHAKE_TIMEOUT,
            pool_maxsize=IDLE_CONNECTIONS,
        )
        for prefix in ("https://", "http://", ""):  # what can't be asked fails where all else fails
            session.mount(prefix, self._adapter)
        return session


class _ClientSession(Session):
    """A Session that leaves redirects alone: the client follows them as Go does, and requests would read the body to
    prepare a hop that nobody asked for."""

    def get_redirect_target(self, resp: Response_) -> None:
        return None


_CACHED: frozenset[Operation] = frozenset(
    {
        *("discovery-api", "discovery-apis", "discovery-group", "version"),
        *("openapi-v2", "openapi-v3", "openapi-v3-group"),
    }
)
"""The calls of client-go's cached discovery client, which has an HTTP cache of its own."""


def _maker(operation: Operation) -> ClientMaker:
    """Whose client makes such calls."""
    if operation in _CACHED:
        return "discovery"
    return "factory" if operation.startswith(("dynamic-", "typed-")) else "builder"


def _never_sent() -> ClientAnswer:
    """What a plan gets of an upgrade, which has no answer to go on with."""
    raise PlanEnd


def _passed(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline
