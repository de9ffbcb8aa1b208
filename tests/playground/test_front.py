"""The server that brings faults and latency before a real kube-apiserver. Where there are no binaries, another
playground is behind it."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import threading
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetrace.playground import front, http, manager
from kubetrace.serving.faults import parse
from tests.playground.channels import Socket, query
from tests.playground.conftest import Client

ASSETS = Path(os.environ.get("KUBEBUILDER_ASSETS", "/nonexistent"))
needs_assets = pytest.mark.skipif(not (ASSETS / "kube-apiserver").exists(), reason="no KUBEBUILDER_ASSETS")
MAPS = "/api/v1/namespaces/default/configmaps"
FAULTS = (
    "POST cm: 500 once",
    "GET secrets: 429 retry-after 7",
    "WATCH deploy: 410",
    "GET svc: reset",
    "GET sa: slow 0.3",
)


class Fronted:
    """A loop in a thread with a front in it, and at will a server of ours behind."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def listen(self, listening: Coroutine[Any, Any, asyncio.Server]) -> int:
        """The port."""
        self._servers.append(asyncio.run_coroutine_threadsafe(listening, self.loop).result(10))
        return int(self._servers[-1].sockets[0].getsockname()[1])

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.05)  # what was closed is gone then

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture
def fronted() -> Iterator[Fronted]:
    made = Fronted()
    yield made
    made.stop()


@pytest.fixture
def before(fronted: Fronted, playground: manager.Playground) -> Client:
    front.write_keys(playground.folder)
    server = front.Front(playground.folder, playground.port, 0.0, [parse(text) for text in FAULTS])
    return Client(playground.folder, fronted.listen(server.listen(0)))


def _break(client: Client) -> None:
    """What FAULTS do to a client."""
    assert client.call("POST", MAPS, {"metadata": {"generateName": "front-"}})[0] == 500
    assert client.call("POST", MAPS, {"metadata": {"generateName": "front-"}})[0] == 201
    response = client.open("GET", "/api/v1/secrets")
    assert (response.status, response.getheader("Retry-After")) == (429, "7")
    response.close()
    response.connection.close()  # type: ignore[attr-defined]
    status, event = client.call("GET", "/apis/apps/v1/deployments?watch=true")
    assert status == 200 and (event["type"], event["object"]["code"]) == ("ERROR", 410)
    with pytest.raises(ConnectionError):
        client.get("/api/v1/services")
    began = time.monotonic()
    assert client.get("/api/v1/namespaces/default/serviceaccounts")["items"]
    assert time.monotonic() - began >= 0.3


def _whole(client: Client, path: str) -> tuple[int, dict[str, str], bytes]:
    response = client.open("GET", path, Accept_Encoding="gzip")
    try:
        headers, body = dict(response.getheaders()), response.read()
        packed = headers.get("Content-Encoding") == "gzip"
        return response.status, headers, gzip.decompress(body) if packed else body
    finally:
        response.close()
        response.connection.close()  # type: ignore[attr-defined]


def test_what_is_not_broken_passes_as_it_is(before: Client, client: Client) -> None:
    _break(before)
    for path in (
        "/version",
        "/openapi/v2",
        "/api/v1/namespaces/default/pods/nope",
        f"{MAPS}?fieldSelector=%21",
    ):
        status, headers, body = _whole(before, path)
        expected = _whole(client, path)
        assert (status, body, sorted(headers)) == (expected[0], expected[2], sorted(expected[1])), path
        assert headers.get("Content-Encoding") == expected[1].get("Content-Encoding")


def test_a_watch_passes_event_by_event_and_ends_with_its_client(before: Client, client: Client) -> None:
    first = client.post(MAPS, {"metadata": {"generateName": "front-"}})
    since = first["metadata"]["resourceVersion"]
    response = before.open("GET", f"{MAPS}?watch=true&resourceVersion={since}")
    for _ in range(2):
        made = client.post(MAPS, {"metadata": {"generateName": "front-"}})
        assert json.loads(response.readline())["object"] == made
    response.close()
    response.connection.close()  # type: ignore[attr-defined]


def test_upgrades_pass_both_ways(before: Client, client: Client) -> None:
    spec = {"containers": [{"name": "c", "image": "busybox", "command": ["sleep", "60"]}]}
    client.post("/api/v1/namespaces/default/pods", {"metadata": {"name": "fronted"}, "spec": spec})
    path = "/api/v1/namespaces/default/pods/fronted"
    client.until(path, lambda _, pod: pod.get("status", {}).get("phase") == "Running")
    target = f"{path}/exec?{query('sh', '-c', 'read x; echo got $x', stdin='true', stdout='true')}"
    conversation = Socket(before, target, "v5.channel.k8s.io")
    conversation.send(b"\x00hello\n")
    assert b"\x01got hello\n" in list(conversation.messages())
    conversation.close()
    refused = Socket(before, target.replace("fronted", "nope"), "v5.channel.k8s.io")
    assert refused.status == 404
    refused.close()
    client.call("DELETE", f"{path}?gracePeriodSeconds=0")


def test_a_certificate_goes_on_as_its_user_and_nobody_else_may_say_who_they_are(
    fronted: Fronted, playground: manager.Playground
) -> None:
    seen: list[http.Request] = []

    async def handler(request: http.Request) -> http.Answer:
        seen.append(request)
        return http.Answer(200, b"{}")

    front.write_keys(playground.folder)
    tls = http.server_tls(playground.folder)
    tls.load_verify_locations(playground.folder / "front-ca.crt")
    server = front.Front(playground.folder, fronted.listen(http.listen(handler, tls, 0)), 0.0, ())
    person = Client(playground.folder, fronted.listen(server.listen(0)), "certificate")
    pretended = {"X_Remote_User": "system:admin", "X_Remote_Group": "system:masters", "X_Remote_Extra_A": "b"}
    assert person.call("GET", "/api?x=%20", **pretended)[0] == 200
    assert not [name for name in seen[-1].headers if name.startswith("x-remote")]
    assert seen[-1].target == "/api?x=%20" and seen[-1].certificate is None
    person = Client(playground.folder, person.port, "certificate")
    _show_certificate(person, playground.folder)
    assert person.call("GET", "/api", **pretended) == (200, {})
    told = [(name, value) for name, value in seen[-1].fields if name.startswith("x-remote")]
    assert sorted(told) == [("x-remote-group", "system:masters"), ("x-remote-user", "certificate-admin")]
    assert seen[-1].certificate is not None


def _show_certificate(person: Client, folder: Path) -> None:
    user = next(user for user in json.loads((folder / "users.json").read_text()) if "certificate" in user)
    pair = folder / "pair.pem"
    pair.write_text(user["certificate"] + user["key"])
    person.tls.load_cert_chain(pair)


def test_nobody_behind_it_is_told_in_a_status(fronted: Fronted, playground: manager.Playground) -> None:
    front.write_keys(playground.folder)
    server = front.Front(playground.folder, 1, 0.0, ())
    status, told = Client(playground.folder, fronted.listen(server.listen(0))).call("GET", "/api")
    assert (status, told["message"]) == (503, "the playground's kube-apiserver does not answer")


@needs_assets
@pytest.mark.timeout(300)
def test_envtest_with_faults_latency_and_nodes(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path), "PATH": os.environ["PATH"], "KUBEBUILDER_ASSETS": str(ASSETS)}
    start = manager.Start(engine="envtest", latency=0.2, faults=FAULTS, nodes=3)
    found = manager.up(environ, start=start)
    try:
        client = Client(found.folder, found.port)
        _break(client)
        began = time.monotonic()
        assert len(client.get("/api/v1/nodes")["items"]) == 3
        assert time.monotonic() - began >= 0.2
        person = Client(found.folder, found.port, "certificate")
        _show_certificate(person, found.folder)
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        who = person.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", review)["status"]["userInfo"]
        assert (who["username"], who["groups"]) == ("certificate-admin", ["system:masters", "system:authenticated"])
        nobody = Client(found.folder, found.port, "nobody")
        assert nobody.call("GET", "/api/v1/pods", X_Remote_User="a", X_Remote_Group="system:masters")[0] == 403
    finally:
        manager.down(environ)
