"""What is made of a template has the name that kube-controller-manager gives it (golden/template-hashes-1.36.json)."""

from __future__ import annotations

import json
import uuid

from tests.playground.conftest import Client
from tests.playground.templates import GOLDEN, names


def test_what_is_made_of_a_template_is_named_by_its_hash(client: Client, namespace: str) -> None:
    assert names(client.call, namespace) == json.loads(GOLDEN.read_text())["names"]


def test_a_name_that_is_taken_is_counted(client: Client, namespace: str) -> None:
    """The status tells how often, and the hash is of that, too."""
    path, labels = f"/apis/apps/v1/namespaces/{namespace}", {"a": uuid.uuid4().hex}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}

    def made(name: str) -> str:
        client.post(f"{path}/deployments", {"metadata": {"name": name}, "spec": spec})
        query = f"{path}/replicasets?labelSelector=a%3D{labels['a']}"

        def own(items: list[dict[str, dict[str, object]]]) -> list[str]:
            return [str(i["metadata"]["name"]) for i in items if "ownerReferences" in i["metadata"]]

        return own(client.until(query, lambda _, answer: own(answer["items"]))["items"])[0]

    first = made("d")
    other = {"replicas": 0, "selector": {"matchLabels": {"x": "y"}}}
    other["template"] = template | {"metadata": {"labels": {"x": "y"}}}
    client.call("DELETE", f"{path}/deployments/d")
    client.until(f"{path}/replicasets/{first}", lambda status, _: status == 404)
    client.post(f"{path}/replicasets", {"metadata": {"name": first}, "spec": other})
    second = made("d")
    assert second != first and client.get(f"{path}/deployments/d")["status"]["collisionCount"] == 1
