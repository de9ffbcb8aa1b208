"""Connections through a SOCKS proxy; loaded only where one is set."""

from __future__ import annotations

import socket
import time
from typing import Any

import socks  # type: ignore[import-untyped]
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.contrib.socks import SOCKSConnection, SOCKSHTTPSConnection, SOCKSProxyManager
from urllib3.exceptions import HTTPError, NewConnectionError

from kubetrace.transport.connections import TracedConnection, TracedTLSConnection, join_host_port
from kubetrace.transport.failures import causes
from kubetrace.transport.recording import current
from kubetrace.transport.words import dial_error


class SOCKSFailed(NewConnectionError):
    """The proxy was not there or did not get through; `text` is Go's wording."""

    def __init__(self, connection: SOCKSConnection, text: str) -> None:
        super().__init__(connection, text)
        self.text = text


class TracedSOCKSConnection(TracedConnection, SOCKSConnection):
    """Dials the proxy, which dials the server: one phase, as seen from here."""

    def _new_conn(self) -> socket.socket:
        recording = current.get()
        if recording is not None:
            recording.reused = False
            recording.phase = "dial"
        options = self._socks_options
        proxy = join_host_port(str(options["proxy_host"]), int(options["proxy_port"] or 1080))
        start = time.perf_counter()
        problem: str | None = None
        try:
            sock: socket.socket = SOCKSConnection._new_conn(self)
        except HTTPError as error:
            problem = _problem(error, proxy)
            target = join_host_port(self.host, self.port or 443)
            raise SOCKSFailed(self, f"socks connect tcp {proxy}->{target}: {problem}") from error
        finally:
            if recording is not None:
                recording.dialed(proxy, problem, time.perf_counter() - start)
        return sock


def _problem(error: HTTPError, proxy: str) -> str:
    """What golang.org/x/net/internal/socks says of a failure that PySocks reported."""
    for cause in causes(error):
        if isinstance(cause, socks.ProxyConnectionError) and isinstance(cause.socket_err, OSError):
            return dial_error(proxy, cause.socket_err)
        if isinstance(cause, socks.SOCKS5AuthError):
            return "username/password authentication failed"
        if isinstance(cause, socks.SOCKS5Error):
            return "unknown error " + str(cause.msg).partition(": ")[2].lower()
        if isinstance(cause, TimeoutError):
            return f"dial tcp {proxy}: i/o timeout"
    return str(error)


class TracedSOCKSTLSConnection(TracedTLSConnection, TracedSOCKSConnection, SOCKSHTTPSConnection):
    """The same with TLS to the server behind the proxy."""


class TracedSOCKSPool(HTTPConnectionPool):
    ConnectionCls = TracedSOCKSConnection


class TracedSOCKSTLSPool(HTTPSConnectionPool):
    ConnectionCls = TracedSOCKSTLSConnection


def socks_manager(url: str, **options: Any) -> SOCKSProxyManager:
    """Pools of traced connections through the SOCKS proxy at `url`."""
    manager = SOCKSProxyManager(url, **options)
    manager.pool_classes_by_scheme = {"http": TracedSOCKSPool, "https": TracedSOCKSTLSPool}
    return manager
