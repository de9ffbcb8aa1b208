"""The headers that tell which FlowSchema and priority level a request falls under.

Who falls where was compared with kube-apiserver 1.36.3, by `kubectl -v=8` as 29 users on as many paths.
"""

from __future__ import annotations

import pytest

from tests.playground.conftest import Client

GROUP = "/apis/flowcontrol.apiserver.k8s.io/v1"
PODS = "/api/v1/namespaces/default/pods"
HEADERS = {
    "flowschemas": "X-Kubernetes-Pf-Flowschema-Uid",
    "prioritylevelconfigurations": "X-Kubernetes-Pf-Prioritylevel-Uid",
}


def names_of(client: Client, path: str, **headers: str) -> list[str]:
    """Of the schema and the level that an answer names."""
    response = client.open("GET", path, **headers)
    response.close()
    response.connection.close()  # type: ignore[attr-defined]
    told = []
    for resource, header in HEADERS.items():
        uid = response.getheader(header)
        items = client.get(f"{GROUP}/{resource}")["items"]
        told += [each["metadata"]["name"] for each in items if each["metadata"]["uid"] == uid]
    return told


ACCOUNT = "system:serviceaccount:default:default"


@pytest.mark.parametrize(
    ("path", "user", "groups", "names"),
    [
        (PODS, "", "", ["exempt", "exempt"]),
        ("/healthz", "someone", "system:authenticated", ["probes", "exempt"]),
        (PODS, "someone", "system:authenticated", ["global-default", "global-default"]),
        (PODS, ACCOUNT, "system:serviceaccounts", ["service-accounts", "workload-low"]),
        ("/apis", ACCOUNT, "system:serviceaccounts", ["service-accounts", "workload-low"]),
        ("/api/v1/nodes/n", "system:node:n", "system:nodes", ["system-node-high", "node-high"]),
        (PODS, "system:node:n", "system:nodes", ["system-nodes", "system"]),
        (PODS, "system:kube-scheduler", "", ["kube-scheduler", "workload-high"]),
        ("/nowhere", "someone", "system:authenticated", ["global-default", "global-default"]),
    ],
)
def test_who_falls_under_what(client: Client, path: str, user: str, groups: str, names: list[str]) -> None:
    asked = {"Impersonate_User": user} if user else {}
    assert names_of(client, path, **asked | ({"Impersonate_Group": groups} if groups else {})) == names


def test_what_has_no_such_headers(client: Client) -> None:
    assert names_of(client, f"{PODS}/nope/log") == []  # as all that runs long, but for watches
    assert names_of(client, f"{PODS}/nope/proxy/x") == []
    assert names_of(client, PODS, Authorization="Bearer unknown") == []


def test_a_schema_of_ones_own_counts_at_once(client: Client) -> None:
    subject = {"kind": "User", "user": {"name": "ours"}}
    allowed = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "namespaces": ["default"]}
    spec = {
        "matchingPrecedence": 500,
        "priorityLevelConfiguration": {"name": "nowhere-yet"},
        "rules": [{"subjects": [subject], "resourceRules": [allowed]}],
    }
    schema = client.post(f"{GROUP}/flowschemas", {"metadata": {"generateName": "own-"}, "spec": spec})
    name, path = schema["metadata"]["name"], f"{PODS}/x"
    ours = {"Impersonate_User": "ours", "Impersonate_Group": "system:authenticated"}
    try:
        assert names_of(client, path, **ours) == ["global-default", "global-default"]  # its level is not there
        patch = {"spec": {"priorityLevelConfiguration": {"name": "workload-low"}}}
        merged = {"Content_Type": "application/merge-patch+json"}
        assert client.call("PATCH", f"{GROUP}/flowschemas/{name}", patch, **merged)[0] == 200
        assert names_of(client, path, **ours) == [name, "workload-low"]
        assert names_of(client, PODS, **ours) == ["global-default", "global-default"]  # a list is no get
    finally:
        client.call("DELETE", f"{GROUP}/flowschemas/{name}")
    assert names_of(client, path, **ours) == ["global-default", "global-default"]
