"""create, apply and delete against conversations recorded from the real kubectl: the same calls and bodies, the same
words, the same exit codes. The recorded server answers; what it was not asked then, it can't answer now."""

from __future__ import annotations

import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from kubetrace.cli import main
from kubetrace.environment import Environment
from kubetrace.errors import KubetraceError
from kubetrace.streams import Streams
from kubetrace.transport.call import Call, ClientMaker
from tests.api.fake import FakeAnswer, recorded_routes
from tests.tools.write_cases import FILES

RECORDED = json.loads((Path(__file__).parent / "golden" / "writes.json").read_text())
STEPS = [
    (name, number)
    for name, steps in RECORDED["cases"].items()
    for number, step in enumerate(steps)
    if "--timeout" not in step["arguments"]  # a recorded watch ends at once
]


class Replay:
    """The recorded server: hands out the recorded answers in order and keeps what it was sent."""

    server = "https://server:6443"

    def __init__(self, calls: list[dict[str, Any]]) -> None:
        self.waiting = list(calls)
        self.sent: list[tuple[str, ...]] = []
        self.discovery = recorded_routes("aggregated")

    def another(self, maker: ClientMaker) -> Replay:
        return self

    def send(self, call: Call) -> FakeAnswer:
        if call.refusal:
            raise KubetraceError(call.refusal)
        answer = self.answer(call)
        answer.method, answer.url = call.method, self.server + call.target()
        return answer

    def answer(self, call: Call) -> FakeAnswer:
        if call.path in self.discovery:
            found: FakeAnswer = self.discovery[call.path]
            return found
        if call.path == "/openapi/v2":
            return FakeAnswer(200, b"")
        if call.path.startswith("/openapi/v3"):
            target = call.path if call.path == "/openapi/v3" else call.target()
            return FakeAnswer(200, json.dumps(RECORDED["openapi"][target]).encode())
        headers = dict(call.headers)
        body = (call.body or b"").decode()
        self.sent.append((call.method, steady(call.target()), body, headers.get("Content-Type") or ""))
        if not self.waiting:
            raise AssertionError(f"kubectl did not call {call.method} {call.target()}")
        record = self.waiting.pop(0)
        return FakeAnswer(record["status"], record["answer"].encode(), record["answerType"] or "")

    def close(self) -> None: ...


def steady(text: str) -> str:
    """Without what differs from run to run."""
    return re.sub(r"timeoutSeconds=\d+", "timeoutSeconds=N", text)


def in_our_words(text: str) -> str:
    return re.sub(r"\bkubectl(-[0-9.]+)? (apply|create|delete)\b", r"kubetrace \2", text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    context = {"name": "x", "context": {"cluster": "x", "user": "x", "namespace": "recorded"}}
    cluster = {"name": "x", "cluster": {"server": "https://server:6443"}}
    config = {"kind": "Config", "apiVersion": "v1", "current-context": "x", "contexts": [context],
              "clusters": [cluster], "users": [{"name": "x", "user": {"token": "t"}}]}  # fmt: skip
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("case", "number"), STEPS)
def test_as_kubectl_did(case: str, number: int, folder: Path) -> None:
    step = RECORDED["cases"][case][number]
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape", "\n") for _ in range(2))
    environ = {"HOME": str(folder), "KUBECONFIG": str(folder / "kubeconfig")}
    environment = Environment(Streams(io.BytesIO(), out, err), environ)
    replay = Replay(step["calls"])
    environment.__dict__["client"] = replay
    code = main(shlex.split(step["arguments"]), environment)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
        stream.close()
    expected = [(one["method"], steady(one["target"]), one["body"], one["contentType"] or "") for one in step["calls"]]
    assert replay.sent == expected
    assert texts[0] == in_our_words(step["stdout"])
    assert texts[1] == in_our_words(step["stderr"])
    assert code == step["exit"]
