"""The small rules, each by itself: warnings, throttles, token files, header names, redirects."""

# ruff: noqa: E501

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.kubeconfig.connection import Connection
from kubetrace.trace.exchange import Operation, Response
from kubetrace.trace.warning_header import warning_texts
from kubetrace.transport.call import Call
from kubetrace.transport.credentials import TokenFile, escape_key, static_auth
from kubetrace.transport.errors import ConnectionConfigError, TransportError
from kubetrace.transport.headers import canonical
from kubetrace.transport.redirects import next_hop
from kubetrace.transport.retry import pause_after_answer
from kubetrace.transport.throttle import Throttles, TokenBucket
from kubetrace.wire.go_quote import quote


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ('299 - "one"', ["one"]),
        ('299 - "one", 299 a "two"', ["one", "two"]),
        ('299 - "one" "Tue, 15 Nov 1994 08:12:31 GMT", 299 - "two"', ["one", "two"]),
        ('199 - "other", 299 - "two"', ["two"]),
        (r'299 - "a \"b\" \\ c"', ['a "b" \\ c']),
        ('299 - "one" rubbish', []),
        ('299 - "one", rubbish', ["one"]),
        ('299 - "unclosed', []),
        ("299 -", []),
        ('2x9 - "no"', []),
        ('299 - "a\tb"', []),
        ('299 - ""', []),
        ('299 - "=?utf-8?q?gr=C3=BC=C3=9F?="', ["grüß"]),
        ('299 - "grüß"'.encode().decode("latin-1"), ["grüß"]),
        ('299 - "\xff"', []),
    ],
)
def test_warning_headers(value: str, texts: list[str]) -> None:
    assert warning_texts([value]) == texts


@given(st.text(st.characters(codec="latin-1")))
def test_no_warning_header_breaks_the_reader(value: str) -> None:
    assert isinstance(warning_texts([value]), list)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1))
def test_quoted_texts_come_back(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    header = f'299 - "{escaped}"'.encode().decode("latin-1")
    assert warning_texts([header]) == ([text] if "=?" not in text else warning_texts([header]))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_token_bucket_lets_a_burst_through_and_then_keeps_its_rate() -> None:
    clock = Clock()
    bucket = TokenBucket(5, 10, clock, clock.sleep)
    assert [bucket.wait() for _ in range(10)] == [0] * 10
    assert [round(bucket.wait(), 6) for _ in range(3)] == [0.2, 0.2, 0.2]
    clock.now += 100
    assert [bucket.wait() for _ in range(10)] == [0] * 10


@pytest.mark.parametrize(
    ("operation", "free"), [("discovery-group", 300), ("version", 300), ("list", 10), ("get", 10), ("create", 999)]
)
def test_each_client_of_kubectl_has_its_limit(operation: Operation, free: int) -> None:
    clock = Clock()
    throttles = Throttles(clock, clock.sleep)
    waits = [throttles.wait(Call("GET", "/x", operation=operation)) for _ in range(min(free, 999) + 1)]
    assert sum(wait == 0 for wait in waits) == (free if free < 999 else 1000)
    assert throttles.wait(Call("GET", "/other", operation="get")) == 0


def test_calls_of_one_typed_client_share_its_limit() -> None:
    clock = Clock()
    throttles = Throttles(clock, clock.sleep)
    calls = [Call("GET", f"/pods/{number}", operation="typed-get", client="v1") for number in range(12)]
    assert [throttles.wait(call) for call in calls][:11] == [*[0] * 10, pytest.approx(0.2)]
    assert throttles.wait(Call("POST", "/pods/1/eviction", operation="evict", client="policy/v1")) == 0


def test_watches_are_never_throttled() -> None:
    clock = Clock()
    throttles = Throttles(clock, clock.sleep)
    assert not any(throttles.wait(Call("GET", "/x", operation="watch")) for _ in range(500))


def test_token_file_is_read_again_after_a_while_and_survives_a_gap(tmp_path: Path) -> None:
    path, clock = tmp_path / "token", Clock()
    path.write_text(" one\n")
    token = TokenFile(str(path), clock)
    assert token() == "one"
    path.write_text("two")
    assert token() == "one"
    clock.now = 51
    assert token() == "two"
    path.unlink()
    clock.now = 200
    assert token() == "two"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, 'failed to read token file "{0}": open {0}: no such file or directory'),
        ("", 'read empty token from file "{0}"'),
    ],
)
def test_token_file_that_gives_none(content: str | None, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConnectionConfigError) as caught:
        static_auth(Connection(server="https://x", token_file=str(path)))
    assert str(caught.value) == problem.format(path)


def test_token_and_password_exclude_each_other() -> None:
    with pytest.raises(ConnectionConfigError, match="username/password or bearer token may be set, but not both"):
        static_auth(Connection(server="https://x", token="t", username="u"))


@pytest.mark.parametrize(
    ("key", "escaped"),
    [("scopes", "scopes"), ("a.b/c", "a.b%2Fc"), ("50%", "50%25"), ("ü", "%C3%BC"), ("(x)", "%28x%29")],
)
def test_extra_keys_are_escaped(key: str, escaped: str) -> None:
    assert escape_key(key) == escaped


@pytest.mark.parametrize(
    ("name", "spelled"),
    [("ETag", "Etag"), ("x-kubernetes-PF-flowschema-UID", "X-Kubernetes-Pf-Flowschema-Uid"), ("bad name", "bad name")],
)
def test_canonical_names(name: str, spelled: str) -> None:
    assert canonical(name) == spelled


@pytest.mark.parametrize(
    ("data", "quoted"), [(b'a"b\\\n', r'"a\"b\\\n"'), (b"\xff\x01", r'"\xff\x01"'), ("ü\u200b".encode(), '"ü\\u200b"')]
)
def test_go_quoting(data: bytes, quoted: str) -> None:
    assert quote(data) == quoted


@pytest.mark.parametrize(
    ("origin", "location", "trusted"),
    [
        ("https://a:1/x", "/y", True),
        ("https://a:1/x", "https://b.a:9/y", True),
        ("https://a:1/x", "https://a:2/y", False),
        ("https://a/x", "https://a:443/y", True),
        ("https://a:1/x", "http://a:1/y", False),
        ("https://a:1/x", "https://evil/y", False),
        ("https://a:1/x", "https://xa:1/y", False),
    ],
)
def test_who_may_see_credentials_after_a_redirect(origin: str, location: str, trusted: bool) -> None:
    hop = next_hop("GET", origin, origin, Response(302, "Found", (("Location", location),)))
    assert hop is not None and hop.trusted is trusted
    assert bool(hop.referer) is not location.startswith("http:")


@pytest.mark.parametrize("status", [200, 304, 305, 404])
def test_no_redirect(status: int) -> None:
    assert next_hop("GET", "https://a/x", "https://a/x", Response(status, "", (("Location", "/y"),))) is None


@pytest.mark.parametrize(
    ("location", "why"), [("http://[::1", "missing ']' in host"), ("http://h:ab/x", 'invalid port ":ab" after host')]
)
def test_a_location_that_is_no_url_is_said(location: str, why: str) -> None:
    with pytest.raises(TransportError) as caught:
        next_hop("GET", "https://a/x", "https://a/x", Response(302, "", (("Location", location),)))
    assert f'failed to parse Location header "{location}": parse "{location}": {why}' in str(caught.value)


def test_reasons_of_retries() -> None:
    headers = (("Retry-After", "2"), ("X-Kubernetes-Pf-Flowschema-Uid", 'u"1'))
    busy = pause_after_answer(1, Response(429, "", headers))
    down = pause_after_answer(3, Response(503, "", headers))
    assert busy is not None and down is not None
    assert busy.reason == (
        'retries: 1, retry-after: 2s - retry-reason: due to server-side throttling, FlowSchema UID: "u\\"1"'
    )
    assert down.reason == "retries: 3, retry-after: 2s - retry-reason: 503"


def test_errors_load_without_requests() -> None:
    """What the command line needs to print an error must not cost what sending costs."""
    light = "kubetrace.transport.errors, kubetrace.transport.call, kubetrace.transport.headers"
    code = (
        f"import sys, {light}; print([m for m in sys.modules if m.partition('.')[0] in ('requests', 'urllib3', 'ssl')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_sending_loads_what_it_needs() -> None:
    code = "import sys, kubetrace.transport.client; print([m for m in ('cryptography', 'rich', 'ruamel.yaml', 'typer', 'kubetrace.trace.klog') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
