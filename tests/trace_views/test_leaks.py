"""No secret in any view, and nothing that a server sent commands the terminal."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from kubetrace.commands.table import ROOT
from kubetrace.trace.exchange import (
    Connection,
    Event,
    Exchange,
    ExchangeEnded,
    Frame,
    Request,
    RequestSent,
    Response,
    ResponseReceived,
    Timings,
    WatchEventReceived,
)
from kubetrace.trace.masking import Masker
from kubetrace.trace.record_file import RecordObserver, open_sink
from kubetrace.trace.records import Header
from kubetrace.wire import CBOR
from tests.conftest import Kubetrace
from tests.trace_views.conversation import SERVER, START, one
from tests.wire.test_protobuf import body as protobuf
from tests.wire.test_protobuf import field

_trace = ROOT.child("trace")
assert _trace is not None
VIEWS = [child.name for child in _trace.children if child.name not in ("import", "serve")]
SECRETS = [f"secret-number-{number:03d}-xyzzy" for number in range(200)]


def hostile(path: Path, masked: bool) -> None:
    """200 secrets in all the places where they are known to be; the server sends escape sequences."""
    masker = Masker(unmask=not masked)
    header = Header("0", (), 0.0, masked)
    observer = RecordObserver(lambda: open_sink(path), header, masker=masker, limit=None, warn=pytest.fail)
    evil = "\x1b]0;owned\x07</script><script>alert(1)</script>"
    for number, secret in enumerate(SECRETS, 1):
        data = {"kind": "Secret", "metadata": {"name": evil}, "data": {"k": base64.b64encode(secret.encode()).decode()}}
        plain = {"kind": "Secret", "stringData": {"k": secret}}
        token = {"kind": "TokenRequest", "status": {"token": secret}}
        sent, got = [(data, plain), (plain, token), (plain, data)][number % 3]
        events = one(
            number, "POST", f"/api/v1/namespaces/{'a' * (number % 5 + 1)}/secrets?access_token={secret}",
            sent=json.dumps(sent).encode(), body=json.dumps(got).encode(),
            headers=(
                ("Set-Cookie", f"id={secret}"), ("X-Auth-Token", secret), ("X-Api-Key", secret),
                ("Link", f"<https://h/?sig={secret}>"), ("X-Evil", evil),
            ),
            error=f"Post \"https://u:{secret}@h/\": {evil}" if number % 7 == 0 else None,
        )  # fmt: skip
        for event, at in events:
            observer.record(event, at)
        for event in (*stream(10_000 + number, secret), *watched(20_000 + number, secret)):
            observer.record(event, START)
    observer.close()


def stream(number: int, secret: str) -> list[Event]:
    """Secrets in protobuf that a controller watches, and what passes a shell."""
    message = field(1, field(1, "s")) + field(2, field(1, "k") + field(2, secret))
    event = field(1, "ADDED") + field(2, field(1, protobuf("v1", "Secret", message)))
    body = len(event).to_bytes(4, "big") + event
    request = Request("GET", f"{SERVER}/api/v1/secrets?watch=1")
    response = Response(200, "OK", (("Content-Type", "application/vnd.kubernetes.protobuf;stream=watch"),))
    return [
        RequestSent(number, number, 1, request),
        ResponseReceived(number, number, request, response, Timings(), Connection()),
        WatchEventReceived(number, number, "ADDED", "Secret", "n", "s", "7", "", len(event)),
        ExchangeEnded(Exchange(number, number, 1, request, response, body, len(body), started=START)),
        RequestSent(number + 500, number, 1, request),
        Frame(number + 500, number, "received", "binary", len(secret), "stdout", 0.1, secret.encode()),
        ExchangeEnded(Exchange(number + 500, number, 1, request, Response(101, "Switching Protocols"), started=START)),
    ]


def watched(number: int, secret: str) -> list[Event]:
    """A watch of Secrets in JSON, the last event of which is cut off, and one in CBOR."""
    event = json.dumps({"type": "ADDED", "object": {"kind": "Secret", "stringData": {"a": 1, "k": secret}}}).encode()
    body = event + b"\n" + event[: -4 - number % 9]
    packed = CBOR + cbor({"type": "ADDED", "object": {"kind": "Secret", "data": {"k": secret}}})
    found: list[Event] = []
    for place, (kind, data) in enumerate((("application/json", body), ("application/cbor-seq", packed))):
        request = Request("GET", f"{SERVER}/api/v1/watch/secrets" if place else f"{SERVER}/api/v1/secrets?watch=1")
        response = Response(200, "OK", (("Content-Type", kind),))
        exchange = Exchange(number + place * 500, number, 1, request, response, data, len(data) + 9, started=START)
        found += [RequestSent(exchange.id, number, 1, request), ExchangeEnded(exchange)]
    return found


def cbor(value: object) -> bytes:
    """As Kubernetes writes it, strings of up to 255 bytes."""
    if isinstance(value, dict):
        return bytes([0xA0 + len(value)]) + b"".join(cbor(name) + cbor(each) for name, each in value.items())
    text = str(value).encode()
    return b"\x58" + bytes([len(text)]) + text


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("name", VIEWS)
def test_no_view_shows_a_secret(kubetrace: Kubetrace, tmp_path: Path, name: str, masked: bool) -> None:
    if name == "otlp":
        pytest.importorskip("opentelemetry.exporter.otlp.proto.common.trace_encoder", reason="needs kubetrace[otel]")
    path = tmp_path / "t.jsonl"
    hostile(path, masked)
    log = tmp_path / "audit.log"
    event = {"auditID": "a", "requestURI": f"/api?access_token={SECRETS[0]}", "requestObject": {"token": SECRETS[1]}}
    log.write_text(json.dumps(event))
    extra = {"diff": [str(path)], "audit": ["--log", str(log)]}.get(name, [])
    runs = [["trace", name, str(path), *extra]]
    if name == "curl":
        runs += [["trace", name, str(path), flag] for flag in ("--httpie", "--python")]
    if name == "show":
        runs += [["trace", name, str(path), str(number)] for number in (*range(1, 12), 21)]
        runs += [["trace", name, str(path), "-v=10", "--like", like] for like in ("1.20", "1.31", "1.32", "1.36")]
        runs += [["trace", name, str(path), f"-v={level}"] for level in range(6, 10)]
    for run in runs:
        done = kubetrace(*run)
        assert done.code == 0 and (done.out or name == "diff"), (run, done.err)
        for secret in SECRETS:
            for form in (secret, base64.b64encode(secret.encode()).decode()):
                assert form not in done.out and form not in done.err, run
        if not any(word.startswith("-v=") for word in run):
            assert "\x1b" not in done.out and "\x07" not in done.out, run
