"""Connections to one server for those who speak over them themselves: through the same look-up, dial, proxy and TLS as
every other call, each phase told to a recording."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from urllib3.exceptions import ProxyError
from urllib3.util import make_headers

from kubetrace.transport.connections import TracedPoolManager, endpoints, proxy_manager
from kubetrace.transport.proxy import proxy_for
from kubetrace.transport.recording import Recording, current

DIAL_TIMEOUT = 30.0
HANDSHAKE_TIMEOUT = 10.0
"""Seconds, as in client-go: transport/cache.go."""


class Dialer:
    """Dials `server` (a URL) through the proxy that `proxy_url` or the environment names. Raises ConnectionConfigError
    for a proxy that can't be used."""

    def __init__(
        self, server: str, *, proxy_url: str = "", tls_server_name: str = "", environ: Mapping[str, str]
    ) -> None:
        self._url = urlsplit(server)
        self._proxy = proxy_for(proxy_url, environ)(server)
        self._name = tls_server_name

    @property
    def wants_absolute_targets(self) -> bool:
        """A plain server behind an HTTP proxy: the proxy must be told the whole URL."""
        return self._url.scheme == "http" and (self._proxy or "").startswith("http")

    def dial(self, recording: Recording, context: ssl.SSLContext | None) -> Any:
        """A connected socket (or urllib3's stand-in for TLS within TLS) in blocking mode. The recording knows its
        addresses and TLS version. Raises what urllib3 raises: `failures.explain` has Go's words for it."""
        recording.handshake_timeout = HANDSHAKE_TIMEOUT
        pool = self._manager().connection_from_host(
            self._url.hostname or "", self._url.port, self._url.scheme, self._settings(context)
        )
        connection = pool._new_conn()
        connection.timeout = DIAL_TIMEOUT
        token = current.set(recording)
        try:
            if pool.proxy is not None and self._url.scheme == "https":
                pool._prepare_proxy(connection)
            else:
                connection.connect()
        except Exception as error:
            connection.close()
            if connection.proxy is not None and not connection.has_connected_to_proxy:
                raise ProxyError("Unable to connect to proxy", error) from error
            raise
        finally:
            current.reset(token)
        sock, connection.sock = connection.sock, None
        sock.settimeout(None)
        recording.connected(*endpoints(sock))
        return sock

    def _settings(self, context: ssl.SSLContext | None) -> dict[str, Any]:
        settings: dict[str, Any] = {} if context is None else {"ssl_context": context}
        return {**settings, "server_hostname": self._name} if self._name and context is not None else settings

    def _manager(self) -> Any:
        if self._proxy is None:
            return TracedPoolManager()
        parts = urlsplit(self._proxy)
        headers = {}
        if parts.username is not None and not self._proxy.startswith("socks"):
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers = dict(make_headers(proxy_basic_auth=pair))
        return proxy_manager(self._proxy, headers)
