"""`trace rbac`: with the roles that it prints a fresh user can do what was traced; with any rule less he cannot.

Against the playground, and against a real kube-apiserver where there is one (KUBEBUILDER_ASSETS, or a kubeconfig of an
admin in KUBETRACE_TEST_KUBECONFIG).
"""

from __future__ import annotations

import copy
import io
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetrace.playground import manager
from kubetrace.trace.record_file import Reader
from kubetrace.wire.yaml_reader import loads
from tests.conftest import Kubetrace, Outcome

Run = Callable[..., Outcome]
PATIENCE = 20.0
"""Seconds until a changed role has come through."""


@pytest.fixture(scope="session")
def real(environ: dict[str, str]) -> Iterator[str]:
    """The kubeconfig of a real server's admin."""
    if kubeconfig := os.environ.get("KUBETRACE_TEST_KUBECONFIG"):
        yield kubeconfig
        return
    assets = os.environ.get("KUBEBUILDER_ASSETS", "")
    if not (Path(assets) / "kube-apiserver").exists():
        pytest.skip("needs a real kube-apiserver: set KUBEBUILDER_ASSETS")
    found = manager.up({**environ, "KUBEBUILDER_ASSETS": assets}, "real", manager.Start(engine=manager.ENVTEST))
    yield str(found.kubeconfig)
    manager.down(environ, "real")


@pytest.fixture(params=["playground", "real"])
def admin(request: pytest.FixtureRequest, kubetrace: Kubetrace) -> Run:
    """kubetrace as an admin of the server."""
    if request.param == "real":
        kubeconfig = request.getfixturevalue("real")
    else:
        kubeconfig = str(request.getfixturevalue("playground").kubeconfig)

    def run(*argv: str, stdin: Any = None) -> Outcome:
        return kubetrace(*argv, "--kubeconfig", kubeconfig, stdin=json.dumps(stdin).encode() if stdin else b"")

    return run


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def role(name: str, **rule: Any) -> dict[str, Any]:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": ["granted"]}]
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules}


def binding(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "somebody"}],
    }  # fmt: skip


class World:
    """A namespace, a user who may nothing yet, and commands that need this and that."""

    def __init__(self, admin: Run) -> None:
        self.admin = admin
        self.namespace = f"rbac-{uuid.uuid4().hex[:8]}"
        self.user = f"user-{self.namespace}"
        assert admin("create", "-f", "-", stdin={"apiVersion": "v1", "kind": "Namespace",
                                                 "metadata": {"name": self.namespace}}).code == 0  # fmt: skip
        for one in (config_map("kept", a="b"), config_map("gone", a="b"), config_map("changed", a="b")):
            self.make(one)
        unchecked = "--validate=false"
        self.commands: list[tuple[list[str], Any]] = [
            (["get", "configmaps"], None),
            (["get", "configmap", "kept", "-o", "name"], None),
            (["get", "nodes"], None),
            (["get", "services", "-A"], None),
            (["get", "services"], None),
            (["get", "namespace", self.namespace], None),
            (["get", "--raw", "/metrics"], None),
            (["get", "configmaps", "--field-selector", "metadata.name=kept", "-o", "name"], None),
            (["create", "-f", "-", unchecked], config_map("made")),
            (["apply", "-f", "-", unchecked], config_map("changed", a="c")),
            (["apply", "--server-side", "-f", "-", unchecked], config_map("applied", a="b")),
            (["delete", "configmap", "gone", "--wait=false"], None),
            (["get", "deployments", "--subresource=status", "web"], None),
            (["create", "-f", "-", unchecked], role("granting")),
            (["create", "-f", "-", unchecked], binding("binding")),
        ]
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        spec = {"selector": {"matchLabels": {"a": "b"}}, "replicas": 0, "template": template}
        self.make({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})

    def make(self, value: dict[str, Any]) -> None:
        done = self.admin("apply", "--server-side", "--force-conflicts", "-n", self.namespace, "-f", "-", stdin=value)
        assert done.code == 0, done.err

    def run_as(self, command: list[str], stdin: Any, *more: str) -> Outcome:
        """One command, from the state in which it has not been run."""
        if "delete" in command:
            self.make(config_map("gone", a="b"))
        elif "create" in command or "--server-side" in command:
            kind = stdin["kind"].lower()
            self.admin("delete", kind, stdin["metadata"]["name"], "-n", self.namespace, "--ignore-not-found")
        elif "apply" in command:
            self.make(config_map("changed", a="b"))
        return self.admin(*command, "-n", self.namespace, *more, stdin=stdin)

    def refused(self) -> Iterator[str]:
        """What the user can't do, as it turns out."""
        for command, stdin in self.commands:
            done = self.run_as(command, stdin, f"--as={self.user}")
            if done.code != 0:
                assert "(Forbidden)" in done.err or "is forbidden" in done.err, (command, done.err)
                yield f"{' '.join(command)}: {done.err}"

    def first_refused(self, expected: bool) -> str:
        """One thing that the user can't do, or "". Waits until changed roles have come through."""
        deadline = time.monotonic() + PATIENCE
        while bool(found := next(self.refused(), "")) != expected and time.monotonic() < deadline:
            time.sleep(0.2)
        return found


def documents(text: str) -> list[dict[str, Any]]:
    return [json.loads(json.dumps(loads(part.encode()))) for part in text.split("---\n")[1:]]


@pytest.mark.timeout(600)
def test_the_roles_suffice_and_none_of_their_rules_is_too_much(
    admin: Run, tmp_path: Path, kubetrace: Kubetrace
) -> None:
    world = World(admin)
    trace = tmp_path / "t.jsonl"
    for command, stdin in world.commands:
        done = world.run_as(command, stdin, "--trace", str(trace))
        assert done.code == 0, (command, done.err)
    assert len(list(world.refused())) == len(world.commands)
    name = f"traced-{world.namespace}"
    printed = kubetrace("trace", "rbac", str(trace), "--name", name, "--bind-to", f"user:{world.user}")
    assert printed.code == 0, printed.err
    roles = documents(printed.out)
    try:
        for value in roles:
            world.make(value)
        assert world.first_refused(False) == "", printed.out
        for which, value in enumerate(roles):
            for number, rule in enumerate(value.get("rules", ())):
                less = copy.deepcopy(value)
                del less["rules"][number]
                world.make(less)
                assert world.first_refused(True), (which, rule)
            world.make(value)
        assert world.first_refused(False) == ""
    finally:
        for value in roles:
            admin("delete", value["kind"].lower(), name, "-n", world.namespace, "--ignore-not-found")
        admin("delete", "namespace", world.namespace, "--wait=false")
    assert list(Reader("t").events(io.BytesIO(trace.read_bytes())))
