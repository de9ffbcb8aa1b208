"""jsonpath. data/jsonpath.json holds what client-go v0.36.3's util/jsonpath made of each template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubetrace.printing.jsonpath import JSONPath
from kubetrace.printing.jsonpath_parser import JSONPathError, relaxed

RECORDED = json.loads((Path(__file__).parent / "data" / "jsonpath.json").read_text())


@pytest.mark.parametrize("vector", RECORDED["vectors"], ids=lambda v: f"{v['template']} {v['missing']}")
def test_templates_give_what_client_go_gives(vector: dict[str, Any]) -> None:
    if "err" in vector:
        with pytest.raises(JSONPathError) as error:
            JSONPath(vector["template"], vector["missing"]).render(RECORDED["data"])
        assert str(error.value) == vector["err"].removeprefix("parse: ")
    else:
        assert JSONPath(vector["template"], vector["missing"]).render(RECORDED["data"]) == vector["out"]


def test_a_template_can_be_rendered_again() -> None:
    path = JSONPath("{range .a[*]}<{@}>{end}{.b}")
    assert [path.render({"a": [1, 2], "b": 3}) for _ in range(2)] == ["<1><2>3"] * 2


def test_results_as_json_are_indented_lists() -> None:
    assert JSONPath("{.a[*]}").render_json({"a": [1, {"b": "<"}]}) == (
        '[\n    1,\n    {\n        "b": "\\u003c"\n    }\n]\n'
    )


@pytest.mark.parametrize("written", ["metadata.name", ".metadata.name", "{metadata.name}", "{.metadata.name}"])
def test_paths_may_be_written_loosely(written: str) -> None:
    assert relaxed(written) == "{.metadata.name}"


def test_what_is_no_path_is_refused() -> None:
    with pytest.raises(JSONPathError, match="unexpected path string"):
        relaxed("{.a}{.b}")


def test_a_range_without_results_walks_over_nothing() -> None:
    """As kubectl 1.36 says of `jsonpath={range .nope}{[?(@.s)]}{end}`."""
    with pytest.raises(JSONPathError, match=r"^<invalid reflect\.Value> is not array or slice and cannot be filtered$"):
        JSONPath("{range .nope}{[?(@.s)]}{end}", True).render({})
