"""The playground answers what a real kube-apiserver answered (golden/answers-1.36.json, misfits-1.36.json): status,
words, objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetrace.playground import manager
from tests.playground import cases, misfits
from tests.playground.answers import brief, plain
from tests.playground.conftest import Client, run_playground

SETS = {"answers": (cases.CASES, plain), "misfits": (misfits.CASES, brief)}


@pytest.fixture(scope="module")
def playground(environ: dict[str, str]) -> Iterator[manager.Playground]:
    """One of its own: answers that list all groups know nothing of what other tests define."""
    yield from run_playground(environ, "answers")


def call(client: Client, namespace: str, case: tuple[str, str, Any, str]) -> tuple[int, Any]:
    method, path, body, kind = case
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    status, answer = client.call(method, path.replace("NS", namespace), data, Content_Type=kind)
    return status, answer.decode() if isinstance(answer, bytes) else answer


@pytest.mark.parametrize("name", SETS)
def test_answers_are_the_real_servers(name: str, client: Client, namespace: str) -> None:
    client.headers["User-Agent"] = ""
    golden = json.loads((Path(__file__).parent / "golden" / f"{name}-1.36.json").read_text())["answers"]
    requests, shown = SETS[name]
    ours = [shown(*call(client, namespace, case), namespace) for case in requests]
    pairs = zip(requests, golden, ours, strict=True)
    different = [(case[:3], expected, got) for case, expected, got in pairs if expected != got]
    assert not different, "\n\n".join(
        f"{case}\nreal: {json.dumps(e)}\nours: {json.dumps(g)}" for case, e, g in different
    )
