"""YAML as Kubernetes reads it. The expectations are go-yaml v2's, seen through the real kubectl (config view)."""

from __future__ import annotations

from typing import Any

import pytest

from kubetrace.wire.yaml_reader import InvalidYAML, loads


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", True),
        ("y", True),
        ("No", False),
        ("'on'", "on"),
        ("~", None),
        ("", None),
        ("012", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0b11", -3),
        ("1_000", 1000),
        ("08", 8),
        ("1e3", 1000),
        ("1.50", 1.5),
        (".5", 0.5),
        ("1e400", "1e400"),
        ("18446744073709551615", 18446744073709551615),
        ("2001-01-01", "2001-01-01"),
        ("12:30", "12:30"),
        ("!!str 5", "5"),
        ("!!float 5", 5),
        ("!!binary aGk=", "hi"),
        ("!own x", "x"),
        ("{server: https://h:1, a: b:c}", {"server": "https://h:1", "a": "b:c"}),
        ("{1: a, true: b, 1.5: c}", {"1": "a", "true": "b", "1.5": "c"}),
        ("{a: 1, a: 2}", {"a": 2}),
        ("{a: &x {b: 1}, c: {<<: *x, d: 2}}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        ("{a: 1}\n---\n: : :\n", {"a": 1}),
    ],
)
def test_values(text: str, value: Any) -> None:
    found = loads(text.encode())
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: b: c", "yaml: mapping values are not allowed in this context"),
        ("x: 1\na: b: c", "yaml: line 2: mapping values are not allowed in this context"),
        ("a: [1, 2\n", "yaml: line 1: did not find expected ',' or ']'"),
        ("a: *u", "yaml: unknown anchor 'u' referenced"),
        ("a: &x [*x]", "yaml: anchor 'x' value contains itself"),
        ("? [a]\n: b", 'yaml: invalid map key: []interface {}{"a"}'),
        ("<<: 1", "yaml: map merge requires map or sequence of maps as the value"),
        ("!!int x", "yaml: cannot decode !!str `x` as a !!int"),
        ("a: .nan", "json: unsupported value: NaN"),
    ],
)
def test_errors(text: str, words: str) -> None:
    with pytest.raises(InvalidYAML) as caught:
        loads(text.encode())
    assert str(caught.value) == words


def test_strict_reading_refuses_a_key_given_twice() -> None:
    with pytest.raises(InvalidYAML) as caught:
        loads(b"a: 1\nb: 2\na: 3\n", strict=True)
    assert str(caught.value) == 'yaml: unmarshal errors:\n  line 3: key "a" already set in map'
