"""HAR, mermaid and stats."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.trace.views.mermaid import escaped
from kubetrace.trace.views.stats import percentile
from tests.conftest import Kubetrace
from tests.trace_views.conversation import written

REQUIRED = {
    "": {"startedDateTime", "time", "request", "response", "cache", "timings"},
    "request": {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"},
    "response": {
        "status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL",
        "headersSize", "bodySize",
    },
    "timings": {"send", "wait", "receive"},
}  # fmt: skip


@pytest.fixture
def trace(tmp_path: Path) -> str:
    return str(written(tmp_path / "t.jsonl"))


def test_har(kubetrace: Kubetrace, trace: str) -> None:
    log = json.loads(kubetrace("trace", "har", trace).out)["log"]
    assert log["version"] == "1.2" and log["creator"]["name"] == "kubetrace"
    assert len(log["entries"]) == 8
    for entry in log["entries"]:
        for part, names in REQUIRED.items():
            assert names <= set(entry[part] if part else entry)
        spent = sum(value for name, value in entry["timings"].items() if value > 0 and name != "ssl")
        assert entry["time"] == pytest.approx(spent)
        assert entry["timings"]["connect"] == -1 and entry["connection"] == "127.0.0.1:6443"
    listed, secret, created, *_, refused, binary, patched = log["entries"]
    assert listed["request"]["queryString"] == [{"name": "limit", "value": "500"}]
    assert json.loads(listed["response"]["content"]["text"])["kind"] == "PodList"
    assert "<masked:1>" in secret["response"]["content"]["text"]
    assert created["request"]["postData"]["mimeType"] == "application/json"
    assert (refused["response"]["status"], refused["response"]["_error"][:8]) == (0, "dial tcp")
    assert base64.b64decode(binary["response"]["content"]["text"]) == b"\xff\xfe\x00binary"
    assert patched["request"]["method"] == "PATCH"


def test_an_empty_har_is_valid(kubetrace: Kubetrace, trace: str) -> None:
    assert json.loads(kubetrace("trace", "har", trace, "--grep", "nothing has this").out)["log"]["entries"] == []


LINE = re.compile(
    r"sequenceDiagram|    participant \w+ as .+|    Note over C,S\d: .+|    C->>S\d: .+|    S\d(-->>|--x)C: .+"
)


def test_mermaid(kubetrace: Kubetrace, trace: str) -> None:
    lines = kubetrace("trace", "mermaid", trace).out.splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    assert "    C->>S1: 8. PATCH /api/v1/namespaces/default/pods/it#39;s?x=$(id)" in lines
    assert "    S1--xC: dial tcp 127.0.0.1:6443: connect: connection refused" in lines


@given(st.text())
def test_mermaid_text_holds_no_language(text: str) -> None:
    shown = re.sub(r"#\d+;", "", escaped(text))
    assert not set(shown) & set("#;<>&\"'`{}%\n\r\x1b")


def test_stats(kubetrace: Kubetrace, trace: str) -> None:
    lines = kubetrace("trace", "stats", trace).out.splitlines()
    assert lines[0].split() == ["VERB", "ENDPOINT", "CALLS", "FAILED", "P50", "P95", "TOTAL", "RECEIVED"]
    assert lines[1].split()[:4] == ["list", "/apis/apps/v1/deployments", "2", "1"]
    assert lines[-1] == "8 calls, 2 failed, 1 new connections, 125 B sent, 387 B received, 160 ms waited"


def test_percentiles_are_nearest_ranks() -> None:
    assert [percentile([4, 1, 3, 2], one) for one in (50, 95, 0, 100, 25)] == [2, 4, 1, 4, 1]
    assert percentile([7.0], 95) == 7.0
