"""`trace serve`: kubectl (or kubetrace, where no kubectl is at hand) says offline what it said then."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Outcome
from tests.playground.conftest import Client, kubectl_binary

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b"}},
       "spec": {"containers": [{"name": "c", "image": "i"}]}}  # fmt: skip


def commands(namespace: str) -> list[list[str]]:
    return [
        ["get", "pods", "-n", namespace, "-o", "wide"],
        ["get", "pod", "p", "-n", namespace, "-o", "yaml"],
        ["get", "pods", "-n", namespace, "-l", "a=b", "-o", "name"],
        ["get", "pod", "nope", "-n", namespace],
        ["api-resources", "--namespaced=false"],
        ["version"],
    ]


@pytest.fixture
def traced(run: Callable[..., Outcome], server: Client, namespace: str, tmp_path: Path) -> tuple[str, list[Outcome]]:
    """A trace with everything in it, and what the commands printed."""
    server.post(f"/api/v1/namespaces/{namespace}/pods", POD)
    ready = f"/api/v1/namespaces/{namespace}/pods/p"
    server.until(ready, lambda _, value: value.get("status", {}).get("phase") == "Running")
    time.sleep(1.1)  # an age of seconds is the same a moment later only in YAML
    trace = str(tmp_path / "t.jsonl")
    said = []
    for number, words in enumerate(commands(namespace)):
        cache = str(tmp_path / f"cache-{number}")
        said.append(run(*words, "--cache-dir", cache, "--trace", trace, "--trace-bodies=all"))
    return trace, said


@pytest.fixture
def offline(traced: tuple[str, list[Outcome]], tmp_path: Path) -> Iterator[Path]:
    """The kubeconfig of the trace, served by a process of its own."""
    kubeconfig = tmp_path / "offline"
    command = [sys.executable, "-m", "kubetrace", "trace", "serve", traced[0]]
    with (
        kubeconfig.open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, env={"HOME": str(tmp_path)}) as process,
    ):
        try:
            assert process.stderr is not None
            assert select.select([process.stderr], [], [], 60)[0]
            assert process.stderr.readline().startswith(b"serving ")
            yield kubeconfig
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_the_same_words_offline(
    traced: tuple[str, list[Outcome]], offline: Path, namespace: str, tmp_path: Path
) -> None:
    binary = kubectl_binary()
    program = [str(binary)] if binary else [sys.executable, "-m", "kubetrace"]
    base = [*program, "--kubeconfig", str(offline), "--cache-dir", str(tmp_path / "cache")]
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    for words, expected in zip(commands(namespace), traced[1], strict=True):
        if words == ["version"]:
            continue  # it names the client
        done = subprocess.run([*base, *words], capture_output=True, text=True, env=environ, timeout=60, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (expected.code, expected.out, expected.err), words
    never = subprocess.run(
        [*base, "get", "services"], capture_output=True, text=True, env=environ, timeout=60, check=False
    )
    assert never.returncode == 1
    assert never.stderr.startswith("Error from server (NotFound): ")
    assert never.stderr.endswith("the trace never asked this: GET /api/v1/namespaces/default/services?limit=500\n")
