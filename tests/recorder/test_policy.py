"""What --block-writes, --fault and --latency make of requests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from kubetrace.recorder.policy import Policy, reads
from kubetrace.serving.faults import parse
from kubetrace.trace.endpoint import endpoint
from kubetrace.trace.exchange import Request
from tests.recorder.conftest import BEARER, Wrap
from tests.transport.scripted import ScriptedServer, reply

Serve = Callable[..., ScriptedServer]
PODS = "/api/v1/namespaces/n/pods"


@pytest.mark.parametrize(
    ("method", "path", "upgrades", "allowed"),
    [
        ("GET", PODS, False, True),
        ("GET", PODS + "?watch=true", False, True),
        ("HEAD", "/healthz", False, True),
        ("GET", "/apis", False, True),
        ("GET", PODS + "/p/log?follow=true", False, True),
        ("GET", "/api/v1/namespaces/n/services/s/proxy/x", False, True),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", False, True),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", False, True),
        ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", False, True),
        ("POST", "/apis/authorization.k8s.io/v1/namespaces/n/localsubjectaccessreviews", False, True),
        ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", False, True),
        ("POST", "/apis/authentication.k8s.io/v1/tokenreviews", False, True),
        ("POST", PODS, False, False),
        ("POST", PODS + "?dryRun=All", False, False),
        ("PUT", PODS + "/p", False, False),
        ("PATCH", PODS + "/p/status", False, False),
        ("DELETE", PODS, False, False),
        ("POST", PODS + "/p/exec?command=sh", True, False),
        ("GET", PODS + "/p/exec?command=sh", True, False),
        ("GET", PODS + "/p/attach", False, False),
        ("GET", PODS + "/p/portforward", True, False),
        ("GET", "/api/v1/namespaces/n/services/s/proxy/x", True, False),
        ("POST", PODS + "/p/eviction", False, False),
        ("POST", "/api/v1/namespaces/n/serviceaccounts/s/token", False, False),
        ("POST", "/apis/example.com/v1/selfsubjectaccessreviews", False, False),
        ("PUT", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", False, False),
    ],
)
def test_what_reads(method: str, path: str, upgrades: bool, allowed: bool) -> None:
    assert reads(method, endpoint(Request(method, "https://h" + path)), upgrades) is allowed


def test_writes_are_blocked_with_a_status(wrap: Wrap, served: Serve) -> None:
    server = served(reply())
    wrapped = wrap(server, policy=Policy(block_writes=True))
    client = wrapped.client()
    client.send(
        f"POST /apis/apps/v1/namespaces/n/deployments HTTP/1.1\r\nHost: x\r\n{BEARER}Content-Length: 2\r\n\r\n{{}}"
    )
    head, body = client.answer()
    assert head.startswith("HTTP/1.1 403 Forbidden")
    assert json.loads(body) == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Forbidden", "code": 403,
        "details": {"group": "apps", "kind": "deployments"},
        "message": "deployments.apps is forbidden: kubetrace lets nothing write (--block-writes): "
        "POST /apis/apps/v1/namespaces/n/deployments",
    }  # fmt: skip
    assert client.get(PODS)[1] == b"{}"
    assert [asked.line for asked in server.asked] == [f"GET {PODS} HTTP/1.1"]
    blocked, passed = wrapped.exchanges(2)
    assert blocked.request.purpose.tag == "blocked" and blocked.response is not None
    assert (blocked.response.status, blocked.request.body, blocked.connection.address) == (403, b"{}", None)
    assert passed.request.purpose.tag == "other"


def test_faults_happen_as_often_as_told(wrap: Wrap, served: Serve) -> None:
    server = served(reply())
    faults = [parse("GET pods: 429 retry-after 2 once"), parse("DELETE *: 500")]
    wrapped = wrap(server, policy=Policy(faults=faults))
    client = wrapped.client()
    head, body = client.get(PODS)
    assert head.startswith("HTTP/1.1 429 Too Many Requests\r\n")
    assert "\r\nRetry-After: 2\r\n" in head
    assert json.loads(body)["details"] == {"retryAfterSeconds": 2}
    assert client.get(PODS)[1] == b"{}"
    assert client.get(PODS + "/p", "DELETE")[0].startswith("HTTP/1.1 500 Internal Server Error")
    assert len(server.asked) == 1 and wrapped.exchanges(3)[0].request.purpose.tag == "fault"


def test_a_reset_on_demand(wrap: Wrap, served: Serve) -> None:
    server = served(reply())
    client = wrap(server, policy=Policy(faults=[parse("* pods: reset once")])).client()
    client.send(f"GET {PODS} HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    with pytest.raises(OSError) as raised:
        client.socket.recv(1)
    assert "UNEXPECTED_EOF" not in str(raised.value) and server.asked == []


def test_410_on_a_watch_is_an_event(wrap: Wrap, served: Serve) -> None:
    client = wrap(served(reply()), policy=Policy(faults=[parse("WATCH pods: 410 once")])).client()
    head, body = client.get(PODS + "?watch=1")
    event = json.loads(body)
    assert head.startswith("HTTP/1.1 200 OK")
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_a_slow_body_and_latency(wrap: Wrap, served: Serve) -> None:
    """How long is at least as long as was asked for; how much longer depends on the machine."""
    wrapped = wrap(served(reply(b"x" * 100)), policy=Policy(faults=[parse("* *: slow 0.2 once")], latency=0.1))
    client = wrapped.client()
    begun = time.monotonic()
    client.send(f"GET /x HTTP/1.1\r\nHost: x\r\n{BEARER}\r\n")
    assert client.file.read(1) and time.monotonic() - begun >= 0.1
    assert client.answer()[1] == b"x" * 100 and time.monotonic() - begun >= 0.3
    begun = time.monotonic()
    assert client.get()[1] == b"x" * 100 and time.monotonic() - begun >= 0.1
