"""Wrong command lines: kubectl's words and exit codes, recorded from kubectl (tests/tools/record_usage_errors.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Kubetrace

RECORDED = json.loads((Path(__file__).parent / "usage_errors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: " ".join(case["argv"]))
def test_kubectl_words(kubetrace: Kubetrace, case: dict[str, Any]) -> None:
    outcome = kubetrace(*case["argv"])
    assert outcome.code == case["code"], outcome.err
    expected = case["stderr"].replace("kubectl", "kubetrace")
    assert outcome.err == expected
    if not case["stdout"]:
        assert not outcome.out
