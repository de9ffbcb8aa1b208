"""A server that has any object one likes and keeps the patches it is sent, so that kubectl's and kubetrace's can be
compared. What kinds there are, and how their fields merge, is what a real server says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answer = tuple[int, str, bytes]
"""Status, Content-Type, body."""
Upstream = Callable[[str, str], Answer]
"""Asks the real server: path with query, Accept."""


class PatchServer:
    """Serves `objects` (name → live object) over plain HTTP on loopback."""

    def __init__(self, upstream: Upstream) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.patches: dict[str, tuple[str, str]] = {}
        """What came, by path: Content-Type and body."""
        self._known: dict[tuple[str, str], Answer] = {}
        self._upstream = upstream
        handler = type("Handler", (_Handler,), {"patch_server": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def write_kubeconfig(self, path: Path) -> Path:
        cluster = {"server": f"http://127.0.0.1:{self._server.server_port}"}
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "c", "cluster": cluster}],
                    "contexts": [{"name": "c", "context": {"cluster": "c", "user": ""}}],
                    "current-context": "c",
                }
            )
        )
        return path

    def answer(self, path: str, accept: str) -> Answer:
        name = path.partition("?")[0].rpartition("/")[2]
        if name in self.objects:
            return 200, "application/json", json.dumps(self.objects[name]).encode()
        key = (path, accept)
        if key not in self._known:
            self._known[key] = self._upstream(path, accept)
        return self._known[key]


class _Handler(BaseHTTPRequestHandler):
    patch_server: PatchServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._reply(self.patch_server.answer(self.path, self.headers.get("Accept", "")))

    def do_PATCH(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        self.patch_server.patches[path] = (self.headers["Content-Type"], body.decode())
        self._reply(self.patch_server.answer(self.path, ""))

    def _reply(self, answer: Answer) -> None:
        status, media_type, body = answer
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass
