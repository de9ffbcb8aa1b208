"""The playground answers what a real kube-apiserver answered (golden/answers-1.36.json): status, words, objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.playground.answers import plain
from tests.playground.cases import CASES
from tests.playground.conftest import Client

GOLDEN = json.loads((Path(__file__).parent / "golden" / "answers-1.36.json").read_text())["answers"]


def call(client: Client, namespace: str, case: tuple[str, str, Any, str]) -> tuple[int, Any]:
    method, path, body, kind = case
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    status, answer = client.call(method, path.replace("NS", namespace), data, Content_Type=kind)
    return status, answer.decode() if isinstance(answer, bytes) else answer


def test_answers_are_the_real_servers(client: Client, namespace: str) -> None:
    client.headers["User-Agent"] = ""
    ours = [plain(*call(client, namespace, case), namespace) for case in CASES]
    different = [
        (case[:3], expected, got) for case, expected, got in zip(CASES, GOLDEN, ours, strict=True) if expected != got
    ]
    assert not different, "\n\n".join(
        f"{case}\nreal: {json.dumps(e)}\nours: {json.dumps(g)}" for case, e, g in different
    )
