"""kubectl's own logs: every exchange that a person can read there is recovered."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.trace.exchange import ExchangeEnded
from kubetrace.trace.import_klog import events
from kubetrace.trace.masking import Masker
from tests.conftest import Kubetrace
from tests.trace.capture import all_captures, load
from tests.trace.replay import NotReplayable
from tests.trace_views.test_records import check_schema

NOW = time.time()


def imported(log: bytes) -> list[ExchangeEnded]:
    found = (timed.event for timed in events(log.splitlines(keepends=True), NOW))
    return [event for event in found if isinstance(event, ExchangeEnded)]


@pytest.mark.parametrize("path", all_captures(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_exchange_of_every_capture(path: Path) -> None:
    capture = load(path)
    try:
        expected = capture.exchanges
    except NotReplayable as error:
        pytest.skip(str(error))
    log = path.read_bytes().split(b"\n--- stderr\n", 1)[1].split(b"\n--- stdout\n", 1)[0] + b"\n"
    found = [event.exchange for event in imported(log)]
    assert sorted((one.request.method, one.request.url, _status(one)) for one in found) == sorted(
        (one.method, one.url, one.status) for one in expected
    )
    if len({one.url for one in expected}) == len(expected):
        by_url = {one.request.url: one for one in found}
        for one in expected:
            other = by_url[one.url]
            if other.response is not None:
                assert list(other.response.headers) == one.response_headers
            if one.body is None:
                continue
            if other.body_size == len(other.body or b""):
                assert (other.body or b"").rstrip() == one.body.rstrip()
            else:  # the log cut it; the other reader fills it up
                assert other.body and one.body.startswith(other.body)


ANSWER = re.compile(
    rb"(?m)^I\d{4} [\d:.]+ +\d+ (?:transport/)?round_trippers\.go:\d+\] "
    rb'(?:Response Status: .* in \d+ milliseconds$|[A-Z]+ \S+ .*in \d+ milliseconds$|"Response")'
)


def test_as_many_exchanges_as_answers_that_one_can_read() -> None:
    """Also of the logs that the other reader of the tests cannot replay."""
    total = 0
    for path in all_captures():
        log = path.read_bytes().split(b"\n--- stderr\n", 1)[1].split(b"\n--- stdout\n", 1)[0] + b"\n"
        count = len(ANSWER.findall(log))
        assert len(imported(log)) == count, path
        total += count
    assert total > 900


def _status(exchange: object) -> str:
    response = getattr(exchange, "response", None)
    return "" if response is None else f"{response.status} {response.reason or ''}".rstrip()


def test_the_command_masks_and_its_trace_is_one(kubetrace: Kubetrace, tmp_path: Path) -> None:
    capture = next(path for path in all_captures() if path.stem == "get-secret-yaml-v8")
    raw = capture.read_bytes()
    values = re.findall(rb'"(?:password|token|data)":\s?"([^"]{8,})"', raw)
    done = kubetrace("trace", "import", str(capture))
    assert done.code == 0, done.err
    path = tmp_path / "t.jsonl"
    path.write_text(done.out)
    check_schema(path)
    for value in values:
        assert value.decode() not in done.out
    assert "/secrets/" in kubetrace("trace", "show", str(path)).out


@pytest.mark.parametrize("log", [b"", b"hello\nworld\n", b"\xff\xfe\x00" * 50, b"I1123 14:01:53.982565  1 x.go:1] \n"])
def test_what_is_no_log(kubetrace: Kubetrace, log: bytes) -> None:
    done = kubetrace("trace", "import", "-", stdin=log)
    assert (done.code, done.out) == (1, "")
    assert done.err == ("error: - holds no calls: is it the log of kubectl -v=6 or more, a HAR, or an audit log?\n")


HEAD = b"I1123 14:01:53.982565 1234567 round_trippers.go:553] "


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([
    b"GET https://h/x 200 OK in 1 milliseconds", b'"Response" verb="GET" url="https://h" milliseconds=1',
    b'"Request" curlCommand=<\n\tcurl -v -XGET', b"Response Body: {", b"Response Status: x in 1 milliseconds",
    b"Request Headers:", b"    A: b", b'"Response Body" body=<', b"Response Body:\n00000000  6b 38",
]))))  # fmt: skip
def test_garbage_is_survived(messages: list[bytes]) -> None:
    imported(b"".join(HEAD + message + b"\n" for message in messages))


def test_cut_secrets_stay_masked() -> None:
    body = b'{"kind":"Secret","apiVersion":"v1","data":{"password":"aHVudGVyMi12ZXJ5LXNl'
    assert b"aHVudGVyMi12" not in Masker().body(body, "https://h/api/v1/namespaces/a/secrets/s")
