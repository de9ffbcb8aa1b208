"""A trace as an API server: the answers of then, and a clear word for what was never asked."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from kubetrace.trace.exchange import Exchange, Headers, Request, Response
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.replay import Answers
from kubetrace.trace.replay_server import ReplayServer
from tests.conftest import Kubetrace

PODS = "/api/v1/namespaces/a/pods"
JSON = (("Content-Type", "application/json"),)
TABLE = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)


def at(target: str, body: Any, *, method: str = "GET", status: int = 200, sent: Any = None, cut: bool = False,
       headers: Headers = JSON, size: int | None = None) -> Recorded:  # fmt: skip
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    request = Request(method, "https://h:1" + target, (), None if sent is None else json.dumps(sent).encode())
    size = size if size is not None else len(data or b"")
    exchange = Exchange(1, 1, 1, request, Response(status, "Reason", headers), data, size)
    return Recorded(1, exchange, frozenset({"response"} if cut else ()))


def ask(answers: Answers, target: str, accept: str = "application/json", *, method: str = "GET",
        sent: Any = None) -> tuple[int, Any]:  # fmt: skip
    body = b"" if sent is None else json.dumps(sent).encode()
    answer = answers.to(method, target, (("Accept", accept),), body)
    return answer.status, json.loads(answer.body) if answer.body else None


def test_the_same_question_has_its_answers_in_order_and_then_the_last() -> None:
    answers = Answers([at(PODS, 1), at(PODS, 2, status=404), at(PODS, 3)])
    assert [ask(answers, PODS) for _ in range(5)] == [(200, 1), (404, 2), (200, 3), (200, 3), (200, 3)]


def test_what_is_another_question_and_what_is_not() -> None:
    answers = Answers([at(PODS + "?limit=500&resourceVersion=7", 1)])
    assert ask(answers, PODS + "?resourceVersion=9&limit=500&timeout=32s") == (200, 1)
    for target in (PODS, PODS + "?limit=5", PODS + "?limit=500&labelSelector=a%3Db", PODS + "/x?limit=500"):
        status, value = ask(answers, target)
        assert (status, value["reason"], value["message"]) == (
            404, "NotFound", f"the trace never asked this: GET {target}"
        )  # fmt: skip


def test_a_body_is_part_of_the_question_however_it_is_written() -> None:
    made = {"kind": "Pod", "metadata": {"name": "x"}}
    answers = Answers([at(PODS, {"made": 1}, method="POST", status=201, sent=made)])
    swapped = {"metadata": {"name": "x"}, "kind": "Pod"}
    assert ask(answers, PODS + "?fieldManager=m", method="POST", sent=swapped) == (201, {"made": 1})
    status, value = ask(answers, PODS, method="POST", sent={"kind": "Pod", "metadata": {"name": "y"}})
    assert status == 404 and value["message"].startswith("the trace never asked this (with this body): POST")
    protobuf = b"k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod"
    answers = Answers([at(PODS, {"made": 2}, method="POST", sent={"kind": "Pod", "apiVersion": "v1"})])
    assert answers.to("POST", PODS, (), protobuf).status == 200


def test_forms() -> None:
    table = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "rows": []}
    plain = {"kind": "PodList", "apiVersion": "v1", "items": []}
    answers = Answers([at(PODS, table), at(PODS, plain)])
    assert ask(answers, PODS, TABLE) == (200, table) and ask(answers, PODS, "*/*") == (200, plain)
    assert ask(answers, PODS, "application/json") == (200, plain)
    only = Answers([at(PODS, table)])
    status, value = ask(only, PODS, "application/json")
    assert status == 404 and "in another form only" in value["message"]
    protobuf = at(PODS, b"k8s\0x", headers=(("Content-Type", "application/vnd.kubernetes.protobuf"),))
    assert ask(Answers([protobuf]), PODS, "application/json")[0] == 404
    accept = "application/vnd.kubernetes.protobuf,application/json"
    assert Answers([protobuf]).to("GET", PODS, (("Accept", accept),), b"").body == b"k8s\0x"
    assert ask(Answers([at(PODS, plain)]), PODS, accept) == (200, plain)
    refused = Answers([at(PODS, {"kind": "Status"}, status=403)])
    assert ask(refused, PODS, TABLE) == (403, {"kind": "Status"})


@pytest.mark.parametrize(("recorded", "message"), [
    (at(PODS, b'{"a', cut=True), "does not hold the whole answer"),
    (at(PODS, None, size=100), "does not keep streams"),
    (at(PODS + "/x/exec", None, status=101), "does not keep streams"),
])  # fmt: skip
def test_what_the_trace_does_not_hold(recorded: Recorded, message: str) -> None:
    status, value = ask(Answers([recorded]), recorded.exchange.request.url.removeprefix("https://h:1"))
    assert status == 404 and message in value["message"]


AGGREGATED = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": [
    {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [
        {"resource": "deployments", "responseKind": {"group": "", "version": "", "kind": "Deployment"},
         "scope": "Namespaced", "singularResource": "deployment", "verbs": ["get"], "shortNames": ["deploy"],
         "subresources": [{"subresource": "scale", "verbs": ["get"], "responseKind": {
             "group": "autoscaling", "version": "v1", "kind": "Scale"}}]}]}]}]}  # fmt: skip


def test_old_clients_get_plain_discovery_from_the_aggregated() -> None:
    answers = Answers([at("/apis?timeout=32s", AGGREGATED), at(PODS, {"kind": "PodList"})])
    assert answers.has_discovery
    aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    assert ask(answers, "/apis", aggregated) == (200, AGGREGATED)
    older = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
    for accept in (older, "application/json, */*"):
        assert [group["name"] for group in ask(answers, "/apis", accept)[1]["groups"]] == ["apps"]
    answer = answers.to("GET", "/apis/apps/v1?timeout=32s", (), b"")
    assert not any(name == "Warning" for name, _ in answer.headers)
    listed = json.loads(answer.body)["resources"]
    assert [(one["name"], one["kind"], one["namespaced"], one.get("group")) for one in listed] == [
        ("deployments", "Deployment", True, None), ("deployments/scale", "Scale", True, "autoscaling")
    ]  # fmt: skip
    assert listed[0]["shortNames"] == ["deploy"]


def test_a_trace_without_discovery_makes_some_and_says_so() -> None:
    answers = Answers([
        at(PODS, {"kind": "PodList"}), at("/apis/x.io/v2/policies/a", {"kind": "Policy"}), at("/api/v1/nodes", {}),
    ])  # fmt: skip
    assert not answers.has_discovery
    answer = answers.to("GET", "/api/v1", (), b"")
    assert dict(answer.headers)["Warning"].startswith('299 - "kubetrace: the trace holds no discovery')
    found = {one["name"]: (one["kind"], one["namespaced"]) for one in json.loads(answer.body)["resources"]}
    assert found == {"pods": ("Pod", True), "nodes": ("Node", False)}
    assert ask(answers, "/apis")[1]["groups"][0]["preferredVersion"]["groupVersion"] == "x.io/v2"
    assert ask(answers, "/apis/x.io/v2")[1]["resources"][0]["kind"] == "Policy"
    assert ask(answers, "/apis/x.io")[1]["kind"] == "APIGroup"
    for path in ("/apis/y.io/v1", "/apis/x.io/v3", "/openapi/v3", "/healthz", "/api/v2"):
        assert ask(answers, path)[0] == 404


# --- the server -------------------------------------------------------------------------------------------------------


class Served:
    def __init__(self, plain: bool) -> None:
        self.told: list[str] = []
        answers = Answers([at(PODS, {"kind": "PodList"}, headers=(*JSON, ("X-Kept", "1"), ("Content-Length", "7")))])
        self.server = ReplayServer(answers, plain=plain, tell=self.told.append)
        self.server.start()
        config = self.server.kubeconfig()
        self.port = int(config["clusters"][0]["cluster"]["server"].rpartition(":")[2])
        self.token = config["users"][0]["user"].get("token", "")
        authority = config["clusters"][0]["cluster"].get("certificate-authority-data")
        self.tls = None
        if authority:
            import base64

            self.tls = ssl.create_default_context(cadata=base64.b64decode(authority).decode())

    def connection(self) -> http.client.HTTPConnection:
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def get(self, target: str, token: str | None = None, method: str = "GET", **more: Any) -> tuple[int, bytes, Any]:
        connection = self.connection()
        token = self.token if token is None else token
        connection.request(method, target, headers={"Authorization": f"Bearer {token}"} if token else {}, **more)
        response = connection.getresponse()
        found = response.status, response.read(), response.headers
        connection.close()
        return found


@pytest.fixture(params=[False, True], ids=["tls", "plain"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    found = Served(request.param)
    yield found
    found.server.stop()


def test_over_a_socket(served: Served) -> None:
    status, body, headers = served.get(PODS)
    assert (status, json.loads(body), headers["X-Kept"]) == (200, {"kind": "PodList"}, "1")
    assert headers["Content-Length"] == str(len(body))
    assert served.get(PODS, method="HEAD")[:2] == (200, b"")
    assert served.get("/nope")[0] == 404 and served.told == ["no answer: GET /nope"]
    if served.tls:
        for wrong in ("x" * 48, "", "\xff"):
            assert served.get(PODS, token=wrong)[0] == 401
    chunked = served.get(PODS, method="POST", body=iter([b'{"a"', b":1}"]), encode_chunked=True)
    assert chunked[0] == 404


def test_one_connection_serves_many_requests(served: Served) -> None:
    connection = served.connection()
    for _ in range(3):
        connection.request("GET", PODS, headers={"Authorization": f"Bearer {served.token}"})
        assert connection.getresponse().read() == b'{"kind": "PodList"}'
    connection.close()


def test_a_watch_stays_open_for_its_time(served: Served) -> None:
    status, body, _ = served.get(PODS + "?watch=true&timeoutSeconds=1")
    assert (status, body) == (200, b"")


@pytest.mark.parametrize(
    "nonsense", [b"\x16\x03\x01garbage", b"GET", b"\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
def test_a_bad_client_ends_only_its_own_connection(served: Served, nonsense: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served.port), 5) as raw, contextlib.suppress(OSError):
        raw.sendall(nonsense)
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(4096):
            pass
    assert served.get(PODS)[0] == 200


def test_slow_clients_do_not_hold_others_up(served: Served) -> None:
    waiting = [socket.create_connection(("127.0.0.1", served.port), 5) for _ in range(20)]
    assert served.get(PODS)[0] == 200
    for one in waiting:
        one.close()


def test_a_trace_without_answers(kubetrace: Kubetrace, tmp_path: Any) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"kubetrace_trace":1,"kubetrace":"0","command":[],"started":0,"masked":true}\n')
    assert kubetrace("trace", "serve", str(path)).err == "error: the trace holds no answers\n"
    assert threading.active_count() < 50


def test_what_an_object_lacks_it_may_have_empty_but_not_in_a_patch() -> None:
    review = {"kind": "R", "metadata": {"creationTimestamp": None}, "spec": {"a": 1}, "status": {"allowed": False}}
    answers = Answers([at("/r", 1, method="POST", sent=review), at("/p", 2, method="PATCH", sent={"a": None})])
    assert ask(answers, "/r", method="POST", sent={"kind": "R", "spec": {"a": 1}}) == (200, 1)
    assert ask(answers, "/r", method="POST", sent={"kind": "R", "spec": {"a": 0}})[0] == 404
    assert ask(answers, "/p", method="PATCH", sent={"a": None}) == (200, 2)
    assert ask(answers, "/p", method="PATCH", sent={})[0] == 404
