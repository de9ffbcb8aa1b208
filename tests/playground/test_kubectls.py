"""kubectls of every version, 1.20 to 1.36, run apply, get, describe, logs, rollout, exec, cp, port-forward and delete.

Each is `kubectl-1.20` or `kubectl.1.20` in KUBEBUILDER_ASSETS or on PATH (or beside the kubectl on PATH); those of the
four that are promised and are not there are skipped. Before 1.31 kubectl streams over SPDY, since then over WebSocket.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from kubetrace.playground import manager
from tests.playground.conftest import Kubectl

PROMISED = ("1.20", "1.27", "1.31", "1.36")
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "nginx:1", command: [sh, -c, "echo up; sleep infinity"], ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {color: blue}
"""


def _binaries() -> dict[str, Path]:
    """Every kubectl that has its version in its name, by version."""
    places = [os.environ.get("KUBEBUILDER_ASSETS", ""), *os.environ.get("PATH", "").split(os.pathsep)]
    if (usual := shutil.which("kubectl")) is not None:
        places.append(str(Path(usual).resolve().parent))
    found: dict[str, Path] = {}
    for place in filter(None, places):
        for path in sorted(Path(place).glob("kubectl[-.]1.[0-9][0-9]")):
            found.setdefault(path.name[-4:], path)
    return found


_BINARIES = _binaries()


@pytest.fixture(params=sorted({*PROMISED, *_BINARIES}))
def kubectl(request: pytest.FixtureRequest, playground: manager.Playground, tmp_path: Path) -> Kubectl:
    binary = _BINARIES.get(request.param)
    if binary is None:
        pytest.skip(f"no kubectl-{request.param} in KUBEBUILDER_ASSETS or on PATH")
    return Kubectl(binary, playground, tmp_path / "cache")


def test_apply_get_describe_rollout_delete(kubectl: Kubectl, namespace: str) -> None:
    here = ("-n", namespace)
    assert kubectl("apply", "-f", "-", *here, stdin=MANIFEST).splitlines() == [
        "deployment.apps/web created",
        "configmap/settings created",
    ]
    assert kubectl("apply", "-f", "-", *here, stdin=MANIFEST).splitlines() == [
        "deployment.apps/web unchanged",
        "configmap/settings unchanged",
    ]
    assert (
        kubectl("rollout", "status", "deploy/web", *here).splitlines()[-1] == 'deployment "web" successfully rolled out'
    )
    assert kubectl("get", "deploy", *here, "--no-headers").split()[:4] == ["web", "2/2", "2", "2"]
    assert kubectl("get", "cm", "settings", "-o", "jsonpath={.data.color}", *here) == "blue"
    told = kubectl("describe", "deployment", "web", *here)
    assert "2 desired | 2 updated | 2 total | 2 available | 0 unavailable" in told
    assert re.search(
        r"Normal +ScalingReplicaSet .* deployment-controller +Scaled up replica set web-\w+ from 0 to 2", told
    )
    changed = MANIFEST.replace("nginx:1", "nginx:2")
    assert "deployment.apps/web configured" in kubectl("apply", "-f", "-", *here, stdin=changed)
    kubectl("rollout", "status", "deploy/web", *here)
    history = kubectl("rollout", "history", "deploy/web", *here)
    assert [line.split()[0] for line in history.splitlines() if line[:1].isdigit()] == ["1", "2"]
    assert kubectl("rollout", "undo", "deploy/web", *here) == "deployment.apps/web rolled back\n"
    kubectl("rollout", "status", "deploy/web", *here)
    assert kubectl("get", "deploy", "web", "-o", "jsonpath={..image}", *here).split()[0] == "nginx:1"
    assert kubectl("scale", "deploy/web", "--replicas=1", *here) == "deployment.apps/web scaled\n"
    assert "deleted" in kubectl("delete", "deploy/web", "cm/settings", *here)
    assert "NotFound" in kubectl("get", "deploy", "web", *here, code=1)


def test_logs_exec_cp_port_forward(kubectl: Kubectl, namespace: str, tmp_path: Path) -> None:
    here = ("-n", namespace)
    kubectl("apply", "-f", "-", *here, stdin=MANIFEST)
    kubectl("rollout", "status", "deploy/web", *here)
    pod = kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}", *here)
    assert kubectl("logs", pod, *here) == "up\n"
    assert kubectl("exec", pod, *here, "--", "hostname") == f"{pod}\n"
    assert kubectl("exec", "-i", pod, *here, "--", "sh", "-c", "cat; echo end", stdin="typed\n") == "typed\nend\n"
    assert kubectl("exec", pod, *here, "--", "sh", "-c", "exit 9", code=9)
    source = tmp_path / "folder"
    source.mkdir()
    (source / "note.txt").write_text("kept\n")
    kubectl("cp", str(source), f"{namespace}/{pod}:/tmp/there")
    assert kubectl("exec", pod, *here, "--", "cat", "/tmp/there/note.txt") == "kept\n"
    kubectl("cp", f"{namespace}/{pod}:/tmp/there/note.txt", str(tmp_path / "back.txt"))
    assert (tmp_path / "back.txt").read_text() == "kept\n"
    process = subprocess.Popen(
        [*kubectl.command, "port-forward", pod, ":80", *here],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        match = re.match(r"Forwarding from 127\.0\.0\.1:(\d+) -> 80", process.stdout.readline())
        assert match is not None
        for path in ("/one", "/two"):
            with urllib.request.urlopen(f"http://127.0.0.1:{match.group(1)}{path}", timeout=20) as page:
                assert f"GET {path} HTTP/1.1" in page.read().decode()
    finally:
        process.terminate()
        process.communicate()
    kubectl("delete", "deploy/web", *here)


def test_changes(kubectl: Kubectl, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = ("-n", namespace)
    kubectl("create", "-f", "-", *here, stdin=MANIFEST)
    assert "configured" in kubectl("apply", "-f", "-", *here, stdin=MANIFEST.replace("blue", "red"))
    assert kubectl("label", "cm", "settings", "tier=front", *here) == "configmap/settings labeled\n"
    assert kubectl("annotate", "cm", "settings", "a=b", *here).startswith("configmap/settings annotate")
    for kind, patch in (("strategic", '{"data":{"s":"1"}}'), ("merge", '{"data":{"m":"1"}}')):
        assert (
            kubectl("patch", "cm", "settings", f"--type={kind}", "-p", patch, *here) == "configmap/settings patched\n"
        )
    kubectl("patch", "cm", "settings", "--type=json", "-p", '[{"op":"remove","path":"/data/m"}]', *here)
    assert kubectl("get", "cm", "settings", "-o", "jsonpath={.data.color}{.data.s}{.data.m}", *here) == "red1"
    assert kubectl("set", "image", "deploy/web", "web=nginx:7", *here) == "deployment.apps/web image updated\n"
    kubectl("autoscale", "deploy/web", "--max=3", "--cpu-percent=70", *here)
    assert "<unknown>/70%" in kubectl("get", "hpa", "web", "--no-headers", *here)
    assert kubectl("expose", "deploy/web", "--port=80", *here) == "service/web exposed\n"
    applied = MANIFEST.replace("blue", "green").replace("nginx:1", "nginx:8")
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", *here, stdin=applied)
    assert kubectl("get", "cm", "settings", "-o", "jsonpath={.data.color}", *here) == "green"
    kubectl("diff", "-f", "-", *here, stdin=applied.replace("green", "grey"), code=1)
    (tmp_path / "editor").write_text("#!/bin/sh\nsed -i s/green/edited/ $1\n")
    (tmp_path / "editor").chmod(0o700)
    monkeypatch.setenv("EDITOR", str(tmp_path / "editor"))
    assert kubectl("edit", "cm", "settings", *here) == "configmap/settings edited\n"
    assert kubectl("get", "cm", "settings", "-o", "jsonpath={.data.color}", *here) == "edited"
    kubectl("wait", "--for=condition=Available", "deploy/web", "--timeout=30s", *here)
    assert kubectl("auth", "can-i", "create", "pods", *here) == "yes\n"
    assert kubectl("auth", "can-i", "create", "pods", "--as=nobody", *here, code=1).startswith("no")
    assert "metadata" in kubectl("explain", "deployments")
    assert "deployments" in kubectl("api-resources", "--api-group=apps")
    assert "deployment.apps/web" in kubectl("get", "all", *here)
    kubectl("delete", "deploy,svc,hpa,cm", "--all", *here)


def test_custom_resources(kubectl: Kubectl, namespace: str) -> None:
    here = ("-n", namespace)
    source = Path(__file__).parent / "custom_openapi.yaml"
    kubectl("apply", "-f", str(source))
    kubectl("wait", "--for=condition=Established", "crd", "things.things.example.com", "--timeout=20s")
    assert re.search(r"replicas\s+<integer>", kubectl("explain", "things.spec", "--api-version=things.example.com/v1"))
    assert re.search(r"ports\s+<\[\]Object>", kubectl("explain", "boxes.spec"))
    thing = "apiVersion: things.example.com/v1\nkind: Thing\nmetadata: {name: t}\nspec: {replicas: %s, wheels: 4}\n"
    assert "unknown field" in kubectl("create", "-f", "-", *here, stdin=thing % 2, code=1)
    thing = thing.replace(", wheels: 4", "")
    assert "created" in kubectl("create", "-f", "-", *here, stdin=thing % 2)
    assert "configured" in kubectl("apply", "-f", "-", *here, stdin=thing % 3)
    assert "scaled" in kubectl("scale", "things.things.example.com/t", "--replicas=7", *here)
    assert kubectl("get", "things.things.example.com", "--no-headers", *here).split() == ["t", "7"]
    kubectl("delete", "things.things.example.com", "t", *here)


def test_run_attached(kubectl: Kubectl, namespace: str) -> None:
    options = ("--image=busybox", "--restart=Never", "--rm", "-i", "-n", namespace)
    told = kubectl("run", "once", *options, "--", "sh", "-c", "read x; echo got $x", stdin="typed\n")
    assert "got typed\n" in told
