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
    path = JSONPath("<{.a[*]}>{.b}")
    assert [path.render({"a": [1, 2], "b": 3}) for _ in range(2)] == ["<1 2>3"] * 2


def test_a_range_cuts_the_template_for_the_next_rendering() -> None:
    """As kubectl 1.36 says of the second event of `get -w -o jsonpath={range .a[*]}<{@}>{end}{.b}`."""
    path = JSONPath("{range .a[*]}<{@}>{end}{.b}")
    assert path.render({"a": [1, 2], "b": 3}) == "<1><2>3"
    with pytest.raises(JSONPathError, match=r"^not in range, nothing to end$"):
        path.render({"a": [1, 2], "b": 3})


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.rows[?(@.l[9])].n}", "short"),  # an index out of bounds is no reason to drop an item
        ("{.rows[?(@.nope)].n}", ""),
        ("{.rows[?(nope)].n}", "short none"),
        ("{range .null}[{@}]{end}", "[<no value>]"),
        ("{.rows[0].n.*}", "115 104 111 114 116"),
    ],
)
def test_steps_that_fail_or_find_null(template: str, text: str) -> None:
    """As kubectl 1.36 prints them."""
    data = {"null": None, "rows": [{"n": "short", "l": [1]}, {"n": "none"}]}
    assert JSONPath(template, True).render(data) == text


@pytest.mark.parametrize(("template", "kind"), [("{.n.*[0]}", "uint8"), ("{1}{2[0]}", "int"), ("{.i[0]}", "int64")])
def test_numbers_have_their_go_types(template: str, kind: str) -> None:
    with pytest.raises(JSONPathError, match=f"^{kind} is not array or slice$"):
        JSONPath(template, True).render({"n": "x", "i": 1})


def test_results_as_json_are_indented_lists() -> None:
    assert JSONPath("{.a[*]}").render_json({"a": [1, {"b": "<"}]}) == (
        '[\n    1,\n    {\n        "b": "\\u003c"\n    }\n]\n'
    )
    assert JSONPath("{-2}{.a.*}").render_json({"a": "b"}) == "[\n    -2\n]\n[\n    98\n]\n"


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
