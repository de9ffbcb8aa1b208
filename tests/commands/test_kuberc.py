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


def test_kyaml_of_a_kubeconfig_has_the_order_of_its_structs(kubetrace: Kubetrace, tmp_path: Path) -> None:
    """As kubectl 1.36 prints it."""
    (tmp_path / "config").write_text("apiVersion: v1\nkind: Config\ncurrent-context: x\n")
    done = kubetrace("config", "view", "-o", "kyaml", "--kubeconfig", str(tmp_path / "config"))
    assert [line.split(":")[0].strip() for line in done.out.splitlines()[2:]][:2] == ["kind", "apiVersion"]
