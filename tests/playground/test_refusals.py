"""The playground takes and refuses what a real kube-apiserver took and refused (golden/refusals-1.36.json)."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetrace.playground import manager
from tests.playground.conftest import Client, run_playground
from tests.playground.refusals import cases, plain

GOLDEN = json.loads((Path(__file__).parent / "golden" / "refusals-1.36.json").read_text())["answers"]
KNOWN = frozenset((Path(__file__).parent / "known_refusals.txt").read_text().splitlines())
"""Cases whose status differs, one a line."""
_WORDS_EQUAL = 0.93
"""The share of refusals that are told in the very words of the real server, at least."""


@pytest.fixture(scope="module")
def playground(environ: dict[str, str]) -> Iterator[manager.Playground]:
    """One of its own: no Service has a port by chance that a case names."""
    yield from run_playground(environ, "refusals")


def _answers(client: Client, namespace: str) -> dict[str, list[Any]]:
    connection = http.client.HTTPSConnection("127.0.0.1", client.port, context=client.tls)
    headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"}
    found = {}
    for name, path, item in cases():
        text = json.dumps(item).replace('"NS"', json.dumps(namespace))
        connection.request("POST", path.replace("NS", namespace), text, headers)
        answer = connection.getresponse()
        said = plain(answer.status, json.loads(answer.read()))
        found[name] = json.loads(json.dumps(said).replace(namespace, "NS"))
    connection.close()
    return found


def test_what_is_refused(client: Client, namespace: str) -> None:
    ours = _answers(client, namespace)
    both = [name for name in ours if name in GOLDEN]
    assert len(both) > 2000
    different = {name for name in both if ours[name][0] != GOLDEN[name][0]}
    assert different == KNOWN & set(both), "\n".join(
        f"{name}: real {GOLDEN[name]}, ours {ours[name]}" for name in sorted(different ^ KNOWN) if name in both
    )
    refused = [name for name in both if len(GOLDEN[name]) > 1 and len(ours[name]) > 1]
    same = sum(ours[name] == GOLDEN[name] for name in refused)
    assert same >= _WORDS_EQUAL * len(refused), f"{same} of {len(refused)}"
