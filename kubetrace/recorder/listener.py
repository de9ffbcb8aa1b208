"""Our ends of the loopback ports: who knocks is given a thread of its own, once it speaks TLS."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from kubetrace.errors import KubetraceError
from kubetrace.recorder.conversation import Conversation
from kubetrace.transport.wire import Wire, honest, wait

if TYPE_CHECKING:
    from kubetrace.recorder.recorder import Recorder

HOST = "127.0.0.1"
BACKLOG = 512
HANDSHAKE_SECONDS = 10.0
STOP_SECONDS = 3.0
_TLS_HANDSHAKE = 0x16
_PLAIN_HTTP = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
"""net/http's own words for it."""


class Listener:
    """One port a cluster, and the threads of those who came in."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._sockets: dict[str, socket.socket] = {}
        self._context = honest(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.set_alpn_protocols(["http/1.1"])
        self._lock = threading.Lock()
        self._threads: dict[threading.Thread, Wire | None] = {}
        self._wake, self._woken = socket.socketpair()
        self._stopping = False
        self._acceptor = threading.Thread(target=self._accept, name="kubetrace-accept", daemon=True)

    def open(self, clusters: list[str], taken: Callable[[int], bool]) -> dict[str, int]:
        try:
            for cluster in clusters:
                self._sockets[cluster] = _free_port(taken)
        except OSError as error:
            raise KubetraceError(f"cannot listen on {HOST}: {error.strerror}") from None
        return {cluster: listening.getsockname()[1] for cluster, listening in self._sockets.items()}

    def origin(self, cluster: str) -> str:
        return f"https://{HOST}:{self._sockets[cluster].getsockname()[1]}"

    def start(self, certificate_chain: str) -> None:
        self._context.load_cert_chain(certificate_chain)
        self._acceptor.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake.close()
        if self._acceptor.is_alive():
            self._acceptor.join(STOP_SECONDS)
        for listening in self._sockets.values():
            listening.close()
        self._woken.close()
        with self._lock:
            threads = dict(self._threads)
        for wire in threads.values():
            if wire is not None:
                wire.interrupt()
        until = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    # --- coming in ----------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        poll = select.poll()
        clusters = {listening.fileno(): cluster for cluster, listening in self._sockets.items()}
        for descriptor in (*clusters, self._woken.fileno()):
            poll.register(descriptor, select.POLLIN)
        while not self._stopping:
            for descriptor, _ in poll.poll():
                if descriptor in clusters:
                    self._take(clusters[descriptor])

    def _take(self, cluster: str) -> None:
        try:
            sock, _ = self._sockets[cluster].accept()
        except BlockingIOError:
            return
        except OSError as error:  # no descriptors left: those who are inside may give some back
            self._recorder.complain(f"cannot take a connection: {error.strerror}")
            time.sleep(0.1)
            return
        thread = threading.Thread(target=self._serve, args=(sock, cluster), daemon=True)
        with self._lock:
            self._threads[thread] = None
        thread.start()

    def _serve(self, sock: socket.socket, cluster: str) -> None:
        thread = threading.current_thread()
        try:
            secured = self._secure(sock)
            if secured is None:
                return
            wire = Wire(secured)
            with self._lock:
                self._threads[thread] = wire
            if not self._stopping:
                Conversation(wire, cluster, self._recorder).run()
            wire.close()
        except Exception as error:  # one connection's misfortune is not the others'
            self._recorder.complain(f"a connection was given up: {type(error).__name__}: {error}")
        finally:
            sock.close()
            with self._lock:
                self._threads.pop(thread, None)

    def _secure(self, sock: socket.socket) -> ssl.SSLSocket | None:
        """The connection after its TLS handshake; None for one that has none: a port scan, or a client that does not
        trust us, or one that speaks no TLS, which is told so."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(HANDSHAKE_SECONDS)
        with contextlib.suppress(OSError):
            first = sock.recv(1, socket.MSG_PEEK)
            if first and first[0] != _TLS_HANDSHAKE:
                self._refuse_plain(sock)
                return None
            if first:
                return self._context.wrap_socket(sock, server_side=True)
        return None

    def _refuse_plain(self, sock: socket.socket) -> None:
        self._recorder.complain("a client that does not speak TLS was turned away")
        sock.recv(1 << 16)
        sock.sendall(_PLAIN_HTTP)
        sock.shutdown(socket.SHUT_WR)
        wait(sock.fileno(), select.POLLIN, 1.0)


def _free_port(taken: Callable[[int], bool]) -> socket.socket:
    while True:
        listening = socket.create_server((HOST, 0), backlog=BACKLOG)
        if not taken(listening.getsockname()[1]):
            listening.setblocking(False)
            return listening
        listening.close()
