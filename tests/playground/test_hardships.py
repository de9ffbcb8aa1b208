"""Full disks, huge and deep bodies, clients that stall: the server says so in one line, and lives on."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetrace.errors import KubetraceError
from kubetrace.playground import manager
from tests.playground.conftest import Client

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no right to mount a tmpfs")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_gets_one_line_and_reads_go_on(small_disk: Path) -> None:
    environ = {"XDG_STATE_HOME": str(small_disk), "PATH": os.environ.get("PATH", "")}
    found = manager.up(environ)
    try:
        client = Client(found.folder, found.port)
        for number in range(300):
            body = {"metadata": {"name": f"c{number}"}, "data": {"x": "y" * 60_000}}
            status, answer = client.call("POST", CONFIGMAPS, body)
            if status != 201:
                break
        told = "Internal error occurred: the playground cannot write its state: database or disk is full"
        assert (status, answer["message"]) == (500, told)
        assert client.get(f"{CONFIGMAPS}/c0")["data"]
    finally:
        manager.down(environ)
    fill = os.open(small_disk / "fill", os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while True:
            os.write(fill, b"x" * 512)
    os.close(fill)
    for name in ("default", "another"):
        with pytest.raises(KubetraceError, match=r"^[^\n]*(No space left on device|disk is full)$"):
            manager.up(environ, name)


def memory(pid: int) -> int:
    """Resident kilobytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def test_huge_bodies_are_refused_in_bounded_memory(client: Client, playground: manager.Playground) -> None:
    before = memory(playground.pid)
    for _ in range(5):
        status, answer = client.call("POST", CONFIGMAPS, b"x" * (20 * 1024 * 1024))
        assert (status, answer["reason"]) == (413, "RequestEntityTooLarge")
    assert client.get("/version") and memory(playground.pid) - before < 40_000


@pytest.mark.parametrize("chunked", [False, True])
def test_who_sends_a_huge_body_slowly_gets_the_answer(
    client: Client, playground: manager.Playground, chunked: bool
) -> None:
    """Not a reset: a machine that is held up for seconds, at either end, is no reason for one."""
    piece = b"x" * 2**20
    sent, last = (b"%x\r\n%s\r\n" % (len(piece), piece), b"0\r\n\r\n") if chunked else (piece, b"")
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {12 * len(piece)}"
    head = f"POST {CONFIGMAPS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {client.token}\r\n{framing}\r\n\r\n"
    with connect(playground) as stream:
        stream.sendall(head.encode() + sent * 4)
        time.sleep(3)
        stream.sendall(sent * 8 + last)
        response = http.client.HTTPResponse(stream)
        response.begin()
        assert response.status == 413 and response.getheader("Connection") == "close"
        assert json.loads(response.read())["reason"] == "RequestEntityTooLarge"
        assert stream.recv(1) == b""  # closed once the body is in, not when a time is up


@pytest.mark.parametrize(
    "body",
    [
        b'{"metadata":' * 5_000 + b"{}" + b"}" * 5_000,
        b'{"data":{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
        b'{"metadata":{"name":"' + b"x" * 100_000 + b'"}}',
        b'{"metadata":{"name":"../../etc/passwd"}}',
        b'{"metadata":{"name":"a\\u0000b"}}',
        b'{"metadata":{"name":"x","labels":{"' + b"k" * 5_000 + b'":"v"}}}',
    ],
)
def test_deep_and_illegal_bodies_get_a_status(client: Client, body: bytes) -> None:
    status, answer = client.call("POST", CONFIGMAPS, body)
    assert status in (400, 422) and answer["kind"] == "Status" and "Traceback" not in answer["message"]
    assert client.get("/version")


def test_huge_selectors_get_an_answer(client: Client) -> None:
    for selector in ("a%3Db," * 50_000 + "c", "a in (" + ",".join(f"v{n}" for n in range(20_000)) + ")"):
        path = f"{CONFIGMAPS}?labelSelector={selector.replace(' ', '%20')}"
        assert client.call("GET", path)[0] in (200, 400, 414, 431)
    assert client.get("/version")


def connect(playground: manager.Playground) -> ssl.SSLSocket:
    tls = ssl.create_default_context(cafile=str(playground.folder / "ca.crt"))
    return tls.wrap_socket(socket.create_connection(("127.0.0.1", playground.port)), server_hostname="localhost")


def test_stalled_clients_hold_up_nobody(client: Client, playground: manager.Playground) -> None:
    half_open = [socket.create_connection(("127.0.0.1", playground.port)) for _ in range(50)]
    silent = [connect(playground) for _ in range(10)]
    for index, stream in enumerate(silent):
        stream.sendall(
            b"POST /api/v1/namespaces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"[: 20 + 9 * index]
        )
    assert client.get("/version")
    for stream in (*half_open, *silent):
        stream.close()
    assert client.get("/version")


def test_a_watcher_that_does_not_read_holds_up_nobody(client: Client, playground: manager.Playground) -> None:
    stream = connect(playground)
    head = f"GET {CONFIGMAPS}?watch=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {client.token}\r\n\r\n"
    stream.sendall(head.encode())
    for number in range(60):
        body = {"metadata": {"name": f"unread-{number}"}, "data": {"x": "y" * 50_000}}
        assert client.call("POST", CONFIGMAPS, body)[0] == 201
    assert client.get("/version")
    stream.close()
    for number in range(60):
        client.call("DELETE", f"{CONFIGMAPS}/unread-{number}")


def test_a_client_that_sends_a_byte_at_a_time_is_served(client: Client, playground: manager.Playground) -> None:
    request = b"GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    stream = connect(playground)

    def trickle() -> None:
        for byte in request:
            stream.sendall(bytes([byte]))
            time.sleep(0.002)

    thread = threading.Thread(target=trickle)
    thread.start()
    assert client.get("/version")
    thread.join()
    response = http.client.HTTPResponse(stream)
    response.begin()
    assert response.status == 200 and b"gitVersion" in response.read()
    stream.close()


@pytest.mark.parametrize("name", ["users.json", "server.crt"])
def test_damaged_keys_get_one_line(tmp_path: Path, name: str) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path), "PATH": os.environ.get("PATH", "")}
    folder = manager.up(environ, "keys").folder
    manager.down(environ, "keys")
    (folder / name).write_text("nonsense")
    with pytest.raises(KubetraceError, match=r"^[^\n]*cannot be read: [^\n]*all keys are made anew\)$"):
        manager.up(environ, "keys")
    (folder / "users.json").unlink()
    assert manager.up(environ, "keys").running
    manager.down(environ, "keys")
