"""Programs that are no kubectl, through wrap: the Kubernetes clients of Python and JavaScript, Helm where it is."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetrace.playground import manager
from tests.recorder.program import Program

POD = {"metadata": {"name": "mypod"}, "spec": {"containers": [{"name": "main", "image": "nginx"}]}}

PYTHON = f"""
from kubernetes import client, config, watch
from kubernetes.stream import stream
config.load_kube_config()
api = client.CoreV1Api()
api.create_namespaced_pod("default", {POD!r})
for event in watch.Watch().stream(api.list_namespaced_pod, "default", timeout_seconds=30):
    if event["object"].status.phase == "Running":
        print(event["object"].metadata.name)
        break
options = dict(stderr=True, stdin=False, stdout=True, tty=False)
print(stream(api.connect_get_namespaced_pod_exec, "mypod", "default", command=["echo", "hello"], **options).strip())
api.delete_namespaced_pod("mypod", "default", grace_period_seconds=0)
try:
    api.read_namespaced_pod("nothing", "default")
except client.ApiException as error:
    print(error.status)
"""

KR8S = """
import kr8s
from kr8s.objects import ConfigMap
made = ConfigMap({"metadata": {"name": "made", "namespace": "default"}, "data": {"a": "b"}})
made.create()
made.patch({"data": {"c": "d"}})
print(*[one.name for one in kr8s.get("configmaps", namespace="default") if one.name == "made"])
made.delete()
"""

JAVASCRIPT = """
const k8s = require('@kubernetes/client-node');
(async () => {
  const config = new k8s.KubeConfig();
  config.loadFromDefault();
  const api = config.makeApiClient(k8s.CoreV1Api);
  await api.createNamespacedConfigMap({namespace: 'default', body: {metadata: {name: 'js'}}});
  const watch = new k8s.Watch(config);
  await new Promise((done) => watch.watch('/api/v1/namespaces/default/configmaps', {timeoutSeconds: 1},
    (type, object) => { if (object.metadata.name === 'js') console.log(type, object.metadata.name); }, done));
  await api.deleteNamespacedConfigMap({namespace: 'default', name: 'js'});
  await api.readNamespacedConfigMap({namespace: 'default', name: 'js'}).catch((error) => console.log(error.code));
  process.exit(0);
})();
"""


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[manager.Playground]:
    environ = {"XDG_STATE_HOME": str(tmp_path_factory.mktemp("state")), "PATH": os.environ.get("PATH", "")}
    yield manager.up(environ, "clients")
    manager.down(environ, "clients")


@pytest.fixture
def program(tmp_path: Path, playground: manager.Playground) -> Program:
    return Program(tmp_path, playground.kubeconfig)


def through(program: Program, *command: str, environ: dict[str, str] | None = None) -> str:
    """A command's standard output."""
    trace = str(program.folder / "t.jsonl")
    done = program.run("wrap", "--trace", trace, "--", *command, environ=environ, timeout=120)
    assert done.returncode == 0, done.stderr
    assert program.left_behind() == []
    return done.stdout


def calls(program: Program) -> set[tuple[str, str]]:
    """RBAC's verb and the path's last word of each exchange."""
    shown = program.run("trace", "show", str(program.folder / "t.jsonl"), "--color=never").stdout.splitlines()
    rows = [line.split() for line in shown[1:]]
    return {(row[1], row[2].partition("?")[0].rpartition("/")[2]) for row in rows if row and row[0].isdigit()}


def test_the_python_client(program: Program) -> None:
    pytest.importorskip("kubernetes")
    assert through(program, sys.executable, "-c", PYTHON) == "mypod\nhello\n404\n"
    assert {("create", "pods"), ("watch", "pods"), ("get", "exec"), ("delete", "mypod")} <= calls(program)
    lines = [json.loads(line) for line in (program.folder / "t.jsonl").read_text().splitlines()]
    told = {(line.get("type"), line.get("name")) for line in lines if line.get("event") == "watch-event"}
    assert {("ADDED", "mypod"), ("MODIFIED", "mypod")} <= told
    assert {line["channel"] for line in lines if line.get("event") == "frame" and "channel" in line} >= {"stdout"}


def test_kr8s(program: Program) -> None:
    pytest.importorskip("kr8s")
    assert through(program, sys.executable, "-c", KR8S) == "made\n"
    assert {("create", "configmaps"), ("patch", "made"), ("list", "configmaps"), ("delete", "made")} <= calls(program)


def test_the_javascript_client(program: Program) -> None:
    folder, node = os.environ.get("KUBETRACE_NODE_MODULES", ""), shutil.which("node")
    if node is None or not (Path(folder) / "@kubernetes" / "client-node").is_dir():
        pytest.skip("KUBETRACE_NODE_MODULES names no folder with @kubernetes/client-node, or there is no node")
    assert through(program, node, "-e", JAVASCRIPT, environ={"NODE_PATH": folder}) == "ADDED js\n404\n"
    assert {("create", "configmaps"), ("watch", "configmaps"), ("delete", "js"), ("get", "js")} <= calls(program)


def test_helm(program: Program, tmp_path: Path) -> None:
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("there is no helm")
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: demo\nversion: 0.1.0\n")
    template = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}"}\n'
    (chart / "templates" / "all.yaml").write_text(template)
    assert "STATUS: deployed" in through(program, helm, "install", "rel", str(chart))
    assert "rel" in through(program, helm, "list")
    through(program, helm, "uninstall", "rel")
    assert {("create", "secrets"), ("create", "configmaps"), ("delete", "rel"), ("list", "secrets")} <= calls(program)
