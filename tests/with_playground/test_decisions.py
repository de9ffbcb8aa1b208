"""`certificate`, `auth reconcile`, `autoscale` and `set`: what they leave on the server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Outcome
from tests.playground.conftest import Client
from tests.with_playground.test_plan import ASKED, DEPLOYMENT

Run = Callable[..., Outcome]
RBAC = "rbac.authorization.k8s.io"


def role(namespace: str, *resources: str, **metadata: Any) -> dict[str, Any]:
    rules = [{"apiGroups": [""], "resources": list(resources), "verbs": ["get"]}]
    return {"apiVersion": f"{RBAC}/v1", "kind": "Role", "rules": rules,
            "metadata": {"name": "reader", "namespace": namespace, **metadata}}  # fmt: skip


@pytest.fixture
def reconcile(run: Run, tmp_path: Path) -> Callable[..., Outcome]:
    def call(value: dict[str, Any], *argv: str) -> Outcome:
        (tmp_path / "rbac.json").write_text(json.dumps(value))
        return run("auth", "reconcile", "-f", str(tmp_path / "rbac.json"), *argv)

    return call


def allowed(server: Client, namespace: str) -> set[str]:
    found = server.get(f"/apis/{RBAC}/v1/namespaces/{namespace}/roles/reader")
    return {resource for rule in found["rules"] for resource in rule["resources"]}


def test_a_role_gets_what_it_lacks_and_loses_nothing_unasked(
    server: Client, namespace: str, reconcile: Callable[..., Outcome]
) -> None:
    made = reconcile(role(namespace, "pods"))
    assert made.out == f"role.{RBAC}/reader reconciled\n"
    assert made.err.startswith(
        "\treconciliation required create\n\tmissing rules added:\n\t\t{Verbs:[get] APIGroups:[] "
    )
    assert reconcile(role(namespace, "pods")).err == ""
    told = reconcile(role(namespace, "secrets"), "--dry-run=client")
    assert (told.out, allowed(server, namespace)) == (f"role.{RBAC}/reader reconciled (dry run)\n", {"pods"})
    reconcile(role(namespace, "secrets"))
    assert allowed(server, namespace) == {"pods", "secrets"}
    removed = reconcile(role(namespace, "pods"), "--remove-extra-permissions")
    assert "\textra rules removed:\n\t\t{Verbs:[get] APIGroups:[] Resources:[secrets]" in removed.err
    assert allowed(server, namespace) == {"pods"}


def test_an_object_may_opt_out(server: Client, namespace: str, reconcile: Callable[..., Outcome]) -> None:
    protected = {"annotations": {"rbac.authorization.kubernetes.io/autoupdate": "false"}}
    reconcile(role(namespace, "pods", **protected))
    told = reconcile(role(namespace, "secrets"))
    assert "required update, but object opted out" in told.err
    assert allowed(server, namespace) == {"pods"}


def test_a_binding_of_another_role_is_made_anew(
    server: Client, namespace: str, reconcile: Callable[..., Outcome]
) -> None:
    binding = {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": {"name": "b", "namespace": namespace},
               "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"}, "subjects": []}  # fmt: skip
    reconcile(binding)
    before = server.get(f"/apis/{RBAC}/v1/namespaces/{namespace}/rolebindings/b")
    told = reconcile({**binding, "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "edit"}})
    after = server.get(f"/apis/{RBAC}/v1/namespaces/{namespace}/rolebindings/b")
    assert told.err == "\treconciliation required recreate\n"
    assert after["roleRef"]["name"] == "edit"
    assert after["metadata"]["uid"] != before["metadata"]["uid"]


def test_a_signing_request_is_decided_over_once(server: Client, run: Run) -> None:
    where = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
    server.post(where, {**ASKED, "metadata": {"name": "decided"}})
    assert (
        run("certificate", "approve", "decided").out
        == "certificatesigningrequest.certificates.k8s.io/decided approved\n"
    )
    (condition,) = server.get(f"{where}/decided")["status"]["conditions"]
    assert (condition["type"], condition["reason"]) == ("Approved", "KubectlApprove")
    version = server.get(f"{where}/decided")["metadata"]["resourceVersion"]
    assert run("certificate", "approve", "decided").code == 0
    assert server.get(f"{where}/decided")["metadata"]["resourceVersion"] == version
    denied = run("certificate", "deny", "decided")
    assert denied.err == 'error: certificate signing request "decided" is already Approved\n'


def test_autoscale_says_what_an_old_version_could_not(server: Client, namespace: str, run: Run) -> None:
    server.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", DEPLOYMENT)
    words = ("-n", namespace, "autoscale", "deployment", "web", "--max=3")
    assert run(*words, "--cpu=500").out == "horizontalpodautoscaler.autoscaling/web autoscaled\n"
    found = server.get(f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/web")
    assert found["spec"]["metrics"][0]["resource"]["target"] == {"type": "AverageValue", "averageValue": "500m"}
    assert run(*words, "--cpu=50%").err.startswith("Error from server (AlreadyExists): ")
    assert run(*words).err.endswith("incompatible with autoscaling/v1: empty input\n")


def test_variables_are_set_from_many_sources_and_listed(server: Client, namespace: str, run: Run) -> None:
    server.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", DEPLOYMENT)
    server.post(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "m"}, "data": {"my-key": "v"}})

    def env(*argv: str, stdin: bytes = b"") -> Outcome:
        return run("-n", namespace, "set", "env", "deployment/web", *argv, stdin=stdin)

    assert env("A=1", "B=2").out == "deployment.apps/web env updated\n"
    from_map = env("--from=cm/m", "--prefix=P_")
    assert from_map.err == "Warning: key my-key transferred to MY_KEY\n"
    env("-", "B-", stdin=b"A=3# changed\nno assignment\nC=\n")
    listed = env("--list", "--resolve").out
    assert listed == "# Deployment web, container c\nA=3\nP_MY_KEY=v\nC=\n"
    assert "P_MY_KEY from configmap m, key my-key" in env("--list").out


def test_a_selector_and_subjects_are_set(server: Client, namespace: str, run: Run) -> None:
    service = {"metadata": {"name": "s"}, "spec": {"clusterIP": "None", "selector": {"a": "b"}, "ports": [{"port": 1}]}}
    server.post(f"/api/v1/namespaces/{namespace}/services", service)
    assert run("-n", namespace, "set", "selector", "svc/s", "c=d").out == "service/s selector updated\n"
    assert server.get(f"/api/v1/namespaces/{namespace}/services/s")["spec"]["selector"] == {"c": "d"}
    run("-n", namespace, "create", "rolebinding", "b", "--clusterrole=view", "--user=ann")
    words = ("-n", namespace, "set", "subject", "rolebinding/b", "--user=ann")
    assert run(*words).out == ""
    assert run(*words, "--serviceaccount=:builder").out == f"rolebinding.{RBAC}/b subjects updated\n"
    found = server.get(f"/apis/{RBAC}/v1/namespaces/{namespace}/rolebindings/b")["subjects"]
    assert found[-1] == {"kind": "ServiceAccount", "name": "builder", "namespace": namespace}
