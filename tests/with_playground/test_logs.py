"""`logs`: whose are read, how they are written, and what happens when they break off."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubetrace.playground import manager
from tests.conftest import Outcome
from tests.playground.conftest import Client, kubectl_binary

Run = Callable[..., Outcome]

BINARY = "echo /wAJG1sySsMKIG5vIGVuZA== | base64 -d"
TICKING = "i=0; while true; do i=$((i+1)); echo tick $i; sleep 0.1; done"


@pytest.fixture(scope="module")
def pods(playground: manager.Playground) -> Iterator[str]:
    """A namespace whose pods have written something."""
    client = Client(playground.folder, playground.port)
    name: str = client.post("/api/v1/namespaces", {"metadata": {"generateName": "logs-"}})["metadata"]["name"]
    path = f"/api/v1/namespaces/{name}/pods"

    def make(pod: str, *scripts: str, init: str = "", **meta: object) -> None:
        containers = [
            {"name": f"c{n}", "image": "busybox", "command": ["sh", "-c", script]} for n, script in enumerate(scripts)
        ]
        spec: dict[str, object] = {"restartPolicy": "Never", "containers": containers}
        if init:
            spec["initContainers"] = [{"name": "i", "image": "busybox", "command": ["sh", "-c", init]}]
        client.post(path, {"metadata": {"name": pod, **meta}, "spec": spec})

    make("lines", "seq 1 20")
    make("binary", BINARY)
    make("pair-1", "echo one; sleep 1; echo two", "echo three", labels={"app": "pair"})
    make("pair-2", "echo four; sleep 1; echo five", "echo six", init="echo first", labels={"app": "pair"})
    make("ticking", TICKING, TICKING, labels={"app": "ticking"})
    client.post(path, {"metadata": {"name": "bad"}, "spec": {"containers": [{"name": "c", "image": "nginx:broken"}]}})
    for pod in ("lines", "binary", "pair-1", "pair-2"):
        client.until(f"{path}/{pod}", lambda _, value: (value.get("status") or {}).get("phase") == "Succeeded")
    client.until(f"{path}/ticking", lambda _, value: (value.get("status") or {}).get("phase") == "Running")
    client.until(f"{path}/bad", lambda _, value: "ImagePullBackOff" in str(value.get("status")))
    yield name
    client.call("DELETE", f"/api/v1/namespaces/{name}")


def test_bytes_pass_through_as_they_are(run: Run, pods: str) -> None:
    raw = "\udcff\x00\t\x1b[2J\udcc3\n no end"
    assert run("logs", "binary", "-n", pods) == Outcome(0, raw, "")
    told = run("logs", "binary", "-n", pods, "--prefix", "-f")
    assert told.out == "[pod/binary/c0] " + raw.replace("\n", "\n[pod/binary/c0] ")


def test_which_part_of_it(run: Run, pods: str) -> None:
    here = ("-n", pods)
    assert run("logs", "lines", "--tail=2", *here).out == "19\n20\n"
    assert run("logs", "lines", "--limit-bytes=4", *here).out == "1\n2\n"
    assert run("logs", "lines", "--since-time=2999-01-01T00:00:00Z", *here).out == ""
    stamped = run("logs", "lines", "--timestamps", "--since=1h", *here).out.splitlines()
    assert [line.split()[1] for line in stamped] == [str(n) for n in range(1, 21)]
    assert all(line.startswith("20") and line[10] == "T" for line in stamped)


def test_several_at_once(run: Run, pods: str) -> None:
    here = ("-n", pods, "-l", "app=pair")
    told = run("logs", *here, "--all-containers", "--prefix", "-f")
    assert (told.code, told.err) == (0, "")
    assert sorted(told.out.splitlines()) == [
        "[pod/pair-1/c0] one",
        "[pod/pair-1/c0] two",
        "[pod/pair-1/c1] three",
        "[pod/pair-2/c0] five",
        "[pod/pair-2/c0] four",
        "[pod/pair-2/c1] six",
        "[pod/pair-2/i] first",
    ]
    assert run("logs", *here, "--all-containers", "-f", "--max-log-requests=4").err == (
        "error: you are attempting to follow 5 log streams, but maximum allowed concurrency is 4, use "
        "--max-log-requests to increase the limit\n"
    )
    assert run("logs", *here, "--tail=1").err == (
        'Defaulted container "c0" out of: c0, c1\nDefaulted container "c0" out of: c0, c1, i (init)\n'
    )


def test_what_cannot_be_read(run: Run, pods: str) -> None:
    waiting = 'container "c" in pod "bad" is waiting to start: trying and failing to pull image'
    assert run("logs", "bad", "-n", pods) == Outcome(1, "", f"Error from server (BadRequest): {waiting}\n")
    assert run("logs", "bad", "-n", pods, "--ignore-errors", "--prefix") == Outcome(0, f"error: {waiting}\n", "")
    told = run("logs", "bad", "-n", pods, "-f", "--pod-running-timeout=1.5s")
    assert told == Outcome(1, "", f"{waiting}\n{waiting}\nerror: context deadline exceeded\n")


@contextlib.contextmanager
def following(playground: manager.Playground, home: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """`logs -f` in a process of its own, its first line already read."""
    environ = {**os.environ, "KUBECONFIG": str(playground.kubeconfig), "HOME": str(home)}
    argv = [sys.executable, "-m", "kubetrace", "logs", "-f", *words]
    # A child of a background job would ignore SIGINT.
    child = subprocess.Popen(
        argv,
        env=environ,
        bufsize=0,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert child.stdout is not None
        assert b"tick" in child.stdout.readline()
        yield child
    finally:
        child.kill()
        child.communicate()


def test_a_trace_tells_when_a_followed_log_came(
    pods: str, playground: manager.Playground, tmp_path: Path, run: Run
) -> None:
    trace = str(tmp_path / "t.jsonl")
    with following(playground, tmp_path, "-n", pods, "ticking", "--trace", trace, "-v=9") as child:
        assert child.stdout is not None and child.stderr is not None
        for _ in range(3):  # pieces, as they come
            child.stdout.read(1 << 16)
        child.send_signal(signal.SIGINT)
        log = child.stderr.read().decode()
    assert 'kubetrace:0] "Frame" direction="received" type="piece" channel="log" bytes=' in log
    shown = run("trace", "show", trace, "--verb=get", "--resource=pods/log").out
    assert "received log" in shown
    number = shown.splitlines()[1].split()[0]
    whole = run("trace", "show", trace, number).out
    assert re.search(r"m?s  received piece log  \d+ B", whole), whole
    assert "  tick 1\n  tick 2\n" in whole


def test_a_pod_that_goes_away_ends_its_log(
    pods: str, server: Client, playground: manager.Playground, tmp_path: Path
) -> None:
    path = f"/api/v1/namespaces/{pods}/pods"
    command = ["sh", "-c", TICKING]
    spec = {"terminationGracePeriodSeconds": 0, "containers": [{"name": "c", "image": "busybox", "command": command}]}
    server.post(path, {"metadata": {"name": "leaving"}, "spec": spec})
    server.until(f"{path}/leaving", lambda _, value: (value.get("status") or {}).get("phase") == "Running")
    with following(playground, tmp_path, "leaving", "-n", pods) as child:
        server.call("DELETE", f"{path}/leaving")
        out, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (0, b"")
    assert out.startswith(b"tick 2\n") and out.endswith(b"\n")


@pytest.mark.parametrize("words", [["ticking", "-c", "c1"], ["-l", "app=ticking", "--all-containers"]])
def test_ctrl_c_ends_it_without_a_word(
    pods: str, playground: manager.Playground, tmp_path: Path, words: list[str]
) -> None:
    with following(playground, tmp_path, "-n", pods, *words) as child:
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (1, b"")
    assert out.endswith(b"\n") or not out


def test_completion_of_pods_and_containers(run: Run, pods: str) -> None:
    def offered(*words: str) -> list[str]:
        return run("__complete", "-n", pods, *words).out.splitlines()

    assert offered("logs", "pair") == ["pair-1", "pair-2", ":4"]
    assert offered("logs", "d") == ["daemonsets/", "deployments/", ":6"]
    assert offered("logs", "pods/pair") == ["pods/pair-1", "pods/pair-2", ":4"]
    assert offered("logs", "pair-2", "") == ["i", "c0", "c1", ":4"]
    assert offered("logs", "gone", "") == [":4"]


COMMANDS = (
    ["lines", "--tail=3"],
    ["lines", "c0", "--timestamps"],
    ["pair-2"],
    ["pair-2", "-c", "i", "--prefix"],
    ["pair-2", "-c", "x"],
    ["binary"],
    ["-l", "app=pair", "--prefix", "--all-containers", "-f"],
    ["bad"],
    ["bad", "-f", "--pod-running-timeout=1200ms"],
    ["lines", "-p"],
    ["gone"],
    ["svc/gone"],
    ["lines", "--since=-1s"],
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_as_the_real_kubectl(
    run: Run, pods: str, playground: manager.Playground, tmp_path: Path, words: list[str]
) -> None:
    binary = kubectl_binary()
    if binary is None:
        pytest.skip("no kubectl in KUBEBUILDER_ASSETS")
    environ = {**os.environ, "KUBECONFIG": str(playground.kubeconfig), "HOME": str(tmp_path)}
    done = subprocess.run([str(binary), "logs", "-n", pods, *words], env=environ, capture_output=True, timeout=60)
    real = Outcome(done.returncode, *(text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr)))
    ours = run("logs", "-n", pods, *words)
    assert (ours.code, sorted(ours.out.splitlines()), ours.err) == (
        real.code,
        sorted(real.out.splitlines()),
        real.err,
    )
