"""What writing commands do without a server: client-side dry runs, --local, refused flags. Recorded from the real
kubectl (tests/tools/record_offline.py); the cases are the conformance suite's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.conformance.case import Case
from tests.conftest import Kubetrace
from tests.tools.record_offline import GOLDEN, offline_cases, prepare, steady

RECORDED = json.loads(GOLDEN.read_text())["cases"]
CASES = [case for case in offline_cases() if case.name in RECORDED]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_as_kubectl_did(case: Case, kubetrace: Kubetrace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(case, tmp_path)
    monkeypatch.chdir(tmp_path / "work")
    environ = {"KUBECONFIG": str(tmp_path / "kubeconfig"), "KUBETRACE_LIKE": "1.36", "LC_ALL": "C.UTF-8"}
    outcome = kubetrace(*case.words, environ={**environ, **case.environ}, stdin=case.filled(case.stdin).encode())
    expected = RECORDED[case.name]
    assert outcome.out == expected["stdout"]
    assert _as_kubectl(steady(outcome.err)) == expected["stderr"]
    assert outcome.code == expected["exit"]


def _as_kubectl(text: str) -> str:
    return re.sub(r"\bkubetrace\b", "kubectl", text)


def test_every_recorded_case_is_still_there() -> None:
    assert set(RECORDED) == {case.name for case in CASES}
