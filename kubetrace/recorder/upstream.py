"""One user at one real API server: the credentials that never leave this process, and the connections to the server."""

from __future__ import annotations

import math
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kubetrace.kubeconfig.connection import Connection
from kubetrace.recorder.heads import Fields, RequestHead
from kubetrace.trace.events import Events
from kubetrace.transport.client_tls import ClientTLS
from kubetrace.transport.credentials import authorization, impersonation_headers, static_auth
from kubetrace.transport.dial import Dialer
from kubetrace.transport.exec_plugin import CredentialError, plugin_of
from kubetrace.transport.headers import is_field_value, wire_text
from kubetrace.transport.plugin_auth import PluginAuth
from kubetrace.transport.recording import Recording
from kubetrace.transport.wire import Wire, honest, wire
from kubetrace.value import Mutable, Value, fresh

if TYPE_CHECKING:
    from kubetrace.transport.oidc import Keep, OIDCAuth

IDLE_CONNECTIONS = 25
"""How many unused connections are kept, as in client-go."""

_UNLOGGED = frozenset(
    {
        *("host", "accept-encoding", "connection", "content-length", "transfer-encoding"),
        *("kubectl-command", "kubectl-session"),
    }
)
"""Fields that client-go's transport adds below the log: a client's own log would not show them."""


class Link(Mutable):
    """A connection to the server. `generation` tells which credentials it was made with, `used` whether it has carried
    an exchange before."""

    wire: Wire
    local: str | None
    address: str | None
    tls_version: str | None
    generation: int = 0
    used: bool = False


class Identity(Value):
    """Who one request is from: the fields that say so, and the plugin's part in it where there is one."""

    authorization: bytes | None = None
    impersonation: Fields = fresh(list)
    plugin: PluginAuth | OIDCAuth | None = None

    @property
    def unlogged(self) -> frozenset[str]:
        """client-go puts a plugin's or provider's token on below its log."""
        return _UNLOGGED | {"authorization"} if self.plugin is not None else _UNLOGGED


class Upstream:
    """Safe for many threads. `learn` is told each token before it is sent, so that it can be masked. `events` are told
    of the calls that renew one, `user_agent` makes them, and `keep` gets what they bring, as in `Client`. `keep_alive`
    is how often a silent connection is probed, in seconds (0: as the system does, negative: never). Raises
    ConnectionConfigError."""

    def __init__(
        self,
        connection: Connection,
        *,
        environ: Mapping[str, str],
        events: Events,
        user_agent: str,
        learn: Callable[[str], object] | None = None,
        keep: Keep | None = None,
        keep_alive: float = 0.0,
    ) -> None:
        parts = urlsplit(connection.server)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.host = parts.netloc.rpartition("@")[2].encode("latin-1", "replace")
        self._learn = learn
        self._keep_alive = keep_alive
        self._auth = static_auth(connection, learn)
        self._plugin = plugin_of(connection, authorized=self._auth is not None, environ=environ)
        self._unheard = Events()
        self._oidc = None
        if connection.oidc is not None:
            from kubetrace.transport.oidc import provider

            self._oidc = provider(
                connection.oidc, events=events, user_agent=user_agent, environ=environ, keep=keep, learn=learn
            )
        self._impersonation = _wire_fields(impersonation_headers(connection.impersonation))
        self._dialer = Dialer(
            connection.server,
            proxy_url=connection.proxy_url,
            tls_server_name=connection.tls_server_name,
            environ=environ,
        )
        self._tls = ClientTLS(connection, self._renew)
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        self._generation = 0
        self._idle: list[Link] = []

    # --- who ----------------------------------------------------------------------------------------------------------

    def identify(self) -> Identity:
        """What the next request is authenticated with. Raises CredentialError, TokenError, ConnectionConfigError."""
        plugin: PluginAuth | OIDCAuth | None = None if self._auth is not None else self._oidc
        if self._plugin is not None:
            plugin = PluginAuth(self._plugin, self._tls.show, self._unheard, self._learn)
        value = authorization(plugin or self._auth)
        return Identity(None if value is None else _field_value("Authorization", value), self._impersonation, plugin)

    def fields(self, head: RequestHead, identity: Identity) -> Fields:
        """A client's fields as the server gets them: its own host and the user's real credentials. Whom a client
        impersonates by itself (kubectl --as) takes the place of whom the kubeconfig impersonates."""
        found: Fields = []
        impersonates = False
        for name, value in head.fields:
            lower = name.lower()
            if lower == b"host":
                value = self.host
            elif lower == b"authorization":
                if identity.authorization is None:
                    continue
                value = identity.authorization
            elif lower.startswith(b"impersonate-"):
                impersonates = True
            found.append((name, value))
        return found if impersonates else found + identity.impersonation

    def target(self, target: bytes) -> bytes:
        """The request's target as the server (or the proxy before it) wants it."""
        return self.origin.encode("latin-1") + target if self._dialer.wants_absolute_targets else target

    # --- connections --------------------------------------------------------------------------------------------------

    def link(self, recording: Recording, *, fresh: bool = False) -> Link:
        """A connection to the server: a kept one that is still open, unless a `fresh` one is asked for, or a new one.
        Raises what `Dialer.dial` raises, and ConnectionConfigError."""
        while not fresh and (kept := self._take()) is not None:
            if kept.wire.is_quiet:
                recording.connected(kept.local, kept.address, kept.tls_version)
                return kept
            kept.wire.close()
        generation, context = self._secured()
        sock = self._dialer.dial(recording, context)
        if self._keep_alive and isinstance(sock, socket.socket):
            _probe(sock, self._keep_alive)
        return Link(wire(sock), recording.local, recording.address, recording.tls_version, generation)

    def _take(self) -> Link | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def keep(self, link: Link) -> None:
        """The exchange is over and its connection can carry another one."""
        link.used = True
        with self._lock:
            if link.generation == self._generation and len(self._idle) < IDLE_CONNECTIONS:
                self._idle.append(link)
                return
        link.wire.close()

    def close(self) -> None:
        """Ends the kept connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for link in idle:
            link.wire.finish()

    def _secured(self) -> tuple[int, ssl.SSLContext | None]:
        if self.origin.startswith("https:"):
            self._tls.secure()
        with self._lock:
            return self._generation, self._context

    def _renew(self, context: ssl.SSLContext) -> None:
        with self._lock:
            self._context = honest(context)
            self._generation += 1
        self.close()


def _probe(sock: socket.socket, seconds: float) -> None:
    """Go's net.KeepAliveConfig of a period: whole seconds, at least one."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(seconds > 0))
    if seconds > 0 and hasattr(socket, "TCP_KEEPIDLE"):
        period = max(1, math.ceil(seconds))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, period)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, period)


def _wire_fields(fields: list[tuple[str, str]]) -> Fields:
    return [(name.encode("latin-1", "replace"), _field_value(name, wire_text(value))) for name, value in fields]


def _field_value(name: str, value: str) -> bytes:
    """A header value's bytes. Raises CredentialError, which does not show it."""
    if not is_field_value(value):
        raise CredentialError(f'net/http: invalid header field value for "{name}"')
    return value.encode("latin-1", "replace")
