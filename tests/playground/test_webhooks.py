"""Admission webhooks are called: over HTTPS on this machine, with the real server's words where they fail.

The words were compared with a kube-apiserver 1.36 that called the same webhooks.
"""

from __future__ import annotations

import base64
import datetime
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kubetrace.serving.authority import Authority
from tests.playground.conftest import Client

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1"
Word = Callable[[dict[str, Any]], dict[str, Any]]


class Webhook:
    """One server of webhooks; `words` are its answers by path, `heard` what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.words: dict[str, Word] = {}
        self.heard: list[dict[str, Any]] = []
        authority = Authority("webhooks", datetime.timedelta(days=1))
        certificate, key = authority.issue("webhook", hosts=["127.0.0.1"])
        (folder / "pem").write_bytes(certificate + key)
        self.bundle = base64.b64encode(authority.pem).decode()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if review["request"].get("name") != "kube-root-ca.crt":  # every namespace gets one, sooner or later
                    hook.heard.append(review["request"])
                word = hook.words[self.path.partition("?")[0]](review["request"])
                response = {"uid": review["request"]["uid"], "allowed": True} | word
                data = json.dumps({k: review[k] for k in ("apiVersion", "kind")} | {"response": response}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def says(self, path: str, word: Word) -> None:
        self.words[path] = word

    def url(self, path: str) -> str:
        return f"https://127.0.0.1:{self.server.server_port}{path}"


@pytest.fixture
def webhook(tmp_path: Path) -> Iterator[Webhook]:
    made = Webhook(tmp_path)
    yield made
    made.server.shutdown()
    made.server.server_close()


class Registry:
    """Registers webhooks for one namespace, and takes them back."""

    def __init__(self, client: Client, namespace: str, webhook: Webhook) -> None:
        self.client, self.namespace, self.webhook = client, namespace, webhook
        self._made: list[str] = []

    def add(self, kind: str, *paths: str, resource: str = "configmaps", operation: str = "CREATE", **more: Any) -> None:
        hooks = []
        for path in paths:
            config = {"url": self.webhook.url(path), "caBundle": self.webhook.bundle}
            rule = {"operations": [operation], "apiGroups": ["*"], "apiVersions": ["*"], "resources": [resource]}
            hook = {"name": f"{path[1:]}.example.com", "clientConfig": config, "rules": [rule], "sideEffects": "None"}
            hook |= {"admissionReviewVersions": ["v1"], "timeoutSeconds": 1}
            hook["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}}
            hooks.append(hook | more)
        path = f"{CONFIGURATIONS}/{kind}webhookconfigurations"
        name = f"{self.namespace}-{len(self._made)}"
        self.client.post(path, {"metadata": {"name": name}, "webhooks": hooks})
        self._made.append(f"{path}/{name}")

    def clear(self) -> None:
        for path in self._made:
            self.client.call("DELETE", path)


@pytest.fixture
def registry(client: Client, namespace: str, webhook: Webhook) -> Iterator[Registry]:
    made = Registry(client, namespace, webhook)
    yield made
    made.clear()


def config_map(name: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **metadata}, "data": {"a": "b"}}


def patching(*operations: dict[str, Any]) -> Word:
    encoded = base64.b64encode(json.dumps(operations).encode()).decode()
    return lambda request: {"patchType": "JSONPatch", "patch": encoded}


def denying(**status: Any) -> Word:
    return lambda request: {"allowed": False, "status": status}


def create(client: Client, namespace: str, body: Any) -> tuple[int, Any]:
    status, answer = client.call("POST", f"/api/v1/namespaces/{namespace}/configmaps", body)
    return status, answer


def test_mutating_webhooks_change_objects_one_after_the_other(
    client: Client, namespace: str, webhook: Webhook, registry: Registry
) -> None:
    webhook.says("/first", patching({"op": "add", "path": "/metadata/labels", "value": {"first": "yes"}}))
    webhook.says("/second", patching({"op": "copy", "from": "/metadata/labels/first", "path": "/data/seen"}))
    registry.add("mutating", "/first", "/second")
    status, made = create(client, namespace, config_map("m"))
    assert (status, made["metadata"]["labels"], made["data"]) == (201, {"first": "yes"}, {"a": "b", "seen": "yes"})
    first, second = webhook.heard
    assert "uid" not in first["object"]["metadata"]
    assert first["userInfo"]["groups"] == ["system:masters", "system:authenticated"]
    assert second["object"]["metadata"]["labels"] == {"first": "yes"}
    owned = [entry["fieldsV1"] for entry in made["metadata"]["managedFields"]]
    assert owned == [{"f:data": {".": {}, "f:a": {}}}]  # what a webhook adds is nobody's


def test_a_refusal_is_the_answer(client: Client, namespace: str, webhook: Webhook, registry: Registry) -> None:
    webhook.says("/no", denying(message="not on Fridays", code=418))
    registry.add("validating", "/no")
    status, answer = create(client, namespace, config_map("m"))
    assert (status, answer["message"]) == (
        418,
        'admission webhook "no.example.com" denied the request: not on Fridays',
    )
    assert client.call("GET", f"/api/v1/namespaces/{namespace}/configmaps/m")[0] == 404


def test_updates_and_deletions_are_asked_about(
    client: Client, namespace: str, webhook: Webhook, registry: Registry
) -> None:
    webhook.says("/no", denying())
    create(client, namespace, config_map("m"))
    registry.add("validating", "/no", operation="*")
    path = f"/api/v1/namespaces/{namespace}/configmaps/m"
    told = 'admission webhook "no.example.com" denied the request without explanation'
    assert client.call("PUT", path, config_map("m"))[1]["message"] == told
    assert client.call("DELETE", path)[1]["message"] == told
    assert [request["operation"] for request in webhook.heard] == ["UPDATE", "DELETE"]
    assert webhook.heard[1]["object"] is None


def test_a_webhook_that_is_not_there(client: Client, namespace: str, webhook: Webhook, registry: Registry) -> None:
    nowhere = {"url": "https://127.0.0.1:1/x", "caBundle": webhook.bundle}
    registry.add("validating", "/gone", clientConfig=nowhere)
    status, answer = create(client, namespace, config_map("m"))
    assert (status, answer["message"]) == (
        500,
        'Internal error occurred: failed calling webhook "gone.example.com": failed to call webhook: '
        'Post "https://127.0.0.1:1/x?timeout=1s": dial tcp 127.0.0.1:1: connect: connection refused',
    )
    registry.clear()
    registry.add("validating", "/gone", clientConfig=nowhere, failurePolicy="Ignore")
    assert create(client, namespace, config_map("m"))[0] == 201


def test_nobody_is_called_beyond_this_machine(
    client: Client, namespace: str, webhook: Webhook, registry: Registry
) -> None:
    registry.add("validating", "/far", clientConfig={"url": "https://192.0.2.1/x", "caBundle": webhook.bundle})
    status, answer = create(client, namespace, config_map("m"))
    assert (status, "the playground calls webhooks on this machine only" in answer["message"]) == (500, True)


def test_a_webhook_may_ask_the_playground_in_turn(
    client: Client, namespace: str, webhook: Webhook, registry: Registry
) -> None:
    def counting(request: dict[str, Any]) -> dict[str, Any]:
        found = client.get(f"/api/v1/namespaces/{request['namespace']}/configmaps")["items"]
        return {"warnings": [f"{len(found)} there"]}

    create(client, namespace, config_map("one"))
    webhook.says("/count", counting)
    registry.add("validating", "/count")
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    response = client.open("POST", path, config_map("two"))
    response.read()
    response.connection.close()  # type: ignore[attr-defined]
    there = len(client.get(path)["items"]) - 1
    assert (response.status, response.getheader("Warning")) == (201, f'299 - "{there} there"')


def test_pods_of_controllers_are_asked_about(
    client: Client, namespace: str, webhook: Webhook, registry: Registry
) -> None:
    webhook.says("/side", patching({"op": "add", "path": "/spec/containers/-", "value": {"name": "s", "image": "i"}}))
    registry.add("mutating", "/side", resource="pods")
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 3, "selector": {"matchLabels": labels}, "template": template}
    client.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", {"metadata": {"name": "web"}, "spec": spec})
    deployment = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    client.until(deployment, lambda status, item: item.get("status", {}).get("readyReplicas") == 3)
    pods = client.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
    assert [[c["name"] for c in pod["spec"]["containers"]] for pod in pods] == [["c", "s"]] * 3
    assert len({pod["metadata"]["uid"] for pod in pods}) == 3
    assert {request["userInfo"]["username"] for request in webhook.heard} == {"system:kube-controller-manager"}


def test_deletions_by_controllers_are_asked_about(
    client: Client, namespace: str, webhook: Webhook, registry: Registry
) -> None:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    sets = f"/apis/apps/v1/namespaces/{namespace}/replicasets"
    client.post(sets, {"metadata": {"name": "web"}, "spec": spec})
    client.until(f"{sets}/web", lambda status, item: item.get("status", {}).get("readyReplicas") == 2)
    webhook.says("/no", denying(message="not now"))
    registry.add("validating", "/no", resource="pods", operation="DELETE")
    client.call("PATCH", f"{sets}/web", {"spec": {"replicas": 1}}, Content_Type="application/merge-patch+json")
    events = f"/api/v1/namespaces/{namespace}/events?fieldSelector=reason=FailedDelete"
    told = client.until(events, lambda status, value: value["items"])["items"][0]["message"]
    assert told == 'Error deleting: admission webhook "no.example.com" denied the request: not now'
    assert len(client.get(f"/api/v1/namespaces/{namespace}/pods")["items"]) == 2
    webhook.says("/no", lambda request: {})
    client.call("DELETE", f"{sets}/web")
    pods = f"/api/v1/namespaces/{namespace}/pods"
    client.until(pods, lambda status, value: not value["items"])
    assert {request["operation"] for request in webhook.heard} == {"DELETE"}


def test_updates_by_controllers_are_asked_about(
    client: Client, namespace: str, webhook: Webhook, registry: Registry
) -> None:
    webhook.says("/sets", denying(message="no more"))
    webhook.says("/states", lambda request: {})
    place = f"/apis/apps/v1/namespaces/{namespace}"
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    client.post(f"{place}/deployments", {"metadata": {"name": "d"}, "spec": spec})

    def scaled(replicas: int) -> Any:
        body = {"spec": {"replicas": replicas}}
        client.call("PATCH", f"{place}/deployments/d", body, Content_Type="application/merge-patch+json")
        ready = {"readyReplicas": replicas, "observedGeneration": replicas}
        return lambda _, item: (item.get("status") or {}) | ready == item.get("status")

    client.until(f"{place}/deployments/d", scaled(1))
    registry.add("validating", "/states", resource="deployments/status", operation="UPDATE")
    client.until(f"{place}/deployments/d", scaled(2))
    asked = {(each["userInfo"]["username"], each["subResource"], each["operation"]) for each in webhook.heard}
    assert asked == {("system:kube-controller-manager", "status", "UPDATE")}
    registry.add("validating", "/sets", resource="replicasets", operation="UPDATE")
    scaled(3)
    for _ in range(100):
        if any(each["resource"]["resource"] == "replicasets" for each in webhook.heard):
            break
        time.sleep(0.05)
    assert [each["spec"]["replicas"] for each in client.get(f"{place}/replicasets")["items"]] == [2]


def test_what_is_behind_a_service_is_asked_about(
    client: Client, namespace: str, webhook: Webhook, registry: Registry
) -> None:
    webhook.says("/mark", patching({"op": "add", "path": "/metadata/annotations/seen", "value": "yes"}))
    registry.add("mutating", "/mark", resource="endpointslices", operation="CREATE")
    body = {"metadata": {"name": "web"}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}}
    client.post(f"/api/v1/namespaces/{namespace}/services", body)
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    found = client.until(slices, lambda _, value: value["items"])["items"]
    assert [item["metadata"]["annotations"]["seen"] for item in found] == ["yes"]
    assert {request["userInfo"]["username"] for request in webhook.heard} == {"system:kube-controller-manager"}
    since = found[0]["metadata"]["annotations"]["endpoints.kubernetes.io/last-change-trigger-time"]
    assert since == client.get(f"/api/v1/namespaces/{namespace}/services/web")["metadata"]["creationTimestamp"]
