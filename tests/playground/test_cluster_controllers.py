"""Controllers of what belongs to the cluster: addresses, roles, tokens, flow schemas, policies, versions of kinds."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from tests.playground.conftest import Client
from tests.playground.test_behaviour import BOX, Place

RBAC = "/apis/rbac.authorization.k8s.io/v1"
NETWORKING = "/apis/networking.k8s.io/v1"
FLOW = "/apis/flowcontrol.apiserver.k8s.io/v1"
AUTHENTICATION = "/apis/authentication.k8s.io/v1"


@pytest.fixture
def place(client: Client, namespace: str) -> Place:
    return Place(client, namespace)


def _gone(client: Client, path: str) -> None:
    client.until(path, lambda status, _: status == 404)


def _role(client: Client, name: str, labels: dict[str, str], rules: list[Any]) -> str:
    client.post(f"{RBAC}/clusterroles", {"metadata": {"name": name, "labels": labels}, "rules": rules})
    return f"{RBAC}/clusterroles/{name}"


def test_cluster_roles_hold_the_rules_of_others(client: Client) -> None:
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    selectors = [{"matchLabels": {"part": "yes"}}, {"matchExpressions": [{"key": "more", "operator": "Exists"}]}]
    body = {"metadata": {"name": "whole"}, "aggregationRule": {"clusterRoleSelectors": selectors}, "rules": []}
    client.post(f"{RBAC}/clusterroles", body)
    one = _role(client, "part-one", {"part": "yes"}, [rule])
    two = _role(client, "part-two", {"part": "yes", "more": ""}, [rule, rule | {"verbs": ["list"]}])
    whole = f"{RBAC}/clusterroles/whole"
    found = client.until(whole, lambda _, item: len(item["rules"] or ()) == 2)
    assert [entry["verbs"] for entry in found["rules"]] == [["get"], ["list"]]
    manager = found["metadata"]["managedFields"][0]
    assert (manager["manager"], manager["operation"]) == ("clusterrole-aggregation-controller", "Apply")
    client.call("DELETE", two)
    client.until(whole, lambda _, item: len(item["rules"] or ()) == 1)
    view = _role(client, "part-of-view", {"rbac.authorization.k8s.io/aggregate-to-view": "true"}, [rule])
    known = f"{RBAC}/clusterroles/view"
    client.until(known, lambda _, item: rule in item["rules"])
    for path in (one, view, whole):
        client.call("DELETE", path)
    client.until(known, lambda _, item: rule not in item["rules"])


def test_every_address_of_a_service_is_an_object(client: Client, place: Place) -> None:
    service = place.make("services", "s", {"ports": [{"port": 80}]})
    path = f"{NETWORKING}/ipaddresses/{service['spec']['clusterIP']}"
    found = client.until(path, lambda status, _: status == 200)
    parent = {"resource": "services", "namespace": place.namespace, "name": "s"}
    assert found["spec"] == {"parentRef": parent}
    assert found["metadata"]["labels"]["ipaddress.kubernetes.io/managed-by"] == "ipallocator.k8s.io"
    client.call("DELETE", path)
    client.until(path, lambda status, item: status == 200 and item["metadata"]["uid"] != found["metadata"]["uid"])
    place.delete("services", "s")
    _gone(client, path)


def test_ranges_of_services_are_ready_and_protected(client: Client) -> None:
    client.post(f"{NETWORKING}/servicecidrs", {"metadata": {"name": "extra"}, "spec": {"cidrs": ["10.200.0.0/24"]}})
    path = f"{NETWORKING}/servicecidrs/extra"
    found = client.until(path, lambda _, item: (item.get("status") or {}).get("conditions"))
    assert found["metadata"]["finalizers"] == ["networking.k8s.io/service-cidr-finalizer"]
    assert found["status"]["conditions"][0]["message"] == "Kubernetes Service CIDR is ready"
    status, item = client.call("DELETE", path)
    assert status == 200 and item["metadata"]["deletionTimestamp"]


def test_flow_schemas_know_whether_their_level_is_there(client: Client) -> None:
    spec: Any = {"priorityLevelConfiguration": {"name": "absent"}, "matchingPrecedence": 500}
    client.post(f"{FLOW}/flowschemas", {"metadata": {"name": "f"}, "spec": spec})

    def dangling(item: Any) -> str:
        return next((c["status"] for c in (item.get("status") or {}).get("conditions") or ()), "")

    client.until(f"{FLOW}/flowschemas/f", lambda _, item: dangling(item) == "True")
    level = {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}
    client.post(f"{FLOW}/prioritylevelconfigurations", {"metadata": {"name": "absent"}, "spec": level})
    client.until(f"{FLOW}/flowschemas/f", lambda _, item: dangling(item) == "False")
    client.call("DELETE", f"{FLOW}/prioritylevelconfigurations/absent")
    client.call("DELETE", f"{FLOW}/flowschemas/f")


def _review(client: Client, token: str, *audiences: str) -> Any:
    return client.post(f"{AUTHENTICATION}/tokenreviews", {"spec": {"token": token, "audiences": audiences}})["status"]


def _who(client: Client, token: str) -> tuple[int, Any]:
    body: dict[str, Any] = {}
    return client.call("POST", f"{AUTHENTICATION}/selfsubjectreviews", body, Authorization=f"Bearer {token}")


def test_tokens_are_for_their_audiences_and_die_with_what_they_are_bound_to(client: Client, place: Place) -> None:
    place.make("serviceaccounts", "robot")
    place.make("secrets", "bound")
    asked = f"{place.path('serviceaccounts', 'robot')}/token"
    other = client.post(asked, {"spec": {"audiences": ["a", "b"]}})["status"]["token"]
    assert _who(client, other)[0] == 401
    assert _review(client, other, "b", "c")["audiences"] == ["b"]
    assert "is invalid for the target audiences" in _review(client, other, "c")["error"]
    reference = {"apiVersion": "v1", "kind": "Secret", "name": "bound"}
    bound = client.post(asked, {"spec": {"boundObjectRef": reference}})["status"]["token"]
    status, answer = _who(client, bound)
    assert status == 201
    assert answer["status"]["userInfo"]["extra"]["authentication.kubernetes.io/credential-id"][0].startswith("JTI=")
    place.delete("secrets", "bound")
    assert _who(client, bound)[0] == 401


def test_secrets_get_the_token_of_their_account(client: Client, place: Place) -> None:
    kind, mark = "kubernetes.io/service-account-token", "kubernetes.io/service-account.name"
    account = place.make("serviceaccounts", "robot")
    place.make("secrets", "token", metadata={"annotations": {mark: "robot"}}, type=kind)
    secret = place.until("secrets", "token", lambda item: (item.get("data") or {}).get("token"))
    assert sorted(secret["data"]) == ["ca.crt", "namespace", "token"]
    assert secret["metadata"]["annotations"]["kubernetes.io/service-account.uid"] == account["metadata"]["uid"]
    status, answer = _who(client, base64.b64decode(secret["data"]["token"]).decode())
    name = f"system:serviceaccount:{place.namespace}:robot"
    assert (status, answer["status"]["userInfo"]["username"]) == (201, name)
    place.delete("serviceaccounts", "robot")
    place.gone("secrets", "token")


def test_autoscalers_are_the_same_in_both_versions(client: Client, place: Place) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "none"}
    spec = {"scaleTargetRef": target, "maxReplicas": 3, "targetCPUUtilizationPercentage": 70}
    old = f"/apis/autoscaling/v1/namespaces/{place.namespace}/horizontalpodautoscalers"
    client.post(old, {"metadata": {"name": "h"}, "spec": spec})
    new = f"{old.replace('/v1/', '/v2/')}/h"
    assert client.get(new)["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
    memory = {"type": "AverageValue", "averageValue": "1Gi"}
    metrics = [{"type": "Resource", "resource": {"name": "memory", "target": memory}}]
    place.patch("autoscaling/v2/horizontalpodautoscalers", "h", {"spec": {"metrics": metrics}})
    found = client.get(f"{old}/h")
    assert "targetCPUUtilizationPercentage" not in found["spec"]
    kept = found["metadata"]["annotations"]["autoscaling.alpha.kubernetes.io/metrics"]
    assert kept == '[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}}]'
    place.patch("autoscaling/v1/horizontalpodautoscalers", "h", {"spec": {"maxReplicas": 4}})
    assert client.get(new)["spec"]["metrics"] == metrics


def test_events_are_the_same_in_both_groups(client: Client, place: Place) -> None:
    place.pod("p")
    place.told("p", "Started")
    path = f"/apis/events.k8s.io/v1/namespaces/{place.namespace}/events"
    found = client.get(f"{path}?fieldSelector=regarding.name=p,reason=Started")["items"]
    assert [item["deprecatedCount"] for item in found] == [1]
    assert found[0]["note"] == place.told("p", "Started")


def test_an_absent_owner_takes_a_changed_object_with_it(place: Place) -> None:
    place.make("configmaps", "c")
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "never", "uid": "u"}
    place.patch("configmaps", "c", {"metadata": {"ownerReferences": [owner]}})
    place.gone("configmaps", "c")


def test_pages_of_a_selection_end_where_the_objects_do(client: Client, place: Place) -> None:
    for index in range(3):
        place.make("configmaps", f"c{index}", metadata={"labels": {"odd": str(index % 2)}})
    path = f"{place.path('configmaps')}?labelSelector=odd%3D0&limit=1"
    first = client.get(path)
    assert "remainingItemCount" not in first["metadata"]
    second = client.get(f"{path}&continue={first['metadata']['continue']}")
    assert [item["metadata"]["name"] for item in first["items"] + second["items"]] == ["c0", "c2"]
    everywhere = client.get("/api/v1/configmaps?limit=1")
    rest = client.get(f"/api/v1/configmaps?continue={everywhere['metadata']['continue']}")
    whole = client.get("/api/v1/configmaps")["items"]
    names = [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in everywhere["items"] + rest["items"]]
    assert names == [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in whole]


def test_headers_of_impersonation_come_one_by_one(client: Client) -> None:
    import http.client
    import json

    connection = http.client.HTTPSConnection("127.0.0.1", client.port, context=client.tls, timeout=20)
    connection.putrequest("POST", f"{AUTHENTICATION}/selfsubjectreviews")
    headers = [("Impersonate-User", "jane"), ("Impersonate-Group", "a,b"), ("Impersonate-Group", "c")]
    headers += [("Impersonate-Extra-q%2fr", "1"), ("Impersonate-Extra-q%2fr", "2"), ("Content-Length", "2")]
    for name, value in [*headers, ("Authorization", f"Bearer {client.token}"), ("Content-Type", "application/json")]:
        connection.putheader(name, value)
    connection.endheaders(b"{}")
    info = json.loads(connection.getresponse().read())["status"]["userInfo"]
    connection.close()
    assert info == {"username": "jane", "groups": ["a,b", "c", "system:authenticated"], "extra": {"q/r": ["1", "2"]}}


def test_what_a_cluster_brings_has_managers(client: Client) -> None:
    def managers(path: str) -> list[tuple[str, str, str]]:
        entries = client.get(path)["metadata"]["managedFields"]
        return [(entry["manager"], entry["operation"], entry.get("subresource", "")) for entry in entries]

    server = ("kube-apiserver", "Update", "")
    assert (
        managers("/api/v1/namespaces/default") == managers("/api/v1/namespaces/default/services/kubernetes") == [server]
    )
    roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    assert managers(f"{roles}/cluster-admin") == [server]
    assert managers(f"{roles}/view") == [("clusterrole-aggregation-controller", "Apply", ""), server]
    assert ("kubelet", "Update", "status") in managers("/api/v1/nodes/playground-node")


def test_a_replica_set_keeps_its_first_failure(client: Client, place: Place) -> None:
    place.make("resourcequotas", "none", {"hard": {"pods": "0"}})
    place.until("resourcequotas", "none", lambda item: "used" in (item.get("status") or {}))
    template = {"metadata": {"labels": {"app": "f"}}, "spec": {"containers": [BOX]}}
    place.make("apps/v1/replicasets", "f", {"selector": {"matchLabels": {"app": "f"}}, "template": template})
    failed = place.until("apps/v1/replicasets", "f", lambda item: (item.get("status") or {}).get("conditions"))
    told = failed["status"]["conditions"][0]["message"]
    assert re.match(r'pods "f-[a-z0-9]{5}" is forbidden: exceeded quota: none', told)
    chosen = place.path("events") + "?fieldSelector=involvedObject.name=f"
    client.until(chosen, lambda _, found: sum(event["count"] for event in found["items"]) > 1)
    after = place.get("apps/v1/replicasets", "f")
    assert after["metadata"]["resourceVersion"] == failed["metadata"]["resourceVersion"]


def test_admission_says_the_prefix_of_a_name_that_is_not_made_yet(client: Client, place: Place) -> None:
    spec = {"containers": [BOX], "serviceAccountName": "nobody"}
    _, refused = client.call("POST", place.path("pods"), {"metadata": {"generateName": "early-"}, "spec": spec})
    assert refused["message"].startswith('pods "early-" is forbidden: error looking up service account')
    made = client.post("/api/v1/namespaces", {"metadata": {"generateName": "made-"}})
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": made["metadata"]["name"]}


def _kind(client: Client, group: str) -> str:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "toys", "kind": "Toy"}
    spec = {"group": group, "names": names, "scope": "Namespaced", "versions": [version]}
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    client.post(path, {"metadata": {"name": f"toys.{group}"}, "spec": spec})
    client.until(f"/apis/{group}/v1", lambda status, _: status == 200)
    return f"{path}/toys.{group}"


def test_a_definition_goes_after_its_objects(client: Client, namespace: str) -> None:
    group = f"{namespace}.example.com"
    kind, toys = _kind(client, group), f"/apis/{group}/v1/namespaces/{namespace}/toys"
    client.post(toys, {"apiVersion": f"{group}/v1", "kind": "Toy", "metadata": {"name": "t", "finalizers": ["a.b/c"]}})
    status, found = client.call("DELETE", kind, {"preconditions": {"uid": "other"}})
    assert (status, "Precondition failed: UID in precondition: other" in found["message"]) == (409, True)
    status, told = client.call("DELETE", f"{kind}?dryRun=All")
    assert (status, told["status"]["conditions"][-1]["reason"]) == (200, "InstanceDeletionPending")
    assert "deletionTimestamp" not in client.get(kind)["metadata"]
    status, told = client.call("DELETE", kind)
    assert told["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    held = client.until(f"{toys}/t", lambda _, item: "deletionTimestamp" in item["metadata"])
    going = client.get(kind)["status"]["conditions"][-1]
    assert (going["type"], going["reason"]) == ("Terminating", "InstanceDeletionInProgress")
    resources = client.get(f"/apis/{group}/v1")["resources"]
    assert resources[0]["verbs"] == ["delete", "deletecollection", "get", "list", "watch"]
    status, refused = client.call("POST", toys, held | {"metadata": {"name": "late"}})
    assert (status, refused["message"]) == (403, f'toys.{group} "late" is forbidden: {_ENDING}')
    client.call("PATCH", f"{toys}/t", {"metadata": {"finalizers": None}}, Content_Type="application/merge-patch+json")
    _gone(client, kind)
    _gone(client, f"{toys}/t")


_ENDING = "create not allowed while custom resource definition is terminating"


def test_a_deletion_that_is_not_meant_shows_what_it_would_leave(client: Client, place: Place) -> None:
    place.make("configmaps", "c", metadata={"finalizers": ["a.b/c"]})
    path = place.path("configmaps", "c")
    _, told = client.call("DELETE", f"{path}?dryRun=All")
    assert (told["metadata"]["deletionGracePeriodSeconds"], "deletionTimestamp" in told["metadata"]) == (0, True)
    assert "deletionTimestamp" not in client.get(path)["metadata"]
    client.call("PATCH", path, {"metadata": {"finalizers": None}}, Content_Type="application/merge-patch+json")


def test_lists_without_entries_are_read_back_as_null(client: Client, place: Place) -> None:
    role = place.make("rbac.authorization.k8s.io/v1/roles", "r", rules=[])
    assert role["rules"] is None
    assert role["metadata"]["managedFields"][0]["fieldsV1"] == {"f:rules": {}}
    assert place.make("limitranges", "l", {"limits": []})["spec"] == {"limits": None}
