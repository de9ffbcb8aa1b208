"""The playground answers sequences of writes as a real kube-apiserver did (golden/sequences-1.36.json)."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.playground.conftest import Client
from tests.playground.sequences import GOLDEN, NAMES, answers, requests


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_the_real_servers(client: Client, name: str) -> None:
    client.headers["User-Agent"], namespace = "", f"sequence-{uuid.uuid4().hex[:8]}"
    client.post("/api/v1/namespaces", {"metadata": {"name": namespace}})

    def call(method: str, path: str, body: Any, kind: str) -> tuple[int, Any]:
        status, answer = client.call(method, path, body, Content_Type=kind)
        return status, answer.decode() if isinstance(answer, bytes) else answer

    expected = json.loads(GOLDEN.read_text())["answers"][name]
    found = answers(name, namespace, call)
    rows = [row for row, _ in requests(name, "NS")]
    different = [each for each in zip(rows, expected, found, strict=True) if each[1] != each[2]]
    assert not different, "\n\n".join(f"{row}\nreal: {json.dumps(e)}\nours: {json.dumps(g)}" for row, e, g in different)
