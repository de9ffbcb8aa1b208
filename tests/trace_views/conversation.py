"""A conversation to look at: events of a command that meets everything a trace can hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from kubetrace.trace.exchange import (
    CacheHit,
    CallStarted,
    Connection,
    Dialed,
    Event,
    Exchange,
    ExchangeEnded,
    HostResolved,
    Note,
    Planned,
    Purpose,
    Request,
    RequestSent,
    Response,
    ResponseBody,
    ResponseReceived,
    Retrying,
    Throttled,
    Timings,
    TLSEstablished,
    WarningReceived,
)
from kubetrace.trace.masking import Masker
from kubetrace.trace.record_file import RecordObserver, open_sink
from kubetrace.trace.records import Header

SERVER = "https://127.0.0.1:6443"
START = 1_780_000_000.0
TOKEN = "s3cr3t-bearer-token-0123456789"
PASSWORD = "hunter2-very-secret"
PODS = json.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [{"metadata": {"name": "web"}}]})
SECRET = json.dumps(
    {
        "kind": "Secret",
        "apiVersion": "v1",
        "metadata": {"name": "s"},
        "data": {"password": "aHVudGVyMi12ZXJ5LXNlY3JldA=="},
    }
)
JSON_TYPE = ("Content-Type", "application/json")

_PURPOSE = Purpose("object", "Read the object.")


def one(
    number: int,
    method: str,
    path: str,
    *,
    status: int | None = 200,
    body: bytes = b"{}",
    sent: bytes | None = None,
    content_type: str = "application/json",
    answered_type: str = "application/json",
    headers: tuple[tuple[str, str], ...] = (),
    error: str | None = None,
    seconds: float = 0.02,
    at: float | None = None,
    call: int | None = None,
    attempt: int = 1,
    fresh: bool = False,
    purpose: Purpose = _PURPOSE,
) -> list[tuple[Event, float]]:
    """The events of one exchange."""
    at = START + number * 0.1 if at is None else at
    call = 1000 + number if call is None else call
    request_headers = [("Host", "127.0.0.1:6443"), ("Accept", "application/json"), ("Authorization", f"Bearer {TOKEN}")]
    if sent is not None:
        request_headers.append(("Content-Type", content_type))
    request = Request(method, SERVER + path, tuple(request_headers), sent, "get", purpose, frozenset({"host"}))
    response = None if status is None else Response(status, "OK", (("Content-Type", answered_type), *headers))
    timings = Timings(headers=seconds / 2, first_byte=seconds / 4, body=seconds / 2, total=seconds)
    connection = Connection("127.0.0.1:6443", "TLSv1.3", not fresh)
    exchange = Exchange(
        number, call, attempt, request, response, body if response else None, len(body) if response else None,
        timings, connection, at, error,
    )  # fmt: skip
    events: list[tuple[Event, float]] = [(CallStarted(call, request), at)] if attempt == 1 else []
    events.append((RequestSent(number, call, attempt, request), at))
    if fresh:
        events += [
            (HostResolved(number, "localhost", (("127.0.0.1", ""),), 0.001), at),
            (Dialed(number, "127.0.0.1:6443", None, 0.001), at),
            (TLSEstablished(number, "TLSv1.3", 0.002), at),
        ]
    events.append((ResponseReceived(number, call, request, response, timings, connection, error), at + seconds / 2))
    if response is not None and status != 429:
        events.append((ResponseBody(number, call, request, body), at + seconds))
    events.append((ExchangeEnded(exchange), at + seconds))
    return events


def conversation() -> Iterator[tuple[Event, float]]:
    yield Note("config-loaded", {"path": "/home/me/.kube/config"}), START
    yield CacheHit("servergroups.json", f"{SERVER}/api"), START
    yield from one(1, "GET", "/api/v1/namespaces/default/pods?limit=500", body=PODS.encode(), fresh=True)
    yield from one(2, "GET", "/api/v1/namespaces/default/secrets/s", body=SECRET.encode())
    yield from one(
        3, "POST", "/api/v1/namespaces/default/secrets?fieldManager=kubectl-create", status=201,
        sent=SECRET.encode(), body=SECRET.encode(), headers=(("Warning", '299 - "old thing"'),),
    )  # fmt: skip
    yield WarningReceived("old thing"), START + 0.35
    yield from one(4, "GET", "/apis/apps/v1/deployments", status=429, body=b"wait", headers=(("Retry-After", "1"),))
    request = Request("GET", f"{SERVER}/apis/apps/v1/deployments")
    yield Retrying(1004, request, 1, 1.0, "after"), START + 1.4
    yield Throttled(1004, request, 1.0, "retries: 1"), START + 1.4
    yield from one(
        5, "GET", "/apis/apps/v1/deployments", body=b'{"kind":"DeploymentList"}', call=1004, attempt=2, at=START + 1.5
    )
    yield from one(
        6, "GET", "/api/v1/nodes/n1/proxy/x", status=None, error="dial tcp 127.0.0.1:6443: connect: connection refused"
    )
    yield Planned(1006, Request("DELETE", f"{SERVER}/api/v1/nodes/n1"), "200 OK, and the object gone"), START + 0.65
    yield from one(7, "GET", "/healthz", body=b"\xff\xfe\x00binary", answered_type="application/octet-stream")
    yield from one(
        8, "PATCH", "/api/v1/namespaces/default/pods/it's?x=$(id)", sent=b"{\"a\":\"it's $HOME `id`\"}\n",
        content_type="application/merge-patch+json", body=b'{"kind":"Pod"}',
    )  # fmt: skip


def written(path: Path, masker: Masker | None = None, limit: int | None = 256 * 1024) -> Path:
    """The conversation as a trace file."""
    masker = masker or Masker()
    complaints: list[str] = []
    header = Header("0.0.1", ("kubetrace", "get", "pods"), START, masked=not masker.unmask)
    observer = RecordObserver(lambda: open_sink(path), header, masker=masker, limit=limit, warn=complaints.append)
    for event, at in conversation():
        observer.record(event, at)
    observer.close()
    assert complaints == []
    return path
