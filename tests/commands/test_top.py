"""`top` against a played server: stdout, stderr, exit code and calls are those that the real kubectl had against a real
API server (data/top.json, recorded by tests/tools/record_top.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubetrace.transport.call import Call
from tests.commands.played import PlayedServer, Ran

RECORDED = json.loads((Path(__file__).parent / "data" / "top.json").read_text())


@pytest.mark.parametrize("recorded", RECORDED["commands"], ids=lambda recorded: " ".join(recorded["words"]))
def test_top_does_what_kubectl_does(recorded: dict[str, Any], tmp_path: Path) -> None:
    ran = Ran(recorded["words"], tmp_path, PlayedServer(RECORDED["discovery"], recorded["answers"], Call.target))
    assert ran.stdout == recorded["stdout"]
    assert ran.stderr == recorded["stderr"]
    assert ran.code == recorded["code"]
    assert ran.calls == [target for target in recorded["answers"] if target not in RECORDED["discovery"]]


def test_a_server_without_metrics_is_told(tmp_path: Path) -> None:
    bare = {path: {**answer, "body": answer["body"].replace("metrics.k8s.io", "x.k8s.io")}
            for path, answer in RECORDED["discovery"].items()}  # fmt: skip
    ran = Ran(["top", "nodes"], tmp_path, PlayedServer(bare, {}))
    assert (ran.code, ran.stdout, ran.stderr) == (1, "", "error: Metrics API not available\n")
