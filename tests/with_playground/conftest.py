"""kubetrace against a playground of its own: what only shows with a server that keeps what it is told."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubetrace.playground import manager
from tests.conftest import Kubetrace, Outcome
from tests.playground.conftest import Client, environ, playground

__all__ = ["environ", "playground"]
_names = itertools.count(1)


@pytest.fixture
def server(playground: manager.Playground) -> Client:
    """The playground, asked directly."""
    return Client(playground.folder, playground.port)


@pytest.fixture
def namespace(server: Client) -> Iterator[str]:
    """A new namespace; it goes when the test is over, because a node has room for 110 pods only."""
    name = f"ns-{next(_names)}"
    server.post("/api/v1/namespaces", {"metadata": {"name": name}})
    yield name
    server.call("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def run(kubetrace: Kubetrace, playground: manager.Playground, tmp_path: Path) -> Callable[..., Outcome]:
    """Runs kubetrace as the playground's admin (other words of the command line may say otherwise)."""

    def call(*argv: str, stdin: bytes = b"", environ: dict[str, str] | None = None) -> Outcome:
        settings = {"KUBECONFIG": str(playground.kubeconfig), **(environ or {})}
        return kubetrace(*argv, environ=settings, stdin=stdin)

    return call
