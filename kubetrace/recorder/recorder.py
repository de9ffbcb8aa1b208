"""The recorder as a whole: who is let in, who they are, which server they mean, and what is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kubetrace.errors import KubetraceError
from kubetrace.kubeconfig.connection import Connection
from kubetrace.recorder.conversation import Conversation
from kubetrace.recorder.listener import Listener
from kubetrace.recorder.policy import Policy
from kubetrace.recorder.upstream import Upstream
from kubetrace.trace.events import Events
from kubetrace.trace.masking import Masker

if TYPE_CHECKING:
    from kubetrace.transport.oidc import Keep

HOST = "127.0.0.1"
BACKLOG = 512

Connect = Callable[[str, str], Connection]
"""From the names of a cluster and a user to how that user reaches it. Raises KubetraceError."""


class Recorder:
    """Takes connections on loopback, one port a cluster, and relays what comes with a known token.

    `keep` is the most that is held of a body (None: all). `user_agent` renews tokens at an issuer's, `keep_tokens` gets
    them. `warn` is told each thing that somebody should know, once.
    `trace_id` is the W3C trace that requests without trace context are given to; empty for none.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        events: Events,
        masker: Masker,
        policy: Policy,
        keep: int | None,
        environ: Mapping[str, str],
        warn: Callable[[str], object],
        user_agent: str = "kubetrace",
        keep_tokens: Keep | None = None,
        trace_id: str = "",
    ) -> None:
        self.events = events
        self.trace_id = trace_id
        self.policy = policy
        self.keep = keep
        self.requests = 0
        """How many requests have come in from clients that were let in."""
        self._connect = connect
        self._masker = masker
        self._environ = environ
        self._warn = warn
        self._user_agent = user_agent
        self._keep_tokens = keep_tokens
        self._users: dict[bytes, str] = {}
        self._upstreams: dict[tuple[str, str], Upstream] = {}
        self._complaints: set[str] = set()
        self._lock = threading.Lock()
        self._listener = Listener(lambda wire, cluster: Conversation(wire, cluster, self).run(), self.complain)

    # --- its life -----------------------------------------------------------------------------------------------------

    def listen(self, clusters: list[str], taken: Callable[[int], bool] = lambda port: False) -> dict[str, int]:
        """Opens a port for each cluster that is not `taken`; nobody is let in yet. Raises KubetraceError where there
        is none to be had."""
        try:
            for cluster in clusters:
                self._listener.add(cluster, _free_port(taken))
        except OSError as error:
            raise KubetraceError(f"cannot listen on {HOST}: {error.strerror}") from None
        return {cluster: self._listener.port(cluster) for cluster in clusters}

    def serve(self, certificate_chain: str, tokens: Mapping[str, str]) -> None:
        """Lets clients in: `tokens` are one-time tokens and their users, `certificate_chain` a PEM file with our
        certificate and key."""
        self._users = {b"Bearer " + token.encode(): user for token, user in tokens.items()}
        self._listener.start(certificate_chain)

    def stop(self) -> None:
        """Lets nobody in any more, ends what is going on, and waits until it has been told."""
        self._listener.stop()
        for upstream in self._upstreams.values():
            upstream.close()

    # --- what conversations ask -----------------------------------------------------------------------------------

    def upstream(self, cluster: str, authorization: bytes | None) -> Upstream | None:
        """The server as the user whose token this is; None for a stranger. Raises KubetraceError where the kubeconfig's
        settings for the two can't be used."""
        user = self._users.get(authorization or b"")
        if user is None:
            return None
        with self._lock:
            found = self._upstreams.get((cluster, user))
            if found is None:
                connection = self._connect(cluster, user)
                found = Upstream(
                    connection,
                    environ=self._environ,
                    events=self.events,
                    user_agent=self._user_agent,
                    learn=self._masker.register,
                    keep=self._keep_tokens,
                )
                self._upstreams[cluster, user] = found
            return found

    def origin(self, cluster: str) -> str:
        """Where clients find this cluster."""
        return f"https://{HOST}:{self._listener.port(cluster)}"

    def count(self) -> None:
        with self._lock:
            self.requests += 1

    def masked(self, text: str) -> str:
        return self._masker.text(text)

    def refused_stranger(self) -> None:
        self.complain("a client without the one-time token was refused (was it given --token, or another kubeconfig?)")

    def complain(self, text: str) -> None:
        """Tells somebody, once."""
        with self._lock:
            if text in self._complaints:
                return
            self._complaints.add(text)
        self._warn(text)


def _free_port(taken: Callable[[int], bool]) -> socket.socket:
    while True:
        listening = socket.create_server((HOST, 0), backlog=BACKLOG)
        if not taken(listening.getsockname()[1]):
            return listening
        listening.close()
