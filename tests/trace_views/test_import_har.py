"""HAR files become traces: mitmproxy's (recorded by tests/tools/record_har.py), kubetrace's own, odd and broken ones;
audit logs, too."""

from __future__ import annotations

import base64
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.trace.exchange import ExchangeEnded
from kubetrace.trace.exchanges import Recorded, numbered
from kubetrace.trace.import_har import NoHar, entries, events
from kubetrace.trace.views.har import render
from tests.conftest import Kubetrace
from tests.trace_views.conversation import written
from tests.trace_views.test_records import check_schema

DATA = Path(__file__).parent / "data"
MITMPROXY = str(DATA / "mitmproxy-11.0.2.har")


def imported(har: Any) -> list[Recorded]:
    return list(numbered(events(io.BytesIO(json.dumps(har).encode()))))


def test_what_mitmproxy_writes(kubetrace: Kubetrace, tmp_path: Path) -> None:
    done = kubetrace("trace", "import", MITMPROXY)
    assert done.code == 0, done.err
    path = tmp_path / "t.jsonl"
    path.write_text(done.out)
    check_schema(path)
    token = json.loads(Path(MITMPROXY).read_text())["log"]["entries"][0]["request"]["headers"]
    secret = next(one["value"] for one in token if one["name"] == "Authorization").split()[1]
    assert secret not in done.out and "what-nobody-reads" not in done.out
    shown = kubetrace("trace", "show", str(path)).out.splitlines()[1:]
    assert [line.split()[1:4:2] for line in shown] == [
        ["list", "200"], ["get", "404"], ["create", "201"], ["create", "201"]
    ]  # fmt: skip
    whole = kubetrace("trace", "show", str(path), "3").out
    assert '"a": "ü"' in whole and "TLS handshake" in whole and "Connection: 127.0.0.1:" in whole


def test_kubetraces_own_comes_back_the_same(kubetrace: Kubetrace, tmp_path: Path) -> None:
    trace = str(written(tmp_path / "t.jsonl"))
    har, again = tmp_path / "t.har", tmp_path / "again.jsonl"
    har.write_text(kubetrace("trace", "har", trace).out)
    again.write_text(kubetrace("trace", "import", str(har)).out)
    done = kubetrace("trace", "diff", trace, str(again))
    assert (done.code, done.out) == (0, "")
    assert "8 calls" in kubetrace("trace", "stats", str(again)).out
    done = kubetrace("trace", "import", trace)
    assert (done.code, done.out, done.err) == (1, "", f"error: {trace} is a trace already\n")
    packed = gzip.compress(har.read_bytes())
    assert kubetrace("trace", "import", "-", stdin=packed).out.count("exchange-ended") == 8


def entry(**more: Any) -> dict[str, Any]:
    request = {"method": "GET", "url": "https://[::1]:6443/api", "headers": [{"name": ":method", "value": "GET"}]}
    content = {"size": 3, "text": "YWJj", "encoding": "base64"}
    response = {"status": 200, "statusText": "OK", "httpVersion": "h2", "headers": [], "content": content}
    timings = {"blocked": 1, "dns": 2, "connect": 10, "ssl": 4, "send": 0, "wait": 5, "receive": 7}
    return {"startedDateTime": "2026-01-02T03:04:05.678+09:00", "time": 25, "request": request, "response": response,
            "timings": timings, "serverIPAddress": "[::1]", "connection": "443", **more}  # fmt: skip


def test_a_browsers_entry() -> None:
    (recorded,) = imported({"log": {"version": "1.2", "pages": [], "entries": [entry(comment="why")]}})
    exchange = recorded.exchange
    assert exchange.body == b"abc" and exchange.request.headers == () and exchange.request.purpose.sentence == "why"
    assert exchange.started == 1767290645.678
    timings = exchange.timings
    assert (timings.dns, timings.connect, timings.tls, timings.first_byte) == (0.002, 0.006, 0.004, 0.005)
    assert (timings.headers, timings.body, timings.total) == (pytest.approx(0.018), 0.007, 0.025)
    assert (exchange.connection.address, exchange.connection.reused) == ("[::1]:6443", False)
    assert exchange.response is not None and exchange.response.http_version == "h2"


def test_frames_of_a_websocket() -> None:
    messages = [{"type": "send", "time": 1767290646.0, "opcode": 1, "data": "é"},
                {"type": "receive", "time": 1767290647.0, "opcode": 2, "data": "YWJj"}]  # fmt: skip
    upgraded = entry(_webSocketMessages=messages, response={"status": 101, "statusText": "", "content": {"size": 0}})
    (recorded,) = imported({"log": {"entries": [upgraded]}})
    assert recorded.frames is not None
    assert recorded.frames.counts == {"sent text": (1, 2), "received binary": (1, 3)}


def test_what_is_missing_is_told() -> None:
    lacking = entry(response={"status": 200, "content": {"size": 100}})
    lacking["request"]["bodySize"] = 5
    failed = entry(response={"status": 0, "statusText": "net::ERR_FAILED"})
    form = entry()
    form["request"]["postData"] = {"mimeType": "x", "params": [{"name": "a", "value": "b c"}]}
    one, two, three = imported({"log": {"entries": [lacking, failed, form]}})
    assert one.cut == {"request", "response"} and one.exchange.body_size == 100
    assert two.status == 0 and two.exchange.error == "net::ERR_FAILED"
    assert three.exchange.request.body == b"a=b+c"


class Trickle:
    """A stream that gives a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self._stream, self._step = io.BytesIO(data), step

    def read(self, size: int, /) -> bytes:
        return self._stream.read(self._step)


@given(st.lists(st.dictionaries(st.text(max_size=3), st.text() | st.integers()), max_size=5), st.integers(1, 9))
def test_entries_come_whole_however_they_are_read(wanted: list[dict[str, Any]], step: int) -> None:
    data = json.dumps({"log": {"creator": {"name": '"entries": ['}, "entries": wanted}}, ensure_ascii=False)
    assert list(entries(Trickle(data.encode("utf-8", "surrogatepass"), step))) == wanted


@pytest.mark.parametrize(("text", "message"), [
    ('{"log": {"entries": [{"a": 1}, {"b"', "ends in the middle of an entry"),
    ('{"log": {"entries": [nonsense]}}', "is no JSON there"),
    ('{"log": {"version": "1.2"}}', "holds no log of HAR entries"),
    ('{"log": {"entries": [' + "[" * 100_000, "nested too deeply"),
])  # fmt: skip
def test_broken_files(kubetrace: Kubetrace, text: str, message: str) -> None:
    with pytest.raises(NoHar, match=message):
        list(entries(io.BytesIO(text.encode())))
    done = kubetrace("trace", "import", "-", stdin=text.encode())
    assert done.code == 1 and message in done.err and "Traceback" not in done.err


def test_an_empty_log_and_a_wrong_format(kubetrace: Kubetrace) -> None:
    assert "holds no calls" in kubetrace("trace", "import", "-", stdin=b'{"log": {"entries": []}}').err
    assert "--format must be auto, klog, har, audit" in kubetrace("trace", "import", "-", "--format=x").err
    assert "holds no calls" in kubetrace("trace", "import", MITMPROXY, "--format=klog").err


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**12) | st.floats() | st.sampled_from(["", "x", "é", "YQ=="]),
    lambda one: st.lists(one, max_size=2) | st.dictionaries(st.sampled_from([
        "request", "response", "url", "method", "status", "headers", "name", "value", "content", "text", "encoding",
        "timings", "dns", "ssl", "postData", "params", "startedDateTime", "time", "_webSocketMessages", "opcode",
    ]), one, max_size=5), max_leaves=20,
)  # fmt: skip


@given(JSON, JSON, JSON)
def test_odd_entries_are_survived(request: Any, response: Any, timings: Any) -> None:
    odd = {**entry(), "request": request, "response": response, "timings": timings, "_webSocketMessages": timings}
    good = {**entry(), "response": response, "timings": timings}
    har = json.loads(json.dumps({"log": {"entries": [odd, good, request]}}))
    found = [timed.event for timed in events(io.BytesIO(json.dumps(har).encode()))]
    assert sum(isinstance(event, ExchangeEnded) for event in found) >= 1
    assert "".join(render(imported(har))).endswith("}}\n")


def test_an_audit_log(kubetrace: Kubetrace, tmp_path: Path) -> None:
    done = kubetrace("trace", "import", str(DATA / "audit" / "audit.log"))
    assert done.code == 0, done.err
    path = tmp_path / "t.jsonl"
    path.write_text(done.out)
    check_schema(path)
    shown = kubetrace("trace", "show", str(path), "-n", "recorded-audit").out.splitlines()[1:]
    assert [line.split()[1] for line in shown] == ["list", "list", "create", "get", "get"]
    refused = kubetrace("trace", "show", str(path), "--status", "403").out.split()
    number = refused[refused.index("list") - 1]
    whole = kubetrace("trace", "show", str(path), number).out
    assert "audit: asked by admin" in whole and "Impersonate-User: alice" in whole and '"reason": "Forbidden"' in whole
    rules = kubetrace("trace", "rbac", str(path), "--verb", "create").out
    assert 'resources: ["pods"]\n  verbs: ["create"]' in rules
    assert "the trace does not hold the request's URL" in kubetrace("trace", "curl", str(path), "--verb", "create").out


def test_requests_without_an_end(kubetrace: Kubetrace) -> None:
    lines = [json.dumps({"auditID": one, "stage": stage, "verb": "watch", "requestURI": f"/{one}", "responseStatus": {
        "code": 200}, "apiVersion": "audit.k8s.io/v1"}) for one, stage in (
            ("a", "ResponseStarted"), ("b", "ResponseStarted"), ("a", "ResponseComplete"), ("c", "Panic"))]  # fmt: skip
    out = kubetrace("trace", "import", "-", stdin="\n".join(lines).encode()).out
    ended = [json.loads(line) for line in out.splitlines() if "exchange-ended" in line]
    assert [one.get("error") for one in ended] == [
        None, "the server panicked", "the log ends before the request does"
    ]  # fmt: skip


@pytest.mark.parametrize("packed", [False, True])
def test_the_events_of_a_watch_are_read_from_its_body(kubetrace: Kubetrace, tmp_path: Path, packed: bool) -> None:
    pod = {"kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "resourceVersion": "7"}}
    lines = [json.dumps({"type": type, "object": pod}) for type in ("ADDED", "MODIFIED")]
    body = "\n".join([*lines, '{"type": "ADDED", "obj'])
    content = {"size": len(body), "mimeType": "application/json", "text": body}
    if packed:
        content |= {"text": base64.b64encode(body.encode()).decode(), "encoding": "base64"}
    entry = {
        "startedDateTime": "2026-01-02T03:04:05Z",
        "time": 50,
        "timings": {"send": 0, "wait": 20, "receive": 30},
        "request": {"method": "GET", "url": "https://x/api/v1/pods?watch=true", "headers": []},
        "response": {"status": 200, "headers": [], "content": content},
    }
    found = tmp_path / "t.jsonl"
    (tmp_path / "t.har").write_text(json.dumps({"log": {"entries": [entry]}}))
    found.write_text(kubetrace("trace", "import", str(tmp_path / "t.har")).out)
    check_schema(found)
    shown = kubetrace("trace", "show", str(found), "1").out
    assert f"Watch events: ADDED 1 ({len(lines[0])} B), MODIFIED 1 ({len(lines[1])} B)" in shown
    assert "20 ms  ADDED Pod shop/web at 7" in shown
