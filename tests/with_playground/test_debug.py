"""`debug`: what it makes of pods and nodes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubetrace.errors import KubetraceError
from kubetrace.playground import manager
from tests.conftest import Outcome
from tests.playground.conftest import Client, kubectl_binary

Run = Callable[..., Outcome]

POD = {
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {
        "containers": [
            {"name": "app", "image": "nginx", "livenessProbe": {"httpGet": {"path": "/", "port": 80}}},
            {"name": "side", "image": "busybox", "command": ["sleep", "infinity"]},
        ]
    },
}


@pytest.fixture
def web(server: Client, namespace: str) -> str:
    """A namespace with a pod."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    server.post(path, POD)
    server.until(f"{path}/web", lambda _, pod: (pod.get("status") or {}).get("phase") == "Running")
    return namespace


def pod(server: Client, namespace: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = server.get(f"/api/v1/namespaces/{namespace}/pods/{name}")
    return found


def test_a_container_in_a_running_pod(run: Run, server: Client, web: str) -> None:
    words = ("web", "--image=busybox", "--target=app", "--env=A=1,B=2", "--", "sleep", "9")
    told = run("debug", "-n", web, *words)
    assert (told.code, told.err) == (0, "")
    assert re.fullmatch(r'Targeting container "app"\. .*\nDefaulting debug .* name to debugger-\w{5}\.\n', told.out)
    assert run("debug", "-n", web, "web", "--image=nginx", "-q", "-c", "t", "--profile=restricted") == Outcome(
        0, "", ""
    )
    first, second = pod(server, web, "web")["spec"]["ephemeralContainers"]
    assert (first["command"], first["targetContainerName"]) == (["sleep", "9"], "app")
    assert first["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    assert first["securityContext"] == {"capabilities": {"add": ["SYS_PTRACE"]}}
    assert second["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    again = run("debug", "-n", web, "web", "--image=nginx", "-q", "-c", "t")
    assert again.code == 1 and "spec.ephemeralContainers" in again.err


def test_a_copy(run: Run, server: Client, web: str) -> None:
    words = ("web", "--copy-to=copy", "--set-image=*=busybox", "--image=nginx", "-c", "tools", "--replace")
    assert run("debug", "-n", web, *words) == Outcome(0, "", "")
    copy = pod(server, web, "copy")
    assert [(c["name"], c["image"]) for c in copy["spec"]["containers"]] == [
        ("app", "busybox"),
        ("side", "busybox"),
        ("tools", "nginx"),
    ]
    assert "labels" not in copy["metadata"] and "livenessProbe" not in copy["spec"]["containers"][0]
    assert copy["spec"]["shareProcessNamespace"] is True
    assert server.call("GET", f"/api/v1/namespaces/{web}/pods/web")[0] == 404
    kept = run("debug", "-n", web, "copy", "--copy-to=kept", "--set-image=app=nginx:2")
    assert kept == Outcome(0, "", "")
    assert pod(server, web, "kept")["spec"]["containers"][0]["image"] == "nginx:2"


def test_a_node(run: Run, server: Client, namespace: str) -> None:
    node = server.get("/api/v1/nodes")["items"][0]["metadata"]["name"]
    told = run("debug", f"node/{node}", "--image=busybox", "-n", namespace)
    name = re.fullmatch(rf"Creating debugging pod (\S+) with container debugger on node {node}\.\n", told.out)
    assert name is not None
    made = pod(server, namespace, name[1])
    assert made["spec"]["nodeName"] == node and made["spec"]["hostPID"] is True
    assert {"name": "host-root", "mountPath": "/host"} in made["spec"]["containers"][0]["volumeMounts"]


def test_a_custom_profile(run: Run, server: Client, web: str, tmp_path: Path) -> None:
    custom = tmp_path / "custom.yaml"
    custom.write_text("env: [{name: A, value: one}]\nsecurityContext: {runAsUser: 0}\n")
    words = ("web", "--image=busybox", "-c", "t", f"--custom={custom}", "--env=A=two", "--env=B=two")
    assert run("debug", "-n", web, *words) == Outcome(0, "", "")
    (container,) = pod(server, web, "web")["spec"]["ephemeralContainers"]
    assert container["env"] == [{"name": "A", "value": "one"}, {"name": "B", "value": "two"}]
    assert container["securityContext"] == {"capabilities": {"add": ["SYS_PTRACE"]}, "runAsUser": 0}
    custom.write_text("image: other\n")
    told = run("debug", "-n", web, "web", "--image=busybox", f"--custom={custom}")
    assert (
        told.err == "error: name, command, image, lifecycle and volume devices are not modifiable via custom profile\n"
    )


def test_the_plan_and_the_reasons(run: Run, web: str) -> None:
    told = run("debug", "-n", web, "web", "--image=busybox", "-c", "t", "--plan")
    assert "PATCH" in told.out and "ephemeralcontainers" in told.out
    assert "Add a container to the running pod." in run("debug", "-n", web, "web", "--image=b", "-c", "t", "--why").err


COMMANDS = (
    ["web", "--image=busybox", "-c", "a", "--", "sleep", "1"],
    ["web", "--image=busybox", "-c", "b", "-v=2"],
    ["web", "--image=busybox", "-c", "c", "--profile=sysadmin", "-v=2"],
    ["web", "--image=busybox", "-c", "a"],
    ["web", "--copy-to=copy", "-c", "app", "--image=busybox", "--keep-labels"],
    ["web", "--copy-to=copy", "--set-image=app=x"],
    ["node/none", "--image=busybox"],
    ["gone", "--image=busybox"],
)


@pytest.mark.skipif(kubectl_binary() is None, reason="no kubectl in KUBEBUILDER_ASSETS")
def test_as_the_real_kubectl(
    run: Run, server: Client, web: str, playground: manager.Playground, tmp_path: Path
) -> None:
    """Each makes the same of a pod of its own."""
    other = server.post("/api/v1/namespaces", {"metadata": {"generateName": "debug-"}})["metadata"]["name"]
    server.post(f"/api/v1/namespaces/{other}/pods", POD)
    environ = {**os.environ, "KUBECONFIG": str(playground.kubeconfig), "HOME": str(tmp_path)}
    for words in COMMANDS:
        argv = [str(kubectl_binary()), "debug", "-n", other, *words]
        done = subprocess.run(argv, env=environ, capture_output=True, timeout=60, text=True)
        told = run("debug", "-n", web, *words, environ={"KUBETRACE_LIKE": "1.36"})
        assert (told.code, told.out, _comparable(told.err, web)) == (
            done.returncode,
            done.stdout,
            _comparable(done.stderr, other),
        )
    for name in ("web", "copy"):
        ours, theirs = (json.dumps(pod(server, where, name)["spec"]) for where in (web, other))
        assert re.sub(r"kube-api-access-\w+", "", ours) == re.sub(r"kube-api-access-\w+", "", theirs)


def _comparable(log: str, namespace: str) -> list[str]:
    lines = (re.sub(r"^[IW]\d+ \S+ +\d+ |0x[0-9a-f]+", "", line) for line in log.replace(namespace, "ns").splitlines())
    return sorted(lines)


_NOTICE = (
    "All commands and output from this session will be recorded in container logs, including credentials and "
    "sensitive information passed through the command prompt.\n"
    "If you don't see a command prompt, try pressing enter.\n"
)


def test_attached_to_what_it_makes(run: Run, server: Client, web: str) -> None:
    script = ("--", "sh", "-c", "read word; echo got $word; sleep 1")
    words = ("debug", "-n", web, "web", "-i", "--image=busybox", "-c", "reading", *script)
    assert run(*words, stdin=b"hello\n") == Outcome(0, "got hello\n", _NOTICE)
    quiet = ("debug", "-n", web, "web", "-iq", "--image=busybox", "-c", "quiet", "--copy-to=copy", *script)
    assert run(*quiet, stdin=b"there\n") == Outcome(0, "got there\n", "")
    ended = run(
        "debug", "-n", web, "web", "--attach", "-q", "--image=busybox", "-c", "ended", "--", "echo", "over", "-v=1"
    )
    assert (ended.code, ended.out) == (0, "over -v=1\n")


def test_where_attaching_fails_the_log_is_shown(run: Run, web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        time.sleep(1)  # the container has written by then
        raise KubetraceError("no way in")

    monkeypatch.setattr("kubetrace.commands.remote_session.run_session", refuse)
    script = ("--", "sh", "-c", "echo out; sleep 5")
    told = run("debug", "-n", web, "web", "--attach", "-q", "--image=busybox", "-c", "closed", *script)
    assert told == Outcome(
        0, "out\n", "warning: couldn't attach to pod/web, falling back to streaming logs: no way in\n"
    )


def test_a_pod_that_goes_before_its_container_runs(run: Run, server: Client, web: str) -> None:
    path = f"/api/v1/namespaces/{web}/pods/web"

    def delete_once_it_waits() -> None:
        server.until(path, lambda _, pod: (pod.get("status") or {}).get("ephemeralContainerStatuses"))
        time.sleep(1.5)  # the message is seen before the end
        server.call("DELETE", path, {"gracePeriodSeconds": 0})

    other = threading.Thread(target=delete_once_it_waits)
    other.start()
    told = run("debug", "-n", web, "web", "--attach", "--image=nginx:broken", "-c", "t")
    other.join()
    assert (told.code, told.out) == (1, "")
    assert told.err.splitlines()[-1] == 'Error from server (NotFound): pods "" not found'
