"""What the commands that change objects leave on the server, and what they have said when they fail half-way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Outcome
from tests.playground.conftest import Client
from tests.with_playground.test_plan import DEPLOYMENT, POD

Run = Callable[..., Outcome]
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "1", "b": "2"}}


@pytest.fixture
def at(server: Client, namespace: str, run: Run) -> Callable[..., Outcome]:
    """kubetrace in a namespace with a ConfigMap, a pod and a deployment."""
    server.post(f"/api/v1/namespaces/{namespace}/configmaps", CONFIG)
    server.post(f"/api/v1/namespaces/{namespace}/pods", POD)
    server.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", DEPLOYMENT)

    def call(*argv: str, **more: object) -> Outcome:
        return run("-n", namespace, *argv, **more)

    return call


def read(at: Run, *words: str) -> str:
    """One field of an object."""
    outcome = at("get", *words)
    assert outcome.code == 0, outcome.err
    return outcome.out


@pytest.mark.parametrize(
    ("type_", "patch", "left"),
    [
        ("strategic", '{"data":{"b":null,"c":"3"}}', {"a": "1", "c": "3"}),
        ("strategic", "data: {c: '3'}", {"a": "1", "b": "2", "c": "3"}),
        ("merge", '{"data":{"a":"9"}}', {"a": "9", "b": "2"}),
        ("json", '[{"op":"move","from":"/data/a","path":"/data/z"}]', {"b": "2", "z": "1"}),
    ],
)
def test_patch_changes_what_it_names(at: Run, type_: str, patch: str, left: dict[str, str]) -> None:
    outcome = at("patch", "cm", "settings", "--type", type_, "-p", patch)
    assert (outcome.out, outcome.code) == ("configmap/settings patched\n", 0)
    assert json.loads(read(at, "cm", "settings", "-o", "jsonpath={.data}")) == left


def test_patch_says_when_nothing_changed(at: Run) -> None:
    assert at("patch", "cm", "settings", "-p", '{"data":{"a":"1"}}').out == "configmap/settings patched (no change)\n"


def test_patch_of_a_client_dry_run_changes_nothing_on_the_server(at: Run) -> None:
    outcome = at("patch", "cm", "settings", "-p", '{"data":{"a":"9"}}', "--dry-run=client", "-o", "jsonpath={.data.a}")
    assert outcome.out == "9"
    assert read(at, "cm", "settings", "-o", "jsonpath={.data.a}") == "1"


def test_patch_goes_on_after_an_object_that_is_not_there(at: Run) -> None:
    outcome = at("patch", "cm", "nothing", "settings", "-p", '{"data":{"a":"9"}}')
    assert outcome.code == 1
    assert outcome.out == "configmap/settings patched\n"
    assert 'configmaps "nothing" not found' in outcome.err


def test_replace_leaves_only_what_the_file_says(at: Run, tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({**CONFIG, "data": {"only": "this"}}))
    assert at("replace", "-f", str(file)).out == "configmap/settings replaced\n"
    assert json.loads(read(at, "cm", "settings", "-o", "jsonpath={.data}")) == {"only": "this"}


def test_replace_of_an_old_version_is_a_conflict(at: Run) -> None:
    old = {**CONFIG, "metadata": {"name": "settings", "resourceVersion": "1"}}
    outcome = at("replace", "-f", "-", stdin=json.dumps(old).encode())
    assert outcome.code == 1
    assert outcome.err.startswith('Error from server (Conflict): error when replacing "STDIN": Operation cannot be')


def test_replace_by_force_makes_another_object(at: Run) -> None:
    before = read(at, "cm", "settings", "-o", "jsonpath={.metadata.uid}")
    outcome = at("replace", "--force", "-f", "-", stdin=json.dumps(CONFIG).encode())
    assert [line.split(" from ")[0] for line in outcome.out.splitlines()] == [
        'configmap "settings" deleted',
        "configmap/settings replaced",
    ]
    assert read(at, "cm", "settings", "-o", "jsonpath={.metadata.uid}") != before


def test_replace_says_what_it_did_before_a_document_that_is_broken(at: Run) -> None:
    documents = [json.dumps(CONFIG), '{"apiVersion": "v1", "kind": "Nope", "metadata": {"name": "x"}}', "a: ["]
    outcome = at("replace", "-f", "-", stdin="\n---\n".join(documents).encode())
    assert outcome.code == 1
    assert outcome.out == "configmap/settings replaced\n"
    assert 'no matches for kind "Nope"' in outcome.err
    assert "error parsing STDIN" in outcome.err


def test_scale_sets_the_replicas(at: Run) -> None:
    assert at("scale", "--replicas=2", "deployment/web").out == "deployment.apps/web scaled\n"
    assert read(at, "deployment", "web", "-o", "jsonpath={.spec.replicas}") == "2"


def test_scale_with_a_condition_that_does_not_hold_changes_nothing(at: Run) -> None:
    outcome = at("scale", "--current-replicas=5", "--replicas=2", "deployment/web")
    assert (outcome.code, outcome.err) == (1, "error: Expected replicas to be 5, was 1\n")
    assert read(at, "deployment", "web", "-o", "jsonpath={.spec.replicas}") == "1"
    assert at("scale", "--current-replicas=1", "--replicas=2", "deployment/web").code == 0
    assert read(at, "deployment", "web", "-o", "jsonpath={.spec.replicas}") == "2"


def test_run_makes_a_pod_and_expose_a_service_for_it(at: Run) -> None:
    assert at("run", "web", "--image=nginx", "--port=80", "--env=A=1", "--", "serve").out == "pod/web created\n"
    container = json.loads(read(at, "pod", "web", "-o", "jsonpath={.spec.containers[0]}"))
    assert container["args"] == ["serve"]
    assert container["env"] == [{"name": "A", "value": "1"}]
    assert at("expose", "pod", "web").out == "service/web exposed\n"
    assert json.loads(read(at, "service", "web", "-o", "jsonpath={.spec.selector}")) == {"run": "web"}
    assert read(at, "service", "web", "-o", "jsonpath={.spec.ports[0].targetPort}") == "80"


def test_set_image_changes_one_container_only(at: Run) -> None:
    assert at("set", "image", "deployment/web", "c=other").out == "deployment.apps/web image updated\n"
    assert read(at, "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[*].image}") == "other"
    outcome = at("set", "image", "deployment/web", "nobody=x")
    assert (outcome.code, outcome.err) == (1, 'error: unable to find container named "nobody"\n')
