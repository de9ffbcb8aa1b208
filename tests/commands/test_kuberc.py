"""`kuberc view` and `kuberc set`, one command after the other in one home folder, as kubectl 1.36 answered them
(golden/kuberc.json, recorded by tests/tools/record_kuberc.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Kubetrace
from tests.tools.record_kuberc import files, prepared

RECORDED = json.loads((Path(__file__).parent / "golden" / "kuberc.json").read_text())


def test_all_commands_in_turn(kubetrace: Kubetrace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    prepared(tmp_path)
    for case in RECORDED["cases"]:
        done = kubetrace(*case["words"], stdin=f"{case['typed']}\n".encode() if case["typed"] else b"")
        found = [text.replace(str(tmp_path), "HOME").replace("kubetrace", "kubectl") for text in (done.out, done.err)]
        expected = [case["stdout"], case["stderr"]]
        assert [*found, done.code, files(tmp_path)] == [*expected, case["code"], case["files"]], case["words"]


def test_off_is_off(kubetrace: Kubetrace) -> None:
    done = kubetrace("kuberc", "view", environ={"KUBERC": "off"})
    assert (done.code, done.err) == (1, "error: KUBERC is disabled via KUBERC=off environment variable\n")
