"""Records captures: runs a real kubectl against a scripted TLS server and writes what it logged.

    python -m tests.trace.record PATH-OF-KUBECTL [FOLDER]

The folder (by default tests/trace/captures/VERSION) gets one file a command; HOME becomes /home/user in its text.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

POD = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web-0", "namespace": "default"}, "spec": {}}
RESOURCES = [
    {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "shortNames": ["po"],
     "verbs": ["create", "delete", "get", "list", "patch", "watch"]},
    {"name": "secrets", "singularName": "secret", "namespaced": True, "kind": "Secret",
     "verbs": ["create", "delete", "get", "list", "patch", "watch"]},
]  # fmt: skip
SECRET = {
    "kind": "Secret",
    "apiVersion": "v1",
    "metadata": {"name": "s1", "namespace": "default"},
    "data": {"password": "c2VjcmV0"},
}
BODIES = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": RESOURCES},
    "/version": {"major": "1", "minor": "30", "gitVersion": "v1.30.0"},
    "/api/v1/namespaces/default/pods": {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [POD]},
    "/api/v1/namespaces/default/secrets/s1": SECRET,
}
BINARY = b"k8s\x00\n\x0c\n\x02v1\x12\x03Pod" + bytes(range(256)) * 8
COMMANDS = {
    **{f"get-pods-v{level}": ["get", "pods", f"-v={level}"] for level in range(1, 11)},
    **{f"get-pod-json-v{level}": ["get", "pod", "web-0", "-o", "json", f"-v={level}"] for level in (6, 7, 8, 9, 10)},
    **{f"big-v{level}": ["get", "pod", "big", "-o", "json", f"-v={level}"] for level in (8, 9, 10)},
    **{f"bin-v{level}": ["get", "pod", "bin", "-o", "json", f"-v={level}"] for level in (8, 9)},
    **{f"missing-v{level}": ["get", "pod", "missing", f"-v={level}"] for level in (4, 6, 8)},
    **{f"retry-v{level}": ["get", "pod", "retry", f"-v={level}"] for level in (4, 8)},
    "warn-v8": ["get", "pod", "warn", "-v=8"],
    "redirect-v9": ["get", "pod", "redirect", "-o", "json", "-v=9"],
    "odd-v8": ["get", "pod", "odd", "-o", "json", "-v=8"],
    "secret-v8": ["get", "secret", "s1", "-o", "yaml", "-v=8"],
    "create-v8": ["create", "-f", "pod.yaml", "--validate=false", "-v=8"],
    "create-v9": ["create", "-f", "pod.yaml", "--validate=false", "-v=9"],
    "delete-v8": ["delete", "pod", "web-0", "--wait=false", "-v=8"],
    "patch-v8": ["patch", "pod", "web-0", "-p", '{"metadata":{"labels":{"a":"b"}}}', "-v=8"],
    "apply-v8": ["apply", "-f", "pod.yaml", "--validate=false", "-v=8"],
    "version-v8": ["version", "-v=8"],
    "raw-v9": ["get", "--raw", "/version?b=a%20b&a=1", "-v=9"],
    "vmodule-round-trippers": ["get", "pod", "web-0", "--vmodule=round_trippers=9"],
    "vmodule-request": ["get", "pod", "web-0", "-o", "json", "--vmodule=request=8"],
    "vmodule-star": ["get", "pod", "web-0", "-o", "json", "--vmodule=*=7"],
    "imp-v8": ["get", "pod", "web-0", "--as=bob", "--as-group=g1", "--as-group=g2", "-v=8"],
    "dead-v6": ["get", "pod", "web-0", "--server=https://127.0.0.1:1", "-v=6"],
    "not-found-config-v1": ["get", "pod", "web-0", "--server=https://127.0.0.1:1", "-v=1"],
}


class Handler(BaseHTTPRequestHandler):
    """Answers as a small API server would; `retry` fails once for each client."""

    protocol_version = "HTTP/1.1"
    retried: set[str] = set()

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length)
        name = path.rpartition("/")[2]
        headers = [("Audit-Id", "0a1b2c3d-0000-4000-8000-000000000001"), ("Content-Type", "application/json")]
        status, body = 200, json.dumps(BODIES.get(path, {**POD, "metadata": {"name": name}})).encode() + b"\n"
        if self.command == "POST":
            status, body = 201, sent
        elif name == "missing" or (name == "newpod" and self.command == "GET"):
            status = 404
            body = json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound",
                               "message": f'pods "{name}" not found', "code": 404}).encode()  # fmt: skip
        elif name == "big":
            body = json.dumps({**POD, "x": "é" * 9000}, ensure_ascii=False).encode() + b"\n"
        elif name == "bin":
            body = BINARY
        elif name == "retry" and name not in self.retried:
            self.retried.add(name)
            status, body = 429, b"slow down"
            headers.append(("Retry-After", "1"))
        elif name == "warn":
            headers += [("Warning", '299 - "first \\"quoted\\""'), ("Warning", '299 - "second"')]
        elif name == "redirect":
            status, body = 302, b""
            headers.append(("Location", "/api/v1/namespaces/default/pods/web-0"))
        elif name == "odd":
            headers += [("ETag", '"x"'), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Empty", ""),
                        ("Authorization", "Bearer respsecret")]  # fmt: skip
        self.send_response_only(status, None)
        for key, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _answer

    def log_message(self, format: str, *args: object) -> None:
        pass


def serve(folder: Path) -> ThreadingHTTPServer:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def configure(home: Path, port: int) -> None:
    (home / ".kube").mkdir()
    cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(home / "ca.pem")}
    config = {
        "kind": "Config",
        "apiVersion": "v1",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": "recorded-token"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (home / ".kube" / "config").write_text(json.dumps(config))
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "newpod"}, "spec": {"containers": []}}
    (home / "pod.yaml").write_text(json.dumps(pod))


def record(kubectl: str, home: Path, words: list[str]) -> bytes:
    Handler.retried.clear()
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "TZ": "UTC"}
    done = subprocess.run([kubectl, *words], cwd=home, env=environment, capture_output=True, timeout=60, check=False)
    quoted = " ".join(f"'{word}'" if set(word) & set("{&? ") else word for word in words)
    parts = [f"$ kubectl {quoted}\n--- stderr\n".encode(), done.stderr, b"--- stdout\n", done.stdout]
    return (b"".join(parts) + f"--- rc={done.returncode}\n".encode()).replace(str(home).encode(), b"/home/user")


def main(kubectl: str, folder: str | None = None) -> None:
    told = subprocess.run([kubectl, "version", "--client", "-o", "json"], capture_output=True, check=True).stdout
    version = json.loads(told)["clientVersion"]["gitVersion"].partition("-")[0].removeprefix("v")
    target = Path(folder) if folder else Path(__file__).parent / "captures" / version
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        server = serve(home)
        configure(home, server.server_address[1])
        for title, words in COMMANDS.items():
            (target / f"{title}.log").write_bytes(record(kubectl, home, words))
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main(*sys.argv[1:])
