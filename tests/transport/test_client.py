"""The client against real sockets: what goes out, what comes back, and which events tell of it."""

# ruff: noqa: SIM117 - a server and its client, then what happens inside: two statements read better
from __future__ import annotations

import gzip
import socket
import threading

import pytest

from kubetrace.trace.exchange import (
    CallStarted,
    Dialed,
    Operation,
    RequestSent,
    ResponseBody,
    ResponseReceived,
    Retrying,
    TLSEstablished,
    WarningReceived,
    WatchEventReceived,
)
from kubetrace.transport.call import Call
from kubetrace.transport.errors import BodyReadError, TransportError
from tests.transport.scripted import Authority, ScriptedServer, reply, reset, then_close
from tests.transport.watching import watched


def test_a_call_is_a_series_of_events_in_the_order_of_kubectls_log(authority: Authority) -> None:
    answer = reply(b'{"kind":"Pod"}', headers=(("Warning", '299 - "old API"'),))
    with ScriptedServer([answer], tls=authority.server()) as server, watched(server, authority, token="t") as one:
        got = one.client.send(Call("GET", "/api/v1/pods", query=(("limit", "500"), ("a", "b c"))))
    assert (got.status, got.body, got.header("content-type")) == (200, b'{"kind":"Pod"}', "application/json")
    assert got.url == server.url + "/api/v1/pods?a=b+c&limit=500"
    expected = "CallStarted RequestSent Dialed TLSEstablished ResponseReceived ResponseBody ExchangeEnded"
    assert one.names() == [*expected.split(), "WarningReceived"]
    assert one.seen(TLSEstablished)[0].version == "TLSv1.3"
    assert one.seen(Dialed)[0].address == f"127.0.0.1:{server.port}"


def test_request_headers_stand_in_kubectls_order_and_ours_are_unlogged(authority: Authority) -> None:
    with ScriptedServer([reply()], tls=authority.server()) as server:
        headers = (("Accept", "application/json"), ("content-type", "application/json"))
        command = (("Kubectl-Command", "kubetrace create"), ("Kubectl-Session", "s"))
        with watched(server, authority, token="t", command_headers=command) as one:
            one.client.send(Call("POST", "/x", headers=headers, body=b"{}"))
    request = one.seen(RequestSent)[0].request
    shown = [name for name, _ in request.headers if name.lower() not in request.unlogged]
    assert shown == ["Accept", "Content-Type", "User-Agent", "Authorization"]
    hidden = ["Host", "Kubectl-Command", "Kubectl-Session", "Accept-Encoding", "Content-Length"]
    assert [name for name, _ in request.headers if name.lower() in request.unlogged] == hidden
    assert sorted(server.asked[0].names()) == sorted([*shown, *hidden])
    assert server.asked[0].body == b"{}"


def test_url_goes_out_as_it_was_written(authority: Authority) -> None:
    with ScriptedServer([reply()]) as server, watched(server) as one:
        one.client.send(Call("GET", "/api/v1/a%2Fb/../c", query=(("fieldSelector", "metadata.name=$('x')"),)))
    assert server.asked[0].line == "GET /api/v1/a%2Fb/../c?fieldSelector=metadata.name%3D%24%28%27x%27%29 HTTP/1.1"


def test_connection_is_kept_and_told_as_reused(authority: Authority) -> None:
    with ScriptedServer([reply()], tls=authority.server()) as server, watched(server, authority) as one:
        for _ in range(3):
            one.client.send(Call("GET", "/x"))
    assert server.connections == 1
    first, *others = one.exchanges()
    assert not first.connection.reused and first.timings.tls is not None and first.timings.connect is not None
    assert all(each.connection.reused and each.timings.tls is None for each in others)
    for each in one.exchanges():
        times = each.timings
        assert times.total is not None and times.headers is not None and times.first_byte is not None
        assert 0 <= times.first_byte <= times.headers <= times.total
        assert each.connection.tls_version == "TLSv1.3"


def test_gzip_is_asked_for_undone_and_hidden() -> None:
    packed = gzip.compress(b'{"a":1}')
    with ScriptedServer([reply(packed, headers=(("Content-Encoding", "gzip"), ("ETag", "1")))]) as server:
        with watched(server) as one:
            got = one.client.send(Call("GET", "/x"))
        with watched(server, disable_compression=True) as plain:
            raw = plain.client.send(Call("GET", "/x"))
    assert (got.body, raw.body) == (b'{"a":1}', packed)
    assert [asked.values("Accept-Encoding") for asked in server.asked] == [["gzip"], ["identity"]]
    names = [name for name, _ in one.exchanges()[0].response.headers]  # type: ignore[union-attr]
    assert names == ["Content-Type", "Etag"]
    assert "Content-Length" in [name for name, _ in plain.exchanges()[0].response.headers]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("line", "reason"), [("200 Fine Thanks", "Fine Thanks"), ("200 ", ""), ("200", None), ("299 ", "")]
)
def test_reason_is_the_servers_own(line: str, reason: str | None) -> None:
    with ScriptedServer([reply(status=line)]) as server, watched(server) as one:
        one.client.send(Call("GET", "/x"))
    response = one.seen(ResponseReceived)[0].response
    assert response is not None and response.reason == reason


def test_response_headers_are_what_go_keeps() -> None:
    wire = (
        b"HTTP/1.1 200 OK\r\nX_under_Score: u\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nEmpty:\r\n"
        b"Connection: close\r\nTransfer-Encoding: chunked\r\nX-Lat: gr\xfc\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    )
    with ScriptedServer([then_close(wire)]) as server, watched(server) as one:
        got = one.client.send(Call("GET", "/x"))
    assert got.body == b"ok"
    expected = (
        ("X_under_score", "u"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("Empty", ""),
        ("X-Lat", "gr\xfc"),
    )
    assert got.response.headers == expected


def test_repeated_and_foreign_header_values_reach_the_wire() -> None:
    from kubetrace.kubeconfig.connection import Impersonation

    who = Impersonation("jürgen", "42", ("g1", "g 2"), (("acme.com/Why Not", ("a", "b")),))
    with ScriptedServer([reply()]) as server, watched(server, impersonation=who) as one:
        one.client.send(Call("GET", "/x"))
    asked = server.asked[0]
    assert asked.values("Impersonate-User") == ["jürgen".encode().decode("latin-1")]
    assert asked.values("Impersonate-Group") == ["g1", "g 2"]
    assert asked.values("Impersonate-Extra-Acme.com%2fwhy%20not") == ["a", "b"]
    assert asked.values("Impersonate-Uid") == ["42"]


# --- retries ---------------------------------------------------------------------------------------------------------


def test_retry_after_is_waited_for_and_told_before_and_after() -> None:
    busy = reply(b"busy", "429 Too Many Requests", (("Retry-After", "3"),))
    with ScriptedServer([busy, busy, reply()]) as server, watched(server) as one:
        assert one.client.send(Call("POST", "/x", body=b"b")).status == 200
    assert one.slept == [3, 3]
    assert [(each.attempt, each.phase) for each in one.seen(Retrying)] == [
        (1, "before"),
        (1, "after"),
        (2, "before"),
        (2, "after"),
    ]
    assert [each.attempt for each in one.exchanges()] == [1, 2, 3]
    assert [asked.body for asked in server.asked] == [b"b", b"b", b"b"]
    assert len(one.seen(ResponseBody)) == 1 and server.connections == 1
    assert len(one.seen(CallStarted)) == 1


def test_ten_retries_and_no_more() -> None:
    with ScriptedServer([reply(status="503 Busy", headers=(("Retry-After", "1"),))]) as server, watched(server) as one:
        assert one.client.send(Call("GET", "/x")).status == 503
    assert (len(server.asked), len(one.slept)) == (11, 10)


@pytest.mark.parametrize(
    ("status", "after"), [("503 Busy", ""), ("503 Busy", "soon"), ("404 No", "1"), ("401 No", "1"), ("403 No", "1")]
)
def test_nothing_else_is_retried(status: str, after: str) -> None:
    headers = (("Retry-After", after),) if after else ()
    with ScriptedServer([reply(status=status, headers=headers), reply()]) as server, watched(server) as one:
        assert one.client.send(Call("GET", "/x")).status == int(status[:3])
    assert len(server.asked) == 1


def test_a_get_is_tried_again_after_a_reset_and_a_post_is_not() -> None:
    with ScriptedServer([reset, reply()]) as server, watched(server) as one:
        assert one.client.send(Call("GET", "/x", operation="get")).status == 200
    assert one.slept == [1]
    with ScriptedServer([then_close(b""), reply()]) as server, watched(server) as one:
        with pytest.raises(TransportError) as caught:
            one.client.send(Call("POST", "/x", operation="create", body=b"{}"))
    assert str(caught.value) == f'Post "{server.url}/x": EOF' and len(server.asked) == 1


def test_an_error_after_another_one_tells_both() -> None:
    with ScriptedServer([reset, then_close(b"nonsense\r\n\r\n")]) as server, watched(server) as one:
        with pytest.raises(TransportError) as caught:
            one.client.send(Call("GET", "/x", operation="get"))
    assert caught.value.lines()[0].startswith(f'error: Get "{server.url}/x": net/http: HTTP/1.x transport connection')
    assert caught.value.lines()[0].endswith("read: connection reset by peer")
    assert " - error from a previous attempt: read tcp 127.0.0.1:" in caught.value.lines()[0]


def test_a_kept_connection_that_the_server_has_left_is_replaced_unseen() -> None:
    with ScriptedServer([reply(), then_close(b""), reply()]) as server, watched(server) as one:
        for _ in range(2):
            assert one.client.send(Call("GET", "/x", operation="get")).status == 200
    assert one.slept == [] and len(one.exchanges()) == 2 and server.connections == 2


# --- redirects -------------------------------------------------------------------------------------------------------


def test_redirects_are_exchanges_with_a_referer() -> None:
    with ScriptedServer([reply(b"gone", "302 Found", (("Location", "../there?x=1"),)), reply()]) as server:
        with watched(server) as one:
            got = one.client.send(Call("POST", "/a/b/c", body=b"{}", headers=(("Content-Type", "application/json"),)))
    assert got.url == server.url + "/a/there?x=1"
    second = server.asked[1]
    assert second.line == "GET /a/there?x=1 HTTP/1.1" and second.body == b""
    assert second.values("Referer") == [server.url + "/a/b/c"] and second.values("Content-Type") == []
    assert [each.response.status for each in one.exchanges() if each.response] == [302, 200]
    assert len(one.seen(ResponseBody)) == 1


def test_307_keeps_method_and_body() -> None:
    steps = [reply(status="307 Moved", headers=(("Location", "/y"),)), reply()]
    with ScriptedServer(steps) as server, watched(server) as one:
        one.client.send(Call("PUT", "/x", body=b"body"))
    assert (server.asked[1].line, server.asked[1].body) == ("PUT /y HTTP/1.1", b"body")


def test_credentials_stay_with_their_host(authority: Authority) -> None:
    from kubetrace.kubeconfig.connection import Impersonation

    with ScriptedServer([reply()], tls=authority.server()) as other:
        step = reply(status="302 Found", headers=(("Location", other.url + "/y"),))
        with ScriptedServer([step], tls=authority.server()) as server:
            with watched(server, authority, token="t", impersonation=Impersonation("bob")) as one:
                one.client.send(Call("GET", "/x"))
    assert server.asked[0].values("Authorization") == ["Bearer t"]
    assert other.asked[0].values("Authorization") == [] and other.asked[0].values("Impersonate-User") == []


def test_tenth_redirect_is_not_followed() -> None:
    with ScriptedServer([reply(status="302 Found", headers=(("Location", "/x"),))]) as server, watched(server) as one:
        with pytest.raises(TransportError, match="stopped after 10 redirects"):
            one.client.send(Call("GET", "/x"))
    assert len(one.exchanges()) == len(server.asked) == 10


# --- bodies ----------------------------------------------------------------------------------------------------------


def test_a_stream_comes_as_it_is_sent_and_is_not_logged() -> None:
    go_on = threading.Event()

    def step(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        go_on.wait(5)
        connection.sendall(b"3\r\ntwo\r\n0\r\n\r\n")

    with ScriptedServer([step]) as server, watched(server) as one:
        answer = one.client.send(Call("GET", "/x", stream=True, operation="watch"))
        pieces = answer.chunks()
        assert next(pieces) == b"one"  # the second piece has not been sent yet
        go_on.set()
        assert list(pieces) == [b"two"]
    assert one.seen(ResponseBody) == [] and one.exchanges()[0].body_size == 6


def test_the_events_of_a_watch_are_told() -> None:
    event = b'{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"web"}}}\n'
    with ScriptedServer([reply(event), reply(event)]) as server, watched(server) as one:
        assert list(one.client.send(Call("GET", "/api/v1/pods?watch=1", stream=True)).chunks()) == [event]
        assert list(one.client.send(Call("GET", "/api/v1/pods", stream=True)).chunks()) == [event]
    assert [(each.type, each.name) for each in one.seen(WatchEventReceived)] == [("ADDED", "web")]


def test_closing_a_stream_ends_exchange_and_connection() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n"
    with ScriptedServer([head, reply()]) as server, watched(server) as one:
        answer = one.client.send(Call("GET", "/x", stream=True))
        pieces = answer.chunks()
        assert next(pieces) == b"one"
        answer.close()
        assert [exchange.body_size for exchange in one.exchanges()] == [3]
        assert one.client.send(Call("GET", "/y")).status == 200
    assert server.connections == 2


def test_an_error_answer_to_a_streamed_call_is_read_and_logged() -> None:
    with ScriptedServer([reply(b"no", "404 Not Found")]) as server, watched(server) as one:
        answer = one.client.send(Call("GET", "/x", stream=True, operation="raw"))
    assert list(answer.chunks()) == [b"no"] and len(one.seen(ResponseBody)) == 1


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_a_body(status: str) -> None:
    with ScriptedServer([f"HTTP/1.1 {status}\r\n\r\n".encode(), reply(b"next")]) as server, watched(server) as one:
        assert one.client.send(Call("GET", "/x")).body == b""
        assert one.client.send(Call("GET", "/x")).body == b"next"
    assert server.connections == 1


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (then_close(reply(b"{}", length=10)), "unexpected EOF"),
        (then_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), "unexpected EOF"),
        (then_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab"), "invalid byte in chunk length"),
        (reply(b"no gzip at all", headers=(("Content-Encoding", "gzip"),)), "gzip: invalid header"),
        (reply(gzip.compress(b"x" * 99)[:-4], headers=(("Content-Encoding", "gzip"),)), "unexpected EOF"),
    ],
)
def test_broken_bodies_are_told_as_kubectl_does(step: object, reason: str) -> None:
    with ScriptedServer([step]) as server, watched(server) as one:  # type: ignore[list-item]
        with pytest.raises(BodyReadError) as caught:
            one.client.send(Call("GET", "/x", operation="get"))
        with pytest.raises(BodyReadError) as bare:
            one.client.send(Call("GET", "/x", operation="raw"))
    wrapped = f"error: unexpected error when reading response body. Please retry. Original error: {reason}"
    assert caught.value.lines() == [wrapped]
    assert bare.value.lines() == [f"error: {reason}"]
    assert one.exchanges()[0].error == reason


def test_many_threads_share_a_client(authority: Authority) -> None:
    with ScriptedServer([reply()], tls=authority.server()) as server, watched(server, authority) as one:
        calls = [Call("GET", f"/x{number}", operation="discovery-group") for number in range(20)]
        threads = [threading.Thread(target=one.client.send, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(asked.line.split()[1] for asked in server.asked) == sorted(call.path for call in calls)
    by_call = {each.call: each for each in one.exchanges()}
    assert len(by_call) == 20 and {each.response.status for each in by_call.values() if each.response} == {200}


# --- warnings, timeouts ----------------------------------------------------------------------------------------------


def test_warnings_are_told_once_after_the_body() -> None:
    values = (("Warning", '299 - "one", 299 - "two \\"2\\""'), ("Warning", '199 - "not"'), ("Warning", "rubbish"))
    with ScriptedServer([reply(headers=values)]) as server, watched(server) as one:
        for _ in range(2):
            one.client.send(Call("GET", "/x"))
    assert [each.text for each in one.seen(WarningReceived)] == ["one", 'two "2"']
    assert one.client.warnings == 2
    assert one.names().index("WarningReceived") > one.names().index("ResponseBody")


@pytest.mark.parametrize(
    ("operation", "told"), [("list", True), ("typed-get", True), ("typed-list", False), ("typed-watch", False)]
)
def test_typed_lists_do_not_tell_the_server_of_the_timeout(operation: Operation, told: bool) -> None:
    with ScriptedServer([reply()]) as server, watched(server, request_timeout=20) as one:
        one.client.send(Call("GET", "/x", operation=operation))
    assert server.asked[0].line == f"GET /x{'?timeout=20s' if told else ''} HTTP/1.1"


def test_a_hanging_server_is_given_up_after_the_request_timeout() -> None:
    stop = threading.Event()
    with ScriptedServer([lambda connection: (stop.wait(5), None)[1]]) as server:
        with watched(server, request_timeout=0.2) as one, pytest.raises(TransportError) as caught:
            one.client.send(Call("GET", "/x", operation="get"))
        stop.set()
    expected = (
        "Unable to connect to the server: net/http: request canceled (Client.Timeout exceeded while awaiting headers)"
    )
    assert caught.value.lines() == [expected] and caught.value.kind == "timeout"


def test_headers_that_drip_do_not_outlive_the_timeout() -> None:
    stop = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not stop.wait(0.02):
            connection.sendall(b"X-A: b\r\n")

    with ScriptedServer([drip]) as server:
        with watched(server, request_timeout=0.3) as one, pytest.raises(TransportError, match=r"Client\.Timeout"):
            one.client.send(Call("GET", "/x"))
        stop.set()


def test_a_body_that_stops_is_given_up_too() -> None:
    stop = threading.Event()

    def step(connection: socket.socket) -> None:
        connection.sendall(reply(b"ab", length=100))
        stop.wait(5)

    with ScriptedServer([step]) as server:
        with watched(server, request_timeout=0.2) as one, pytest.raises(BodyReadError) as caught:
            one.client.send(Call("GET", "/x", operation="raw"))
        stop.set()
    reason = "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
    assert caught.value.lines() == [f"error: {reason}"]


def test_time_that_is_up_before_there_is_a_connection_cuts_the_call_all_the_same() -> None:
    stop = threading.Event()

    def step(connection: socket.socket) -> None:
        connection.sendall(reply(b"ab", length=100))
        stop.wait(5)

    with ScriptedServer([step]) as server:
        with watched(server) as one, pytest.raises((TransportError, BodyReadError)) as caught:
            one.client.send(Call("GET", "/x", operation="raw", timeout=1e-9)).body  # noqa: B018
        stop.set()
    assert "deadline exceeded" in str(caught.value) or "Client.Timeout" in str(caught.value)


def test_no_answer_is_an_event_too() -> None:
    with ScriptedServer([reply()]) as server:
        pass
    with watched(server) as one, pytest.raises(TransportError) as caught:
        one.client.send(Call("GET", "/x"))
    text = f"dial tcp 127.0.0.1:{server.port}: connect: connection refused"
    assert one.seen(ResponseReceived)[0].response is None and one.seen(ResponseReceived)[0].error == text
    assert one.seen(Dialed)[0].error == text and one.exchanges()[0].error == text
    where = f"The connection to the server 127.0.0.1:{server.port} was refused"
    assert caught.value.lines() == [f"{where} - did you specify the right host or port?"]
    assert caught.value.debug_message == f"Connection error: Get {server.url}/x: {text}"


def test_a_header_value_that_is_none_is_refused_before_anything_is_sent(authority: Authority) -> None:
    with ScriptedServer([reply()], tls=authority.server()) as server, watched(server, authority, token="a\nb") as one:
        with pytest.raises(TransportError, match='net/http: invalid header field value for "Authorization"') as caught:
            one.client.send(Call("GET", "/x"))
    assert server.connections == 0 and "a\nb" not in str(caught.value)


def test_a_reset_in_mid_body_is_told() -> None:
    gone = threading.Event()

    def step(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        gone.wait(5)  # a reset throws away what has not been read
        reset(connection)

    with ScriptedServer([step]) as server, watched(server) as one:
        pieces = one.client.send(Call("GET", "/x", operation="raw", stream=True)).chunks()
        assert next(pieces) == b"ab"
        gone.set()
        with pytest.raises(BodyReadError) as caught:
            next(pieces)
    assert caught.value.kind == "reset" and caught.value.lines()[0].endswith("read: connection reset by peer")
