"""A server that is well except for one thing, and the kubeconfig that leads to it."""

from __future__ import annotations

import contextlib
import datetime
import gzip
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.transport.scripted import Asked, Authority, ScriptedServer, Step, reply, reset, then_close

TOKEN = "t0p-secret-token"
CONFIG_MAP = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a", "namespace": "default", "uid": "u1"}}
MANIFEST = json.dumps({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}, "data": {"k": "v"}})
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def _resource(name: str, kind: str, *short: str) -> dict[str, Any]:
    return {
        "resource": name,
        "singularResource": kind.lower(),
        "responseKind": {"group": "", "version": "", "kind": kind},
        "scope": "Namespaced",
        "shortNames": list(short),
        "verbs": VERBS,
    }


def _discovered(items: list[dict[str, Any]]) -> bytes:
    document = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}
    return reply(json.dumps(document).encode()).replace(b"application/json", DISCOVERY.encode(), 1)


def _group(name: str, version: str, *resources: dict[str, Any]) -> dict[str, Any]:
    versions = [{"version": version, "resources": list(resources), "freshness": "Current"}]
    return {"metadata": {"name": name} if name else {}, "versions": versions}


def status(code: int, reason: str, message: str, **more: Any) -> bytes:
    """A Status as an API server writes it."""
    told = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    return json.dumps({**told, "reason": reason, **more, "code": code}).encode()


NOT_FOUND = reply(
    status(404, "NotFound", 'configmaps "a" not found', details={"name": "a", "kind": "configmaps"}), "404 Not Found"
)
TABLE = {
    "kind": "Table",
    "apiVersion": "meta.k8s.io/v1",
    "metadata": {},
    "columnDefinitions": [{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}],
    "rows": [{"cells": ["a"], "object": {"kind": "PartialObjectMetadata", "metadata": {"name": "a"}}}],
}
WELL: dict[str, bytes] = {
    "GET /api": _discovered(
        [_group("", "v1", _resource("configmaps", "ConfigMap", "cm"), _resource("services", "Service"))]
    ),
    "GET /apis": _discovered([_group("apps", "v1", _resource("deployments", "Deployment", "deploy"))]),
    "GET /version": reply(json.dumps({"major": "1", "minor": "36", "gitVersion": "v1.36.3"}).encode()),
    "GET /api/v1/namespaces/default/configmaps": reply(json.dumps(TABLE).encode()),
    "POST /api/v1/namespaces/default/configmaps": reply(json.dumps(CONFIG_MAP).encode(), "201 Created"),
    "GET /api/v1/namespaces/kube-system/services": reply(
        b'{"kind":"ServiceList","apiVersion":"v1","metadata":{},"items":[]}'
    ),
    "GET /raw": reply(b'{"well":true}'),
}


@dataclass
class BadServer(ScriptedServer):
    """Well, but for the requests that `fault` matches ("METHOD /path"): they get `answer`."""

    steps: list[Step] = field(default_factory=list)
    fault: str = "$^"
    answer: Step = b""
    released: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)

    def be(self, fault: str, answer: Step) -> None:
        """From now on, fail in this way."""
        self.fault, self.answer = fault or "$^", answer
        self.asked.clear()
        self.reached.clear()

    def _next(self, asked: Asked) -> Step:
        method, target = asked.line.split(" ")[:2]
        request = f"{method} {target.partition('?')[0]}"
        with self._lock:
            self.asked.append(asked)
        if re.fullmatch(self.fault, request):
            self.reached.set()
            return self.answer
        return WELL.get(request, NOT_FOUND)

    def __exit__(self, *exception: object) -> None:
        self.released.set()
        super().__exit__(*exception)


def hang(server: BadServer, first: bytes = b"") -> Callable[[socket.socket], None]:
    """Says `first` and then nothing any more."""

    def step(connection: socket.socket) -> None:
        connection.sendall(first)
        server.released.wait(20)
        raise OSError("released")

    return step


def reset_after(data: bytes) -> Callable[[socket.socket], None]:
    def step(connection: socket.socket) -> None:
        connection.sendall(data)
        threading.Event().wait(0.05)  # a reset overtakes what the other side has not read yet
        reset(connection)

    return step


GOOD = json.dumps(CONFIG_MAP).encode()
HTML = b"<html>\n<head><title>Oops</title></head>\n<body><h1>Bad Gateway</h1></body>\n</html>\n"


def _gzip_head(body: bytes) -> bytes:
    return reply(body, headers=(("Content-Encoding", "gzip"),))


def answers(server: BadServer) -> dict[str, Step]:
    """The ways to misbehave, by name."""
    table = {key: value for key, value in TABLE.items() if key != "rows"}
    return {
        "empty": reply(b""),
        "html-200": reply(HTML).replace(b"application/json", b"text/html", 1),
        "html-as-json": reply(HTML),
        "text": reply(b"hello").replace(b"application/json", b"text/plain; charset=utf-8", 1),
        "no-type": reply(b"hello").replace(b"Content-Type: application/json\r\n", b"", 1),
        "protobuf": reply(b"k8s\x00\n\x01").replace(b"application/json", b"application/vnd.kubernetes.protobuf", 1),
        "truncated-json": reply(GOOD[:40]),
        "two-values": reply(GOOD + b"{"),
        "null": reply(b"null"),
        "number": reply(b"12"),
        "string": reply(b'"x"'),
        "array": reply(b"[1,2]"),
        "no-kind": reply(b'{"apiVersion":"v1"}'),
        "other-kind": reply(b'{"kind":"Pod","apiVersion":"v1","metadata":{"name":"b"},"spec":{}}'),
        "unknown-kind": reply(b'{"kind":"Foo","apiVersion":"example.com/v1"}'),
        "wrong-shape": reply(b'{"kind":"ConfigMap","apiVersion":"v1","metadata":[1],"data":"x"}'),
        "wrong-items": reply(b'{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":{"a":1}}'),
        "null-items": reply(b'{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":null}'),
        "invalid-utf8": reply(b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a\xff\xfe"}}'),
        "status-success": reply(b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}'),
        "status-failure-200": reply(status(500, "InternalError", "hidden failure")),
        "table-no-rows": reply(json.dumps(table).encode()),
        "table-row-short": reply(json.dumps({**TABLE, "rows": [{"cells": []}]}).encode()),
        "table-row-number": reply(json.dumps({**TABLE, "rows": [5]}).encode()),
        "table-cells-text": reply(json.dumps({**TABLE, "rows": [{"cells": "x"}]}).encode()),
        "table-columns-text": reply(json.dumps({**TABLE, "columnDefinitions": "x"}).encode()),
        "table-row-long": reply(json.dumps({**TABLE, "rows": [{"cells": ["a", 1, None, {"b": [True]}]}]}).encode()),
        "short-body": then_close(reply(GOOD, length=len(GOOD) + 10)),
        "long-body": then_close(reply(GOOD, length=10)),
        "bad-length": then_close(reply(GOOD).replace(b"Content-Length: ", b"Content-Length: x", 1)),
        "negative-length": then_close(reply(GOOD).replace(b"Content-Length: ", b"Content-Length: -", 1)),
        "two-lengths": then_close(reply(GOOD, headers=(("Content-Length", "3"),))),
        "bad-chunk": then_close(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"
        ),
        "cut-chunk": then_close(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{}"
        ),
        "bad-gzip": _gzip_head(b"not gzip at all"),
        "cut-gzip": _gzip_head(gzip.compress(GOOD, mtime=0)[:-10]),
        "huge-header": reply(GOOD, headers=(("X-Big", "x" * 70_000),)),
        "many-headers": reply(GOOD, headers=tuple((f"X-{i}", "x" * 50) for i in range(150))),
        "huge-headers": then_close(reply(GOOD, headers=tuple((f"X-{i}", "x" * 60_000) for i in range(200)))),
        "not-http": then_close(b"SSH-2.0-OpenSSH_9.6\r\n"),
        "bad-code": then_close(b"HTTP/1.1 2x0 OK\r\n\r\n"),
        "bad-header": then_close(b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"),
        "closed": then_close(b""),
        "reset": reset,
        "reset-in-body": reset_after(reply(GOOD, length=1000)),
        "hang": hang(server),
        "hang-in-headers": hang(server, b"HTTP/1.1 200 OK\r\nContent-Type: app"),
        "hang-in-body": hang(server, reply(GOOD, length=1000)),
        "redirect-loop": reply(b"", "302 Found", headers=(("Location", "/loop"),)),
        "redirect-nowhere": reply(b"", "302 Found"),
        "token-echo": reply(status(403, "Forbidden", f"bad token {TOKEN}"), "403 Forbidden"),
        **_failures(),
    }


CODES = {
    401: ("Unauthorized", "Unauthorized"),
    403: ("Forbidden", 'configmaps "a" is forbidden: User "ann" cannot get resource "configmaps"'),
    404: ("NotFound", 'configmaps "a" not found'),
    409: ("Conflict", 'Operation cannot be fulfilled on configmaps "a": the object has been modified'),
    422: ("Invalid", 'ConfigMap "a" is invalid: data: Invalid value'),
    429: ("TooManyRequests", "the server is busy"),
    500: ("InternalError", "Internal error occurred: boom"),
    502: ("", "bad gateway"),
    503: ("ServiceUnavailable", "the server is starting"),
    504: ("Timeout", "request did not complete within requested timeout"),
}
_INVALID = {
    "name": "a",
    "kind": "ConfigMap",
    "causes": [{"reason": "FieldValueInvalid", "message": "Invalid value: 1", "field": "data"}],
}


def _failures() -> dict[str, Step]:
    found: dict[str, Step] = {}
    for code, (reason, message) in CODES.items():
        line = f"{code} {reason or 'Bad Gateway'}"
        details = {"details": _INVALID} if code == 422 else {}
        found[f"{code}-status"] = reply(status(code, reason, message, **details), line)
        found[f"{code}-html"] = reply(HTML, line).replace(b"application/json", b"text/html", 1)
        found[f"{code}-empty"] = reply(b"", line).replace(b"Content-Type: application/json\r\n", b"", 1)
        found[f"{code}-json"] = reply(b'{"error":"no"}', line)
    for code in (429, 503):
        head = (("Retry-After", "0"),)
        found[f"{code}-retry"] = reply(status(code, *CODES[code]), f"{code} Busy", head)
        found[f"{code}-retry-text"] = reply(b"busy", f"{code} Busy", head).replace(
            b"application/json", b"text/plain", 1
        )
    found["429-retry-nonsense"] = reply(status(429, *CODES[429]), "429 Busy", (("Retry-After", "soon"),))
    return found


# --- doors: how a kubeconfig can lead to the server, or elsewhere -------------------------------------------------


@cache
def authority() -> Authority:
    return Authority()


@cache
def _context(door: str) -> ssl.SSLContext:
    if door == "expired":
        past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
        return authority().server(
            issued=authority().ca.issue_cert("127.0.0.1", not_before=past.replace(year=2019), not_after=past)
        )
    if door == "wrong-name":
        return authority().server("elsewhere.example")
    return authority().server()


DOORS = ("http", "tls", "expired", "wrong-name", "wrong-ca", "no-ca", "http-to-tls", "tls-to-http", "dead", "dns",
         "silent", "full", "closing", "insecure", "broken-ca", "no-ca-file", "bad-url", "anonymous")  # fmt: skip


@contextlib.contextmanager
def door(name: str, home: Path) -> Iterator[BadServer]:
    """A server behind this door; home/.kube/config leads to it."""
    plain = name in (
        "http",
        "tls-to-http",
        "dead",
        "dns",
        "silent",
        "full",
        "closing",
        "broken-ca",
        "no-ca-file",
        "bad-url",
    )
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(BadServer(tls=None if plain else _context(name)))
        port = server.port if name not in ("dead", "silent", "full", "closing") else _odd_port(name, stack)
        write_config(home, name, port)
        yield server  # type: ignore[misc]


def _odd_port(name: str, stack: contextlib.ExitStack) -> int:
    """A port where nobody answers: closed, full, or with an ear but no mouth."""
    listener = stack.enter_context(socket.socket())
    listener.bind(("127.0.0.1", 0))
    port = int(listener.getsockname()[1])
    if name == "dead":
        listener.close()
        return port
    listener.listen(0 if name == "full" else 20)
    if name == "full":
        for _ in range(2):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", port))
    if name == "closing":
        threading.Thread(target=_hang_up, args=(listener,), daemon=True).start()
        stack.callback(lambda: contextlib.suppress(OSError).__enter__() or listener.shutdown(socket.SHUT_RDWR))
    return port


def _hang_up(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            caller = listener.accept()[0]
            caller.recv(65536)  # what is not read makes a reset of the end
            caller.close()


def write_config(home: Path, name: str, port: int) -> None:
    kube = home / ".kube"
    kube.mkdir(parents=True, exist_ok=True)
    (home / "ca.pem").write_bytes(authority().pem)
    (home / "other.pem").write_bytes(Authority().pem)
    (home / "broken.pem").write_text("no certificate\n")
    scheme = "http" if name in ("http", "http-to-tls") else "https"
    cluster: dict[str, Any] = {"server": f"{scheme}://127.0.0.1:{port}", "certificate-authority": str(home / "ca.pem")}
    if name == "dns":
        cluster["server"] = "https://no-such-host.invalid:6443"
    elif name == "bad-url":
        cluster["server"] = "https://127.0.0.1:port"
    elif name in ("no-ca", "insecure"):
        del cluster["certificate-authority"]
        cluster |= {"insecure-skip-tls-verify": True} if name == "insecure" else {}
    else:
        file = {"wrong-ca": "other.pem", "broken-ca": "broken.pem", "no-ca-file": "nowhere.pem"}.get(name, "ca.pem")
        cluster["certificate-authority"] = str(home / file)
    config = {
        "kind": "Config",
        "apiVersion": "v1",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {} if name == "anonymous" else {"token": TOKEN}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (kube / "config").write_text(json.dumps(config))
