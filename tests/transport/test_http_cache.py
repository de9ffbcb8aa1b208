"""The HTTP cache below discovery and OpenAPI: which calls it saves, what the log sees, what it keeps on disk."""

# ruff: noqa: SIM117 - a server and its client, then what happens inside: two statements read better

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import pytest

from kubetrace.trace.exchange import CacheHit, ResponseBody, ResponseReceived
from kubetrace.transport.call import Call
from kubetrace.transport.errors import TransportError
from kubetrace.transport.http_cache import HTTPCache, Kept, cache_control
from tests.transport.scripted import ScriptedServer, reply
from tests.transport.watching import watched

DATE = "Tue, 24 Nov 2026 02:00:00 GMT"
MOMENT = 1795485600.0  # DATE
CALL = Call("GET", "/apis", headers=(("Accept", "application/json"),), operation="discovery-apis")
ETAG = (("Etag", '"one"'), ("Cache-Control", "public"), ("Vary", "Accept"), ("Date", DATE))
FRESH = (*ETAG, ("Expires", "Wed, 24 Nov 2027 02:00:00 UTC"))
AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)
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
    """As httpcache reads it: names as they stand, no quotes taken off."""
    expected = {"public": "", "Max-Age": '"5"', "no-cache": "", "max-age": "7"}
    assert cache_control('public, Max-Age="5" ,no-cache,max-age =7,') == expected


def test_a_fresh_answer_is_an_event_and_nothing_on_the_wire(tmp_path: Path) -> None:
    with ScriptedServer([reply(b"{}", headers=FRESH)]) as server, watched(server, http_cache=cache(tmp_path)) as one:
        one.client.send(CALL)
        one.client.send(CALL)
        url = f"{server.url}/apis"
    file = tmp_path / hashlib.sha256(url.encode()).hexdigest()
    assert one.seen(CacheHit) == [CacheHit(str(file), url)]
    assert [exchange.on_wire for exchange in one.exchanges()] == [True, False]


def test_the_trace_tells_the_304_and_its_condition(tmp_path: Path) -> None:
    with ScriptedServer([reply(b"{}", headers=ETAG), NOT_MODIFIED]) as server:
        with watched(server, http_cache=cache(tmp_path)) as one:
            one.client.send(CALL)
            one.client.send(CALL)
    first, second = one.exchanges()
    assert first.response is not None and second.response is not None
    assert (first.response.wire_status, second.response.wire_status) == (None, 304)
    assert ("If-None-Match", '"one"') in second.request.headers
    assert one.seen(CacheHit) == []


def test_an_answer_that_is_none_is_forgotten(tmp_path: Path) -> None:
    """A connection that fails takes what was kept with it (httpcache's RoundTrip)."""
    with ScriptedServer([reply(headers=ETAG), b"nonsense\r\n\r\n"]) as server:
        with watched(server, http_cache=cache(tmp_path)) as one:
            one.client.send(CALL)
            file = next(path for path in tmp_path.iterdir() if path.is_file())
            with pytest.raises(TransportError):
                one.client.send(CALL)
    assert not file.exists()


def test_stale_if_error_hides_a_server_error(tmp_path: Path) -> None:
    headers = (("Etag", '"one"'), ("Cache-Control", "stale-if-error=5"), ("Date", DATE))
    with ScriptedServer([reply(b"{}", headers=headers), reply(b"no", status="500 Internal Server Error")]) as server:
        with watched(server, http_cache=cache(tmp_path)) as one:
            one.client.send(CALL)
            again = one.client.send(CALL)
    assert (again.status, again.body) == (200, b"{}")


def test_folders_are_kubectls(tmp_path: Path) -> None:
    with ScriptedServer([reply(headers=ETAG)]) as server:
        with watched(server, http_cache=cache(tmp_path / "cache" / "http")) as one:
            one.client.send(CALL)
    made = ("cache", "cache/http", "cache/http/.diskv-temp")
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in made] == [0o750] * 3


def put(folder: Path, url: str, answer: bytes) -> None:
    name = hashlib.sha256(url.encode()).hexdigest()
    (folder / name).write_bytes(hashlib.sha256(answer).digest() + answer)


def test_a_file_that_kubectl_wrote(tmp_path: Path) -> None:
    """Recorded: `kubectl get pods --cache-dir DIR` (1.36) against kube-apiserver 1.36, the file of /api?timeout=32s."""
    written = (Path(__file__).parent / "kubectl_cache_file").read_bytes()
    assert written[:32] == hashlib.sha256(written[32:]).digest()
    call = Call("GET", "/api", (("timeout", "32s"),), (("Accept", AGGREGATED),), operation="discovery-api")
    with ScriptedServer([b"HTTP/1.1 304 Not Modified\r\n\r\n"]) as server:
        name = hashlib.sha256(f"{server.url}/api?timeout=32s".encode()).hexdigest()
        (tmp_path / name).write_bytes(written)
        with watched(server, http_cache=cache(tmp_path, MOMENT + 3600)) as one:
            answer = one.client.send(call)
    assert server.asked[0].values("If-None-Match") == [re.findall(rb"Etag: (.*)\r", written)[0].decode()]
    assert b'"kind":"APIGroupDiscoveryList"' in answer.body
    head, _, _ = (tmp_path / name).read_bytes()[32:].partition(b"\r\n\r\n")
    theirs, _, _ = written[32:].partition(b"\r\n\r\n")
    assert set(theirs.split(b"\r\n")[1:]) <= set(head.split(b"\r\n"))


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n%s\r\n2\r\n{}\r\n0\r\n\r\n", b"{}"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n%s\r\n9\r\n{}\r\n0\r\n\r\n", None),
        (b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n%s\r\n{}", None),
        (b"HTTP/1.1 200 OK\r\nnonsense\r\n%s\r\n{}", None),
        (b"HTTP/1.1 200 OK\r\n%s", None),
    ],
)
def test_what_a_file_may_hold(tmp_path: Path, answer: bytes, body: bytes | None) -> None:
    """Chunks are undone, as Go leaves them in; what is no answer is none, and never a failure."""
    fields = b"".join(f"{name}: {value}\r\n".encode() for name, value in FRESH if name != "Vary")
    with ScriptedServer([reply(b"asked")]) as server, watched(server, http_cache=cache(tmp_path)) as one:
        put(tmp_path, f"{server.url}/apis", answer % fields)
        assert one.client.send(CALL).body == (b"asked" if body is None else body)
