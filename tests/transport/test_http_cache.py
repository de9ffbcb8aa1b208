"""The HTTP cache below discovery and OpenAPI: which calls it saves, what the log sees, what it keeps on disk."""

# ruff: noqa: SIM117 - a server and its client, then what happens inside: two statements read better

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from kubetrace.trace.exchange import ResponseBody, ResponseReceived
from kubetrace.transport.call import Call
from kubetrace.transport.http_cache import HTTPCache, Kept, cache_control
from tests.transport.scripted import ScriptedServer, reply
from tests.transport.watching import watched

DATE = "Tue, 24 Nov 2026 02:00:00 GMT"
MOMENT = 1795485600.0  # DATE
CALL = Call("GET", "/apis", headers=(("Accept", "application/json"),), operation="discovery-apis")
ETAG = (("Etag", '"one"'), ("Cache-Control", "public"), ("Vary", "Accept"), ("Date", DATE))
NOT_MODIFIED = b'HTTP/1.1 304 Not Modified\r\nEtag: "one"\r\nAudit-Id: second\r\n\r\n'


def cache(folder: Path, now: float = MOMENT) -> HTTPCache:
    return HTTPCache(folder, clock=lambda: now)


def test_a_stale_answer_is_asked_for_by_its_etag_and_304_brings_it_back(tmp_path: Path) -> None:
    with ScriptedServer([reply(b'{"a":1}', headers=ETAG), NOT_MODIFIED]) as server:
        with watched(server, http_cache=cache(tmp_path)) as one:
            first = one.client.send(CALL)
            second = one.client.send(CALL)
    assert [asked.values("If-None-Match") for asked in server.asked] == [[], ['"one"']]
    assert (second.status, second.body) == (200, first.body)
    assert second.header("X-From-Cache") == "1"
    assert second.header("Audit-Id") == "second"
    shown = one.seen(ResponseReceived)
    assert [received.response.status for received in shown if received.response] == [200, 200]
    assert [event.body for event in one.seen(ResponseBody)] == [b'{"a":1}'] * 2
    request = shown[1].request
    assert not [name for name, _ in request.headers if name == "If-None-Match" and name.lower() not in request.unlogged]


def test_the_first_answer_says_what_it_varies_with(tmp_path: Path) -> None:
    with ScriptedServer([reply(headers=ETAG)]) as server, watched(server, http_cache=cache(tmp_path)) as one:
        answer = one.client.send(CALL)
    assert answer.header("X-Varied-Accept") == "application/json"
    assert answer.header("X-From-Cache") is None


def test_a_fresh_answer_needs_no_call(tmp_path: Path) -> None:
    headers = (*ETAG, ("Expires", "Wed, 24 Nov 2027 02:00:00 UTC"))
    with ScriptedServer([reply(b"{}", headers=headers)]) as server, watched(server, http_cache=cache(tmp_path)) as one:
        one.client.send(CALL)
        again = one.client.send(CALL)
    assert len(server.asked) == 1
    assert (again.status, again.body, again.header("X-From-Cache")) == (200, b"{}", "1")


def test_another_accept_is_another_answer(tmp_path: Path) -> None:
    headers = (*ETAG, ("Expires", "Wed, 24 Nov 2027 02:00:00 UTC"))
    other = Call("GET", "/apis", headers=(("Accept", "application/yaml"),), operation="discovery-apis")
    with ScriptedServer([reply(headers=headers)]) as server, watched(server, http_cache=cache(tmp_path)) as one:
        one.client.send(CALL)
        one.client.send(other)
    assert len(server.asked) == 2
    assert server.asked[1].values("If-None-Match") == []


@pytest.mark.parametrize("operation", ["get", "list", "raw"])
def test_other_calls_are_never_kept(tmp_path: Path, operation: str) -> None:
    call = Call("GET", "/apis", operation=operation)  # type: ignore[arg-type]
    with ScriptedServer([reply(headers=ETAG)]) as server, watched(server, http_cache=cache(tmp_path)) as one:
        one.client.send(call).read()
    assert list(tmp_path.iterdir()) == []


def test_no_store_is_obeyed_and_forgets(tmp_path: Path) -> None:
    plain = reply(b"{}", headers=(("Cache-Control", "no-store"),))
    with ScriptedServer([reply(headers=ETAG), plain]) as server:
        with watched(server, http_cache=cache(tmp_path)) as one:
            one.client.send(CALL)
            assert [path.name for path in tmp_path.iterdir() if path.is_file()]
            one.client.send(CALL)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_files_are_kubectls(tmp_path: Path) -> None:
    """SHA-256 of the URL names the file; SHA-256 of the rest leads it; the rest is the decoded answer."""
    body = b'{"kind":"x"}'
    headers = (*ETAG, ("Content-Encoding", "gzip"))
    with ScriptedServer([reply(gzip.compress(body), headers=headers)]) as server:
        with watched(server, http_cache=cache(tmp_path)) as one:
            one.client.send(CALL)
        path = tmp_path / hashlib.sha256(f"{server.url}/apis".encode()).hexdigest()
    data = path.read_bytes()
    assert data[:32] == hashlib.sha256(data[32:]).digest()
    head, _, rest = data[32:].partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n") and b"Content-Encoding" not in head
    assert rest == body
    assert path.stat().st_mode & 0o777 == 0o660


def test_a_damaged_file_is_no_answer(tmp_path: Path) -> None:
    with ScriptedServer([reply(headers=ETAG)]) as server, watched(server, http_cache=cache(tmp_path)) as one:
        one.client.send(CALL)
        file = next(path for path in tmp_path.iterdir() if path.is_file())
        file.write_bytes(file.read_bytes()[:-1])
        one.client.send(CALL)
    assert server.asked[1].values("If-None-Match") == []


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with ScriptedServer([reply(b"{}", headers=ETAG)]) as server, watched(server, http_cache=cache(blocked)) as one:
        assert one.client.send(CALL).body == b"{}"


@pytest.mark.parametrize(
    ("headers", "fresh"),
    [
        ((("Date", DATE), ("Expires", "Tue, 24 Nov 2026 02:00:11 UTC")), True),
        ((("Date", DATE), ("Expires", "Tue, 24 Nov 2026 02:00:10 UTC")), False),
        ((("Date", DATE), ("Cache-Control", "max-age=11")), True),
        ((("Date", DATE), ("Cache-Control", "max-age=10")), False),
        ((("Date", DATE), ("Cache-Control", "max-age=11, no-cache")), False),
        ((("Date", DATE), ("Cache-Control", "max-age=x")), False),
        ((("Date", DATE), ("Expires", "soon")), False),
        ((("Date", DATE),), False),
        ((("Cache-Control", "max-age=11"),), False),
    ],
)
def test_freshness(headers: tuple[tuple[str, str], ...], fresh: bool) -> None:
    assert Kept(200, "OK", headers, b"").is_fresh(MOMENT + 10) is fresh


def test_cache_control() -> None:
    assert cache_control('public, Max-Age="5" ,no-cache,') == {"public": "", "max-age": "5", "no-cache": ""}
