from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import ssl
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kubetrace.errors import KubetraceError
from kubetrace.playground import manager
from tests.playground.conftest import Client


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path), "PATH": os.environ.get("PATH", "")}


def test_up_down_and_up_again_on_the_same_port(own: dict[str, str]) -> None:
    first = manager.up(own)
    try:
        assert manager.ensure_running(own) == (first.kubeconfig, False)
        assert manager.up(own) == first
    finally:
        assert manager.down(own)
    assert not manager.find(own).running and not manager.down(own)
    path, started = manager.ensure_running(own)
    try:
        assert started and manager.find(own).port == first.port
        for name in ("kubeconfig", "users.json", "server.key", "state.db"):
            assert stat.S_IMODE((path.parent / name).stat().st_mode) == 0o600, name
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        manager.down(own)


def test_who_starts_it_at_the_same_moment_finds_it(own: dict[str, str]) -> None:
    words = [sys.executable, "-m", "kubetrace", "playground", "up"]
    started = [
        subprocess.Popen(words, env=dict(os.environ) | own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(4)
    ]
    told = [process.communicate()[0] for process in started]
    try:
        assert [process.returncode for process in started] == [0] * 4, told
        assert len({line.rpartition(" ")[2] for text in told for line in text.splitlines()[:1]}) == 1, told
    finally:
        manager.down(own)


def test_kill_loses_nothing_and_a_stale_file_fools_nobody(own: dict[str, str]) -> None:
    found = manager.up(own)
    client = Client(found.folder, found.port)
    for number in range(20):
        client.post("/api/v1/namespaces/default/configmaps", {"metadata": {"name": f"c{number}"}})
    os.kill(found.pid, signal.SIGKILL)
    for _ in range(200):
        if not manager.find(own).running:
            break
        time.sleep(0.02)
    assert (found.folder / "running.json").exists() and not manager.find(own).running
    again = manager.up(own)
    try:
        items = Client(again.folder, again.port).get("/api/v1/namespaces/default/configmaps")["items"]
        assert {item["metadata"]["name"] for item in items} >= {f"c{number}" for number in range(20)}
    finally:
        manager.down(own)


def test_a_taken_port_gets_one_line(own: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(KubetraceError, match=f"^cannot listen on port {port}: Address already in use$"):
            manager.up(own, start=manager.Start(port))


def test_a_damaged_state_file_gets_one_line(own: dict[str, str]) -> None:
    folder = manager.home(own) / "default"
    folder.mkdir(parents=True)
    (folder / "state.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(KubetraceError, match=r"state\.db cannot be used: file is not a database$"):
        manager.up(own)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("update objects set data = x'7b22' where resource = 'nodes'", "Input data was truncated"),
        ("drop table facts; create table facts (x int)", "table facts has 1 columns"),
    ],
)
def test_a_state_file_of_strange_content_gets_one_line(own: dict[str, str], change: str, told: str) -> None:
    folder = manager.up(own).folder
    manager.down(own)
    with contextlib.closing(sqlite3.connect(folder / "state.db")) as database:
        database.executescript(change)
    with pytest.raises(KubetraceError, match=rf"state\.db cannot be used: [^\n]*{told}[^\n]*$"):
        manager.up(own)
    assert "Traceback" not in (folder / "log").read_text()


def test_a_port_that_is_none_is_forgotten(own: dict[str, str]) -> None:
    folder = manager.home(own) / "default"
    folder.mkdir(parents=True)
    (folder / "port").write_text("99999")
    try:
        assert 0 < manager.up(own).port < 65536
    finally:
        manager.down(own)


def test_reset_forgets_objects_and_keeps_keys(own: dict[str, str]) -> None:
    found = manager.up(own)
    client = Client(found.folder, found.port)
    client.post("/api/v1/namespaces", {"metadata": {"name": "gone"}})
    manager.reset(own)
    again = manager.up(own)
    try:
        fresh = Client(again.folder, again.port)
        assert fresh.token == client.token
        assert fresh.call("GET", "/api/v1/namespaces/gone")[0] == 404
    finally:
        manager.down(own)


@pytest.mark.parametrize("name", ["../x", "", "UPPER", "a/b", "-x"])
def test_names_stay_inside_the_folder(own: dict[str, str], name: str) -> None:
    with pytest.raises(KubetraceError, match="invalid playground name"):
        manager.up(own, name)


def test_no_home_is_told() -> None:
    with pytest.raises(KubetraceError, match="set HOME or XDG_STATE_HOME"):
        manager.home({})


def test_foreign_host_names_and_strangers_are_refused(playground: manager.Playground, client: Client) -> None:
    assert client.call("GET", "/version", Host="evil.example.com")[0] == 403
    tls = ssl.create_default_context(cafile=str(playground.folder / "ca.crt"))
    connection = http.client.HTTPSConnection("127.0.0.1", playground.port, context=tls)
    connection.request("GET", "/api/v1/pods", headers={"Authorization": "Bearer wrong"})
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["reason"]) == (401, "Unauthorized")
    connection.close()
    nobody = Client(playground.folder, playground.port, "nobody")
    status, value = nobody.call("GET", "/api/v1/namespaces/default/secrets")
    assert status == 403
    assert value["message"] == (
        'secrets is forbidden: User "nobody" cannot list resource "secrets" in API group "" in the namespace "default"'
    )


def test_only_who_holds_the_lock_is_stopped(own: dict[str, str]) -> None:
    found = manager.up(own)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        facts = {"pid": other.pid, "port": found.port}
        (found.folder / "running.json").write_text(json.dumps(facts))
        assert manager.find(own).pid == found.pid
        assert manager.down(own)
        assert other.poll() is None
        other.communicate(b"\n")
    assert other.returncode == 0


def test_who_stays_in_the_foreground_takes_the_server_along(own: dict[str, str]) -> None:
    words = [sys.executable, "-m", "kubetrace", "playground", "up", "--foreground"]
    with subprocess.Popen(words, env=own, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while "is ready" not in (line := process.stdout.readline()):
            assert line, "it ended early"
        process.terminate()
        assert process.wait(60) == 0
    assert not manager.find(own).running
