"""`trace show` and where traces come from."""

from __future__ import annotations

import gzip
import io
import re
import signal
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from rich.console import Console

from kubetrace.commands.trace_source import _growing
from kubetrace.trace.body_text import milliseconds, one_line, readable, size
from kubetrace.trace.endpoint import endpoint
from kubetrace.trace.exchange import (
    CallStarted,
    Exchange,
    ExchangeEnded,
    Frame,
    Request,
    RequestSent,
    Response,
    Timings,
    Upgraded,
    WatchEventReceived,
)
from kubetrace.trace.exchanges import Filter, Recorded, chosen, numbered
from kubetrace.trace.record_file import Reader
from kubetrace.trace.records import Timed
from kubetrace.trace.views.show import Row, bar, full, joined, line, rows, table
from tests.conftest import Kubetrace
from tests.trace_views.conversation import TOKEN, written
from tests.transport.scripted import ScriptedServer, reply


@pytest.fixture
def trace(tmp_path: Path) -> str:
    return str(written(tmp_path / "t.jsonl"))


def test_the_table_has_a_row_for_everything(kubetrace: Kubetrace, trace: str) -> None:
    done = kubetrace("trace", "show", trace)
    assert done.code == 0, done.err
    found = [line.split()[:4] for line in done.out.splitlines()]
    assert found[0] == ["#", "VERB", "PATH", "STATUS"]
    assert found[1:3] == [
        ["cache", "/api", "hit", "█"],
        ["1", "list", "/api/v1/namespaces/default/pods?limit=500", "200"],
    ]
    assert [row[0] for row in found[1:]] == [
        "cache",
        "1",
        "2",
        "3",
        "warning",
        "4",
        "retry",
        "wait",
        "5",
        "6",
        "planned",
        "7",
        "8",
    ]
    assert "(attempt 2)" in done.out and "error" in done.out


@pytest.mark.parametrize(
    ("flags", "numbers"),
    [
        (["--verb", "create,patch"], ["3", "8"]),
        (["--verb", "POST"], ["3"]),
        (["--resource", "secrets"], ["2", "3"]),
        (["--resource", "deployments.apps"], ["4", "5"]),
        (["--resource", "nodes/proxy"], ["6"]),
        (["--resource", "deployments.batch"], []),
        (["-n", "default"], ["1", "2", "3", "8"]),
        (["--status", "4xx,error"], ["4", "6"]),
        (["--status", "failed"], ["4", "6"]),
        (["--status", "ERROR"], ["6"]),
        (["--status", "201"], ["3"]),
        (["--slower", "21ms"], []),
        (["--grep", "PodLis."], ["1"]),
        (["--grep", "connection refused"], ["6"]),
        (["--limit", "1", "--verb", "get"], ["2", "…"]),
    ],
)
def test_filters(kubetrace: Kubetrace, trace: str, flags: list[str], numbers: list[str]) -> None:
    done = kubetrace("trace", "show", trace, *flags)
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()[1:]] == numbers
    assert done.err == ("" if numbers else "No exchanges found\n")


def test_an_answer_that_broke_off_is_an_error_whatever_its_status() -> None:
    request = Request("GET", "https://h/api/v1/pods")
    half = Exchange(1, 1, 1, request, Response(200, "OK", ()), b"{", 1, Timings(total=1.0), error="connection reset")
    whole = Exchange(2, 2, 1, request, Response(200, "OK", ()), b"{}", 2, Timings(total=1.0))
    found = [Recorded(one.id, one) for one in (half, whole)]
    for status, numbers in (("error", [1]), ("failed", [1]), ("2xx", [1, 2])):
        assert [one.number for one in found if Filter(statuses=(status,)).takes(one)] == numbers


def test_one_exchange_in_full(kubetrace: Kubetrace, trace: str) -> None:
    done = kubetrace("trace", "show", trace, "3")
    assert done.code == 0
    assert done.out.startswith("#3  POST https://127.0.0.1:6443/api/v1/namespaces/default/secrets")
    for part in ("Read the object.", "  Authorization: Bearer <masked>", '    "data": {', "server processing"):
        assert part in done.out
    assert "Response: HTTP/1.1 201 OK" in done.out
    assert kubetrace("trace", "show", trace, "9").err == "error: the trace has no exchange 9\n"


def test_a_trace_as_kubectls_log(kubetrace: Kubetrace, trace: str) -> None:
    done = kubetrace("trace", "show", trace, "-v=8", "--like", "1.31")
    lines = done.out.splitlines()
    assert "round_trippers.go:463] GET https://127.0.0.1:6443/api/v1/namespaces/default/pods?limit=500" in done.out
    assert any(line.endswith("Response Status: 201 OK in 10 milliseconds") for line in lines)
    assert any('Response Body: {"kind": "PodList"' in line for line in lines)
    assert any('request.go:1351] Request Body: {"kind": "Secret"' in line and "<masked:1>" in line for line in lines)


@pytest.mark.parametrize("like", ["1.20", "1.31", "1.32", "1.36"])
def test_the_log_of_a_trace_is_the_log_of_the_run(kubetrace: Kubetrace, tmp_path: Path, like: str) -> None:
    """Stamps and process ids aside."""
    path = tmp_path / "run.jsonl"
    with ScriptedServer([reply(b'{"kind":"Status"}')]) as server:
        flags = ["--server", server.url, "--token", TOKEN, "--like", like]
        live = kubetrace("version", "-v=9", *flags, "--trace", str(path), environ={"TZ": "UTC"})
    later = kubetrace("trace", "show", str(path), "-v=9", "--like", like)

    def entries(text: str) -> list[str]:
        return [re.sub(r"^I\d{4} [\d:.]+ +\d+ ", "", line) for line in text.splitlines() if re.match(r"I\d{4} ", line)]

    assert entries(live.err) and entries(later.out) == entries(live.err)


@pytest.mark.parametrize(("limit", "kept"), [("all", "0123456789"), ("4", "0123"), ("none", "")])
def test_what_was_shown_as_it_came_is_kept_too(kubetrace: Kubetrace, tmp_path: Path, limit: str, kept: str) -> None:
    path = str(tmp_path / "run.jsonl")
    with ScriptedServer([reply(b"0123456789")]) as server:
        live = kubetrace("get", "--raw", "/x", "--server", server.url, "--trace", path, "--trace-bodies", limit)
    assert live.out == "0123456789"
    whole = kubetrace("trace", "show", path, "1").out
    assert f"\n  {kept}\n" in whole if kept else "0123" not in whole
    assert ("does not hold the whole body" in whole) == (limit == "4")


def test_traces_come_from_folders_streams_and_the_last_run(kubetrace: Kubetrace, tmp_path: Path, trace: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    written(folder / "1.jsonl")
    written(folder / "2.jsonl.gz")
    (folder / "notes.txt").write_text("no trace")
    assert "16 calls" in kubetrace("trace", "stats", str(folder)).out
    environ = {"KUBETRACE_TRACE": str(folder)}
    for words in (["last"], []):
        assert "8 calls" in kubetrace("trace", "stats", *words, environ=environ).out
    data = Path(trace).read_bytes()
    assert "8 calls" in kubetrace("trace", "stats", "-", stdin=data).out
    assert "8 calls" in kubetrace("trace", "stats", "-", stdin=gzip.compress(data)).out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "error: name a trace file, a folder of traces, - for standard input, or last (with KUBETRACE_TRACE set)"),
        (["last"], "error: last needs KUBETRACE_TRACE to name the folder of traces"),
        (["nowhere"], "error: No such file or directory: nowhere"),
        (["-"], "error: standard input is no trace file (logs of kubectl: see 'kubetrace trace import -h')"),
    ],
)
def test_what_is_not_there(kubetrace: Kubetrace, words: list[str], message: str) -> None:
    done = kubetrace("trace", "show", *words, stdin=b"hello\n")
    assert (done.code, done.out, done.err) == (1, "", message + "\n")


@pytest.mark.parametrize("view", ["har", "mermaid", "html", "stats", "lint", "curl", "rbac"])
def test_what_is_no_trace_is_refused_before_a_word_is_printed(kubetrace: Kubetrace, view: str) -> None:
    for data in (b"\0garbage", b'{"kubetrace_trace":2,"kubetrace":"9.9"}\n'):
        done = kubetrace("trace", view, "-", stdin=data)
        assert (done.code, done.out) == (1, "") and done.err.startswith("error: standard input")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--status", "6xx"], "--status takes codes"),
        (["--limit=-1"], "--limit is a number of rows"),
        (["--grep", "("], "error: --grep: "),
        (["--slower", "x"], "invalid"),
    ],
)
def test_flags_that_make_no_sense(kubetrace: Kubetrace, trace: str, flags: list[str], message: str) -> None:
    done = kubetrace("trace", "show", trace, *flags)
    assert done.code == 1 and message in done.err


def test_a_growing_file_is_read_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Growing(io.BytesIO):
        pieces = [b"", b"on", b"", b"e\n", b"two\n"]

        def readline(self, size: int | None = -1, /) -> bytes:
            return self.pieces.pop(0)

    monkeypatch.setattr("kubetrace.commands.trace_source.time.sleep", lambda seconds: None)
    assert list(islice(_growing(Growing()), 2)) == [b"one\n", b"two\n"]


def test_runs_of_cache_hits_are_one_row() -> None:
    def row(verb: str, path: str, at: float) -> Row:
        return Row("", verb, path, "", None, None, "", at, at, at)

    found = [
        row("cache", "/a", 1),
        row("cache", "/b", 2),
        row("cache", "/c", 3),
        row("get", "/d", 4),
        row("cache", "/e", 5),
    ]
    assert [(one.path, one.start, one.end) for one in joined(found)] == [
        ("/a and 2 more", 1, 3),
        ("/d", 4, 4),
        ("/e", 5, 5),
    ]


def test_the_waterfall() -> None:
    def row(start: float, wait: float, end: float) -> Row:
        return Row("1", "", "", "", 0, 0, "", start, wait, end)

    assert bar(row(0, 12, 24), 0, 24) == "▒" * 12 + "█" * 12
    assert bar(row(0, 24, 24), 0, 24) == "▒" * 23 + "█"
    assert bar(row(12, 12, 24), 0, 24) == " " * 12 + "█" * 12
    assert bar(row(24, 24, 24), 0, 24) == " " * 23 + "█"
    assert bar(row(5, 5, 5), 5, 5) == "█"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/pods", ("list", "", "pods", "", "", "")),
        ("GET", "/api/v1/pods?watch=true", ("watch", "", "pods", "", "", "")),
        ("GET", "/api/v1/namespaces/a/pods?watch&fieldSelector=metadata.name%3Dx", ("watch", "", "pods", "", "a", "x")),
        ("DELETE", "/apis/apps/v1/namespaces/a/deployments", ("deletecollection", "apps", "deployments", "", "a", "")),
        ("PUT", "/apis/apps/v1/namespaces/a/deployments/d/scale", ("update", "apps", "deployments", "scale", "a", "d")),
        ("GET", "/api/v1/namespaces/a", ("get", "", "namespaces", "", "a", "a")),
        ("PUT", "/api/v1/namespaces/a/finalize", ("update", "", "namespaces", "finalize", "a", "a")),
        ("GET", "/k8s/clusters/c-1/api/v1/nodes/n/proxy/api/v1/x", ("get", "", "nodes", "proxy", "", "n")),
        ("GET", "/api/v1/watch/namespaces/a/pods", ("watch", "", "pods", "", "a", "")),
        ("GET", "/apis", ("get", "", "", "", "", "")),
        ("GET", "/apis/apps/v1", ("get", "", "", "", "", "")),
        ("HEAD", "/healthz", ("head", "", "", "", "", "")),
    ],
)  # fmt: skip
def test_endpoints(method: str, path: str, expected: tuple[str, ...]) -> None:
    found = endpoint(Request(method, "https://h:1" + path))
    assert (found.verb, found.group, found.resource, found.subresource, found.namespace, found.name) == expected


def test_texts_of_several_json_values() -> None:
    assert readable(b'{"type":"ADDED"}\n{"a":1}\n{"b') == '{\n  "type": "ADDED"\n}\n{\n  "a": 1\n}\n{"b'
    assert readable(b'{\n"a": {"b":1},\n"c"') == '{\n"a": {"b":1},\n"c"'


def test_texts() -> None:
    assert [size(count) for count in (None, 0, 1023, 1024, 5 << 20, 5 << 40)] == [
        "", "0 B", "1023 B", "1.0 KiB", "5.0 MiB", "5120.0 GiB",
    ]  # fmt: skip
    assert [milliseconds(one) for one in (None, 0.0004, 0.0123, 1.254)] == ["", "0.4 ms", "12 ms", "1.25 s"]
    assert one_line("a\x1b[31m\nb") == "a\\x1b[31m\\nb"
    assert readable(b'{"a":1}') == '{\n  "a": 1\n}' and readable(b"{no") == "{no"
    assert readable(b'{"b":2.50,"a":1e400}') == '{\n  "b": 2.50,\n  "a": 1e400\n}'
    assert readable(rb'["\u003cb\u003e \\u003c \ud83d\ude00 \u0000\u0022"]') == (
        '[\n  "<b> \\\\u003c \N{GRINNING FACE} \\u0000\\""\n]'
    )
    assert readable(rb'["\ud800"]') == '[\n  "\\ud800"\n]'
    assert readable(b"\xff") == "(1 bytes that are no text)"
    assert readable(b"k8s\x00\xff\xff").startswith("(6 bytes of protobuf that can't be decoded:")


def test_follow_shows_what_another_process_writes(tmp_path: Path) -> None:
    whole = Path(written(tmp_path / "whole.jsonl")).read_bytes()
    path = tmp_path / "t.jsonl"
    half = whole.index(b"exchange-ended") + 400
    path.write_bytes(whole[:half])
    command = [sys.executable, "-m", "kubetrace", "trace", "show", str(path), "-f", "--verb", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"HOME": str(tmp_path)}) as process:
        assert process.stdout is not None
        try:
            assert "/pods?limit=500" in process.stdout.readline()
            with path.open("ab") as stream:
                stream.write(whole[half:])
            assert "  429 " in process.stdout.readline()
            assert process.stdout.readline().endswith("list /apis/apps/v1/deployments  object (attempt 2)\n")
            process.send_signal(signal.SIGINT)
            assert process.stdout.read() == ""
        finally:
            process.kill()


def test_an_answer_that_broke_off_says_so_in_its_row() -> None:
    request = Request("GET", "https://h/api/v1/pods")
    broken = Exchange(1, 1, 1, request, Response(200, "OK"), b"{", 1, Timings(total=0.1), error="unexpected EOF\x1b")
    (row,) = rows([Timed(ExchangeEnded(broken), 1.0)], Filter())
    assert (row.status, row.purpose) == ("200", "broke off: unexpected EOF\\x1b")


def test_follow_tells_of_answers_from_the_cache_together(kubetrace: Kubetrace, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    written(path)
    lines = path.read_text().splitlines(keepends=True)
    hit = next(line for line in lines if '"cache-hit"' in line)
    path.write_text("".join([lines[0], hit, hit, hit, *lines[1:]]))
    shown = kubetrace("trace", "show", "-", "-f", stdin=path.read_bytes()).out.splitlines()
    assert [line.partition("cache")[2].split()[1:4] for line in shown if " cache " in line] == [["and", "3", "more"]]


def test_follow_reads_a_pipe_to_its_end_and_no_packed_file(kubetrace: Kubetrace, tmp_path: Path, trace: str) -> None:
    done = kubetrace("trace", "show", "-", "-f", "--verb", "create", stdin=Path(trace).read_bytes())
    assert (done.code, done.out.count("\n")) == (0, 1)
    packed = written(tmp_path / "t.jsonl.gz")
    assert "is packed: only a plain trace" in kubetrace("trace", "show", str(packed), "-f").err


def test_several_exchanges_in_full(kubetrace: Kubetrace, trace: str) -> None:
    done = kubetrace("trace", "show", trace, "3", "1")
    assert [line.split()[0] for line in done.out.splitlines() if line.startswith("#")] == ["#1", "#3"]
    assert kubetrace("trace", "show", trace, "1", "0", "99").err == "error: the trace has no exchange 0, 99\n"
    assert len(kubetrace("trace", "show", trace, "1", "3", "-v=6").out.splitlines()) == 2


def test_a_file_in_a_folder_whose_run_was_stopped_at_once(kubetrace: Kubetrace, trace: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    done = kubetrace("trace", "show", str(tmp_path))
    assert (done.code, done.err) == (0, f"Warning: {tmp_path}/a.jsonl is empty\n")
    assert done.out == kubetrace("trace", "show", trace).out


@pytest.mark.parametrize("words", [["trace", "show", "x"], ["get", "pods"], ["version", "--client"]])
def test_a_dialect_that_nobody_knows(kubetrace: Kubetrace, words: list[str]) -> None:
    for level in "069":
        done = kubetrace(*words, f"-v={level}", "--like=9.9")
        assert done.code == 1
        assert done.err.startswith('error: unknown log dialect "9.9": --like takes one of 1.19')


def test_the_log_of_chosen_exchanges(kubetrace: Kubetrace, trace: str) -> None:
    one = kubetrace("trace", "show", trace, "3", "-v=8").out
    assert "POST https://127.0.0.1:6443" in one and "Request Body" in one and "Response Body" in one
    assert one.count(" https://") == 1 and "Config loaded" not in one
    some = kubetrace("trace", "show", trace, "-v=6", "--status", "4xx,201").out
    assert re.findall(r"https://\S+ (\d+)", some) == ["201", "429"]


def test_narrow_terminals_lose_the_purpose_and_keep_the_path(trace: str) -> None:
    with Path(trace).open("rb") as lines:
        found = list(rows(Reader("t").events(lines), Filter()))
    for width in (60, 80, 99, 100, 200):
        console = Console(width=width, file=io.StringIO())
        console.print(table(found, width))
        text = console.file.getvalue()  # type: ignore[attr-defined]
        assert max(len(line) for line in text.splitlines()) <= width
        assert ("PURPOSE" in text) == (width >= 100)
        assert len(text.splitlines()) < (50 if width < 80 else 30)


def framed() -> list[Timed]:
    request = Request("GET", "https://h/api/v1/namespaces/a/pods/p/exec?command=sh")
    response = Response(101, "Switching Protocols")
    frames = [Frame(7, 9, "sent", "binary", 10, "stdin", 0.1), Frame(7, 9, "received", "binary", 2048, "stdout", 0.2)]
    frames += [Frame(7, 9, "received", "ping", 0, None, 0.3) for _ in range(300)]
    ended = Exchange(7, 9, 1, request, response, None, 2048, Timings(headers=0.05, total=0.4), started=100.0)
    events = [CallStarted(9, request), RequestSent(7, 9, 1, request), Upgraded(7, 9, request, "websocket", "v5.\x1b")]
    return [Timed(event, 100.0) for event in (*events, *frames, ExchangeEnded(ended))]


def test_what_a_watch_told_stands_below_it() -> None:
    request, response = Request("GET", "https://h/api/v1/pods?watch=1"), Response(200, "OK")
    changes = [WatchEventReceived(7, 9, "ADDED", "Pod", "n", f"web-{n}", str(n), "", 10, n / 1000) for n in range(300)]
    failed = WatchEventReceived(7, 9, "ERROR", "Status", message="too old\x1b", size=20, seconds=0.5)
    ended = Exchange(7, 9, 1, request, response, None, 3020, Timings(headers=0.0, total=0.6), started=100.0)
    events = [RequestSent(7, 9, 1, request), *changes, failed, ExchangeEnded(ended)]
    watch, told = rows([Timed(event, 100.0) for event in events], Filter())
    assert (watch.verb, told.verb, told.path, told.received) == ("watch", "events", "ADDED 300, ERROR 1", 3020)
    assert (told.start, told.end) == (100.0, 100.5)
    (recorded,) = numbered([Timed(event, 100.0) for event in [*changes[:1], failed, ExchangeEnded(ended)]])
    text = "".join(full(recorded))
    assert "Watch events: ADDED 1 (10 B), ERROR 1 (20 B)\n     0.0 ms  ADDED Pod n/web-0 at 0  10 B\n" in text
    assert "     500 ms  ERROR Status too old\\x1b  20 B\n" in text


def test_whoever_follows_sees_each_event_of_a_watch() -> None:
    change = WatchEventReceived(7, 9, "ADDED", "Pod", "n", "web\x1b", "5", "", 10, 0.5)
    (row,) = rows([Timed(change, 100.0)], Filter(), live=True)
    assert line(row) == "               500 ms        10 B  event ADDED Pod n/web\\x1b at 5\n"
    assert list(rows([Timed(change, 100.0)], Filter(verbs=("watch",)), live=True)) == []


def test_of_a_chosen_stream_nothing_is_held() -> None:
    kept = [type(timed.event) for timed in chosen(framed(), lambda recorded: True)]
    assert kept == [CallStarted, RequestSent, Upgraded, ExchangeEnded]


def test_frames_are_counted_below_their_exchange() -> None:
    exchange, frames = rows(framed(), Filter())
    assert (exchange.verb, exchange.status) == ("get", "101")
    assert frames.path == "sent stdin 1 (10 B), received stdout 1 (2.0 KiB), received ping 300 (0 B)"
    assert (frames.verb, frames.purpose, frames.received) == ("frames", "websocket v5.\\x1b", 2048)
    assert (frames.start, frames.end) == (100.1, 100.3)
    (recorded,) = numbered(framed())
    text = "".join(full(recorded))
    assert "Frames: websocket v5.\\x1b\n  sent stdin: 1, 10 B\n" in text
    assert "     100 ms  sent binary stdin  10 B\n" in text and "  … and 102 more\n" in text
