"""Quantities as the real kubectl reads and writes them (tests/tools/record_grammars.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.wire.quantity import InvalidQuantity, parse

RECORDED = json.loads((Path(__file__).parent / "data" / "quantities.json").read_text())


@pytest.mark.parametrize("text", RECORDED["good"])
def test_canonical_form(text: str) -> None:
    assert parse(text).text == RECORDED["good"][text]


@pytest.mark.parametrize("text", RECORDED["bad"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(InvalidQuantity) as caught:
        parse(text)
    assert str(caught.value) == RECORDED["bad"][text]


@given(st.integers(-(10**9), 10**9), st.sampled_from(["", "m", "k", "Ki", "Mi", "M", "G", "e3"]))
def test_the_canonical_form_is_the_same_amount(number: int, suffix: str) -> None:
    quantity = parse(f"{number}{suffix}")
    assert parse(quantity.text).value == quantity.value
