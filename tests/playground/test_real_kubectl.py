"""The real kubectl takes the playground for real (skipped without KUBEBUILDER_ASSETS)."""

from __future__ import annotations

import json

from tests.playground.conftest import Kubectl

POD = "{apiVersion: v1, kind: Pod, metadata: {name: mypod}, spec: {containers: [{name: mycontainer, image: nginx}]}}"


def test_the_articles_pod(kubectl: Kubectl, namespace: str) -> None:
    here = ("-n", namespace)
    assert kubectl("apply", "-f", "-", *here, stdin=POD) == "pod/mypod created\n"
    assert kubectl("apply", "-f", "-", *here, stdin=POD) == "pod/mypod unchanged\n"
    assert kubectl("wait", "--for=condition=Ready", "pod/mypod", *here) == "pod/mypod condition met\n"
    header, row = kubectl("get", "pods", *here).splitlines()
    assert header.split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert row.split()[:4] == ["mypod", "1/1", "Running", "0"]
    wide = kubectl("get", "pods", "-o", "wide", *here).splitlines()
    assert wide[0].split()[5:] == ["IP", "NODE", "NOMINATED", "NODE", "READINESS", "GATES"]
    assert kubectl("apply", "-f", "-", *here, stdin=POD.replace("nginx", "nginx:1.27")) == "pod/mypod configured\n"
    assert kubectl("delete", "pod", "mypod", *here) == f'pod "mypod" deleted from {namespace} namespace\n'
    assert "not found" in kubectl("get", "pod", "mypod", *here, code=1)


def test_typed_writes_come_as_protobuf(kubectl: Kubectl, namespace: str) -> None:
    here = ("-n", namespace)
    kubectl("create", "configmap", "settings", "--from-literal=color=blue", *here)
    kubectl("create", "secret", "generic", "login", "--from-literal=password=open", *here)
    kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2", "--port=80", *here)
    kubectl("rollout", "status", "deployment/web", "--timeout=30s", *here)
    assert json.loads(kubectl("get", "cm", "settings", "-o", "json", *here))["data"] == {"color": "blue"}
    assert kubectl("get", "secret", "login", "-o", "jsonpath={.data.password}", *here) == "b3Blbg=="
    assert kubectl("get", "deploy", "web", "--no-headers", *here).split()[1] == "2/2"
    kubectl("set", "image", "deployment/web", "nginx=nginx:2", *here)
    kubectl("rollout", "status", "deployment/web", "--timeout=30s", *here)
    kubectl("rollout", "undo", "deployment/web", *here)
    assert kubectl("get", "deploy", "web", "-o", "jsonpath={..image}", *here) == "nginx"


def test_strict_validation(kubectl: Kubectl, namespace: str) -> None:
    wrong = POD.replace("image: nginx", "image: nginx, imagee: x")
    told = kubectl("create", "-f", "-", "-n", namespace, stdin=wrong, code=1)
    assert told == (
        'Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: '
        'strict decoding error: unknown field "spec.containers[0].imagee"\n'
    ).replace('"STDIN"', '"STDIN"')


def test_who_may_what(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "create", "pods", "--context=developer") == "yes\n"
    assert kubectl("auth", "can-i", "create", "pods", "--context=viewer", code=1).startswith("no")
    told = kubectl("get", "pods", "--context=nobody", code=1)
    assert told == (
        'Error from server (Forbidden): pods is forbidden: User "nobody" cannot list resource "pods" in API group "" '
        'in the namespace "default"\n'
    )


def test_every_resource_can_be_listed(kubectl: Kubectl) -> None:
    names = kubectl("api-resources", "--verbs=list", "-o", "name").split()
    assert len(names) > 55
    kubectl("get", ",".join(names), "-A")


def test_exec_and_tokens(kubectl: Kubectl, namespace: str) -> None:
    here = ("-n", namespace)
    kubectl("run", "box", "--image=busybox", *here)
    kubectl("wait", "--for=condition=Ready", "pod/box", *here)
    assert kubectl("exec", "box", *here, "--", "cat", "/etc/hostname") == "box\n"
    assert kubectl("exec", "-i", "box", *here, "--", "sh", stdin="cd /etc\npwd\n") == "/etc\n"
    assert "exit code 3" in kubectl("exec", "box", *here, "--", "sh", "-c", "exit 3", code=3)
    assert kubectl("create", "token", "default", *here).count(".") == 2


def test_budgets_and_quotas(kubectl: Kubectl, namespace: str) -> None:
    here = ("-n", namespace)
    kubectl("create", "quota", "few", "--hard=count/configmaps=2", *here)
    kubectl("create", "configmap", "one", *here)
    told = kubectl("create", "configmap", "two", *here, code=1)
    assert (
        "exceeded quota: few, requested: count/configmaps=1, used: count/configmaps=2, limited: count/configmaps=2"
        in told
    )


def test_server_side_apply(kubectl: Kubectl, namespace: str) -> None:
    here = ("-n", namespace)
    assert kubectl("apply", "--server-side", "-f", "-", *here, stdin=POD) == "pod/mypod serverside-applied\n"
    other = POD.replace("nginx", "nginx:2")
    told = kubectl("apply", "--server-side", "--field-manager=other", "-f", "-", *here, stdin=other, code=1)
    assert told.startswith(
        'error: Apply failed with 1 conflict: conflict with "kubectl": .spec.containers[name="mycontainer"].image\n'
    )
    kubectl("apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-", *here, stdin=other)
    assert kubectl("get", "pod", "mypod", "-o", "jsonpath={..image}", *here).split()[0] == "nginx:2"
