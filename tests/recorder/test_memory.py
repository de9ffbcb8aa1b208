"""What passes is not kept: long lists and many watches need no memory of their own."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recorder.conftest import RawClient
from tests.recorder.program import Program
from tests.transport.scripted import Authority, ScriptedServer, Step, reply

if not Path("/proc/self/status").exists():
    pytest.skip("memory is read from /proc", allow_module_level=True)

MIB = 1 << 20


def resident(pid: int, what: str = "VmRSS") -> int:
    found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


@pytest.fixture
def served(authority: Authority) -> Iterator[ScriptedServer]:
    with ScriptedServer([], tls=authority.server()) as server:
        yield server


def test_a_long_list_and_many_watches_pass_in_little_memory(
    tmp_path: Path, served: ScriptedServer, authority: Authority
) -> None:
    go = threading.Event()

    def watch(connection: object) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")  # type: ignore[attr-defined]
        go.wait(100)
        raise OSError("closed")

    small: Step = reply(b"{}")
    served.steps[:] = [small, reply(b'{"kind":"PodList","items":[' + b'"xxxxxxxxxxxxxxxxxx",' * MIB + b"0]}"), watch]
    (tmp_path / "ca.crt").write_bytes(authority.pem)
    (tmp_path / "kubeconfig").write_text(
        "{kind: Config, apiVersion: v1, current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}],"
        f" users: [{{name: u, user: {{token: t-0123456789}}}}], clusters: [{{name: c, cluster: {{server: {served.url},"
        " certificate-authority: ca.crt}}]}"
    )
    program = Program(tmp_path, tmp_path / "kubeconfig")
    with program.start("wrap", "-v=8", "--trace", str(tmp_path / "t.jsonl")) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            threading.Thread(target=process.stderr.read, daemon=True).start()
            text = Path(process.stdout.readline().strip().partition("=")[2]).read_text()
            clients = [_client(text) for _ in range(201)]
            request = f"GET /api/v1/pods HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {_found(text, 'token')}\r\n\r\n"
            clients[0].send(request)
            clients[0].answer()
            before = resident(process.pid)
            clients[0].send(request)
            assert len(clients[0].answer()[1]) > 20 * MIB
            assert resident(process.pid, "VmHWM") - before <= 50 * MIB
            for client in clients[1:]:
                client.send(request.replace("pods", "pods?watch=1"))
            assert all(client.head().startswith("HTTP/1.1 200") for client in clients[1:])
            assert resident(process.pid) - before <= 100 * MIB
            go.set()
            for client in clients:
                client.close()
        finally:
            process.terminate()
            process.wait(60)
    assert process.returncode == 0


def _found(text: str, name: str) -> str:
    match = re.search(rf"{name}: (\S+)", text)
    assert match
    return match[1]


def _client(text: str) -> RawClient:
    import base64

    port = int(_found(text, "server").rpartition(":")[2])
    return RawClient(port, base64.b64decode(_found(text, "certificate-authority-data")))
