"""Records what mitmproxy writes of a short conversation with a playground, for tests/trace_views/data.

    python -m tests.tools.record_har MITMDUMP

Credentials in the file are the playground's, which is gone afterwards.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kubetrace.playground import manager
from tests.conformance.plane import free_port

DATA = Path(__file__).parents[1] / "trace_views" / "data"
CALLS = (
    ("GET", "/api/v1/namespaces/default/pods?limit=5", None),
    ("GET", "/api/v1/namespaces/default/pods/nope", None),
    ("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "one"}, "data": {"a": "ü"}}),
    (
        "POST",
        "/api/v1/namespaces/default/secrets",
        {"metadata": {"name": "s"}, "stringData": {"a": "what-nobody-reads"}},
    ),
)


def record(mitmdump: str) -> None:
    version = re.findall(r"Mitmproxy: (\S+)", subprocess.check_output([mitmdump, "--version"], text=True))[0]
    target = DATA / f"mitmproxy-{version}.har"
    with tempfile.TemporaryDirectory() as folder:
        environ = {"XDG_STATE_HOME": folder, "PATH": os.environ["PATH"]}
        playground = manager.up(environ, "har")
        port = free_port()
        command = [mitmdump, "-q", "--mode", f"reverse:https://127.0.0.1:{playground.port}", "--ssl-insecure",
                   "-p", str(port), "--set", f"hardump={target}", "--set", f"confdir={folder}"]  # fmt: skip
        users = json.loads((playground.folder / "users.json").read_text())
        token = next(user["token"] for user in users if user["context"] == "admin")
        with subprocess.Popen(command) as proxy:
            try:
                _wait(port)
                for method, path, body in CALLS:
                    _call(port, token, method, path, body)
            finally:
                proxy.terminate()
        manager.down(environ, "har")


def _call(port: int, token: str, method: str, path: str, body: object) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
    connection.getresponse().read()
    connection.close()


def _wait(port: int) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise TimeoutError("mitmdump does not listen")


if __name__ == "__main__":
    record(sys.argv[1])
