"""`get` against a played server: stdout, stderr, exit code and calls are those that the real kubectl had against a
real API server (data/get.json, recorded by tests/tools/record_get.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.played import PlayedServer, Ran

RECORDED = json.loads((Path(__file__).parent / "data" / "get.json").read_text())


@pytest.mark.parametrize("recorded", RECORDED["commands"], ids=lambda recorded: " ".join(recorded["words"]))
def test_get_does_what_kubectl_does(recorded: dict[str, Any], tmp_path: Path) -> None:
    ran = Ran(recorded["words"], tmp_path, PlayedServer(RECORDED["discovery"], recorded["answers"]))
    assert ran.stdout == recorded["stdout"]
    assert ran.stderr == recorded["stderr"].replace("kubectl-1.36", "kubectl")
    assert ran.code == recorded["code"]
    assert ran.calls == list(recorded["answers"])
