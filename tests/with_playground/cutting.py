"""A relay between a client and the playground that misbehaves: it cuts connections, or refuses WebSockets."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kubetrace.playground import manager

_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Cutter:
    """`cut_after` is in the request whose connection is cut `seconds` later, with a TCP reset or as if it had ended;
    `refuse_websockets` answers 400 to them, as servers do that only know SPDY."""

    cut_after: bytes = b""
    seconds: float = 0.0
    reset: bool = False
    refuse_websockets: bool = False


@contextlib.contextmanager
def cutting(playground: manager.Playground, folder: Path, cutter: Cutter) -> Iterator[str]:
    """The kubeconfig that leads through the relay (which ends TLS with the playground's own certificate)."""
    certified = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certified.load_cert_chain(playground.folder / "server.crt", playground.folder / "server.key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        threading.Thread(target=_accept, args=(listener, certified, playground, cutter), daemon=True).start()
        kubeconfig = folder / "relay.kubeconfig"
        text = playground.kubeconfig.read_text().replace(f"127.0.0.1:{playground.port}", f"127.0.0.1:{port}")
        kubeconfig.write_text(text)
        yield str(kubeconfig)


def _accept(listener: socket.socket, certified: ssl.SSLContext, playground: manager.Playground, cutter: Cutter) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, certified, playground, cutter), daemon=True).start()


def _serve(client: socket.socket, certified: ssl.SSLContext, playground: manager.Playground, cutter: Cutter) -> None:
    trusting = ssl.create_default_context(cafile=str(playground.folder / "ca.crt"))
    with contextlib.suppress(OSError):
        secured = certified.wrap_socket(client, server_side=True)
        while head := _head(secured):
            websocket = b"upgrade: websocket" in head.lower()
            if websocket and cutter.refuse_websockets:
                secured.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n")
                secured.close()
                return
            upstream = trusting.wrap_socket(
                socket.create_connection(("127.0.0.1", playground.port)), server_hostname="127.0.0.1"
            )
            ends = b"upgrade:" in head.lower()
            upstream.sendall(head if ends else head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
            if cutter.cut_after and cutter.cut_after in head:
                threading.Thread(target=_cut, args=(secured, cutter), daemon=True).start()
            _relay(secured, upstream)
            return


def _head(sock: ssl.SSLSocket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return b""
        data += piece
    return data


def _relay(client: ssl.SSLSocket, upstream: ssl.SSLSocket) -> None:
    """Both ways at once, in one thread: nobody else may touch a TLS socket."""
    client.settimeout(0.0)
    upstream.settimeout(0.0)
    other = {client: upstream, upstream: client}
    with client, upstream, contextlib.suppress(OSError, ValueError):
        while True:
            select.select([client, upstream], [], [], 0.1)
            for sock, target in other.items():
                try:
                    while data := sock.recv(65536):
                        target.settimeout(10.0)
                        target.sendall(data)
                        target.settimeout(0.0)
                except (ssl.SSLWantReadError, BlockingIOError):
                    continue
                client.unwrap()
                return


def _cut(client: ssl.SSLSocket, cutter: Cutter) -> None:
    time.sleep(cutter.seconds)
    if cutter.reset:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        socket.socket.close(client)
    else:
        socket.socket.shutdown(client, socket.SHUT_RDWR)
