"""Objects of definitions of one version: how they are watched, and how their status is looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.playground.conftest import Client

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture
def snapshots(client: Client, namespace: str) -> Iterator[str]:
    """The path of a new kind's objects, one of which is "s"."""
    group, text = f"{namespace}.example.com", {"type": "string"}
    size = {"x-kubernetes-int-or-string": True, "pattern": "^[0-9]+(Gi)?$"}
    parts = {"size": size, "ready": {"type": "boolean"}, "of": {"type": "array", "items": text}}
    status = {"type": "object", "properties": parts, "oneOf": [{"required": ["size"]}, {"required": ["ready"]}]}
    schema = {"type": "object", "properties": {"note": text | {"default": "none"}, "status": status}}
    scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.of"}
    subresources = {"status": {}, "scale": scale}
    version = {"name": "v1", "served": True, "storage": True, "subresources": subresources}
    body = {
        "group": group,
        "scope": "Namespaced",
        "names": {"plural": "snapshots", "kind": "Snapshot"},
        "versions": [version | {"schema": {"openAPIV3Schema": schema}}],
    }
    client.post(_DEFINITIONS, {"metadata": {"name": f"snapshots.{group}"}, "spec": body})
    path = f"/apis/{group}/v1/namespaces/{namespace}/snapshots"
    client.until(path, lambda status, answer: status == 200)
    client.post(path, {"apiVersion": f"{group}/v1", "kind": "Snapshot", "metadata": {"name": "s"}})
    yield path
    client.call("DELETE", f"{_DEFINITIONS}/snapshots.{group}")


def test_the_bookmark_of_a_custom_resource_is_its_kind_and_a_version(client: Client, snapshots: str) -> None:
    options = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    response = client.open("GET", f"{snapshots}?{options}&timeoutSeconds=1")
    lines = response.read().splitlines()
    response.close()
    response.connection.close()  # type: ignore[attr-defined]
    added, bookmark = (json.loads(line) for line in lines[:2])
    assert (added["type"], added["object"]["note"]) == ("ADDED", "none")
    told = bookmark["object"]
    assert (bookmark["type"], sorted(told), told["kind"]) == (
        "BOOKMARK",
        ["apiVersion", "kind", "metadata"],
        "Snapshot",
    )
    assert told["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_what_is_wrong_with_a_status_is_told_from_within_it(client: Client, snapshots: str) -> None:
    def causes(status: Any) -> list[tuple[str, str]]:
        merge = "application/merge-patch+json"
        answer = client.call("PATCH", f"{snapshots}/s/status", {"status": status}, Content_Type=merge)[1]
        return [(cause["field"], cause["message"]) for cause in answer["details"]["causes"]]

    assert causes({"size": "five"}) == [
        ("status.size", "Invalid value: \"five\": size in body should match '^[0-9]+(Gi)?$'")
    ]
    words = 'Invalid value: "": "" must validate one and only one schema (oneOf). Found 2 valid alternatives'
    assert causes({"size": 5, "ready": True}) == [("status", words)]
    found = causes({"ready": True, "of": [1]})
    assert found[0] == ("status.of[0]", 'Invalid value: "integer": of[0] in body must be of type string: "integer"')
    words = 'Invalid value: "integer":  in body must be of type object: "integer"'
    assert causes(5)[0] == ("status", words)
