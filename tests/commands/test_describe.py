"""`describe` against a played server: stdout, stderr, exit code and calls are those that the real kubectl had against a
real API server (data/describe.json, recorded by tests/tools/record_describe.py)."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from kubetrace.transport.call import Call
from tests.commands.played import PlayedServer, Ran

RECORDED = json.loads((Path(__file__).parent / "data" / "describe.json").read_text())


def in_order(target: str) -> str:
    """A URL whose field selector is sorted: kubectl writes its terms in the order of a Go map."""
    parts = urlsplit(target)
    query = parse_qs(parts.query, keep_blank_values=True)
    return json.dumps([parts.path, {key: sorted(value[0].split(",")) for key, value in sorted(query.items())}])


@pytest.mark.parametrize("recorded", RECORDED["commands"], ids=lambda recorded: " ".join(recorded["words"]))
def test_describe_does_what_kubectl_does(
    recorded: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {in_order(target): answer for target, answer in recorded["answers"].items()}

    def key(call: Call) -> str:
        return in_order(call.target())

    monkeypatch.setattr(time, "time", lambda: recorded["now"] + 0.1)
    monkeypatch.setenv("TZ", "UTC")
    ran = Ran(recorded["words"], tmp_path, PlayedServer(RECORDED["discovery"], answers, key))
    assert ran.stdout == recorded["stdout"]
    assert ran.stderr == recorded["stderr"]
    assert ran.code == recorded["code"]
    assert list(dict.fromkeys(ran.calls)) == list(answers)
