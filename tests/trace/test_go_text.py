"""Go's text forms; the vectors are those of real kubectl captures."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubetrace.trace.go_text import (
    canonical_header,
    duration,
    hexdump,
    hexdump_size,
    quote,
    quote_to_ascii,
    to_json,
)
from tests.trace.capture import go_unquote
from tests.trace.replay import seconds_of


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        (b"", rb'""'),
        (b"\a\b\f\n\r\t\v\\\"'`$", rb'''"\a\b\f\n\r\t\v\\\"'`$"'''),
        (b"\x00\x1b\x7f", rb'"\x00\x1b\x7f"'),
        (b"\xff\xc3", rb'"\xff\xc3"'),
        ("é✓\u200b\u00a0\ufeff".encode(), '"é✓\\u200b\\u00a0\\ufeff"'.encode()),
        ("\u00ad\u0085\U000e0001".encode(), b'"\\u00ad\\u0085\\U000e0001"'),
        ("\ufffd😀".encode(), '"\ufffd😀"'.encode()),
        (b"\xed\xa0\x80", rb'"\xed\xa0\x80"'),
    ],
)  # fmt: skip
def test_quote(value: bytes, quoted: bytes) -> None:
    assert quote(value) == quoted


def test_quote_to_ascii() -> None:
    assert quote_to_ascii("é✓😀\xff".encode() + b"\xff") == rb'"\u00e9\u2713\U0001f600\u00ff\xff"'


@settings(deadline=None)
@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_quoting_is_reversible_and_stays_on_one_line(value: bytes) -> None:
    for quoted in (quote(value), quote_to_ascii(value)):
        assert go_unquote(quoted) == value
        assert b"\n" not in quoted and b"\x1b" not in quoted
        quoted.decode("utf-8")
    assert quote_to_ascii(value).isascii()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (1, "1s"),
        (0.050011246, "50.011246ms"),
        (1.010491634, "1.010491634s"),
        (64.5369, "1m4.5369s"),
        (3600, "1h0m0s"),
        (1.5e-6, "1.5µs"),
        (1e-9, "1ns"),
        (-2.5, "-2.5s"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@settings(deadline=None)
@given(st.integers(0, 10**13))
def test_durations_read_back(microseconds: int) -> None:
    assert seconds_of(duration(microseconds / 1e6)) == pytest.approx(microseconds / 1e6, abs=1e-7)


def test_hexdump_is_gos() -> None:
    assert hexdump(b"k8s\x00\n\x0c\n\x02v1\x12\x03Pod\x00\x01") == (
        b"00000000  6b 38 73 00 0a 0c 0a 02  76 31 12 03 50 6f 64 00  |k8s.....v1..Pod.|\n"
        b"00000010  01                                                |.|\n"
    )


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400))
def test_a_limited_hexdump_is_a_part_of_the_whole(data: bytes, limit: int) -> None:
    whole = hexdump(data)
    assert len(whole) == hexdump_size(len(data))
    assert whole[:limit] == hexdump(data, limit)[:limit]


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("etag", "Etag"),
        ("X-Kubernetes-PF-FlowSchema-UID", "X-Kubernetes-Pf-Flowschema-Uid"),
        ("WWW-Authenticate", "Www-Authenticate"),
        ("X_under_Score", "X_under_score"),
        ("not a token", "not a token"),
        ("", ""),
    ],
)
def test_canonical_header(name: str, canonical: str) -> None:
    assert canonical_header(name) == canonical


def test_json_is_html_escaped() -> None:
    assert (
        to_json({"a": "<&>\u2028é", "b": [1, True, None]})
        == '{"a":"\\u003c\\u0026\\u003e\\u2028é","b":[1,true,null]}'.encode()
    )
    assert to_json({"a": []}, indent=2) == b'{\n  "a": []\n}'


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), st.text(max_size=8)))
def test_json_reads_back(value: dict[str, str]) -> None:
    text = to_json(value)
    assert not set(b"<>&") & set(text)
    expected = {key.encode("utf-8", "replace"): item for key, item in value.items()}
    if all(ord(char) < 0xD800 or ord(char) > 0xDFFF for item in (*value, *value.values()) for char in item):
        assert json.loads(text) == value
    assert len(json.loads(text)) <= len(expected)
