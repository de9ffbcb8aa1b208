"""An API server with one pod, whose connections to that pod fail in a way of one's choosing."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from kubetrace.serving.spdy_framing import Framer, Opened

POD = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {"name": "web", "namespace": "default", "uid": "u", "resourceVersion": "1"},
    "spec": {"containers": [{"name": "c", "image": "nginx"}]},
    "status": {"phase": "Running"},
}
_RESOURCES = {
    "kind": "APIResourceList",
    "groupVersion": "v1",
    "resources": [{"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "list"]}],
}
_ANSWERS = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": _RESOURCES,
    "/api/v1/namespaces/default/pods/web": POD,
}

Fields = Mapping[str, str]
Behaviour = Callable[[socket.socket, str, Fields], None]
"""What becomes of a request to forward: the connection, the method, the fields in lower case."""


def websocket_head(fields: Fields, protocol: str = "SPDY/3.1+portforward.k8s.io") -> bytes:
    key = fields.get("sec-websocket-key", "").encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key, usedforsecurity=False).digest()).decode()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Accept: {accept}", f"Sec-WebSocket-Protocol: {protocol}", "", ""]
    return "\r\n".join(lines).encode()


def spdy_head(protocol: str = "portforward.k8s.io") -> bytes:
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: SPDY/3.1", "Connection: Upgrade"]
    return "\r\n".join([*lines, f"X-Stream-Protocol-Version: {protocol}", "", ""]).encode()


def answer(status: str, body: bytes, kind: str = "application/json") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def is_websocket(fields: Fields) -> bool:
    return fields.get("upgrade", "").lower() == "websocket"


def refused(status: str, body: bytes, kind: str = "text/plain") -> Behaviour:
    return lambda connection, method, fields: connection.sendall(answer(status, body, kind))


def spdy_only(connection: socket.socket, method: str, fields: Fields) -> None:
    """A server from before WebSocket tunnels: one page over SPDY, whatever is asked."""
    if is_websocket(fields):
        connection.sendall(answer("400 Bad Request", b"unable to upgrade: unsupported", "text/plain"))
        return
    connection.sendall(spdy_head())
    framer = Framer()
    while data := connection.recv(1 << 16):
        for frame in framer.feed(data):
            if not isinstance(frame, Opened):
                continue
            connection.sendall(framer.reply(frame.stream))
            if frame.headers["streamtype"] == "data":
                connection.sendall(framer.data(frame.stream, b"a page over SPDY", fin=True))
                connection.sendall(framer.data(frame.stream - 2, b"", fin=True))


def says_goodbye(connection: socket.socket, method: str, fields: Fields) -> None:
    connection.sendall(websocket_head(fields) + b"\x88\x02\x03\xe8")
    connection.recv(1 << 16)


def breaks_off(connection: socket.socket, method: str, fields: Fields) -> None:
    connection.sendall(websocket_head(fields))


def speaks_nonsense(connection: socket.socket, method: str, fields: Fields) -> None:
    connection.sendall(websocket_head(fields) + b"\x82\x08\x80\x02\x00\x01\x00\x00\x00\x00")
    connection.recv(1 << 16)


def another_protocol(connection: socket.socket, method: str, fields: Fields) -> None:
    connection.sendall(websocket_head(fields, "other") if is_websocket(fields) else spdy_head("other"))
    connection.recv(1 << 16)


def vanishes(connection: socket.socket, method: str, fields: Fields) -> None:
    """No answer at all."""


@contextmanager
def refusing(behaviour: Behaviour) -> Iterator[str]:
    """The server's URL while it runs."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accept, args=(listening, behaviour), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, behaviour: Behaviour) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=_serve, args=(connection, behaviour), daemon=True).start()


def _serve(connection: socket.socket, behaviour: Behaviour) -> None:
    with suppress(OSError), connection, connection.makefile("rb") as file:
        while line := file.readline().decode():
            method, target, _ = line.split(" ")
            fields = {}
            while text := file.readline().decode().strip():
                name, _, value = text.partition(":")
                fields[name.lower()] = value.strip()
            path = target.partition("?")[0]
            if path.endswith("/portforward"):
                behaviour(connection, method, fields)
                return
            found = _ANSWERS.get(path)
            status = "404 Not Found" if found is None else "200 OK"
            connection.sendall(answer(status, json.dumps(found or {}).encode()))
