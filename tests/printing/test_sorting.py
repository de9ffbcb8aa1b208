"""--sort-by. data/sorted.json holds the orders that kubectl v0.36.3's TableSorter made ("M": the field is missing)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.api.go_sort import go_sort
from kubetrace.errors import KubetraceError
from kubetrace.printing.sorting import UnsortableError, parse_quantity, sort_objects, sort_rows

RECORDED = json.loads((Path(__file__).parent / "data" / "sorted.json").read_text())["vectors"]


def identity(value: Any) -> Any:
    return value


@pytest.mark.parametrize("vector", RECORDED, ids=range(len(RECORDED)))
def test_rows_come_in_the_order_that_go_gives_them(vector: dict[str, Any]) -> None:
    rows = [{"n": f"n{i}"} | ({} if v == "M" else {"v": v}) for i, v in enumerate(vector["values"])]
    try:
        order = [row["n"] for row in sort_rows(rows, ".v", identity)]
    except KubetraceError:
        order = []
    assert order == vector["order"]


@given(st.lists(st.integers(0, 50), max_size=300))
def test_sorting_sorts(numbers: list[int]) -> None:
    mine = list(numbers)
    go_sort(mine, lambda a, b: a < b)
    assert mine == sorted(numbers)


def test_a_field_that_nothing_has_is_told() -> None:
    with pytest.raises(KubetraceError, match=r'couldn\'t find any field with path "\{.x\}" in the list of objects'):
        sort_objects([{"a": 1}], "x", identity)


def test_values_without_an_order_are_told() -> None:
    with pytest.raises(UnsortableError, match=r"unsortable type: map\[string\]interface \{\}"):
        sort_objects([{"x": {}}, {"x": {}}], ".x", identity)


@pytest.mark.parametrize(
    ("smaller", "larger"), [("900m", "1"), ("1Ki", "1100"), ("1k", "1Ki"), ("9", "10"), ("1e2", "0.2k"), ("-1", "0")]
)
def test_quantities_are_compared_by_size(smaller: str, larger: str) -> None:
    objects = [{"v": larger}, {"v": smaller}]
    assert sort_objects(objects, ".v", identity) == objects[::-1]


@pytest.mark.parametrize("text", ["", "a", "1x", "1.2.3", "--1", "1 "])
def test_other_texts_are_no_quantities(text: str) -> None:
    assert parse_quantity(text) is None
