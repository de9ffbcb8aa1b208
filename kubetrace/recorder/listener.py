"""Our ends of local ports: who knocks is given a thread of its own, once it speaks TLS where that is wanted."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable

from kubetrace.transport.wire import Wire, honest, wait

HANDSHAKE_SECONDS = 10.0
STOP_SECONDS = 3.0
_TLS_HANDSHAKE = 0x16
_PLAIN_HTTP = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
"""net/http's own words for it."""


class Listener:
    """Ports that take connections, and the threads of those who came in. `serve` is given each connection and the name
    of its port, on a thread of its own; `complain` is told what went wrong with one."""

    def __init__(self, serve: Callable[[Wire, str], object], complain: Callable[[str], object]) -> None:
        self._serve_one = serve
        self._complain = complain
        self._sockets: dict[str, socket.socket] = {}
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._threads: dict[threading.Thread, Wire | None] = {}
        self._wake, self._woken = socket.socketpair()
        self._stopping = False
        self._acceptor = threading.Thread(target=self._accept, name="kubetrace-accept", daemon=True)

    def add(self, name: str, listening: socket.socket) -> None:
        """A socket that listens; nobody is let in yet."""
        listening.setblocking(False)
        self._sockets[name] = listening

    def port(self, name: str) -> int:
        port: int = self._sockets[name].getsockname()[1]
        return port

    def start(self, certificate_chain: str = "") -> None:
        """Lets clients in: those that speak TLS, where there is a certificate (a PEM file with its key)."""
        if certificate_chain:
            self._context = honest(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self._context.minimum_version = ssl.TLSVersion.TLSv1_2
            self._context.set_alpn_protocols(["http/1.1"])
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
        names = {listening.fileno(): name for name, listening in self._sockets.items()}
        for descriptor in (*names, self._woken.fileno()):
            poll.register(descriptor, select.POLLIN)
        while not self._stopping:
            for descriptor, _ in poll.poll():
                if descriptor in names:
                    self._take(names[descriptor])

    def _take(self, name: str) -> None:
        try:
            sock, _ = self._sockets[name].accept()
        except BlockingIOError:
            return
        except OSError as error:  # no descriptors left: those who are inside may give some back
            self._complain(f"cannot take a connection: {error.strerror}")
            time.sleep(0.1)
            return
        thread = threading.Thread(target=self._serve, args=(sock, name), daemon=True)
        with self._lock:
            self._threads[thread] = None
        thread.start()

    def _serve(self, sock: socket.socket, name: str) -> None:
        thread = threading.current_thread()
        try:
            secured = self._secure(sock)
            if secured is None:
                return
            wire = Wire(secured)
            with self._lock:
                self._threads[thread] = wire
            if not self._stopping:
                self._serve_one(wire, name)
            wire.close()
        except Exception as error:  # one connection's misfortune is not the others'
            self._complain(f"a connection was given up: {type(error).__name__}: {error}")
        finally:
            sock.close()
            with self._lock:
                self._threads.pop(thread, None)

    def _secure(self, sock: socket.socket) -> socket.socket | None:
        """The connection after its TLS handshake, where there is to be one; None for one that has none: a port scan, or
        a client that does not trust us, or one that speaks no TLS, which is told so."""
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is None:
            return sock
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
        self._complain("a client that does not speak TLS was turned away")
        sock.recv(1 << 16)
        sock.sendall(_PLAIN_HTTP)
        sock.shutdown(socket.SHUT_WR)
        wait(sock.fileno(), select.POLLIN, 1.0)
