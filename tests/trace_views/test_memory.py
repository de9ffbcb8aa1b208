"""A long trace does not fill the memory: four times the exchanges, the same peak (html keeps what its page holds, and
diff, audit and serve keep a little of each exchange, but no bodies)."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetrace.trace.exchange import Exchange, ExchangeEnded, Request, Response, Timings
from kubetrace.trace.exchanges import Filter, Recorded, numbered
from kubetrace.trace.masking import Masker
from kubetrace.trace.record_file import Reader, RecordObserver, open_sink
from kubetrace.trace.records import Header
from kubetrace.trace.replay import Answers
from kubetrace.trace.views import VIEWS, audit, diff, httpie, requests_script, show, view
from tests.conftest import Kubetrace
from tests.transport.scripted import ScriptedServer, reply

BODY = 30_000


def exchanges(count: int) -> Iterator[Recorded]:
    for number in range(1, count + 1):
        body = json.dumps({"kind": "Pod", "metadata": {"name": f"p{number}"}, "x": "y" * BODY}).encode()
        headers = (("Accept", "application/json"), ("Audit-Id", f"{number}"))
        request = Request("PATCH", f"https://h/api/v1/namespaces/n/pods/p{number % 50}", headers, body)
        response = Response(200, "OK", headers)
        exchange = Exchange(number, number, 1, request, response, body, len(body), Timings(total=0.1), started=number)
        yield Recorded(number, exchange)


def peak(pieces: Iterator[object]) -> int:
    tracemalloc.start()
    try:
        for _ in pieces:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


RENDERS = {name: view(name) for name in VIEWS if name != "html"} | {
    "httpie": httpie.render, "python": requests_script.render
}  # fmt: skip


@pytest.mark.parametrize("name", RENDERS)
def test_views_keep_nothing(name: str) -> None:
    render = RENDERS[name]
    peak(iter(render(exchanges(5))))  # what is imported once
    small, big = peak(iter(render(exchanges(60)))), peak(iter(render(exchanges(240))))
    assert big < small * 1.5 + 50_000


@pytest.mark.parametrize("name", ["diff", "audit", "serve"])
def test_the_others_keep_no_bodies(name: str) -> None:
    def run(count: int) -> Iterator[object]:
        if name == "diff":
            yield from diff.render(exchanges(count), exchanges(count))
        elif name == "audit":
            yield from audit.render(exchanges(count), iter(()))
        else:
            yield Answers(exchanges(count))

    peak(run(5))
    small, big = peak(run(60)), peak(run(240))
    assert (big - small) / 180 < 4000  # bytes an exchange, of 30,000 that it has


def test_reading_a_file_keeps_nothing(tmp_path: Path) -> None:
    def events(count: int) -> Iterator[object]:
        path = tmp_path / f"{count}.jsonl"
        observer = RecordObserver(lambda: open_sink(path), Header("0"), masker=Masker(), warn=pytest.fail)
        for recorded in exchanges(count):
            observer.record(ExchangeEnded(recorded.exchange), 1.0)
        observer.close()
        with path.open("rb") as lines:
            yield from numbered(Reader("t").events(lines, Masker()))
        with path.open("rb") as lines:
            yield from show.rows(Reader("t").events(lines), Filter(grep="p7"))

    peak(events(5))
    small, big = peak(events(60)), peak(events(240))
    assert big < small * 1.5 + 50_000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_ends_the_trace_and_not_the_command(kubetrace: Kubetrace) -> None:
    with ScriptedServer([reply(b'{"a":1}')]) as server:
        done = kubetrace("get", "--raw", "/version", "--server", server.url, "--trace", "/dev/full")
    assert (done.code, done.out) == (0, '{"a":1}')
    assert done.err == "warning: the trace is not complete: No space left on device\n"
