"""Who may what, as a real kube-apiserver decided and said it (golden/access-1.36.json)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetrace.playground import manager
from tests.playground.access_steps import answers
from tests.playground.conftest import Client

GOLDEN = json.loads((Path(__file__).parent / "golden" / "access-1.36.json").read_text())["answers"]
_USERS = ("admin", "developer", "viewer", "nobody")


@pytest.fixture
def fresh(environ: dict[str, str]) -> Iterator[manager.Playground]:
    """A playground where nobody has impersonated anybody: what held last is tried first."""
    yield manager.up(environ, "access")
    manager.down(environ, "access")


def test_access_is_the_real_servers(fresh: manager.Playground) -> None:
    clients = {name: Client(fresh.folder, fresh.port, name) for name in _USERS}
    clients["anon"] = Client(fresh.folder, fresh.port)
    clients["anon"].token = ""

    def call(who: str, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        fields = {"Content_Type": "application/json", "User_Agent": "test", **headers}
        status, answer = clients[who].call(method, path, body, **fields)
        return status, answer.decode() if isinstance(answer, bytes) else answer

    namespace = clients["admin"].post("/api/v1/namespaces", {"metadata": {"generateName": "access-"}})
    name = namespace["metadata"]["name"]
    clients["admin"].until(f"/api/v1/namespaces/{name}/serviceaccounts/default", lambda status, _: status == 200)
    ours = answers(call, name, lambda: time.sleep(0))
    different = [(step, GOLDEN[step], ours[step]) for step in GOLDEN if GOLDEN[step] != ours[step]]
    assert [*ours] == [*GOLDEN] and not different, "\n\n".join(
        f"{step}\nreal: {json.dumps(real)}\nours: {json.dumps(told)}" for step, real, told in different
    )
