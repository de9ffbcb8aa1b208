"""A long trace does not fill the memory: four times the exchanges, the same peak (html keeps what its page holds)."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetrace.cli import main
from kubetrace.commands import trace_show, trace_source
from kubetrace.environment import Environment
from kubetrace.streams import Streams
from kubetrace.trace import klog_entries
from kubetrace.trace.exchange import Exchange, ExchangeEnded, Request, Response, Timings
from kubetrace.trace.exchanges import Filter, Recorded, numbered
from kubetrace.trace.masking import Masker
from kubetrace.trace.record_file import Reader, RecordObserver, open_sink
from kubetrace.trace.records import Header, Timed
from kubetrace.trace.replay import Answers
from kubetrace.trace.views import VIEWS, audit, diff, httpie, rbac, requests_script, show, view
from kubetrace.value import replace
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


@pytest.mark.parametrize("name", ["diff", "audit", "serve", "rbac", "show"])
def test_what_is_joined_lies_on_the_disk(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Everything is new in each exchange: its path, its namespace, what was sent."""
    monkeypatch.setattr(diff, "_ALIGNED", 5)
    monkeypatch.setattr(diff, "_TOGETHER", 5)
    monkeypatch.setattr(trace_show, "_PAGE", 5)

    def different(count: int) -> Iterator[Recorded]:
        for recorded in exchanges(count):
            url = f"https://h/api/v1/namespaces/n{recorded.number}/pods/p{recorded.number}{'x' * 1000}"
            yield replace(recorded, exchange=replace(recorded.exchange, request=Request("PUT", url, body=b"{}")))

    def run(count: int) -> Iterator[object]:
        if name == "diff":
            yield from diff.render(different(count), exchanges(count))
        elif name == "audit":
            yield from audit.render(different(count), iter(()))
        elif name == "rbac":
            yield from rbac.render(different(count), bind_to="user:x")
        elif name == "show":
            found = (Timed(ExchangeEnded(recorded.exchange), 1.0) for recorded in different(count))
            monkeypatch.setattr(trace_show, "events", lambda *_: found)
            with (tmp_path / "out").open("w") as out:
                streams = Streams(io.BytesIO(), out, io.StringIO())
                yield main(["trace", "show", "x", "--limit=0"], Environment(streams, {"HOME": str(tmp_path)}))
        else:
            yield Answers(different(count))

    small, big = peak(run(130)), peak(run(400))  # urllib remembers the last 128 URLs
    assert big < small * 1.5 + 50_000


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


class Endless(io.RawIOBase):
    """So many bytes without a line's end."""

    def __init__(self, start: bytes, size: int) -> None:
        self.left, self.start = size, start

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        part = self.start or b"x" * min(self.left, len(buffer))
        self.start = b""
        self.left -= len(part)
        buffer[: len(part)] = part
        return len(part)


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["show", "-"], b"\0"),
        (["import", "-"], b"garbage"),
        (["import", "-", "--format=audit"], b"{"),
        (["import", "-"], b'{"log":{"entries":[{"a":@'),
        (["import", "-"], b"I0102 03:04:05.000006 7 x.go:1] GET https://h/a 200 OK in 1 milliseconds\n"),
    ],
)
def test_garbage_is_not_read_whole(words: list[str], start: bytes, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(trace_source, "_LONGEST_LINE", 1 << 20)
    monkeypatch.setattr(klog_entries, "_ROOM", 1 << 20)

    def run(size: int) -> Iterator[object]:
        streams = Streams(io.BufferedReader(Endless(start, size)), io.StringIO(), io.StringIO())
        yield main(["trace", *words], Environment(streams, {"HOME": str(tmp_path)}))

    peak(run(1 << 10))
    assert peak(run(16 << 20)) < peak(run(4 << 20)) * 1.5 + 1_000_000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_ends_the_trace_and_not_the_command(kubetrace: Kubetrace) -> None:
    with ScriptedServer([reply(b'{"a":1}')]) as server:
        done = kubetrace("get", "--raw", "/version", "--server", server.url, "--trace", "/dev/full")
    assert (done.code, done.out) == (0, '{"a":1}')
    assert done.err == "warning: the trace is not complete: No space left on device\n"
