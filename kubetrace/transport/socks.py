"""Connections through a SOCKS proxy; loaded only where one is set."""

from __future__ import annotations

import socket
import time
from typing import Any

from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.contrib.socks import SOCKSConnection, SOCKSProxyManager
from urllib3.exceptions import HTTPError

from kubetrace.transport.connections import TracedConnection, TracedTLSConnection, join_host_port
from kubetrace.transport.recording import current


class TracedSOCKSConnection(TracedConnection, SOCKSConnection):
    """Dials the proxy (one phase, as seen from here), which dials the server."""

    def _new_conn(self) -> socket.socket:
        recording = current.get()
        if recording is None:
            plain: socket.socket = SOCKSConnection._new_conn(self)
            return plain
        recording.reused = False
        recording.phase = "dial"
        options = self._socks_options
        proxy = join_host_port(str(options["proxy_host"]), int(options["proxy_port"] or 1080))
        start = time.perf_counter()
        try:
            sock: socket.socket = SOCKSConnection._new_conn(self)
        except HTTPError as error:
            recording.dialed(proxy, str(error), time.perf_counter() - start)
            raise
        recording.dialed(proxy, None, time.perf_counter() - start)
        return sock


class TracedSOCKSTLSConnection(TracedTLSConnection, TracedSOCKSConnection, HTTPSConnection):
    pass


class TracedSOCKSPool(HTTPConnectionPool):
    ConnectionCls = TracedSOCKSConnection


class TracedSOCKSTLSPool(HTTPSConnectionPool):
    ConnectionCls = TracedSOCKSTLSConnection


def socks_manager(url: str, **options: Any) -> SOCKSProxyManager:
    """Pools of traced connections through the SOCKS proxy at `url`."""
    manager = SOCKSProxyManager(url, **options)
    manager.pool_classes_by_scheme = {"http": TracedSOCKSPool, "https": TracedSOCKSTLSPool}
    return manager
