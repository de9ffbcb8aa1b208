"""What is asked of a proxy, as raw requests, and how its answers are compared."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: a
clusters: [{{name: a, cluster: {{server: "http://127.0.0.1:{port}{path}"}}}}]
contexts: [{{name: a, context: {{cluster: a, user: a}}}}]
users: [{{name: a, user: {{}}}}]
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to start a proxy, and what is asked of it then. `head` lines follow "METHOD TARGET" and a Host field."""

    flags: tuple[str, ...]
    requests: tuple[tuple[str, ...], ...]
    server_path: str = ""


_HOST = "Host: localhost:8001"
_UPGRADE = (_HOST, "Connection: Upgrade", "Upgrade: x")
_UPGRADING = (
    *("GET /refused", "GET /refused-chunked", "GET /refused-close", "GET /refused-empty", "GET /gone", "GET /broken"),
    *("GET /api", "GET /chunked", "GET /empty", "GET /moved", "GET /early", "GET /early-upgrade", "GET /close"),
    *("HEAD /refused", "GET /refused HTTP/1.0", "GET /upgrade HTTP/1.0"),
)
SETTINGS: Mapping[str, Setting] = {
    "plain": Setting(
        (),
        (
            ("GET /api/v1/pods?b=2&a=1", _HOST),
            ("GET /", "Host: 127.0.0.1", "X-Forwarded-For: 9.9.9.9", "Authorization: Bearer mine"),
            ("GET /api", _HOST, "Te: trailers", "Keep-Alive: x", "Proxy-Connection: y", "Foo: bar", "Connection: foo"),
            ("GET //api//v1/../x?q=1", _HOST),
            ("POST /a//b", _HOST),
            ("GET /api/v1/pods", "Host: evil.example"),
            ("GET /api/v1/pods", "Host: [::1]:8001"),
            ("GET /api/v1/pods",),
            ("GET /api/v1/pods", "Host: localhost", "Host: localhost"),
            ("GET /api/v1/namespaces/x/pods/y/exec?command=ls", _HOST),
            ("POST /api/v1/namespaces/x/pods/y/attach", _HOST),
            ("POST /api/v1/pods", _HOST, "Content-Type: a/b", "Content-Length: 3", "", "xyz"),
            ("POST /api/v1/pods", _HOST, "Transfer-Encoding: chunked", "", "3", "xyz", "0", "", ""),
            ("PATCH /hop", _HOST),
            ("GET /chunked", _HOST),
            ("GET /gone", _HOST),
            ("GET /empty", _HOST),
            ("GET /close", _HOST),
            ("GET /moved", _HOST),
            ("HEAD /api", _HOST),
            ("OPTIONS *", _HOST),
            ("OPTIONS /api", _HOST),
            ("GET http://localhost:8001/api", "Host: evil.example"),
            ("CONNECT localhost:80", _HOST),
            ("GET /a%2Fb%20c%22", _HOST),
            ('GET /a"b', _HOST),
            ('GET /a|b[c]?x=%zz&y="1"', _HOST),
            ("GET /a%zz", _HOST),
            ("GET /api", _HOST, "Bad Header: x"),
            ("GET /api", _HOST, "Connection: close"),
            ("GET /upgrade", _HOST, "Connection: Upgrade", "Upgrade: x"),
        ),
    ),
    "upgrades": Setting((), tuple([(request, *_UPGRADE) for request in _UPGRADING])),
    "old": Setting(
        (),
        (
            ("GET /api HTTP/1.0", _HOST),
            ("GET /api HTTP/1.0",),
            ("GET /api HTTP/1.0", _HOST, "Connection: keep-alive"),
            ("GET /chunked HTTP/1.0", _HOST),
            ("GET /chunked HTTP/1.0", _HOST, "Connection: keep-alive"),
            ("GET /close HTTP/1.0", _HOST, "Connection: keep-alive"),
            ("GET /empty HTTP/1.0", _HOST),
            ("GET /early HTTP/1.0", _HOST),
            ("GET /moved HTTP/1.0", _HOST),
            ("GET /gone HTTP/1.0", _HOST),
            ("GET //x HTTP/1.0", _HOST),
            ("HEAD /api HTTP/1.0", _HOST),
            ("POST /api HTTP/1.0", _HOST, "Content-Length: 3", "", "xyz"),
            ("GET http://localhost/api HTTP/1.0",),
        ),
    ),
    "custom": Setting(
        (
            "--api-prefix=/custom",
            "--accept-hosts=^localhost$,ple$",
            "--reject-methods=DELETE,POST",
            "--reject-paths=^/no",
        ),
        (
            ("GET /custom", _HOST),
            ("GET /custom/", _HOST),
            ("GET /custom/api/v1%2Fx/a?x=1", _HOST),
            ("GET /other", _HOST),
            ("DELETE /custom/api", _HOST),
            ("GET /custom/no/x", _HOST),
            ("GET /custom/api/v1/namespaces/x/pods/y/exec", _HOST),
            ("GET /custom/api", "Host: a.example:80"),
        ),
    ),
    "api": Setting(("--api-prefix=/api",), (("GET /api/v1", _HOST), ("GET /apis", _HOST), ("GET /api", _HOST))),
    "server-path": Setting((), (("GET /api", _HOST), ("GET /", _HOST)), "/pre/fix"),
    "appended": Setting(("--append-server-path",), (("GET /api?x", _HOST), ("GET /", _HOST)), "/pre/fix/"),
    "unfiltered": Setting(
        ("--disable-filter",), (("GET /api/v1/namespaces/x/pods/y/exec", "Host: evil.example"), ("DELETE /x", _HOST))
    ),
    "files": Setting(
        ("--www=www", "--www-prefix=/files"),
        (
            ("GET /files", _HOST),
            ("GET /files/", "Host: evil.example"),
            ("GET /files/a.txt", _HOST),
            ("GET /files/a.txt", _HOST, "Range: bytes=1-3"),
            ("GET /files/a.txt", _HOST, "Range: bytes=-2"),
            ("GET /files/a.txt", _HOST, "Range: bytes=100-"),
            ("GET /files/a.txt", _HOST, "If-Modified-Since: Wed, 25 Nov 2099 23:41:24 GMT"),
            ("HEAD /files/a.txt", _HOST),
            ("GET /files/sub", _HOST),
            ("GET /files/sub?x=1", _HOST),
            ("GET /files/sub/", _HOST),
            ("GET /files/sub/index.html", _HOST),
            ("GET /files/a.txt/", _HOST),
            ("GET /files/nothing", _HOST),
            ("GET /files/../a.txt", _HOST),
            ("GET /files/%2e%2e/a.txt", _HOST),
            ("GET /files/bytes", _HOST),
            ("GET /files/page", _HOST),
            ("GET /files/style.css", _HOST),
            ("GET /api", _HOST),
        ),
    ),
}


def make_files(folder: Path) -> None:
    """What --www serves."""
    (folder / "www/sub").mkdir(parents=True)
    files = {
        "a.txt": "hello\n",
        "sub/index.html": "<html>x",
        "page": "<!DOCTYPE html><p>",
        "style.css": "a{}",
        "bytes": "\0",
    }
    for name, text in {**files, 'we ird<&".x:y': ""}.items():
        (folder / "www" / name).write_text(text)


def raw(request: Sequence[str]) -> bytes:
    line = request[0] if request[0].endswith(" HTTP/1.0") else f"{request[0]} HTTP/1.1"
    head = [line, *request[1:]]
    ends = [] if "" in head else ["", ""]
    return "\r\n".join([*head, *ends]).encode("latin-1")


def answer(port: int, request: Sequence[str]) -> str:
    """What comes back for a request, as far as it comes within a moment of silence; fields in order of their names."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(raw(request))
        data = b""
        while select.select([connection], [], [], 10 if not data else 0.2)[0]:
            piece = connection.recv(1 << 16)
            if not piece:
                break
            data += piece
    return _steady(data.decode("latin-1").replace("\r\n", "\n"))


def _steady(text: str) -> str:
    head, blank, body = text.partition("\n\n")
    line, *fields = head.split("\n")
    framing = re.compile(r"Transfer-Encoding: chunked|Connection: close", re.I)
    kept = sorted(field for field in fields if not framing.fullmatch(field))
    chunked = re.fullmatch(r"[0-9a-f]+\n(.*)\n0\n(?:X-T: v\n)?\n", body, re.S)
    shown = "\n".join([line, *kept]) + blank + (chunked[1] if chunked else body)
    return re.sub(r"(Date|Last-Modified): .* GMT", r"\1: TIME", shown)


@dataclass(slots=True)
class Running:
    """A proxy that runs on a port; `log` and `code` are known once it has ended."""

    port: int
    log: str = ""
    code: int | None = None


@contextmanager
def proxy(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Iterator[Running]:
    """Runs a proxy on a free port; afterwards Ctrl-C has ended it."""
    with subprocess.Popen(
        [*command, "--port=0"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environ},
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline().decode()
        running = Running(int(line.rstrip().rpartition(":")[2]))
        try:
            yield running
        finally:
            process.send_signal(signal.SIGINT)
            running.log = steady_log(process.stderr.read().decode())
            running.code = process.wait(10)


def steady_log(text: str) -> str:
    """A log without what differs from run to run."""
    text = re.sub(r"^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ ", r"\1 ", text, flags=re.M)
    text = re.sub(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "TIME", text, flags=re.M)
    return re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", text)
