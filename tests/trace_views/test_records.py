"""The trace file: what is written, what is read back, and what neither does."""

from __future__ import annotations

import errno
import gzip
import json
import os
import stat
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.errors import KubetraceError
from kubetrace.trace.events import Events
from kubetrace.trace.exchange import (
    CallStarted,
    Event,
    Exchange,
    ExchangeEnded,
    Frame,
    HostResolved,
    Note,
    Request,
    RequestSent,
    Response,
    ResponseBody,
    ResponseReceived,
    Upgraded,
    WarningReceived,
    WatchEventReceived,
)
from kubetrace.trace.masking import Masker
from kubetrace.trace.record_encoder import Encoder
from kubetrace.trace.record_file import Reader, RecordObserver, open_sink, open_trace, parse_bodies, run_file
from kubetrace.trace.records import Decoder, Header, InvalidTrace, Timed
from kubetrace.value import replace
from tests.conftest import Kubetrace
from tests.trace_views.conversation import PASSWORD, START, TOKEN, conversation, one, written
from tests.transport.scripted import ScriptedServer, reply

SCHEMA = Path(__file__).parents[2] / "docs" / "trace-file.schema.json"


def read(path: Path, masker: Masker | None = None) -> tuple[list[Timed], list[str]]:
    complaints: list[str] = []
    with open_trace(path) as lines:
        return list(Reader(path.name, complaints.append).events(lines, masker)), complaints


def lines_of(path: Path) -> list[dict[str, object]]:
    with open_trace(path) as stream:
        return [json.loads(line) for line in stream]


def check_schema(path: Path) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    for line in lines_of(path):
        validator.validate(line)


@pytest.mark.parametrize("name", ["t.jsonl", "t.jsonl.gz"])
def test_unmasked_events_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, Masker(unmask=True), None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found, complaints = read(path)
    assert [(timed.event, timed.at) for timed in found] == [(event, round(at, 6)) for event, at in conversation()]
    assert complaints == [] and not any(timed.cut for timed in found)
    check_schema(path)


def test_what_is_written_is_masked(tmp_path: Path) -> None:
    path = written(tmp_path / "t.jsonl")
    text = path.read_text()
    assert TOKEN not in text and PASSWORD not in text and "aHVudGVyMi12ZXJ5LXNlY3JldA" not in text
    assert "Bearer <masked>" in text and "<masked:1>" in text
    check_schema(path)


def test_an_unmasked_trace_is_masked_on_reading(tmp_path: Path) -> None:
    path = written(tmp_path / "t.jsonl", Masker(unmask=True), None)
    assert TOKEN in path.read_text()
    found, _ = read(path, Masker())
    assert TOKEN not in repr(found) and PASSWORD not in repr(found)
    assert len(found) == len(list(conversation()))


@pytest.mark.parametrize(("limit", "kept"), [(0, None), (5, b"k8s\0\xff"), (None, b"k8s\0\xff\xfe")])
def test_bodies_up_to_a_limit(limit: int | None, kept: bytes | None) -> None:
    encoder, decoder = Encoder(Masker(), limit), Decoder()
    found = [decoder.decode(encoder.encode(event, at)) for event, at in one(1, "GET", "/x", body=b"k8s\0\xff\xfe")]
    last = found[-1]
    assert last is not None and isinstance(last.event, ExchangeEnded)
    assert last.event.exchange.body == kept and last.event.exchange.body_size == 6
    assert last.cut == (frozenset() if limit is None else {"response"})


def again(events: list[tuple[Event, float]], limit: int | None = None, *, unmask: bool = False) -> list[Timed]:
    """The events as they come back from a trace file; its lines follow the schema."""
    encoder, decoder = Encoder(Masker(unmask), limit), Decoder()
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    found = []
    for event, at in events:
        line = json.loads(json.dumps(encoder.encode(event, at)))
        validator.validate(line)
        timed = decoder.decode(line)
        assert timed is not None
        found.append(timed)
    return found


def test_frames_come_back_as_they_were() -> None:
    request = Request("GET", "https://127.0.0.1:6443/api/v1/namespaces/default/pods/web/exec?command=ls")
    events: list[tuple[Event, float]] = [
        (RequestSent(9, 8, 1, request), START),
        (Upgraded(9, 8, request, "websocket", "v5.channel.k8s.io"), START),
        (Frame(9, 8, "sent", "binary", 12, "stdin", 0.025), START),
        (Frame(9, 8, "received", "close", 2, None, 0.03), START),
    ]
    assert [timed.event for timed in again(events)] == [event for event, _ in events]


def test_events_of_watches_come_back_as_they_were() -> None:
    request = Request("GET", "https://127.0.0.1:6443/api/v1/pods?watch=1")
    events: list[tuple[Event, float]] = [
        (RequestSent(9, 8, 1, request), START),
        (WatchEventReceived(9, 8, "ADDED", "Pod", "n", "web", "7", "", 99, 0.25), START),
        (WatchEventReceived(9, 8, "ERROR", "Status", message="gone", size=9, seconds=0.5), START),
    ]
    assert [timed.event for timed in again(events)] == [event for event, _ in events]


def test_what_a_frame_carries_is_written_unmasked_only(tmp_path: Path) -> None:
    frame = Frame(9, 8, "sent", "binary", 12, "stdin", 0.025, b"cat /secret\n")
    (kept,) = again([(frame, START)], unmask=True)
    (hidden,) = again([(frame, START)])
    assert kept.event == frame and hidden.event == replace(frame, content=None)
    assert again([(frame, START)], 3, unmask=True)[0].event == replace(frame, content=b"cat")
    path = tmp_path / "t.jsonl"
    header = Header("0", masked=False)
    observer = RecordObserver(lambda: open_sink(path), header, masker=Masker(unmask=True), warn=pytest.fail)
    observer.record(frame, START)
    observer.close()
    assert read(path, Masker())[0][0].event == hidden.event  # read back by a view that masks


@pytest.mark.parametrize("limit", [None, 3, 0])
def test_of_a_long_body_only_the_beginning_is_told(limit: int | None) -> None:
    request, response = Request("GET", "https://127.0.0.1:6443/x"), Response(200, "OK")
    exchange = Exchange(9, 8, 1, request, response, b"12345", 20_000_000)
    received = next(event for event, _ in one(9, "GET", "/x", call=8) if isinstance(event, ResponseReceived))
    events: list[tuple[Event, float]] = [(RequestSent(9, 8, 1, request), START), (received, START)]
    told = (ResponseBody(9, 8, request, b"12345", 20_000_000), START)
    for body in ([told], []):  # as a body that is logged, and as a stream's
        last = again([*events, *body, (ExchangeEnded(exchange), START)], limit)[-1]
        assert isinstance(last.event, ExchangeEnded) and last.cut == {"response"}
        assert last.event.exchange.body == (None if limit == 0 else b"12345"[:limit])
        assert last.event.exchange.body_size == 20_000_000


def test_a_request_body_that_was_streamed_is_told_at_the_end() -> None:
    bare, whole = Request("POST", "https://127.0.0.1:6443/x"), Request("POST", "https://127.0.0.1:6443/x", (), b"{}")
    last = again([(RequestSent(9, 8, 1, bare), START), (ExchangeEnded(Exchange(9, 8, 1, whole)), START)])[-1]
    assert isinstance(last.event, ExchangeEnded) and last.event.exchange.request.body == b"{}"


def test_a_limit_within_a_character_keeps_text() -> None:
    events = one(1, "GET", "/x", body="héé".encode())
    data = Encoder(Masker(), 4).encode(*events[-2])
    assert data["body"] == {"size": 5, "text": "hé"}


@given(st.binary(max_size=60), st.one_of(st.none(), st.integers(1, 40)))
def test_any_body_is_kept_to_the_byte(body: bytes, limit: int | None) -> None:
    encoder, decoder = Encoder(Masker(unmask=True), limit), Decoder()
    timed = [decoder.decode(json.loads(json.dumps(encoder.encode(e, at)))) for e, at in one(1, "PUT", "/x", sent=body)]
    last = timed[-1]
    assert last is not None and isinstance(last.event, ExchangeEnded)
    kept = last.event.exchange.request.body
    assert kept is not None and body.startswith(kept)
    assert ("request" in last.cut) == (kept != body) and (limit is not None or kept == body)


@given(st.text(max_size=30), st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=3))
def test_any_text_can_be_written(text: str, pairs: list[tuple[str, str]]) -> None:
    encoder = Encoder(Masker(unmask=True))
    json.dumps(encoder.encode(WarningReceived(text.encode("utf-8", "replace").decode()), 0)).encode("ascii")
    json.dumps(encoder.encode(Note("x", dict(pairs)), 0)).encode("ascii")


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_torn_last_line_is_named_and_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "t.jsonl")
    whole, _ = read(path)
    path.write_bytes(path.read_bytes()[:-40])
    found, complaints = read(path)
    assert complaints == [f"t.jsonl: line {len(whole) + 1} is torn (its writer was stopped) and is left out"]
    assert found[:-1] == whole[:-1]
    last = found[-1].event
    assert isinstance(last, ExchangeEnded) and last.exchange.error == "the trace ends before the exchange does"


def test_runs_are_appended_even_behind_a_torn_line(tmp_path: Path) -> None:
    path = written(tmp_path / "t.jsonl")
    path.write_bytes(path.read_bytes()[:-40])
    written(path)
    found, complaints = read(path)
    assert len(complaints) == 1 and len(found) == 2 * len(list(conversation()))


def test_packed_files_are_readable_after_a_kill_and_take_more_runs(tmp_path: Path) -> None:
    path = written(tmp_path / "t.jsonl.gz")
    written(path)
    count = len(list(conversation()))
    assert len(read(path)[0]) == 2 * count and len(gzip.decompress(path.read_bytes()).splitlines()) == 2 * count + 2
    killed = tmp_path / "killed.jsonl.gz"
    observer = RecordObserver(lambda: open_sink(killed), Header("0"), masker=Masker(), warn=pytest.fail)
    observer.record(WarningReceived("kept"), START)
    found, complaints = read(killed)  # not closed: as after a kill
    assert [timed.event for timed in found] == [WarningReceived("kept")] and len(complaints) == 1
    observer.close()


def test_a_file_that_is_no_trace_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "deployment.yaml"
    path.write_text("kind: Deployment\n")
    with pytest.raises(KubetraceError, match=r"deployment.yaml exists and is no trace"):
        open_sink(path)
    assert path.read_text() == "kind: Deployment\n"


def test_a_wide_open_file_is_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.touch(mode=0o644)
    open_sink(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t is empty"),
        ("GET /x\n", "t is no trace file"),
        ('{"a":1}\n', "t is no trace file"),
        ('{"kubetrace_trace":2,"kubetrace":"9.9"}\n', r"format 2 \(written by kubetrace 9.9\), .* up to format 1"),
        ('{"kubetrace_trace":"x"}\n', "no format"),
        ('{"kubetrace_trace":1}\nnonsense\n{"event":"note","at":1,"name":"x","values":{}}\n', "line 2 is no line"),
        ('{"kubetrace_trace":1}\n{"event":"dialed","at":1}\n', 'line 2: the event "dialed" is not complete'),
        ('{"kubetrace_trace":1}\n{"event":"warning","at":"x","text":"x"}\n', "not complete"),
        ('{"kubetrace_trace":1}\n{"event":"warning","at":1,"text":7}\n', "no text"),
        ('{"kubetrace_trace":1}\n{"event":"warning","at":NaN,"text":"x"}\n', "nan is no time"),
        ('{"kubetrace_trace":1}\n{"event":"warning","at":1e999,"text":"x"}\n', "inf is no time"),
        ('{"kubetrace_trace":1,"started":"now"}\n', "'now' is no time"),
    ],
)
def test_what_is_no_trace_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t"
    path.write_text(text)
    with pytest.raises(InvalidTrace, match=message):
        read(path)


def test_unknown_events_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text('{"kubetrace_trace":1}\n{"event":"eclipse","at":1}\n{"event":"warning","at":1,"text":"x"}\n')
    assert read(path)[0] == [Timed(WarningReceived("x"), 1.0)]


class FullDisk:
    def __init__(self, lines: int) -> None:
        self.left = lines

    def write(self, line: bytes) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None: ...


def test_a_full_disk_is_told_once() -> None:
    told: list[str] = []
    observer = RecordObserver(lambda: FullDisk(3), Header("0"), masker=Masker(), warn=told.append)
    for event, at in conversation():
        observer.record(event, at)
    observer.close()
    assert told == ["the trace is not complete: No space left on device"]


class CountedWrites:
    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def write(self, line: bytes) -> None:
        self.writes.append(line)

    def close(self) -> None: ...


def test_what_happens_at_one_moment_is_written_at_once() -> None:
    disk = CountedWrites()
    events = Events([RecordObserver(lambda: disk, Header("0"), masker=Masker(), warn=pytest.fail, clock=lambda: START)])
    events.emit(WarningReceived("a"), WarningReceived("b"))
    events.emit(WarningReceived("c"))
    _, both, last = disk.writes
    assert [json.loads(line)["text"] for line in both.splitlines()] == ["a", "b"] and b'"c"' in last


def test_a_request_that_is_the_calls_is_not_written_again(tmp_path: Path) -> None:
    request = Request("GET", "https://h/api", (("Accept", "*/*"),), b"{}")
    changed = replace(request, headers=(("Accept", "a/b"),))
    path = tmp_path / "t.jsonl"
    observer = RecordObserver(lambda: open_sink(path), Header("0"), masker=Masker(), warn=pytest.fail)
    told = [CallStarted(1, request), RequestSent(2, 1, 1, request), RequestSent(3, 1, 2, changed)]
    for event in told:
        observer.record(event, START)
    observer.close()
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert ["request" in line for line in lines[1:]] == [True, False, True]
    assert [timed.event for timed in read(path)[0]][:3] == told


def test_text_and_numbers_that_no_json_should_hold(tmp_path: Path) -> None:
    """Lone surrogates (undecodable bytes), and integers beyond 64 bits."""
    path = tmp_path / "t.jsonl"
    observer = RecordObserver(lambda: open_sink(path), Header("0"), masker=Masker(), warn=pytest.fail)
    told = [HostResolved(1, "\udcff", (), 1.0), Frame(1, 1, "sent", "binary", 1 << 70), WarningReceived("\x9b31m한")]
    for event in told:
        observer.record(event, START)
    observer.close()
    assert path.read_bytes().isascii()
    assert [timed.event for timed in read(path)[0]] == told


def test_sizes() -> None:
    assert [parse_bodies(text) for text in ("none", "all", "0", "12", "256KiB", "1Mi", "2k")] == [
        0, None, 0, 12, 262144, 1048576, 2000,
    ]  # fmt: skip
    for bad in ("", "x", "-1", "1.5Ki", "12 parsecs"):
        with pytest.raises(KubetraceError, match="--trace-bodies must be"):
            parse_bodies(bad)


def test_names_sort_by_time(tmp_path: Path) -> None:
    first = run_file(tmp_path, ("get",), 1.5, 9)
    assert first.name == "19700101T000001.500000Z-get-9.jsonl"
    assert first.name < run_file(tmp_path, ("apply",), 1.6, 1).name < run_file(tmp_path, (), 1e9, 1).name


# --- on the command line ----------------------------------------------------------------------------------------------

POD = b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}'


def test_every_command_takes_a_trace(kubetrace: Kubetrace, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with ScriptedServer([reply(POD)]) as server:
        done = kubetrace("get", "--raw", "/healthz", "--server", server.url, "--token", TOKEN, "--trace", str(path))
    assert done.code == 0, done.err
    check_schema(path)
    header, *events = lines_of(path)
    assert header["command"] == [
        "kubetrace", "get", "--raw", "/healthz", "--server", server.url, "--token", "<masked>", "--trace", str(path),
    ]  # fmt: skip
    assert "exchange-ended" in [event["event"] for event in events]
    assert TOKEN not in path.read_text()


def test_a_folder_keeps_one_a_run(kubetrace: Kubetrace, tmp_path: Path) -> None:
    folder = tmp_path / "traces"
    with ScriptedServer([reply(POD)]) as server:
        for _ in range(2):
            environ = {"KUBETRACE_TRACE": str(folder)}
            assert kubetrace("get", "--raw", "/healthz", "--server", server.url, environ=environ).code == 0
    assert kubetrace("config", "view", environ={"KUBETRACE_TRACE": str(folder)}).code == 0
    files = sorted(folder.iterdir())
    assert len(files) == 2 and stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in files:
        check_schema(path)


def test_a_trace_does_not_go_among_the_output(kubetrace: Kubetrace) -> None:
    done = kubetrace("version", "--client", "--trace", "-")
    assert (done.code, done.out) == (1, "") and done.err.startswith("error: --trace - would put the trace among")


def test_a_trace_that_cannot_be_written(kubetrace: Kubetrace, tmp_path: Path) -> None:
    path = tmp_path / "none" / "t"
    done = kubetrace("version", "--client", "--trace", str(path))
    assert (done.code, done.out, done.err) == (
        1,
        "",
        f"error: cannot write the trace {path}: No such file or directory\n",
    )
    (tmp_path / "file").touch()
    with ScriptedServer([reply(POD)]) as server:
        environ = {"KUBETRACE_TRACE": str(tmp_path / "file")}
        done = kubetrace("get", "--raw", "/healthz", "--server", server.url, environ=environ)
    assert done.code == 0 and done.out == POD.decode()
    assert done.err == f"warning: the trace is not complete: cannot use the folder {tmp_path / 'file'}: File exists\n"
