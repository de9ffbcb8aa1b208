"""OpenTelemetry spans, and the trace context that requests carry."""

from __future__ import annotations

import http.server
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.conftest import Kubetrace
from tests.trace_views.conversation import START, written
from tests.transport.scripted import ScriptedServer, reply

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def trace(tmp_path: Path) -> str:
    return str(written(tmp_path / "t.jsonl"))


def test_where_it_is_not_installed_the_word_is_clear(
    kubetrace: Kubetrace, trace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("opentelemetry.sdk.trace.export", "opentelemetry.exporter.otlp.proto.common.trace_encoder"):
        monkeypatch.setitem(sys.modules, module, None)
    for flags in ([], ["--endpoint", "http://127.0.0.1:1/v1/traces"]):
        done = kubetrace("trace", "otlp", trace, *flags)
        assert done.code == 1
        assert done.err == ("error: trace otlp needs OpenTelemetry's SDK and exporter: pip install 'kubetrace[otel]'\n")


def test_spans(kubetrace: Kubetrace, trace: str) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.common.trace_encoder", reason="needs kubetrace[otel]")
    done = kubetrace("trace", "otlp", trace)
    assert done.code == 0, done.err
    (line,) = done.out.splitlines()
    (scope,) = json.loads(line)["resourceSpans"][0]["scopeSpans"]
    spans = scope["spans"]
    assert len(spans) == 8 and len({span["spanId"] for span in spans}) == 8
    assert all(re.fullmatch("[0-9a-f]{32}", span["traceId"]) for span in spans)
    first, refused = spans[0], spans[5]
    assert first["name"] == "GET /api/v1/namespaces/{namespace}/pods" and first["kind"] == "SPAN_KIND_CLIENT"
    assert int(first["endTimeUnixNano"]) - int(first["startTimeUnixNano"]) == pytest.approx(20_000_000, abs=1000)
    assert int(first["startTimeUnixNano"]) == pytest.approx((START + 0.1) * 1e9, abs=1e6)
    facts = {one["key"]: next(iter(one["value"].values())) for one in first["attributes"]}
    assert facts["http.response.status_code"] == "200" and facts["k8s.verb"] == "list"
    assert refused["status"]["code"] == "STATUS_CODE_ERROR" and "refused" in refused["status"]["message"]


def test_spans_reach_a_collector(kubetrace: Kubetrace, trace: str) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http.trace_exporter", reason="needs kubetrace[otel]")
    got: list[bytes] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = kubetrace("trace", "otlp", trace, "--endpoint", f"http://127.0.0.1:{server.server_port}/v1/traces")
        server.shutdown()
    assert done.code == 0 and done.err.startswith("8 spans sent to http://127.0.0.1:"), done.err
    assert len(got) == 1 and got[0]


def test_a_collector_that_is_none_is_said_once(trace: str) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http.trace_exporter", reason="needs kubetrace[otel]")
    command = [
        sys.executable,
        "-m",
        "kubetrace",
        "trace",
        "otlp",
        trace,
        "--endpoint",
        "nowhere?access_token=t0ps3cret",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: the collector at nowhere?access_token=<masked:1> does not take the spans\n"


def sent(kubetrace: Kubetrace, tmp_path: Path, *flags: str) -> list[str]:
    with ScriptedServer([reply(b"{}")]) as server:
        done = kubetrace("get", "--raw", "/version", "--server", server.url, "-v=8", *flags)
    assert done.code == 0, done.err
    assert "raceparent:" not in done.err  # kubectl's log knows no such header
    return server.asked[0].values("Traceparent")


def test_trace_context_is_sent_where_it_is_asked_for(kubetrace: Kubetrace, tmp_path: Path) -> None:
    assert sent(kubetrace, tmp_path) == []
    (fresh,) = sent(kubetrace, tmp_path, "--traceparent")
    assert re.fullmatch(r"00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-01", fresh)
    (joined,) = sent(kubetrace, tmp_path, f"--traceparent=00-{TRACE}-00f067aa0ba902b7-01")
    assert joined.startswith(f"00-{TRACE}-") and "00f067aa0ba902b7" not in joined


@pytest.mark.parametrize("bad", ["x", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"01-{TRACE}-00f067aa0ba902b7-01"])
def test_no_trace_context(kubetrace: Kubetrace, bad: str) -> None:
    done = kubetrace("get", "--raw", "/version", "--server", "http://127.0.0.1:1", f"--traceparent={bad}")
    assert done.code == 1 and "--traceparent takes a W3C traceparent" in done.err


def test_spans_take_the_ids_that_were_sent(kubetrace: Kubetrace, tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.common.trace_encoder", reason="needs kubetrace[otel]")
    path = tmp_path / "own.jsonl"
    (value,) = sent(kubetrace, tmp_path, f"--traceparent=00-{TRACE}-00f067aa0ba902b7-01", "--trace", str(path))
    (line,) = kubetrace("trace", "otlp", str(path)).out.splitlines()
    (span,) = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert (span["traceId"], span["spanId"]) == (TRACE, value.split("-")[2])
