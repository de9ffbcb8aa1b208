"""Bodies of custom resources, which no Go struct stands behind: what they call themselves, nulls, the order of keys.

The words are those of kube-apiserver 1.36.3 (the same requests were sent to both).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.playground.conftest import Client

MERGE = "application/merge-patch+json"
KNOWN = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


class Kind:
    """A custom kind of one namespace's group."""

    def __init__(self, client: Client, namespace: str) -> None:
        self.client, self.group = client, f"{namespace}.example.com"
        text: dict[str, Any] = {"type": "string"}
        fields = {"plain": text, "free": text | {"nullable": True}, "count": {"type": "integer", "default": 3}}
        spec = {"type": "object", "properties": fields}
        schema = {"type": "object", "properties": {"spec": spec}}
        scale = {"specReplicasPath": ".spec.count", "statusReplicasPath": ".status.count"}
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        version |= {"subresources": {"scale": scale}}
        names = {"plural": "gadgets", "kind": "Gadget"}
        definition = {"group": self.group, "names": names, "scope": "Namespaced", "versions": [version]}
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        client.post(path, {"metadata": {"name": f"gadgets.{self.group}"}, "spec": definition})
        self.path = f"/apis/{self.group}/v1/namespaces/{namespace}/gadgets"
        client.until(self.path, lambda status, _: status == 200)

    def body(self, name: str, **rest: Any) -> dict[str, Any]:
        return {"apiVersion": f"{self.group}/v1", "kind": "Gadget", "metadata": {"name": name}} | rest


@pytest.fixture
def kind(client: Client, namespace: str) -> Iterator[Kind]:
    found = Kind(client, namespace)
    yield found
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.{found.group}"
    client.call("DELETE", path)
    client.until(path, lambda status, _: status == 404)


def test_what_a_body_calls_itself(client: Client, kind: Kind) -> None:
    def refused(body: Any, query: str = "") -> tuple[int, str]:
        status, told = client.call("POST", kind.path + query, body)
        return status, told["message"]

    bare = {"metadata": {"name": "a"}}
    why = f"Object 'Kind' is missing in '{json.dumps(bare)}'"
    told = f"the object provided is unrecognized (must be of type Gadget): {why} ({json.dumps(bare)})"
    assert refused(bare) == (400, told)
    assert refused(bare, "?fieldValidation=Ignore") == (
        400,
        f'Gadget in version "v1" cannot be handled as a Gadget: {why}',
    )
    wanted = f"does not match the expected API version ({kind.group}/v1)"
    assert refused(bare | {"kind": "Gadget"}) == (400, f"the API version in the data () {wanted}")
    assert refused(kind.body("a") | {"apiVersion": "v1"}) == (400, f"the API version in the data (v1) {wanted}")
    told = f'Other.{kind.group} "a" is invalid: kind: Invalid value: "Other": must be Gadget'
    assert refused(kind.body("a", kind="Other")) == (422, told)
    client.post(kind.path, kind.body("a"))
    patch = {"apiVersion": "v1", "kind": "Other"}
    status, answer = client.call("PATCH", f"{kind.path}/a", patch, Content_Type=MERGE)
    told = f'apiVersion: Invalid value: "v1": must be {kind.group}/v1]'
    assert (status, answer["message"]) == (
        422,
        f'Other "a" is invalid: [kind: Invalid value: "Other": must be Gadget, {told}',
    )


def test_nulls_that_may_not_be_there_are_forgotten(client: Client, kind: Kind) -> None:
    body = kind.body("n", spec={"plain": None, "free": None, "count": None})
    body["metadata"] |= {"labels": None, "annotations": {}}
    made = client.post(kind.path, body)
    assert made["spec"] == {"free": None, "count": 3}
    assert not {"labels", "annotations"} & set(made["metadata"])


def test_keys_stand_in_the_order_of_their_names(client: Client, kind: Kind) -> None:
    client.post(kind.path, kind.body("k", spec={"plain": "p"}))
    found, listed = client.get(f"{kind.path}/k"), client.get(kind.path)
    assert list(found) == ["apiVersion", "kind", "metadata", "spec"] and list(found["spec"]) == ["count", "plain"]
    assert list(found["metadata"]) == sorted(found["metadata"])
    assert list(listed) == ["apiVersion", "items", "kind", "metadata"] and listed["metadata"]["continue"] == ""


def test_forms_of_objects_and_scales(client: Client, kind: Kind) -> None:
    client.post(kind.path, kind.body("f", spec={}))
    scale = client.get(f"{kind.path}/f/scale", Accept=TABLE)
    assert scale["metadata"]["resourceVersion"] and scale["rows"][0]["cells"][:3] == ["f", 3, 0]
    assert client.get(f"{kind.path}/f/scale", Accept=METADATA)["kind"] == "PartialObjectMetadata"
    status, told = client.call("GET", f"{kind.path}/f", Accept=METADATA.replace("Metadata;", "MetadataList;"))
    assert (status, told["message"]) == (500, "content is not a list")
    for form, place in (("application/json", ""), ("application/strategic-merge-patch+json", "/scale")):
        status, told = client.call("PATCH", f"{kind.path}/f{place}", {}, Content_Type=form)
        start = "the body of the request was in an unknown format - accepted media types include: "
        assert (status, told["message"]) == (415, start + KNOWN)
