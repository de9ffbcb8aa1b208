"""`run` where it stays with its pod: -i, -t, --attach, --rm."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from kubetrace.errors import KubetraceError
from kubetrace.playground import manager
from tests.conftest import Outcome
from tests.playground.conftest import Client
from tests.pseudo_terminal import kubetrace, screen

Run = Callable[..., Outcome]
RECORDED = (
    "All commands and output from this session will be recorded in container logs, including credentials and sensitive "
    "information passed through the command prompt.\nIf you don't see a command prompt, try pressing enter.\n"
)


@pytest.fixture
def run_pod(run: Run, namespace: str) -> Run:
    def call(name: str, *words: str, script: str, **given: Any) -> Outcome:
        return run("-n", namespace, "run", name, "--image=busybox", *words, "--", "sh", "-c", script, **given)

    return call


def pods(server: Client, namespace: str) -> list[str]:
    return [item["metadata"]["name"] for item in server.get(f"/api/v1/namespaces/{namespace}/pods")["items"]]


def test_the_exit_code_is_the_containers(run_pod: Run, server: Client, namespace: str) -> None:
    outcome = run_pod("once", "--attach", "--rm", "--restart=Never", script="sleep 2; echo out; exit 4")
    said = f'out\npod "once" deleted from {namespace} namespace\n'
    assert outcome == Outcome(4, said, f"{RECORDED}pod {namespace}/once terminated (Error)\n")
    assert pods(server, namespace) == []


def test_input_is_passed_on(run_pod: Run) -> None:
    outcome = run_pod("reader", "-i", "-q", "--rm", "--restart=Never", script="cat; echo end", stdin=b"piped\n")
    assert outcome == Outcome(0, "piped\nend\n", "")


def test_a_pod_that_ended_before_shows_its_log(run_pod: Run, namespace: str, server: Client) -> None:
    outcome = run_pod("quick", "--attach", "--restart=Never", script="echo gone already; exit 7")
    assert outcome.code == 7
    assert "gone already\n" in outcome.out
    assert outcome.err.endswith(f"pod {namespace}/quick terminated (Error)\n")
    assert pods(server, namespace) == ["quick"]


def test_where_attaching_fails_the_log_is_shown(run_pod: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        time.sleep(1)  # the container has written by then
        raise KubetraceError("no way in")

    monkeypatch.setattr("kubetrace.commands.remote_session.run_session", refuse)
    outcome = run_pod("closed", "--attach", "--rm", "-q", "--restart=Never", script="echo out; sleep 3")
    warning = "warning: couldn't attach to pod/closed, falling back to streaming logs: no way in\n"
    assert (outcome.code, outcome.err) == (0, warning)
    assert outcome.out in ("out\n", "out\nout\n")  # the log before attaching may be too early


def test_what_never_runs_is_removed_too(run: Run, server: Client, namespace: str) -> None:
    outcome = run(
        *("-n", namespace, "run", "never", "--image=nginx:broken", "--attach", "--rm", "--pod-running-timeout=2s")
    )
    assert outcome == Outcome(
        1, f'pod "never" deleted from {namespace} namespace\n', "error: timed out waiting for the condition\n"
    )
    left = server.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
    assert all("deletionTimestamp" in pod["metadata"] for pod in left)


def test_a_service_goes_with_its_pod(run_pod: Run, namespace: str, server: Client) -> None:
    words = ("--attach", "-q", "--rm", "--restart=Never", "--expose", "--port=80")
    assert run_pod("both", *words, script="sleep 1; echo x") == Outcome(0, "service/both created\nx\n", "")
    assert server.get(f"/api/v1/namespaces/{namespace}/services")["items"] == []


def test_a_plan_creates_nothing(run_pod: Run, server: Client, namespace: str) -> None:
    assert run_pod("planned", "--attach", "--rm", "--plan", script="true").code == 0
    assert pods(server, namespace) == []


def test_a_shell_that_is_gone_when_one_leaves_it(playground: manager.Playground, namespace: str) -> None:
    argv = kubetrace("-n", namespace, "run", "shell", "--image=busybox", "-it", "--rm", "--restart=Never", "--", "sh")
    with screen(*argv, environ={"KUBECONFIG": str(playground.kubeconfig)}) as shell:
        before = shell.settings
        shell.until(RECORDED.replace("\n", "\r\n").encode())
        shell.type(b"echo al''most\r")
        shell.until(b"almost\r\n")
        shell.type(b"exit 3\r")
        assert shell.ends() == 3
        lines = shell.seen.decode().split("\r\n")
        assert lines[-4:-1] == [
            f"Session ended, resume using 'kubetrace attach shell -c shell -n {namespace} -i -t' command",
            f'pod "shell" deleted from {namespace} namespace',
            f"pod {namespace}/shell terminated (Error)",
        ]
        assert shell.settings == before
