"""The playground negotiates, decodes and reads queries as a real kube-apiserver did (golden/wire-1.36.json)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetrace.playground import manager
from tests.playground import socket_cases
from tests.playground.conftest import Client
from tests.playground.wire_cases import Place, answers

_FILE = json.loads((Path(__file__).parent / "golden" / "wire-1.36.json").read_text())
GOLDEN = _FILE["answers"]


@pytest.fixture
def fresh(environ: dict[str, str]) -> Iterator[manager.Playground]:
    """A playground whose API nobody has added to."""
    yield manager.up(environ, "fresh")
    manager.down(environ, "fresh")


def test_the_protocol_is_the_real_servers(fresh: manager.Playground) -> None:
    client = Client(fresh.folder, fresh.port)
    ours = json.loads(json.dumps(answers(Place(f"127.0.0.1:{fresh.port}", client.tls, client.token))))
    assert [*ours] == [*GOLDEN], "cases were changed: python -m tests.tools.record_wire"
    different = [(name, GOLDEN[name], ours[name]) for name in GOLDEN if GOLDEN[name] != ours[name]]
    assert not different, "\n\n".join(f"{name}\nreal: {real}\nours: {told}" for name, real, told in different)


def test_connections_are_answered_as_by_the_real_server(playground: manager.Playground, client: Client) -> None:
    assert socket_cases.answers(f"127.0.0.1:{playground.port}", client.tls, client.token) == _FILE["sockets"]
