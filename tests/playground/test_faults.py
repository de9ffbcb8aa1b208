from __future__ import annotations

import contextlib
import http.client
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetrace.errors import KubetraceError
from kubetrace.playground import manager
from kubetrace.serving.faults import Fault, parse, take
from tests.playground.conftest import Client

PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"


@contextlib.contextmanager
def faulty(folder: Path, *faults: str, latency: float = 0.0) -> Iterator[Client]:
    environ = {"XDG_STATE_HOME": str(folder), "PATH": os.environ.get("PATH", "")}
    found = manager.up(environ, start=manager.Start(latency=latency, faults=faults))
    try:
        yield Client(found.folder, found.port)
    finally:
        manager.down(environ)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("POST pods: 500 once", Fault("POST", "pods", 500, left=1)),
        ("get /version:429 retry-after 2s 3 times", Fault("GET", "/version", 429, retry_after=2, left=3)),
        ("* *: reset", Fault("*", "*", reset=True)),
        ("GET pods/log: slow 0.5", Fault("GET", "pods/log", slow=0.5)),
        ("GET pods/log: slow 500ms always", Fault("GET", "pods/log", slow=0.5)),
        ("GET pods: 429 once retry-after 2", Fault("GET", "pods", code=429, retry_after=2, left=1)),
        ("GET pods: reset twice", Fault("GET", "pods", reset=True, left=2)),
    ],
)
def test_grammar(text: str, fault: Fault) -> None:
    assert parse(text) == fault


@pytest.mark.parametrize(
    "text",
    ["", "pods: 500", "POST pods 500", "EAT pods: 500", "POST pods: 200", "GET pods: slow", "GET pods: 500 0 times"],
)
def test_bad_faults_get_one_line(text: str) -> None:
    with pytest.raises(KubetraceError, match=r"^invalid fault .*") as caught:
        parse(text)
    assert "\n" not in str(caught.value)


def test_a_fault_is_used_up() -> None:
    faults = [parse("GET pods: 503 2 times")]
    met = [take(faults, "GET", PODS, "pods", False) is not None for _ in range(3)]
    assert met == [True, True, False]
    assert take([parse("WATCH pods: 410")], "GET", PODS, "pods", False) is None


def test_faults_know_a_resource_by_every_name_and_a_reset_is_one(tmp_path: Path) -> None:
    told = (
        "POST po: 507 once",
        "GET deployment/scale: 507",
        "GET roles.rbac.authorization.k8s.io: 507",
        "GET cm: reset",
    )
    with faulty(tmp_path, *told) as client:
        assert client.call("POST", PODS, {"metadata": {"name": "p"}})[0] == 507
        assert client.call("GET", "/apis/apps/v1/namespaces/default/deployments/none/scale")[0] == 507
        assert client.call("GET", "/apis/rbac.authorization.k8s.io/v1/roles")[0] == 507
        assert client.call("GET", "/api/v1/pods")[0] == 200
        with pytest.raises(ConnectionResetError):
            client.call("GET", MAPS)


def test_faults_happen_and_end(tmp_path: Path) -> None:
    faults = ["POST configmaps: 429 retry-after 1 once", "WATCH pods: 410", "GET /version: reset once"]
    faults += ["GET configmaps: slow 0.01"]
    with faulty(tmp_path, *faults, latency=0.001) as client:
        made = {"metadata": {"name": "made"}}
        refused = client.open("POST", MAPS, made)
        status = json.loads(refused.read())
        refused.connection.close()  # type: ignore[attr-defined]
        assert (refused.status, refused.getheader("Retry-After")) == (429, "1")
        assert status["details"] == {"retryAfterSeconds": 1}
        client.post(MAPS, made)
        status, event = client.call("GET", f"{PODS}?watch=1")
        assert (status, event["type"], event["object"]["code"]) == (200, "ERROR", 410)
        with pytest.raises((http.client.HTTPException, OSError)):
            client.get("/version")
        assert client.get("/version")["major"] == "1"
        assert client.get(f"{MAPS}/made")["metadata"]["name"] == "made"


def test_metrics_count_by_verb_resource_and_code(client: Client, namespace: str) -> None:
    client.get(f"/api/v1/namespaces/{namespace}/secrets")
    client.call("GET", f"/api/v1/namespaces/{namespace}/secrets/none")
    lines = client.call("GET", "/metrics")[1].decode().splitlines()
    rows = [line for line in lines if line.startswith("apiserver_request_total{") and 'resource="secrets"' in line]
    assert any('code="200"' in row and 'verb="LIST"' in row and 'scope="namespace"' in row for row in rows)
    assert any('code="404"' in row and 'verb="GET"' in row and 'scope="resource"' in row for row in rows)


def test_the_key_of_tokens_is_published(client: Client) -> None:
    config = client.get("/.well-known/openid-configuration")
    status, data = client.call("GET", "/openid/v1/jwks", Accept="*/*")
    (key,) = json.loads(data)["keys"]
    assert status == 200 and config["id_token_signing_alg_values_supported"] == [key["alg"]]
    assert config["jwks_uri"].endswith("/openid/v1/jwks") and len(key["x"]) == 43
