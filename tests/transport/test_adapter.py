"""`TracingAdapter` on anybody's Session: the public face, without the client."""

# ruff: noqa: SIM117
from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from kubetrace.trace.exchange import CallStarted, Event, Exchange, ExchangeEnded, RequestSent, ResponseBody
from kubetrace.transport.adapter import TracingAdapter
from tests.transport.scripted import Authority, ScriptedServer, reply, reset, then_close


class Session(requests.Session):
    """A Session with an adapter whose events are kept."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.trust_env = False
        self.events: list[Event] = []
        self.adapter = TracingAdapter(observers=[self.events.append], **options)
        self.mount("http://", self.adapter)
        self.mount("https://", self.adapter)

    def exchanges(self) -> list[Exchange]:
        return [event.exchange for event in self.events if isinstance(event, ExchangeEnded)]

    def bodies(self) -> list[bytes]:
        return [event.body for event in self.events if isinstance(event, ResponseBody)]


@pytest.fixture
def session() -> Iterator[Session]:
    with Session() as one:
        yield one


def test_verbosity_logs_as_kubectl_would(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    log: list[bytes] = []
    with (
        ScriptedServer([reply(b'{"kind":"Status"}\n')], tls=authority.server()) as server,
        requests.Session() as session,
    ):
        session.trust_env = False
        session.mount("https://", TracingAdapter(verbosity=8, write=log.append))
        session.post(
            f"{server.url}/api", data="{}", verify=str(tmp_path / "ca.pem"), headers={"Authorization": "Bearer secret"}
        )
    text = b"".join(log).decode()
    assert "secret" not in text
    messages = [line.partition("] ")[2] for line in text.splitlines() if re.match(r"I\d{4} ", line)]
    assert messages[:3] == ["Request Body: {}", f"POST {server.url}/api", "Request Headers:"]
    assert "    Authorization: Bearer <masked>" in messages
    assert not any(hidden in text for hidden in ("Accept-Encoding", "Connection:", "    Host:"))
    assert any(re.fullmatch(r"Response Status: 200 OK in \d+ milliseconds", message) for message in messages)
    assert messages[-1] == 'Response Body: {"kind":"Status"}'


def test_body_is_told_and_still_the_users(session: Session) -> None:
    with ScriptedServer([reply(b'{"a": 1}')]) as server:
        assert session.get(server.url + "/x").json() == {"a": 1}
    assert session.bodies() == [b'{"a": 1}'] and session.exchanges()[0].body == b'{"a": 1}'


def test_a_streamed_body_is_told_when_its_user_has_read_it(session: Session) -> None:
    with ScriptedServer([reply(b"0123456789")]) as server:
        answer = session.get(server.url + "/x", stream=True)
        assert session.bodies() == [] and session.exchanges() == []
        assert b"".join(answer.iter_content(3)) == b"0123456789"
    assert session.bodies() == [b"0123456789"] and len(session.exchanges()) == 1


def test_reading_raw_counts_as_reading(session: Session) -> None:
    with ScriptedServer([reply(b"0123456789")]) as server:
        raw = session.get(server.url + "/x", stream=True).raw
        assert [raw.read(4), raw.read(4), raw.read(4), raw.read(4)] == [b"0123", b"4567", b"89", b""]
    assert session.bodies() == [b"0123456789"]


def test_closing_early_ends_the_exchange_with_what_was_read(session: Session) -> None:
    with ScriptedServer([reply(b"0123456789")]) as server:
        with session.get(server.url + "/x", stream=True) as answer:
            answer.raw.read(4)
    assert session.bodies() == [] and session.exchanges()[0].body == b"0123"


def test_redirects_are_exchanges(session: Session) -> None:
    with ScriptedServer([reply(b"1", "302 Found", (("Location", "/y"),)), reply(b"2")]) as server:
        assert session.get(server.url + "/x").text == "2"
    assert [each.response.status for each in session.exchanges() if each.response] == [302, 200]
    assert session.bodies() == [b"1", b"2"]


def test_verify_and_cert_of_the_session_hold(authority: Authority, tmp_path: Path, session: Session) -> None:
    certificate, key = authority.client()
    (tmp_path / "ca").write_bytes(authority.pem)
    (tmp_path / "pair").write_bytes(certificate + key)
    with ScriptedServer([reply()], tls=authority.server(clients=True)) as server:
        with pytest.raises(requests.exceptions.SSLError):
            session.get(server.url)
        session.verify, session.cert = str(tmp_path / "ca"), str(tmp_path / "pair")
        assert session.get(server.url).status_code == 200
        session.verify = False
        with pytest.warns(match="Unverified HTTPS request"):
            assert session.get(server.url).status_code == 200
    assert (session.exchanges()[0].error or "").endswith("x509: certificate signed by unknown authority")


def test_proxies_of_the_session_hold(session: Session) -> None:
    with ScriptedServer([reply(b"from the proxy")]) as proxy:
        session.proxies = {"http": proxy.url}
        assert session.get("http://nowhere.invalid/x").text == "from the proxy"
    assert proxy.asked[0].line == "GET http://nowhere.invalid/x HTTP/1.1"


def test_failures_are_requests_own_and_told_in_gos_words(session: Session) -> None:
    with ScriptedServer([reset]) as server:
        with pytest.raises(requests.exceptions.ConnectionError):
            session.get(server.url)
    assert (session.exchanges()[0].error or "").endswith("read: connection reset by peer")


def test_a_body_that_breaks_is_told(session: Session) -> None:
    with ScriptedServer([then_close(reply(b"ab", length=9))]) as server:
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            session.get(server.url)
    assert session.exchanges()[0].error == "unexpected EOF"


def test_what_http_client_forgives_stays_forgiven(session: Session) -> None:
    with ScriptedServer([then_close(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\nok")]) as server:
        assert session.get(server.url).text == "ok"


def test_threads(session: Session) -> None:
    with ScriptedServer([reply()]) as server:
        threads = [threading.Thread(target=session.get, args=(f"{server.url}/{n}",)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({each.id for each in session.exchanges()}) == 12


def test_uploads_from_a_generator_are_sent_and_not_kept(session: Session) -> None:
    with ScriptedServer([then_close(reply())]) as server:
        session.post(server.url, data=iter([b"a", b"b"]))
    started = next(event for event in session.events if isinstance(event, CallStarted))
    assert started.request.body is None and not started.log_body


def test_without_observers_nothing_is_wrapped() -> None:
    with ScriptedServer([reply(b"ok")]) as server, requests.Session() as session:
        session.mount("http://", TracingAdapter())
        answer = session.get(server.url, stream=True)
        assert type(answer.raw).__module__.startswith("urllib3")
        assert answer.text == "ok"


def test_a_failing_observer_is_dropped_and_the_request_goes_on() -> None:
    seen: list[Event] = []

    def faulty(event: Event) -> None:
        seen.append(event)
        raise RuntimeError("no")

    with ScriptedServer([reply(b"ok")]) as server, requests.Session() as session:
        session.mount("http://", TracingAdapter(observers=[faulty]))
        assert session.get(server.url).text == "ok"
    assert len(seen) == 1


class Canned(BaseAdapter):
    """An adapter that needs no network, as betamax's doesn't when it replays."""

    closed = False

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        answer = requests.Response()
        answer.status_code, answer.url, answer.reason = 200, request.url or "", "OK"
        answer.headers["ETag"] = "1"
        answer.raw = io.BytesIO(b"canned")
        answer.request = request
        return answer

    def close(self) -> None:
        self.closed = True


def test_another_adapter_may_do_the_sending() -> None:
    inner = Canned()
    with Session(inner=inner) as session:
        assert session.get("http://any/x").content == b"canned"
    assert inner.closed
    (exchange,) = session.exchanges()
    assert exchange.response is not None and exchange.response.headers == (("Etag", "1"),)
    assert exchange.body == b"canned" and exchange.connection.address is None and not exchange.connection.reused
    assert any(isinstance(event, RequestSent) for event in session.events)
