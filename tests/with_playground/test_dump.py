"""`cluster-info dump`: lists as kubectl's typed clients have them, and the logs of every container."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Outcome

Run = Callable[..., Outcome]


def test_a_namespace_as_a_tree_of_files(run: Run, namespace: str, tmp_path: Path) -> None:
    run("create", "configmap", "c", "-n", namespace)
    run("create", "deployment", "web", "--image=nginx", "-n", namespace)
    folder = tmp_path / "dumped"
    told = run("cluster-info", "dump", "--namespaces", namespace, f"--output-directory={folder}")
    assert told == Outcome(0, f"Cluster info dumped to {folder}\n", "")
    deployments = json.loads((folder / namespace / "deployments.json").read_text())
    assert (deployments["kind"], deployments["apiVersion"]) == ("DeploymentList", "apps/v1")
    assert "kind" not in deployments["items"][0] and deployments["items"][0]["metadata"]["name"] == "web"
    assert json.loads((folder / namespace / "daemonsets.json").read_text())["items"] is None
    assert (folder / "nodes.json").exists()


def test_everything_on_stdout(run: Run, namespace: str) -> None:
    told = run("cluster-info", "dump", "--namespaces", namespace, "-o", "yaml")
    assert told.code == 0
    assert told.out.count("kind: PodList\n") == 1
    assert run("cluster-info", "dump", "--context=nobody").err.startswith("Error from server (Forbidden): nodes is")
