"""Custom resources in OpenAPI v3 and v2, as a real server publishes them (golden/custom-openapi-1.36.json)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubetrace.wire.openapi_v2 import Definitions
from kubetrace.wire.protobuf import fields
from tests.playground.conftest import Client
from tests.tools.record_custom_openapi import PLACE, TARGET, custom_definitions, published

GOLDEN = json.loads(TARGET.read_text())["documents"]
PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


@pytest.fixture
def defined(client: Client) -> Client:
    for definition in custom_definitions():
        client.call("POST", PLACE, definition)
    return client


def test_custom_resources_are_published_as_a_real_server_does(defined: Client) -> None:
    assert published(defined.get) == GOLDEN


def test_version_2_is_the_same_in_protobuf(defined: Client) -> None:
    document = defined.get("/openapi/v2", Accept=PROTOBUF)
    definitions, plain = Definitions(document), defined.get("/openapi/v2")["definitions"]
    kinds = ("io.k8s.api.core.v1.Secret", "com.example-x.boxes.v1beta1.Box", "com.example.things.v1.ThingList")
    for name in kinds:
        assert definitions.schema(name) == _as_read(plain[name]), name
    assert definitions.name_of_kind("boxes.example-x.com", "v1beta1", "Box") == kinds[1]
    paths = b"".join(value for number, value in fields(document) if number == 8 and isinstance(value, bytes))
    assert b"/apis/things.example.com/v1/namespaces/{namespace}/things/{name}/scale" in paths


def test_what_is_deleted_is_published_no_longer(defined: Client) -> None:
    for definition in custom_definitions():
        defined.call("DELETE", f"{PLACE}/{definition['metadata']['name']}")
    defined.until("/openapi/v2", lambda _, document: "com.example.things.v1.Thing" not in document["definitions"])
    assert b"com.example.things.v1.Thing" not in defined.get("/openapi/v2", Accept=PROTOBUF)


def test_names_are_accepted_after_the_answer(client: Client) -> None:
    for definition in custom_definitions():
        client.call("DELETE", f"{PLACE}/{definition['metadata']['name']}")
    definition = custom_definitions()[0]
    made = client.post(f"{PLACE}?fieldManager=me", definition)
    assert made["status"]["conditions"] is None and made["status"]["acceptedNames"] == {"plural": "", "kind": ""}
    item = client.until(f"{PLACE}/{made['metadata']['name']}", lambda _, item: item["status"]["conditions"])
    assert item["status"]["acceptedNames"]["kind"] == "Box" and item["status"]["storedVersions"] == ["v1beta1"]
    managers = [(entry["manager"], entry.get("subresource")) for entry in item["metadata"]["managedFields"]]
    assert sorted(managers) == [("kube-apiserver", "status"), ("me", None)]


PAGE = b"404 page not found\n"


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("GET", "things.example.com/v1/nope", 404, PAGE),
        ("GET", "things.example.com/v9/things", 404, PAGE),
        ("GET", "things.example.com/v1/things/x", 404, PAGE),
        ("POST", "things.example.com/v1/things", 404, PAGE),
        ("GET", "boxes.example-x.com/v1beta1/namespaces/default/boxes", 404, PAGE),
        ("GET", "boxes.example-x.com/v1beta1/boxes/x/status", 404, 'boxes.boxes.example-x.com "x" not found'),
        (
            "GET",
            "things.example.com/v1/namespaces/default/things/x/nope",
            404,
            'things.things.example.com "x" not found',
        ),
        (
            "DELETE",
            "things.example.com/v1/namespaces/default/things/x/status",
            405,
            'delete is not supported on resources of kind "things.things.example.com"',
        ),
        ("PUT", "things.example.com/v1/namespaces/default/things", 400, "name must be provided"),
    ],
)
def test_paths_that_custom_resources_lack(defined: Client, method: str, path: str, status: int, told: object) -> None:
    answer = defined.call(method, f"/apis/{path}", None if method in ("GET", "DELETE") else {})
    assert (answer[0], answer[1] if answer[1] == PAGE else answer[1]["message"]) == (status, told)


def _as_read(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema as far as the reader of the protobuf goes, in its form."""
    found = {name: schema[name] for name in ("$ref", "format", "description", "required") if name in schema}
    if "type" in schema:
        found["type"] = [schema["type"]]
    if "properties" in schema:
        found["properties"] = {name: _as_read(part) for name, part in schema["properties"].items()}
    if "items" in schema:
        found["items"] = [_as_read(schema["items"])]
    if "additionalProperties" in schema:
        found["additionalProperties"] = _as_read(schema["additionalProperties"])
    return found
