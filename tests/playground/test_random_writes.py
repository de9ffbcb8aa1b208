"""Random writes give the same objects as a real kube-apiserver (the envtest engine: needs KUBEBUILDER_ASSETS)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from kubetrace.playground import manager
from tests.playground.conftest import Client
from tests.playground.random_writes import Step, answers, steps

ASSETS = Path(os.environ.get("KUBEBUILDER_ASSETS", "/nonexistent"))
EXAMPLES = int(os.environ.get("RANDOM_WRITES", "40"))
pytestmark = pytest.mark.skipif(not (ASSETS / "kube-apiserver").exists(), reason="no KUBEBUILDER_ASSETS")


@pytest.fixture(scope="module")
def real(environ: dict[str, str]) -> Iterator[Client]:
    own = environ | {"KUBEBUILDER_ASSETS": str(ASSETS), "HOME": environ["XDG_STATE_HOME"]}
    found = manager.up(own, "real", manager.Start(engine="envtest"))
    yield Client(found.folder, found.port)
    manager.down(own, "real")


@pytest.fixture(scope="module")
def ours(playground: manager.Playground) -> Client:
    return Client(playground.folder, playground.port)


@pytest.mark.timeout(600)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(steps())
def test_the_same_writes_make_the_same_objects(real: Client, ours: Client, sequence: list[Step]) -> None:
    expected, found = answers(real, sequence), answers(ours, sequence)
    for index, (left, right) in enumerate(zip(expected, found, strict=True)):
        if "is invalid: patch: Invalid value" in str(left["answer"].get("message")):
            continue  # it shows the whole object, in the order in which Go wrote it
        assert left == right, sequence[: index + 1]
