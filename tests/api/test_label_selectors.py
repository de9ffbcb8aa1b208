"""Label selectors as the real kubectl reads them (tests/tools/record_grammars.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubetrace.api.labels import label_selector, matches
from kubetrace.errors import KubetraceError

RECORDED = json.loads((Path(__file__).parent / "data" / "selectors.json").read_text())["selectors"]


@pytest.mark.parametrize("text", RECORDED)
def test_as_a_label_selector(text: str) -> None:
    expected = RECORDED[text]
    if isinstance(expected, str):
        with pytest.raises(KubetraceError) as caught:
            label_selector(text)
        assert str(caught.value) == expected
        return
    found = label_selector(text)
    assert found["matchLabels"] == expected.get("matchLabels", {})
    wanted = [{"values": [], **expression} for expression in expected.get("matchExpressions", ())]
    assert found["matchExpressions"] == wanted


@pytest.mark.parametrize(
    ("selector", "met"),
    [
        ("a", True), ("!a", False), ("b", False), ("!b", True), ("a=1", True), ("a==2", False), ("a!=2", True),
        ("b!=2", True), ("a in (0,1)", True), ("a notin (0,1)", False), ("b notin (1)", True), ("a>0", True),
        ("a<1", False), ("c>0", False), ("a=1,c=x", True), ("a=1,c=y", False),
    ],
)  # fmt: skip
def test_what_meets_it(selector: str, met: bool) -> None:
    assert matches(selector, {"a": "1", "c": "x"}) is met
