"""A kube-apiserver that is killed in mid-watch and comes back: what was watched ends, or goes on, as with kubectl, and
no event is lost or repeated."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.plane import Plane, assets_from, kubectl_in

ASSETS = assets_from(os.environ)
COMMANDS = {
    "get": "get configmaps -w -o name",
    "changes": "get configmaps --watch-only --output-watch-events -o name",
    "events": "events -w",
    "rollout": "rollout status deployment/d",
    "wait": "wait configmap/x --for=jsonpath={.data.k}=9 --timeout=150s",
}
ENDS = {"get", "changes", "events"}
"""These end with their watch: kubectl does not begin it anew."""


class Cluster:
    """A plane without controllers: what its objects become is the test's to say."""

    def __init__(self, plane: Plane) -> None:
        self.plane = plane

    def create(self, path: str, value: dict[str, Any]) -> None:
        self.plane.request(path, value)

    def config_map(self, name: str, value: str = "0", method: str = "POST") -> None:
        path = "/api/v1/namespaces/default/configmaps" + ("" if method == "POST" else f"/{name}")
        self.plane.request(path, {"metadata": {"name": name}, "data": {"k": value}}, method)

    def status(self, **status: int) -> None:
        path = "/apis/apps/v1/namespaces/default/deployments/d"
        value = json.loads(self.plane.request(path))
        value["status"] = {"observedGeneration": value["metadata"]["generation"], **status}
        self.plane.request(f"{path}/status", value, "PUT")

    def watches(self) -> dict[str, int]:
        """How many watches each program has opened so far."""
        found = {"kubectl": 0, "kubetrace": 0}
        for line in self.plane.audit.read_text().splitlines():
            entry = json.loads(line)
            if entry["verb"] == "watch" and entry["stage"] == "ResponseStarted":
                for name in found:
                    found[name] += entry["userAgent"].startswith(name)
        return found


def _until(condition: Any, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.5)


@pytest.mark.skipif(ASSETS is None, reason="no kube-apiserver in KUBEBUILDER_ASSETS")
def test_a_server_that_is_killed_in_mid_watch(tmp_path: Path) -> None:
    assert ASSETS is not None
    plane = Plane(ASSETS, tmp_path / "plane", controllers=False)
    running: dict[tuple[str, str], subprocess.Popen[str]] = {}
    try:
        plane.start()
        cluster = Cluster(plane)
        pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
        spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": pod}
        cluster.create("/apis/apps/v1/namespaces/default/deployments", {"metadata": {"name": "d"}, "spec": spec})
        cluster.status(replicas=0)
        cluster.config_map("x")
        config = plane.write_kubeconfig(tmp_path / "kubeconfig")
        for name, program in {
            "kubectl": [str(kubectl_in(ASSETS))],
            "kubetrace": [sys.executable, "-m", "kubetrace"],
        }.items():
            for command, words in COMMANDS.items():
                home = tmp_path / f"{name}-{command}"
                home.mkdir()
                running[name, command] = subprocess.Popen(
                    [*program, "--kubeconfig", str(config), *words.split()],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    env={**os.environ, "HOME": str(home)},
                )
        _until(lambda: min(cluster.watches().values()) >= len(COMMANDS))
        for number in range(3):
            cluster.config_map(f"before-{number}")
        cluster.status(replicas=1, updatedReplicas=1)
        time.sleep(3)
        plane.kill_apiserver()
        _until(lambda: all(process.poll() is not None for (_, command), process in running.items() if command in ENDS))
        plane.restart_apiserver()
        cluster.config_map("after")
        cluster.config_map("x", "9", "PUT")
        cluster.status(replicas=1, updatedReplicas=1, availableReplicas=1, readyReplicas=1)
        told = {key: (process.communicate(timeout=120)[0], process.returncode) for key, process in running.items()}
    finally:
        for process in running.values():
            process.kill()
            process.communicate()
        plane.stop()
    for command in COMMANDS:
        assert told["kubetrace", command] == told["kubectl", command], command
    assert told["kubetrace", "get"][0].split() == [
        f"configmap/{name}" for name in ("x", "before-0", "before-1", "before-2")
    ]
    assert told["kubetrace", "rollout"][0].endswith('deployment "d" successfully rolled out\n')
    assert told["kubetrace", "wait"] == ("configmap/x condition met\n", 0)
