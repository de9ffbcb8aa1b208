"""An exec plugin beside a manifest that comes by standard input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from ruamel.yaml import YAML

from kubetrace.playground import manager
from tests.conftest import Outcome

Run = Callable[..., Outcome]
MANIFEST = b"{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}"


def test_runs_once_for_discovery_and_once_for_a_manifests_objects(
    run: Run, namespace: str, playground: manager.Playground, tmp_path: Path
) -> None:
    """As often as kubectl 1.36 runs it for the same commands."""
    config = YAML(typ="safe").load(playground.kubeconfig)
    token = run("token").out.strip()
    answer = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": token}}
    (tmp_path / "answer").write_text(json.dumps(answer))
    runs = tmp_path / "runs"
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sh",
        "args": ["-c", f"echo run >> {runs}; cat {tmp_path}/answer"],
        "interactiveMode": "IfAvailable",
    }
    config["users"] = [{"name": user["name"], "user": {"exec": plugin}} for user in config["users"]]
    path = tmp_path / "with-plugin"
    path.write_text(json.dumps(config))

    def times(*argv: str) -> int:
        runs.write_text("")
        run(*argv, "-n", namespace, stdin=MANIFEST, environ={"KUBECONFIG": str(path)})
        return len(runs.read_text().splitlines())

    assert times("apply", "-f", "-") == 2
    assert times("get", "-f", "-") == 1
    assert times("get", "configmaps") == 1
