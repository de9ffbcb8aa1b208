"""Patches held to the real apimachinery: several hundred recorded cases, and what must hold for any objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubetrace.api.json_merge import apply_merge_patch, create_merge_patch, three_way_merge_patch
from kubetrace.api.merge_meta import built_in_meta
from kubetrace.api.merge_values import MergeError, sort_stable
from kubetrace.api.strategic_merge import MergeConflict, apply_patch, three_way_patch, two_way_patch
from kubetrace.wire import go_json

RECORDED = json.loads((Path(__file__).parent / "data" / "merges.json").read_text())


def compute(case: dict[str, Any]) -> Any:
    meta = built_in_meta(case["apiVersion"], case["kind"])
    assert meta is not None
    original, modified = case["original"], case["modified"]
    match case["operation"]:
        case "three":
            return three_way_patch(original, modified, case["current"], meta, case["overwrite"])
        case "two":
            return two_way_patch(original, modified, meta)
        case "apply":
            return apply_patch(original, modified, meta)
        case "json3":
            return three_way_merge_patch(original, modified, case["current"])
        case "jsonapply":
            return apply_merge_patch(original, modified)
        case "jsoncreate":
            return create_merge_patch(original, modified)
    raise AssertionError(case["operation"])


@pytest.mark.parametrize("number", range(len(RECORDED["cases"])))
def test_same_bytes_as_apimachinery(number: int) -> None:
    case = RECORDED["cases"][number]
    before = json.dumps(case)
    if "error" in case:
        with pytest.raises(MergeError) as raised:
            compute(case)
        assert isinstance(raised.value, MergeConflict) == (case["error"] == "conflict")
    else:
        assert go_json.dumps(compute(case)).decode() == case["patch"]
    assert json.dumps(case) == before, "the arguments were changed"


NAMES = st.sampled_from(["a", "b", "c", "d"])
TEXTS = st.sampled_from(["1", "2", "<&>", ""])


@st.composite
def pods(draw: st.DrawFn) -> dict[str, Any]:
    containers = [
        {
            "name": name,
            "image": draw(TEXTS),
            "env": [{"name": one, "value": draw(TEXTS)} for one in draw(st.lists(NAMES, unique=True))],
            "args": draw(st.lists(TEXTS)),
        }
        for name in draw(st.lists(NAMES, unique=True, min_size=1))
    ]
    # Merged scalars out of order are patched for ever, in kubectl, too: it sorts one side before it compares.
    metadata = {
        "labels": draw(st.dictionaries(NAMES, TEXTS)),
        "finalizers": sorted(draw(st.lists(NAMES, unique=True))),
    }
    return {"metadata": metadata, "spec": {"containers": containers}}


@settings(max_examples=40, deadline=None)
@given(pods(), pods())
def test_two_way_patch_makes_the_modified_object(original: dict[str, Any], modified: dict[str, Any]) -> None:
    meta = built_in_meta("v1", "Pod")
    assert meta is not None
    patched = apply_patch(original, two_way_patch(original, modified, meta), meta)
    assert without_empty(patched) == without_empty(modified)


@settings(max_examples=40, deadline=None)
@given(pods(), pods())
def test_applying_twice_changes_nothing(live: dict[str, Any], wanted: dict[str, Any]) -> None:
    meta = built_in_meta("v1", "Pod")
    assert meta is not None
    applied = apply_patch(live, three_way_patch(live, wanted, live, meta), meta)
    assert three_way_patch(wanted, wanted, applied, meta) == {}


def without_empty(value: Any) -> Any:
    """A patch can't tell an empty list from none."""
    if isinstance(value, dict):
        return {key: without_empty(item) for key, item in value.items() if item not in ([], {})}
    if isinstance(value, list):
        return [without_empty(item) for item in value]
    return value


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 5)))
def test_stable_sort_is_stable(numbers: list[int]) -> None:
    items = list(enumerate(numbers))
    sort_stable(items, lambda left, right: left[1] < right[1])
    assert items == sorted(enumerate(numbers), key=lambda item: item[1])


def test_numbers_and_booleans_differ() -> None:
    meta = built_in_meta("v1", "Pod")
    assert meta is not None
    assert two_way_patch({"spec": {"x": 1}}, {"spec": {"x": True}}, meta) == {"spec": {"x": True}}
