"""Writers are warned in the real server's words (golden/warnings-1.36.json)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.playground.conftest import Client
from tests.playground.warned import requests

GOLDEN = json.loads((Path(__file__).parent / "golden" / "warnings-1.36.json").read_text())["answers"]


@pytest.mark.parametrize("number", range(len(GOLDEN)), ids=[entry["object"] for entry in GOLDEN])
def test_warnings_are_the_real_servers(client: Client, number: int) -> None:
    path, body = list(requests("default"))[number]
    response = client.open("POST", path, body)
    answer = json.loads(response.read())
    response.connection.close()  # type: ignore[attr-defined]
    told = response.headers.get_all("Warning") or []
    assert (response.status, told) == (GOLDEN[number]["status"], GOLDEN[number]["warnings"])
    if response.status != 201:
        assert answer["message"] == GOLDEN[number]["message"]


def test_who_changes_a_pod_is_not_warned_and_who_changes_a_template_is(client: Client, namespace: str) -> None:
    old = {"beta.kubernetes.io/os": "linux"}
    spec = {"nodeSelector": old, "containers": [{"name": "c", "image": "x"}]}
    path, merge = f"/api/v1/namespaces/{namespace}/pods", "application/merge-patch+json"

    def warned(method: str, path: str, body: object, kind: str = "application/json") -> int:
        response = client.open(method, path, body, Content_Type=kind)
        response.read()
        response.connection.close()  # type: ignore[attr-defined]
        assert response.status in (200, 201)
        return len(response.headers.get_all("Warning") or [])

    assert warned("POST", path, {"metadata": {"name": "p"}, "spec": spec}) == 1
    assert warned("PATCH", f"{path}/p", {"metadata": {"labels": {"a": "b"}}}, merge) == 0
    path, labels = f"/apis/apps/v1/namespaces/{namespace}/deployments", {"a": "b"}
    template = {"metadata": {"labels": labels}, "spec": spec}
    body = {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": labels}, "template": template}}
    assert warned("POST", path, body) == 1
    assert warned("PATCH", f"{path}/d", {"metadata": {"labels": labels}}, merge) == 0
    assert warned("PATCH", f"{path}/d", {"spec": {"replicas": 0}}, merge) == 1


def test_pod_security_warns_whoever_changes_what_makes_pods(client: Client, namespace: str) -> None:
    """Whatever changes in it, but for its scale; of a pod, for its images only."""
    labels = {"metadata": {"labels": {"pod-security.kubernetes.io/warn": "restricted"}}}
    client.call("PATCH", f"/api/v1/namespaces/{namespace}", labels, Content_Type="application/merge-patch+json")
    pods, spec = {"matchLabels": {"a": "b"}}, {"containers": [{"name": "c", "image": "x"}]}
    template = {"metadata": {"labels": pods["matchLabels"]}, "spec": spec}
    path, pod = f"/apis/apps/v1/namespaces/{namespace}/deployments", f"/api/v1/namespaces/{namespace}/pods"
    client.post(path, {"metadata": {"name": "d"}, "spec": {"selector": pods, "template": template}})
    client.post(pod, {"metadata": {"name": "p"}, "spec": spec})

    def is_warned(where: str, patch: object, kind: str = "application/merge-patch+json") -> bool:
        response = client.open("PATCH", where, patch, Content_Type=kind)
        response.read()
        response.connection.close()  # type: ignore[attr-defined]
        assert response.status == 200
        return any("would violate PodSecurity" in text for text in response.headers.get_all("Warning") or [])

    assert is_warned(f"{path}/d", {"metadata": {"labels": {"x": "y"}}})
    assert is_warned(f"{path}/d", {"spec": {"replicas": 2}})
    assert not is_warned(f"{path}/d/scale", {"spec": {"replicas": 3}})
    assert not is_warned(f"{pod}/p", {"metadata": {"labels": {"x": "y"}}})
    assert not is_warned(f"{pod}/p", {"spec": {"activeDeadlineSeconds": 300}})
    image = {"op": "replace", "path": "/spec/containers/0/image", "value": "z"}
    assert is_warned(f"{pod}/p", [image], "application/json-patch+json")
