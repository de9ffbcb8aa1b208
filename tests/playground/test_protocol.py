"""Lists, watches, discovery and bad input, over HTTP."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from tests.playground.conftest import AGGREGATED, TABLE, Client


def make(client: Client, namespace: str, *names: str, **labels: str) -> None:
    for name in names:
        body = {"metadata": {"name": name, "labels": labels}}
        client.post(f"/api/v1/namespaces/{namespace}/configmaps", body)


def names(value: Any) -> list[str]:
    return [item["metadata"]["name"] for item in value["items"] if item["metadata"]["name"] != "kube-root-ca.crt"]


def test_pages_hold_every_object_once(client: Client, namespace: str) -> None:
    made = [f"c{number:02}" for number in range(11)]
    make(client, namespace, *made)
    path, seen, token = f"/api/v1/namespaces/{namespace}/configmaps?limit=4", [], ""
    while True:
        page = client.get(f"{path}&continue={token}" if token else path)
        assert len(page["items"]) <= 4
        seen += names(page)
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert seen == made
    assert client.call("GET", f"{path}&continue=!!!")[0] == 400


def test_selectors(client: Client, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    make(client, namespace, "a", tier="front", app="x")
    make(client, namespace, "b", tier="back")
    for selector, wanted in {
        "tier=front": ["a"],
        "tier!=front": ["b"],
        "tier+in+(front,back),app": ["a"],
        "app+notin+(x)": ["b"],
        "!app": ["b"],
        "tier==back": ["b"],
    }.items():
        assert names(client.get(f"{path}?labelSelector={selector}")) == wanted, selector
    assert names(client.get(f"{path}?fieldSelector=metadata.name!=a")) == ["b"]


def events(response: http.client.HTTPResponse, count: int) -> list[tuple[str, str]]:
    found = [json.loads(response.readline()) for _ in range(count)]
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in found]


def test_a_watch_sees_each_change_once_and_resumes(client: Client, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    make(client, namespace, "old")
    version = client.get(path)["metadata"]["resourceVersion"]
    watch = client.open("GET", f"{path}?watch=1&resourceVersion={version}&labelSelector=x=1")
    make(client, namespace, "one", x="1")
    make(client, namespace, "other", x="2")
    patch = {"Content_Type": "application/merge-patch+json"}
    client.call("PATCH", f"{path}/one", {"data": {"a": "1"}}, **patch)
    client.call("PATCH", f"{path}/one", {"metadata": {"labels": {"x": "9"}}}, **patch)
    client.call("PATCH", f"{path}/one", {"metadata": {"labels": {"x": "1"}}}, **patch)
    client.call("DELETE", f"{path}/one")
    wanted = [(kind, "one") for kind in ("ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED")]
    assert events(watch, 5) == wanted
    watch.connection.close()  # type: ignore[attr-defined]
    watch.close()
    again = client.open("GET", f"{path}?watch=1&resourceVersion={version}&labelSelector=x=1&timeoutSeconds=1")
    assert events(again, 5) == wanted
    assert again.readline() == b""
    again.connection.close()  # type: ignore[attr-defined]


def test_a_watch_list_ends_its_start_with_a_bookmark(client: Client, namespace: str) -> None:
    make(client, namespace, "a", x="1")
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1"
    watch = client.open("GET", f"/api/v1/namespaces/{namespace}/configmaps?{query}&labelSelector=x=1")
    first, second = (json.loads(watch.readline()) for _ in range(2))
    assert (first["type"], second["type"]) == ("ADDED", "BOOKMARK")
    assert second["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    watch.read()
    watch.connection.close()  # type: ignore[attr-defined]


def test_discovery_in_its_forms(client: Client) -> None:
    response = client.open("GET", "/apis", Accept=AGGREGATED)
    document, etag = json.loads(response.read()), response.getheader("ETag")
    response.connection.close()  # type: ignore[attr-defined]
    assert document["kind"] == "APIGroupDiscoveryList" and etag
    unchanged = client.open("GET", "/apis", Accept=AGGREGATED, If_None_Match=etag)
    assert (unchanged.status, unchanged.read()) == (304, b"")
    # client-go's cache would take a length of 0 over into the document that it keeps.
    assert unchanged.getheader("Content-Length") is None and unchanged.getheader("Content-Type") is None
    unchanged.connection.close()  # type: ignore[attr-defined]
    groups = [group["name"] for group in client.get("/apis")["groups"]]
    assert groups == [item["metadata"]["name"] for item in document["items"]]
    deployments = next(r for r in client.get("/apis/apps/v1")["resources"] if r["name"] == "deployments")
    assert (deployments["shortNames"], deployments["kind"]) == (["deploy"], "Deployment")
    paths = json.loads(client.get("/openapi/v3"))["paths"]  # told as text, as the real server does
    document = client.get(paths["apis/apps/v1"]["serverRelativeURL"])
    assert "io.k8s.api.apps.v1.Deployment" in document["components"]["schemas"]


def test_every_listed_resource_prints_a_row_as_wide_as_its_columns(client: Client) -> None:
    kinds = ("clusterroles", "clusterrolebindings", "roles", "rolebindings")
    paths = [f"/apis/rbac.authorization.k8s.io/v1/{kind}" for kind in kinds]
    paths += ["/api/v1/nodes", "/api/v1/namespaces", "/api/v1/services", "/api/v1/serviceaccounts", "/api/v1/events"]
    paths += ["/apis/apiregistration.k8s.io/v1/apiservices", "/apis/scheduling.k8s.io/v1/priorityclasses"]
    paths += ["/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas", "/apis/networking.k8s.io/v1/servicecidrs"]
    for path in paths:
        table = client.get(path, Accept=TABLE)
        for row in table["rows"]:
            assert len(row["cells"]) == len(table["columnDefinitions"]), path


def test_custom_resources_are_served_at_once(client: Client, namespace: str) -> None:
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "required": ["size"],
                "properties": {
                    "size": {"type": "integer", "maximum": 3},
                    "colour": {"type": "string", "default": "red"},
                },
            }
        },
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
    }
    spec = {
        "group": "shop.example.com",
        "scope": "Namespaced",
        "names": {"plural": "hats", "kind": "Hat", "shortNames": ["ht"]},
        "versions": [version],
    }
    name = "hats.shop.example.com"
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    client.post(definitions, {"metadata": {"name": name}, "spec": spec})
    path = f"/apis/shop.example.com/v1/namespaces/{namespace}/hats"
    client.until(path, lambda status, _: status == 200)
    hat = {"apiVersion": "shop.example.com/v1", "kind": "Hat"}
    made = client.post(path, hat | {"metadata": {"name": "h"}, "spec": {"size": 2, "nope": 1}})
    assert made["spec"] == {"size": 2, "colour": "red"}
    status, refused = client.call("POST", path, hat | {"metadata": {"name": "i"}, "spec": {"size": 9}})
    assert (status, refused["details"]["causes"][0]["field"]) == (422, "spec.size")
    table = client.get(path, Accept=TABLE)
    assert [c["name"] for c in table["columnDefinitions"]] == ["Name", "Size"] and table["rows"][0]["cells"] == ["h", 2]
    assert "shop.example.com" in [group["name"] for group in client.get("/apis")["groups"]]
    client.call("DELETE", f"{definitions}/{name}")
    client.until(path, lambda status, _: status == 404)


def test_owners_take_their_dependents_along(client: Client, namespace: str) -> None:
    spec = {"containers": [{"name": "c", "image": "nginx"}]}
    body = {"metadata": {"name": "web"}, "spec": {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}}}
    body["spec"]["template"] = {"metadata": {"labels": {"a": "b"}}, "spec": spec}  # type: ignore[index]
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    client.post(path, body)
    client.until(f"{path}/web", lambda _, value: value.get("status", {}).get("readyReplicas") == 2)
    client.call("DELETE", f"{path}/web")
    client.until(f"/api/v1/namespaces/{namespace}/pods", lambda _, value: value["items"] == [])
    client.call("DELETE", f"/api/v1/namespaces/{namespace}")
    client.until(f"/api/v1/namespaces/{namespace}", lambda status, _: status == 404)


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "/api/v1/namespaces/default/pods", b"{broken", 400),
        ("POST", "/api/v1/namespaces/default/pods", b"[" * 100_000, 400),
        ("POST", "/api/v1/namespaces/default/pods", b"x" * (4 * 1024 * 1024), 413),
        ("POST", "/api/v1/namespaces/default/pods", b"null", 422),
        ("GET", "/api/v1/../../etc/passwd", None, 404),
        ("GET", "/apis/%2e%2e%2fx", None, 404),
        ("BREW", "/api/v1/pods", None, 405),
        ("POST", "/api/v1/namespaces/default/pods/x", b"{}", 405),
        ("GET", "/api/v1/pods?labelSelector=" + "a%3Db,!" * 2000, None, 400),
        ("GET", "/api/v1/pods?limit=x", None, 400),
        ("GET", "/api/v1/pods?watch=1&resourceVersion=x", None, 500),
    ],
)
def test_bad_input_gets_a_status_and_the_server_lives(
    client: Client, method: str, path: str, body: bytes | None, code: int
) -> None:
    try:
        assert client.call(method, path, body)[0] == code
    except (BrokenPipeError, ConnectionResetError):
        assert code == 413  # it need not read four megabytes to refuse them
    assert client.get("/version")["major"] == "1"


def test_openapi_has_the_packages_sentences_where_it_is_installed(client: Client) -> None:
    from kubetrace.playground import openapi

    schemas = client.get("/openapi/v3/api/v1")["components"]["schemas"]
    described = [name for name, schema in schemas.items() if "description" in schema]
    assert bool(described) == bool(openapi.sentences())
    assert schemas["io.k8s.api.core.v1.Pod"]["properties"]["spec"]["allOf"]


def test_a_custom_resource_is_explained_with_its_metadata(client: Client) -> None:
    version = {"name": "v1", "served": True, "storage": True}
    version["schema"] = {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "string"}}}}  # type: ignore[assignment]
    names = {"plural": "explained", "kind": "Explained"}
    spec = {"group": "doc.example.com", "scope": "Cluster", "names": names, "versions": [version]}
    client.post(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        {"metadata": {"name": "explained.doc.example.com"}, "spec": spec},
    )
    document = client.until("/openapi/v3/apis/doc.example.com/v1", lambda status, _: status == 200)
    schema = document["components"]["schemas"]["com.example.doc.v1.Explained"]
    assert set(schema["properties"]) == {"apiVersion", "kind", "metadata", "spec"}
    assert "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" in document["components"]["schemas"]


def test_rules_that_are_not_run_are_told(client: Client) -> None:
    version = {"name": "v1", "served": True, "storage": True}
    rules = [{"rule": "self.x > 1"}]
    version["schema"] = {"openAPIV3Schema": {"type": "object", "x-kubernetes-validations": rules}}  # type: ignore[assignment]
    names = {"plural": "ruled", "kind": "Ruled"}
    spec = {"group": "rule.example.com", "scope": "Cluster", "names": names, "versions": [version]}
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    response = client.open("POST", path, {"metadata": {"name": "ruled.rule.example.com"}, "spec": spec})
    told = response.getheader("Warning") or ""
    response.read()
    response.connection.close()  # type: ignore[attr-defined]
    assert "does not run the rules of spec.versions[0].schema.openAPIV3Schema.x-kubernetes-validations" in told


def test_a_version_of_the_past_is_listed_as_it_was(client: Client, namespace: str) -> None:
    place = f"/api/v1/namespaces/{namespace}/configmaps"
    for name in ("a", "b"):
        client.post(place, {"metadata": {"name": name}})
    then = client.get(place)["metadata"]["resourceVersion"]
    client.call("DELETE", f"{place}/a")
    client.post(place, {"metadata": {"name": "c"}})
    past = client.get(f"{place}?resourceVersion={then}&resourceVersionMatch=Exact")
    assert [item["metadata"]["name"] for item in past["items"]][:2] == ["a", "b"]
    assert past["metadata"]["resourceVersion"] == then
    first = client.get(f"{place}?limit=1")
    client.post(place, {"metadata": {"name": "d"}})
    rest = client.get(f"{place}?limit=10&continue={first['metadata']['continue']}")
    assert "d" not in [item["metadata"]["name"] for item in rest["items"]], "pages are of one version"


def test_without_a_namespace_nothing_is_deleted(client: Client, namespace: str) -> None:
    client.post(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "stays"}})
    assert client.call("DELETE", "/api/v1/configmaps")[0] == 405
    assert client.get(f"/api/v1/namespaces/{namespace}/configmaps/stays")
