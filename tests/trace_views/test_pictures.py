"""HAR, mermaid and stats."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from kubetrace.trace.exchange import Exchange, Frame, Purpose, Request, Response, Timings, WatchEventReceived
from kubetrace.trace.exchanges import Frames, Recorded, WatchEvents
from kubetrace.trace.views import mermaid
from kubetrace.trace.views.har import entry
from kubetrace.trace.views.mermaid import escaped
from kubetrace.trace.views.stats import percentile
from tests.conftest import Kubetrace
from tests.trace_views.conversation import written
from tests.trace_views.har_schema import HAR

VALIDATOR = Draft202012Validator(HAR)


def modules() -> Path:
    """The folder of Node's modules that hold other people's readers of what we write."""
    folder = os.environ.get("KUBETRACE_NODE_MODULES")
    if not folder or not shutil.which("node"):
        pytest.skip("KUBETRACE_NODE_MODULES names no folder with har-validator and mermaid, or there is no node")
    return Path(folder)


def node(program: str, folder: Path, text: str) -> str:
    """What a program for Node prints that reads `text`."""
    done = subprocess.run(
        ["node", "--input-type=module", "-e", program], input=text, capture_output=True, text=True, timeout=100,
        cwd=folder.parent, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture
def trace(tmp_path: Path) -> str:
    return str(written(tmp_path / "t.jsonl"))


def test_har(kubetrace: Kubetrace, trace: str) -> None:
    whole = json.loads(kubetrace("trace", "har", trace).out)
    VALIDATOR.validate(whole)
    log = whole["log"]
    assert log["version"] == "1.2" and log["creator"]["name"] == "kubetrace"
    assert len(log["entries"]) == 8
    for one in log["entries"]:
        spent = sum(value for name, value in one["timings"].items() if value > 0 and name != "ssl")
        assert one["time"] == pytest.approx(spent)
        assert one["timings"]["connect"] == -1 and one["connection"] == "127.0.0.1:6443"
    listed, secret, created, *_, refused, binary, patched = log["entries"]
    assert listed["request"]["queryString"] == [{"name": "limit", "value": "500"}]
    assert json.loads(listed["response"]["content"]["text"])["kind"] == "PodList"
    assert "<masked:1>" in secret["response"]["content"]["text"]
    assert created["request"]["postData"]["mimeType"] == "application/json"
    assert (refused["response"]["status"], refused["response"]["_error"][:8]) == (0, "dial tcp")
    assert base64.b64decode(binary["response"]["content"]["text"]) == b"\xff\xfe\x00binary"
    assert patched["request"]["method"] == "PATCH"


def test_an_empty_har_is_valid(kubetrace: Kubetrace, trace: str) -> None:
    empty = json.loads(kubetrace("trace", "har", trace, "--grep", "nothing has this").out)
    VALIDATOR.validate(empty)
    assert empty["log"]["entries"] == []


def test_har_with_what_is_no_text(tmp_path: Path) -> None:
    frames = Frames("websocket", "v5.channel.k8s.io")
    frames.add(Frame(1, 1, "sent", "binary", 3, "stdin", 0.1))
    entries = []
    for body in (b"k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod", b"\xff\0", b"k8s\0\xff", b"text"):
        exchange = Exchange(1, 1, 1, Request("POST", "https://h/x", (), body), None)
        entries.append(entry(Recorded(1, exchange, frames=frames)))
        assert entries[-1]["_frames"]["counts"] == {"sent stdin": {"frames": 1, "bytes": 3}}
    VALIDATOR.validate({"log": {"version": "1.2", "creator": {"name": "k", "version": "1"}, "entries": entries}})
    posted = [one["request"]["postData"] for one in entries]
    assert '"kind": "Pod"' in posted[0]["text"] and posted[0]["comment"] == "Kubernetes protobuf, decoded."
    assert (posted[1]["text"], posted[1]["_encoding"]) == ("/wA=", "base64")
    watched = WatchEvents()
    watched.add(WatchEventReceived(1, 1, "ADDED", size=9))
    event = b"\0\0\0\x22\x0a\x05ADDED\x12\x19\x0a\x17k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\0"
    answered = Exchange(1, 1, 1, Request("GET", "https://h/x?watch=1"), Response(200, "OK"), event, len(event))
    stream = entry(Recorded(1, answered, watched=watched))
    assert '"kind": "ConfigMap"' in stream["response"]["content"]["_decoded"]
    assert stream["_watchEvents"] == {"ADDED": {"events": 1, "bytes": 9}}
    VALIDATOR.validate({"log": {"version": "1.2", "creator": {"name": "k", "version": "1"}, "entries": [stream]}})
    assert posted[3] == {"mimeType": "application/octet-stream", "text": "text"}


def test_har_as_har_validator_sees_it(kubetrace: Kubetrace, trace: str) -> None:
    program = """
        import { createRequire } from "module"; import fs from "fs";
        const validator = createRequire(process.cwd() + "/x")("har-validator");
        const har = JSON.parse(fs.readFileSync(0));
        validator.har(har).then(() => console.log("valid"), error => console.log(error.errors));
    """
    assert node(program, modules(), kubetrace("trace", "har", trace).out) == "valid\n"


LINE = re.compile(
    r"sequenceDiagram|    participant \w+ as .+|    Note over C,S\d: .+|    C->>S\d: .+|    S\d(-->>|--x)C: .+"
)


def test_mermaid(kubetrace: Kubetrace, trace: str) -> None:
    lines = kubetrace("trace", "mermaid", trace).out.splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    assert len(lines) > 20
    assert "    C->>S1: 8. PATCH /api/v1/namespaces/default/pods/it#39;s?x=$(id)" in lines
    assert "    S1--xC: dial tcp 127.0.0.1:6443: connect: connection refused" in lines


def many(count: int) -> Iterator[Recorded]:
    evil = "a;b#c<d>e&f\"g'h`i{j}k%l\\m\nend\nNote over X: y --> z ☃ ] [ )("
    for number in range(1, count + 1):
        request = Request("GET", f"https://h/{evil}", purpose=Purpose("x", evil))
        yield Recorded(number, Exchange(number, 1, 1, request, Response(200, evil), error=None))
        yield Recorded(number, Exchange(number, 1, 1, request, None, error=evil))


def test_mermaid_draws_no_more_than_it_can() -> None:
    text = "".join(mermaid.render(many(5000)))
    assert len(text) < 49_000
    drawn = text.count("    C->>S1: ")
    assert f"{10_000 - drawn} more exchanges are left out" in text and drawn > 50


def test_mermaid_as_mermaid_sees_it(kubetrace: Kubetrace, trace: str) -> None:
    program = """
        import fs from "fs"; import mermaid from "mermaid";
        console.log((await mermaid.parse(fs.readFileSync(0, "utf8"))).diagramType);
    """
    folder = modules()
    for text in (kubetrace("trace", "mermaid", trace).out, "".join(mermaid.render(many(500)))):
        assert node(program, folder, text) == "sequence\n"


@given(st.text())
def test_mermaid_text_holds_no_language(text: str) -> None:
    shown = re.sub(r"#\d+;", "", escaped(text))
    assert not set(shown) & set("#;<>&\"'`{}%\n\r\x1b")


def test_stats(kubetrace: Kubetrace, trace: str) -> None:
    lines = kubetrace("trace", "stats", trace).out.splitlines()
    assert lines[0].split() == ["VERB", "ENDPOINT", "CALLS", "FAILED", "P50", "P95", "TOTAL", "RECEIVED"]
    assert lines[1].split()[:4] == ["list", "/apis/apps/v1/deployments", "2", "1"]
    assert lines[-1] == "8 calls, 2 failed, 1 new connection, 125 B sent, 387 B received, 160 ms waited"


def test_percentiles_are_nearest_ranks() -> None:
    assert [percentile([4, 1, 3, 2], one) for one in (50, 95, 0, 100, 25)] == [2, 4, 1, 4, 1]
    assert percentile([7.0], 95) == 7.0


@pytest.mark.parametrize("timings", [
    Timings(0.001, 0.002, 0.01, get_connection=0.03, first_byte=0.005, headers=0.04, body=0.5, total=0.54),
    Timings(get_connection=0.0, first_byte=0.005, headers=0.006, body=0.0, total=0.006),
    Timings(headers=0.04, body=0.5, total=0.54),
])  # fmt: skip
def test_the_phases_of_a_har_add_up_to_its_time(timings: Timings) -> None:
    exchange = Exchange(1, 1, 1, Request("GET", "https://h/"), Response(200, "OK"), timings=timings)
    found = entry(Recorded(1, exchange))
    assert timings.total is not None
    assert found["time"] == pytest.approx(timings.total * 1000)
    assert found["time"] == pytest.approx(sum(max(ms, 0) for name, ms in found["timings"].items() if name != "ssl"))
