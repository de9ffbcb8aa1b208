"""YAML, JSON and KYAML, byte for byte as kubectl 1.36 writes them (recorded by tests/tools/record_encodings.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.wire import go_json, go_kyaml, go_yaml

RECORDED = json.loads((Path(__file__).parent / "data" / "encodings.json").read_text())["vectors"]


def wrapped(value: Any) -> Any:
    document = {
        "apiVersion": "example.com/v1",
        "kind": "Vector",
        "metadata": {"annotations": {"recorded": "x"}, "name": "v"},
        "value": value,
    }
    return go_json.loads(json.dumps(document).encode())


@pytest.mark.parametrize("vector", RECORDED, ids=lambda vector: repr(vector["value"])[:30])
def test_values_are_written_as_kubectl_writes_them(vector: dict[str, Any]) -> None:
    document = wrapped(vector["value"])
    assert go_yaml.dumps(document) == vector["yaml"]
    assert go_json.dumps_indented(document).decode() + "\n" == vector["json"]
    assert go_kyaml.dumps(document) == vector["kyaml"]


def test_a_writer_can_be_used_for_many_documents() -> None:
    writer = go_yaml.Writer()
    for vector in RECORDED[:80] * 2:
        assert writer.dumps(wrapped(vector["value"])) == vector["yaml"]


@pytest.mark.parametrize("text", ["\x7f", "a\x80", "\x9f", "\uffff"])
def test_control_characters_that_yaml_forbids_are_refused(text: str) -> None:
    with pytest.raises(go_yaml.UnrepresentableError, match="control characters are not allowed"):
        go_yaml.dumps({"a": text})


KEYS = ["inf", "nan", "Infinity", "0x1p3", "1e5", "a-b", "-a", "a.", "x/y", "1.5", "t", "tr", "1_000", "é", "½", "1:30"]


def test_keys_are_quoted_where_yaml_could_take_them_for_something_else() -> None:
    quoted = [line.strip() for line in go_kyaml.dumps(dict.fromkeys(KEYS, 1)).splitlines() if line.startswith('  "')]
    assert sorted(line.split('"')[1] for line in quoted) == sorted(set(KEYS) - {"a-b", "x/y", "tr", "é", "½"})


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: number != 0)  # -0 is read as 0
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_what_json_writes_it_reads_back(value: Any) -> None:
    written = go_json.dumps(value)
    assert go_json.dumps(go_json.loads(written)) == written
    assert go_json.dumps(go_json.loads(go_json.dumps_indented(value))) == written


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'"a\xff\xfeb"', "a\ufffd\ufffdb"),
        (b'"\\ud800x"', "\ufffdx"),
        (b"9223372036854775808", 9223372036854775808.0),
        (b"[18446744073709551615, 1]", [18446744073709551615.0, 1]),
        (b"1.0", 1.0),
    ],
)
def test_json_is_read_as_apimachinery_reads_it(data: bytes, value: Any) -> None:
    read = go_json.loads(data)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("data", [b"", b"{", b"NaN", b"{'a': 1}", b"[1,]", b"\xff"])
def test_what_is_not_json_is_refused(data: bytes) -> None:
    with pytest.raises(go_json.InvalidJSON):
        go_json.loads(data)
