"""`get` against a played server: stdout, stderr, exit code and calls are those that the real kubectl had against a
real API server (data/get.json, recorded by tests/tools/record_get.py)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetrace import cli
from kubetrace.environment import Environment, Streams
from kubetrace.transport.call import Call

RECORDED = json.loads((Path(__file__).parent / "data" / "get.json").read_text())
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://played:1"}}]
users: [{name: u, user: {}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""


class PlayedAnswer:
    def __init__(self, call: Call, recorded: dict[str, Any]) -> None:
        self.method, self.url = call.method, "http://played:1" + call.target()
        self.status: int = recorded["status"]
        self._type = recorded["type"]
        self.body: bytes = recorded["body"].encode()

    def header(self, name: str) -> str | None:
        return self._type if name.lower() == "content-type" else None

    def chunks(self) -> Iterator[bytes]:
        half = len(self.body) // 2
        yield self.body[:half]
        yield self.body[half:]

    def close(self) -> None:
        pass


class PlayedServer:
    """Answers as recorded; what was not recorded is a fault of the test or of kubetrace."""

    server = "http://played:1"

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers
        self.calls: list[str] = []

    def send(self, call: Call) -> PlayedAnswer:
        if call.path in RECORDED["discovery"]:
            return PlayedAnswer(call, RECORDED["discovery"][call.path])
        key = f"{dict(call.headers)['Accept']} {call.target()}"
        self.calls.append(key)
        return PlayedAnswer(call, self._answers[key])

    def close(self) -> None:
        pass


class Ran:
    def __init__(self, words: list[str], tmp_path: Path, answers: dict[str, Any]) -> None:
        (tmp_path / "config").write_text(KUBECONFIG)
        out, err = io.StringIO(), io.StringIO()
        environ = {"HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "config")}
        environment = Environment(Streams(io.BytesIO(), out, err), environ)
        server = PlayedServer(answers)
        environment.__dict__["client"] = server
        self.code = cli.main(words, environment)
        self.stdout, self.stderr, self.calls = out.getvalue(), err.getvalue(), server.calls


def as_kubectl_says(text: str) -> str:
    return text.replace("kubetrace", "kubectl")


@pytest.mark.parametrize("recorded", RECORDED["commands"], ids=lambda recorded: " ".join(recorded["words"]))
def test_get_does_what_kubectl_does(recorded: dict[str, Any], tmp_path: Path) -> None:
    ran = Ran(recorded["words"], tmp_path, recorded["answers"])
    assert ran.stdout == recorded["stdout"]
    assert as_kubectl_says(ran.stderr) == recorded["stderr"].replace("kubectl-1.36", "kubectl")
    assert ran.code == recorded["code"]
    assert ran.calls == list(recorded["answers"])
