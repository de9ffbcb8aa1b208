"""`proxy` as a client sees it: its answers are those of the real kubectl (tests/tools/record_proxy.py), and what it
tells of them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Kubetrace
from tests.gateway.echo import Echo, echo
from tests.gateway.requests import KUBECONFIG, SETTINGS, Setting, answer, make_files, proxy, raw, steady_log

_REGEXP = "F proxy_server.go:83] Error compiling re: error parsing regexp: "
RECORDED = json.loads((Path(__file__).parent / "golden.json").read_text())["settings"]
PROGRAM = [sys.executable, "-m", "kubetrace"]
_HOST = "Host: localhost"


@pytest.fixture
def server() -> Iterator[Echo]:
    with echo() as made:
        yield made


def _prepared(folder: Path, server: Echo, setting: Setting) -> tuple[list[str], dict[str, str]]:
    (folder / "kubeconfig").write_text(KUBECONFIG.format(port=server.port, path=setting.server_path))
    environ = {
        "HOME": str(folder),
        "KUBECONFIG": str(folder / "kubeconfig"),
        "KUBETRACE_LIKE": "1.36",
        "KUBETRACE_DEBUG": "1",
    }
    return [*PROGRAM, "proxy", *setting.flags], environ


@pytest.mark.parametrize("name", SETTINGS)
def test_answers_as_kubectl_does(name: str, server: Echo, tmp_path: Path) -> None:
    setting, recorded = SETTINGS[name], RECORDED[name]
    make_files(tmp_path)
    command, environ = _prepared(tmp_path, server, setting)
    with proxy(command, tmp_path, environ) as running:
        answers = {"\n".join(request): answer(running.port, request) for request in setting.requests}
    assert answers == recorded["answers"]
    assert (running.log, running.code) == (recorded["log"], -2)


def test_a_body_comes_as_it_comes_and_a_client_that_leaves_cancels_it(server: Echo, tmp_path: Path) -> None:
    command, environ = _prepared(tmp_path, server, Setting((), ()))
    with proxy([*command, "--trace=t.jsonl"], tmp_path, environ) as running:
        with socket.create_connection(("127.0.0.1", running.port), 10) as client:
            client.sendall(raw(("GET /wait?watch=1", _HOST)))
            data = b""
            while b"abc" not in data:
                data += client.recv(4096)
        assert server.closed_early.wait(10)
    assert running.log == ""
    told = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert any("context canceled" in json.dumps(entry) for entry in told)


def test_an_upgraded_connection_carries_bytes_both_ways(server: Echo, tmp_path: Path) -> None:
    command, environ = _prepared(tmp_path, server, Setting((), ()))
    with (
        proxy(command, tmp_path, environ) as running,
        socket.create_connection(("127.0.0.1", running.port), 10) as client,
    ):
        client.sendall(raw(("GET /upgrade", _HOST, "Connection: keep-alive, Upgrade", "Upgrade: x")))
        data = b""
        while b"]" not in data:
            data += client.recv(4096)
        client.sendall(b"hello")
        assert client.recv(4096) == b"HELLO"


def test_connections_are_kept_and_the_log_says_what_the_filter_did(server: Echo, tmp_path: Path) -> None:
    command, environ = _prepared(tmp_path, server, Setting((), ()))
    with (
        proxy([*command, "-v=6"], tmp_path, environ) as running,
        socket.create_connection(("127.0.0.1", running.port), 10) as client,
    ):
        for path in ("/api/v1/pods", "/a", "/api/v1/namespaces/x/pods/y/exec"):
            client.sendall(raw((f"GET {path}", _HOST)))
            assert client.recv(4096).startswith(b"HTTP/1.1 ")
    lines = [line for line in running.log.splitlines() if not line.startswith(("I envvar.go", "I loader.go"))]
    assert [line.partition(" milliseconds=")[0] for line in lines] == [
        "I proxy_server.go:91] /api/v1/pods matched ^.*",
        "I proxy_server.go:91] localhost matched ^localhost$",
        "I proxy_server.go:131] Filter accepting GET /api/v1/pods localhost",
        'I upgradeaware.go:312] "Request was not an upgrade"',
        'I round_trippers.go:632] "Response" verb="GET" url="http://ADDRESS/api/v1/pods" status="200 OK"',
        "I proxy_server.go:91] /a matched ^.*",
        "I proxy_server.go:91] localhost matched ^localhost$",
        "I proxy_server.go:131] Filter accepting GET /a localhost",
        'I upgradeaware.go:312] "Request was not an upgrade"',
        'I round_trippers.go:632] "Response" verb="GET" url="http://ADDRESS/a" status="200 OK"',
        "I proxy_server.go:91] /api/v1/namespaces/x/pods/y/exec matched ^/api/.*/pods/.*/exec",
        "I proxy_server.go:135] Filter rejecting GET /api/v1/namespaces/x/pods/y/exec localhost",
    ]


def test_why_says_who_asked(server: Echo, tmp_path: Path) -> None:
    command, environ = _prepared(tmp_path, server, Setting((), ()))
    with proxy([*command, "--why"], tmp_path, environ) as running:
        answer(running.port, ("GET /api/v1/pods", _HOST))
    assert "A client of the proxy asks for this." in running.log


def test_a_unix_socket_is_its_users_alone(server: Echo, tmp_path: Path) -> None:
    command, environ = _prepared(tmp_path, server, Setting((), ()))
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
    with subprocess.Popen(
        [*command, f"--unix-socket={path}"], stdout=subprocess.PIPE, env={**os.environ, **environ}
    ) as process:
        assert process.stdout is not None and process.stdout.readline().decode() == f"Starting to serve on {path}\n"
        assert path.stat().st_mode & 0o777 == 0o700
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(raw(("GET /api", _HOST)))
            answered = client.recv(4096)
        process.terminate()
    assert answered.startswith(b"HTTP/1.1 200 OK") and b"x-forwarded-for" not in answered


@pytest.mark.parametrize(
    ("flags", "code", "error"),
    [
        (["--port=70000"], 1, "error: listen tcp: address 70000: invalid port\n"),
        (["--port=-1"], 1, "error: listen tcp: address -1: invalid port\n"),
        (["--address=::1"], 1, "error: listen tcp: address ::1:8001: too many colons in address\n"),
        (["--address=1.2.3.4", "-p0"], 1, "error: listen tcp 1.2.3.4:0: bind: cannot assign requested address\n"),
        (["--unix-socket=/s", "--port=8"], 1, "error: cannot set --unix-socket and --port at the same time\n"),
        (["-u", "/nowhere/s"], 1, "error: listen unix /nowhere/s: bind: no such file or directory\n"),
        (["--reject-paths=("], 255, f"{_REGEXP}missing closing ): `(`\n"),
        (["--accept-hosts=a,(b"], 255, f"{_REGEXP}missing closing ): `(b`\n"),
        (
            ["--accept-hosts=(?!a)"],
            255,
            f"{_REGEXP}invalid or unsupported Perl syntax: `(?!`\n",
        ),
        (["--plan"], 1, "error: --plan shows a command's requests, and kubetrace proxy has none of its own\n"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_ends_in_kubectls_words(
    flags: list[str], code: int, error: str, kubetrace: Kubetrace, tmp_path: Path
) -> None:
    config = tmp_path / "kubeconfig"
    config.write_text(KUBECONFIG.format(port=1, path=""))
    outcome = kubetrace("proxy", *flags, environ={"KUBECONFIG": str(config), "KUBETRACE_LIKE": "1.36"})
    assert (outcome.code, steady_log(outcome.err), outcome.out) == (code, error, "")


def test_a_taken_port(kubetrace: Kubetrace, tmp_path: Path) -> None:
    config = tmp_path / "kubeconfig"
    config.write_text(KUBECONFIG.format(port=1, path=""))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = kubetrace("proxy", f"--port={port}", environ={"KUBECONFIG": str(config)})
    assert outcome.err == f"error: listen tcp 127.0.0.1:{port}: bind: address already in use\n"


def test_a_server_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text(KUBECONFIG.format(port=1, path=""))
    environ = {"HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "kubeconfig"), "KUBETRACE_LIKE": "1.36"}
    with proxy([*PROGRAM, "proxy"], tmp_path, environ) as running:
        answered = answer(running.port, ("GET /api", _HOST))
    assert answered.endswith("dial tcp 127.0.0.1:1: connect: connection refused\n")
    assert answered.startswith("HTTP/1.1 500 Internal Server Error\n")
    error = "Error while proxying request: dial tcp ADDRESS: connect: connection refused\n"
    assert running.log == f"E proxy_server.go:147] {error}"
