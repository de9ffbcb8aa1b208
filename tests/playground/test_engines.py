from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kubetrace.errors import KubetraceError
from kubetrace.playground import manager
from tests.playground.conftest import Client

ASSETS = Path(os.environ.get("KUBEBUILDER_ASSETS", "/nonexistent"))
needs_assets = pytest.mark.skipif(not (ASSETS / "kube-apiserver").exists(), reason="no KUBEBUILDER_ASSETS")
ENVTEST = manager.Start(engine="envtest")


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    home = {"XDG_STATE_HOME": str(tmp_path / "state"), "HOME": str(tmp_path)}
    return home | {"PATH": os.environ.get("PATH", ""), "KUBEBUILDER_ASSETS": str(ASSETS)}


def run(own: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kubetrace", *words]
    return subprocess.run(command, env=own, capture_output=True, text=True, timeout=150)


@needs_assets
@pytest.mark.timeout(300)
def test_envtest_serves_the_same_people_and_ends_with_its_supervisor(own: dict[str, str]) -> None:
    found = manager.up(own, start=ENVTEST)
    try:
        assert found.engine == "envtest" and manager.up(own) == found
        admin = Client(found.folder, found.port)
        admin.post("/api/v1/namespaces/default/configmaps", {"metadata": {"name": "kept"}})
        for context, expected in (("developer", 201), ("viewer", 403), ("nobody", 403)):
            person = Client(found.folder, found.port, context)
            status, _ = person.call(
                "POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"generateName": "x-"}}
            )
            assert status == expected, context
        with pytest.raises(KubetraceError, match="has the envtest engine: reset it first"):
            manager.up(own, start=manager.Start(engine="embedded"))
        os.kill(found.pid, signal.SIGKILL)
        for _ in range(100):
            if not manager.find(own).running:
                break
            time.sleep(0.1)
        again = manager.up(own)
        assert again.port == found.port, "nothing of it was left behind that holds the port"
        assert Client(again.folder, again.port).get("/api/v1/namespaces/default/configmaps/kept")
        told = run(own, "playground", "reset")
        assert told.returncode == 0 and manager.find(own).engine == "envtest"
    finally:
        manager.down(own)
    manager.reset(own)
    assert not manager.find(own).engine


def test_an_engine_that_cannot_run_says_what_is_missing(own: dict[str, str], tmp_path: Path) -> None:
    own["KUBEBUILDER_ASSETS"] = str(tmp_path)
    told = run(own, "playground", "up", "--engine=envtest")
    assert told.returncode == 1 and told.stderr == (
        f"error: the envtest engine needs etcd and kube-apiserver in {tmp_path}: "
        "set KUBEBUILDER_ASSETS to a folder that has etcd and kube-apiserver\n"
    )
    told = run(own, "playground", "up", "--engine=docker")
    assert told.stderr == "error: unknown engine 'docker'; want one of embedded, envtest\n"
    (tmp_path / "etcd").touch()
    (tmp_path / "kube-apiserver").touch()
    told = run(own, "playground", "up", "--engine=envtest", "--nodes=2")
    assert told.stderr == f"error: the envtest engine needs kwok in {tmp_path} to have nodes\n"


def test_seeds_are_applied_once_it_runs(own: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "seeds" / "more").mkdir(parents=True)
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"
    (tmp_path / "seeds" / "one.yaml").write_text(manifest % "one")
    (tmp_path / "seeds" / "more" / "two.yaml").write_text(manifest % "two")
    try:
        told = run(own, "playground", "up", "--seed-from", str(tmp_path / "seeds"))
        assert told.returncode == 0 and told.stdout.splitlines()[2:] == [
            "configmap/two serverside-applied",
            "configmap/one serverside-applied",
        ]
        again = run(own, "playground", "up", "--seed-from", str(tmp_path / "seeds"))
        assert again.returncode == 0, "seeding again changes nothing"
    finally:
        manager.down(own)
    told = run(own, "playground", "up", "--seed-from", str(tmp_path / "nowhere"))
    assert told.stderr == f'error: the path "{tmp_path}/nowhere" does not exist\n'


def test_seeds_may_come_before_what_they_need(own: dict[str, str], tmp_path: Path) -> None:
    place = tmp_path / "seeds"
    place.mkdir()
    (place / "a.yaml").write_text("{apiVersion: ex.io/v1, kind: Foo, metadata: {name: f, namespace: app}}\n")
    (place / "b.yaml").write_text(
        "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: foos.ex.io}, spec: "
        "{group: ex.io, scope: Namespaced, names: {plural: foos, kind: Foo}, versions: [{name: v1, served: true, "
        "storage: true, schema: {openAPIV3Schema: {type: object}}}]}}\n"
    )
    (place / "c.yaml").write_text("{apiVersion: v1, kind: Namespace, metadata: {name: app}}\n")
    try:
        told = run(own, "playground", "up", "--seed-from", str(place))
        assert (told.returncode, told.stderr) == (0, "")
        assert sorted(told.stdout.splitlines()[2:]) == [
            "customresourcedefinition.apiextensions.k8s.io/foos.ex.io serverside-applied",
            "foo.ex.io/f serverside-applied",
            "namespace/app serverside-applied",
        ]
    finally:
        run(own, "playground", "down")


def test_foreground_seeds_too_and_ends_on_a_signal(own: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n")
    words = ["playground", "up", "--foreground", "--seed-from", str(tmp_path / "one.yaml")]
    command = [sys.executable, "-m", "kubetrace", *words]
    with subprocess.Popen(command, env=own, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        assert lines[-1] == "configmap/one serverside-applied\n", lines
        assert manager.find(own).running
        os.kill(manager.find(own).pid, signal.SIGTERM)
        assert process.wait(20) == 0
    assert not manager.find(own).running
