"""The TLS context of one connection, made when it is first needed, and made anew for another client certificate."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable

from kubetrace.kubeconfig.connection import Connection
from kubetrace.transport.errors import ConnectionConfigError
from kubetrace.transport.exec_plugin import CredentialError
from kubetrace.transport.tls import make_context


class ClientTLS:
    """Safe for several threads. `take` is given each context, one at a time: it serves new connections from then on,
    and what was connected with the one before is not to be used again."""

    def __init__(self, connection: Connection, take: Callable[[ssl.SSLContext], object]) -> None:
        self._connection = connection
        self._take = take
        self._lock = threading.Lock()
        self._made = False
        self._certificate: tuple[bytes, bytes] | None = None

    def secure(self) -> None:
        """There is a context afterwards. Raises ConnectionConfigError."""
        with self._lock:
            if not self._made:
                self._make(self._certificate)

    def show(self, certificate: tuple[bytes, bytes] | None) -> None:
        """Takes over a client certificate from an exec plugin; a new one means new connections. Raises
        CredentialError."""
        with self._lock:
            if certificate != self._certificate:
                try:
                    self._make(certificate)
                except ConnectionConfigError as error:
                    raise CredentialError(f"failed parsing client key/certificate: {error}") from error
                self._certificate = certificate

    def _make(self, certificate: tuple[bytes, bytes] | None) -> None:
        self._take(make_context(self._connection, certificate))
        self._made = True
