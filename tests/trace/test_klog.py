"""How the log is written: header, levels, one write an entry, terminals, warnings, waits."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubetrace.trace.dialects import KNOWN, UnknownDialect, parse_like
from kubetrace.trace.dialects.notes import NOTES
from kubetrace.trace.exchange import (
    CacheHit,
    CallStarted,
    Connection,
    Dialed,
    Event,
    Frame,
    Note,
    Request,
    RequestSent,
    Response,
    ResponseBody,
    ResponseReceived,
    Retrying,
    Throttled,
    Timings,
    Upgraded,
    WarningReceived,
    WatchEventReceived,
)
from kubetrace.trace.klog import KlogObserver
from kubetrace.trace.masking import Masker

GET = Request(
    "GET",
    "https://h:6443/api/v1/namespaces/default/pods?limit=500",
    (("Accept-Encoding", "gzip"), ("Accept", "application/json"), ("Authorization", "Bearer tok")),
    operation="list",
    unlogged=frozenset({"accept-encoding"}),
)
HEADERS = (
    ("Content-Encoding", "gzip"),
    ("Content-Length", "12"),
    ("content-type", "application/json"),
    ("Transfer-Encoding", "chunked"),
    ("Set-Cookie", "a=1"),
    ("X-Last", "x"),
    ("set-cookie", "b=2"),
)
ANSWER = ResponseReceived(
    1, 1, GET, Response(200, "OK", HEADERS), Timings(headers=0.0459999, first_byte=0.04), Connection()
)
BODY = ResponseBody(1, 1, GET, b'{"kind":"PodList"}\n')
CALL: tuple[Event, ...] = (CallStarted(1, GET), RequestSent(1, 1, 1, GET), Dialed(1, "1.2.3.4:6443"), ANSWER, BODY)


def log(*events: Event, **options: object) -> list[str]:
    """The entries written for the events, without their time and pid."""
    return [re.sub(r"^([IWEF])\d{4} \S+ +\d+ ", r"\1 ", entry.decode()) for entry in raw(*events, **options)]


def raw(*events: Event, streams: bool = False, **options: object) -> list[bytes]:
    written: list[bytes] = []
    observer = KlogObserver(written.append, **options)  # type: ignore[arg-type]
    observer.tells_streams = streams
    for event in events:
        observer(event)
    return written


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_articles_sample_to_the_byte(new_york: None) -> None:
    request = Request(
        "POST",
        "https://example.com:6443/api/v1/namespaces/default/pods",
        (
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
            ("User-Agent", "kubectl/v1.19.0 (linux/amd64) kubernetes/e199641"),
            ("Authorization", "Bearer abcdef"),
        ),
    )
    response = Response(
        201, "Created", (("Content-Type", "application/json"), ("Date", "Fri, 27 Aug 2021 10:51:50 GMT"))
    )
    noon = 1630061509
    micros = (950850, 954797, 954817, 954821, 954826, 954831, 954831, 1141125, 1141185, 1141197, 1141214)
    stamps = (noon + after / 1_000_000 for after in micros)
    written = raw(
        Note("config-loaded", {"path": "/home/user/.kube/config"}),
        RequestSent(1, 1, 1, request),
        ResponseReceived(1, 1, request, response, Timings(headers=0.186328), Connection()),
        verbosity=8,
        like="1.19",
        pid=8021,
        clock=lambda: next(stamps) + 2e-7,
    )
    assert b"".join(written).decode() == (
        "I0827 06:51:49.950850    8021 loader.go:375] Config loaded from file:  /home/user/.kube/config\n"
        "I0827 06:51:49.954797    8021 round_trippers.go:420] "
        "POST https://example.com:6443/api/v1/namespaces/default/pods\n"
        "I0827 06:51:49.954817    8021 round_trippers.go:427] Request Headers:\n"
        "I0827 06:51:49.954821    8021 round_trippers.go:431]     Accept: application/json\n"
        "I0827 06:51:49.954826    8021 round_trippers.go:431]     Content-Type: application/json\n"
        "I0827 06:51:49.954831    8021 round_trippers.go:431]     "
        "User-Agent: kubectl/v1.19.0 (linux/amd64) kubernetes/e199641\n"
        "I0827 06:51:49.954831    8021 round_trippers.go:431]     Authorization: Bearer <masked>\n"
        "I0827 06:51:50.141125    8021 round_trippers.go:446] Response Status: 201 Created in 186 milliseconds\n"
        "I0827 06:51:50.141185    8021 round_trippers.go:449] Response Headers:\n"
        "I0827 06:51:50.141197    8021 round_trippers.go:452]     Content-Type: application/json\n"
        "I0827 06:51:50.141214    8021 round_trippers.go:452]     Date: Fri, 27 Aug 2021 10:51:50 GMT\n"
    )


def test_a_default_call_at_8() -> None:
    assert log(*CALL, verbosity=8) == [
        "I round_trippers.go:463] GET https://h:6443/api/v1/namespaces/default/pods?limit=500\n",
        "I round_trippers.go:469] Request Headers:\n",
        "I round_trippers.go:473]     Accept: application/json\n",
        "I round_trippers.go:473]     Authorization: Bearer <masked>\n",
        "I round_trippers.go:574] Response Status: 200 OK in 45 milliseconds\n",
        "I round_trippers.go:577] Response Headers:\n",
        "I round_trippers.go:580]     Content-Type: application/json\n",
        "I round_trippers.go:580]     Set-Cookie: a=1\n",
        "I round_trippers.go:580]     Set-Cookie: b=2\n",
        "I round_trippers.go:580]     X-Last: x\n",
        'I request.go:1351] Response Body: {"kind":"PodList"}\n',
    ]


@pytest.mark.parametrize("like", KNOWN)
def test_levels_replace_each_other(like: str) -> None:
    entries = {level: len(log(*CALL, verbosity=level, like=like)) for level in range(12)}
    minor = int(like[2:])
    assert [entries[level] for level in range(7)] == [0, 0, 0, 0, 0, 0, 1]
    assert entries[10] == entries[11] == entries[9]
    if minor >= 33:
        assert (entries[7], entries[8], entries[9]) == (2, 4, 5)
    else:
        body = 2 if minor == 32 else 1
        nine = {23: 7}.get(minor, 8 if minor > 23 else 6)
        assert (entries[7], entries[8], entries[9]) == (5, 10 + body, nine + 1 + body)


def test_1_23_has_no_status_at_9() -> None:
    assert not any("milliseconds" in entry for entry in log(*CALL, verbosity=9, like="1.23"))
    assert any("200 OK in" in entry for entry in log(*CALL, verbosity=9, like="1.24"))


def test_every_entry_is_one_write_that_ends_its_line() -> None:
    for like in KNOWN:
        for written in raw(*CALL, verbosity=10, like=like):
            assert re.match(rb"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6} [ \d]{7} [a-z_]+\.go:\d+\] ", written)
            assert written.endswith(b"\n") and not written.endswith(b"\n\n")


def test_bodies_are_cut_at_the_levels_limit() -> None:
    body = ResponseBody(1, 1, GET, b"x" * 20000)
    assert log(body, verbosity=8) == [f"I request.go:1351] Response Body: {'x' * 1024} [truncated 18976 chars]\n"]
    assert log(body, verbosity=9)[0].endswith(f"{'x' * 10240} [truncated 9760 chars]\n")
    assert log(body, verbosity=10)[0].endswith("x\n")
    assert log(body, verbosity=7) == []
    assert log(body, verbosity=8, like="1.36") == [
        f'I helper.go:113] "Response Body" body="{"x" * 1024} [truncated 18976 chars]"\n'
    ]


def test_a_body_of_which_only_the_beginning_is_known_is_cut_as_the_whole() -> None:
    for beginning, whole in ((b"x" * 5000, b"x" * 20000), (b"\1" * 5000, b"\1" * 20000)):
        cut = ResponseBody(1, 1, GET, beginning, 20000)
        assert log(cut, verbosity=8) == log(ResponseBody(1, 1, GET, whole), verbosity=8)


def test_protobuf_becomes_json_for_people() -> None:
    body = b"k8s\0\n\x0f\n\x02v1\x12\tNamespace\x12\x06\n\x04\n\x02ns"
    told = ResponseBody(1, 1, GET, body)
    assert "00000000  6b 38 73 00" in log(told, verbosity=8)[0]
    assert log(told, verbosity=8, decode_protobuf=True) == [
        'I request.go:1351] Response Body: {"kind":"Namespace","apiVersion":"v1","metadata":{"name":"ns"}}\n'
    ]
    unknown = ResponseBody(1, 1, GET, body.replace(b"Namespace", b"Nicespace"))
    assert "00000000  6b 38 73 00" in log(unknown, verbosity=8, decode_protobuf=True)[0]
    part = ResponseBody(1, 1, GET, body, 1000)
    assert "00000000  6b 38 73 00" in log(part, verbosity=8, decode_protobuf=True)[0]


@pytest.mark.parametrize("like", ["1.31", "1.36"])
def test_streams_are_shown_for_those_who_relay_them(like: str) -> None:
    upgraded = Upgraded(1, 1, GET, "websocket", "v5.channel.k8s.io")
    frames = (Frame(1, 1, "sent", "binary", 12, "stdin", 0.0259), Frame(1, 1, "received", "close", 2))
    change = WatchEventReceived(2, 2, "ADDED", "Pod", "n", "web", "7", "", 99, 1.5)
    told = (upgraded, *frames, change)
    assert log(*told, verbosity=10, like=like) == []  # no kubectl shows them
    assert log(*told, verbosity=7, like=like, streams=True) == []
    assert log(*told, verbosity=9, like=like, streams=True) == [
        'I kubetrace:0] "Upgraded" protocol="websocket" subprotocol="v5.channel.k8s.io"\n',
        'I kubetrace:0] "Frame" direction="sent" type="binary" channel="stdin" bytes=12 milliseconds=25\n',
        'I kubetrace:0] "Frame" direction="received" type="close" bytes=2 milliseconds=0\n',
        'I kubetrace:0] "Watch event" type="ADDED" kind="Pod" namespace="n" name="web" resourceVersion="7" bytes=99 '
        "milliseconds=1500\n",
    ]


def test_a_secret_is_masked_before_it_is_cut() -> None:
    values = ",".join(f'"k{number}":"c2VjcmV0LXZhbHVlLW51bWJlci0{number:04d}"' for number in range(100))
    body = ResponseBody(1, 1, GET, f'{{"kind":"Secret","data":{{{values}}}}}'.encode())
    for like in ("1.31", "1.36"):
        assert "c2VjcmV0" not in "".join(log(body, verbosity=8, like=like))


def test_vmodule_selects_files_and_bodies_need_their_callers_file_too() -> None:
    assert len(log(*CALL, vmodule="round_trippers=6")) == 1
    assert len(log(*CALL, vmodule="request=8")) == 1
    assert log(*CALL, vmodule="request=8", like="1.36") == []
    assert len(log(*CALL, vmodule="request=8,helper=8", like="1.36")) == 2
    assert log(*CALL, vmodule="helper=8", like="1.36") == []


def test_throttle_lines() -> None:
    short, wait, long = (Throttled(1, GET, seconds) for seconds in (0.05, 0.2, 1.5))
    text = "due to client-side throttling, not priority and fairness, request: GET:" + GET.url
    assert log(short, wait, verbosity=2) == []
    assert log(short, wait, verbosity=3) == [f"I request.go:632] Waited for 200ms {text}\n"]
    now = [100.0]
    clock = lambda: now[0]  # noqa: E731
    assert log(long, long, clock=clock) == [f"I request.go:700] Waited for 1.5s {text}\n"]
    assert len(log(long, long, verbosity=3, clock=clock)) == 3
    assert log(long, verbosity=0, like="1.36")[0].startswith('I request.go:752] "Waited before sending request" delay=')
    retry = Throttled(1, GET, 1.5, "retries: 1, retry-after: 1s - retry-reason: 429")
    assert log(retry) == [
        f"I request.go:700] Waited for 1.5s, retries: 1, retry-after: 1s - retry-reason: 429 - request: GET:{GET.url}\n"
    ]


def test_long_throttle_lines_are_limited_in_time() -> None:
    now = [100.0]
    written: list[bytes] = []
    observer = KlogObserver(written.append, clock=lambda: now[0])
    for step in (0.0, 9.9, 0.2):
        now[0] += step
        observer(Throttled(1, GET, 2))
    assert len(written) == 2


def test_retry_lines_come_before_or_after_the_pause() -> None:
    before, after = (Retrying(1, GET, 1, 1.0, phase) for phase in ("before", "after"))  # type: ignore[arg-type]
    line = f"Got a Retry-After 1s response for attempt 1 to {GET.url}\n"
    assert log(before, after, verbosity=4, like="1.20") == ["I request.go:943] " + line]
    assert log(before, after, verbosity=4) == ["I with_retry.go:234] " + line]
    assert log(after, verbosity=4) and not log(before, verbosity=4)
    assert log(after, verbosity=3) == []


def test_warnings_are_written_once_and_coloured_as_kubectl_does() -> None:
    twice = (WarningReceived('old "api"'), WarningReceived('old "api"'))
    assert raw(*twice) == [b'Warning: old "api"\n']
    assert raw(*twice, color=True, is_terminal=True) == [b'\x1b[33;1mWarning:\x1b[0m old "api"\n']


EVIL = WarningReceived("\x1b]0;owned\x07\r\x9b2J")


def test_control_characters_do_not_reach_a_terminal() -> None:
    body = ResponseBody(1, 1, GET, b'{"a":"\x1b[2J\x7f\xc2\x9b\x9b \xe2\x80\xae"}')
    (shown,) = raw(body, verbosity=8, is_terminal=True)
    assert rb'{"a":"\x1b[2J\x7f\u009b\x9b \u202e"}' in shown
    (piped,) = raw(body, verbosity=8)
    assert b'{"a":"\x1b[2J\x7f\xc2\x9b\x9b \xe2\x80\xae"}' in piped
    assert raw(EVIL, is_terminal=True) == [rb"Warning: \x1b]0;owned\x07\r\x9b2J" + b"\n"]


@settings(deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["1.19", "1.31", "1.32", "1.36"]))
def test_colour_changes_no_byte_besides(body: bytes, like: str) -> None:
    events = (*CALL[:4], ResponseBody(1, 1, GET, body), Note("group-list-failed", {"error": "e"}))
    for verbosity in (6, 8, 9):
        options = {"verbosity": verbosity, "like": like, "is_terminal": True, "clock": lambda: 0.0, "pid": 1}
        plain = raw(*events, **options)
        painted = raw(*events, color=True, **options)
        assert b"\x1b[" in b"".join(painted)
        assert [re.sub(rb"\x1b\[[0-9;]*m", b"", entry) for entry in painted] == plain
        assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", b"".join(plain))


def test_notes() -> None:
    missing = Note("config-not-found", {"paths": "/a, /b"})
    assert log(missing, like="1.27") == ["W loader.go:223] Config not found: /a, /b\n"]
    assert log(missing, verbosity=1) == ["I loader.go:141] Config not found: /a, /b\n"]
    failed = Note("group-list-failed", {"error": 'Get "https://h/api": EOF'})
    assert log(failed) == [
        'E memcache.go:265] "Unhandled Error" err="couldn\'t get current server API group list: '
        'Get \\"https://h/api\\": EOF"\n'
    ]
    assert log(failed, like="1.25") == []
    hits = (Note("cache-hit-groups", {"path": "/c/g.json"}), Note("cache-hit-resources", {"path": "/c/r.json"}))
    # The event is for other views; the notes say which line it is.
    assert [entry.split("]")[0] for entry in log(CacheHit("/c/g.json"), *hits, verbosity=10)] == [
        "I cached_discovery.go:113",
        "I cached_discovery.go:77",
    ]
    skipped = Note("cache-skipped-empty", {"what": "resources"})
    assert log(skipped, verbosity=3) == [
        "I cached_discovery.go:88] skipped caching discovery info, no resources found\n"
    ]
    written = Note("cache-write-failed", {"path": "/c/v1/serverresources.json", "error": "full"})
    assert log(written, verbosity=1)[0].startswith("I cached_discovery.go:93] failed to write cache to /c/v1/")
    assert log(Note("no such note", {}), verbosity=10) == []


def test_feature_gates_come_with_the_dialect() -> None:
    gates = Note("feature-gates", {"overrides": {"WatchListClient": False}})
    assert log(gates, verbosity=1) == []
    written = log(gates, verbosity=1, like="1.36")
    assert len(written) == 10
    assert written[-1] == 'I envvar.go:192] "Feature gate updated state" feature="WatchListClient" enabled=false\n'


def test_every_note_can_be_written_in_every_dialect() -> None:
    for name, spec in NOTES.items():
        for like in KNOWN:
            values = {
                value: {} if value == "overrides" else 1.5 if value == "seconds" else "v" for value in spec.values
            }
            for entry in log(Note(name, values), verbosity=99, like=like):
                assert "{" not in entry.replace("object: {", "") or "%s[{" in entry or "[{" in entry


@pytest.mark.parametrize(("value", "name"), [("1.36", "1.36"), ("v1.36", "1.36"), ("1.36.4", "1.36"), ("1.19", "1.19")])
def test_like(value: str, name: str) -> None:
    assert parse_like(value) == name


@pytest.mark.parametrize("value", ["", "1", "1.18", "1.38", "2.31", "1.36.x", "latest", "1.31\n1"])
def test_unknown_likes_list_the_known_ones(value: str) -> None:
    with pytest.raises(UnknownDialect, match=r"1\.19, .*1\.37"):
        parse_like(value)


def test_errors_have_no_status() -> None:
    failed = ResponseReceived(1, 1, GET, None, Timings(total=0.0019), Connection(), "refused")
    assert log(failed, verbosity=6) == [f"I round_trippers.go:553] GET {GET.url}  in 1 milliseconds\n"]
    assert log(failed, verbosity=8)[-1] == "I round_trippers.go:577] Response Headers:\n"
    assert log(failed, verbosity=8, like="1.36") == [
        'I round_trippers.go:632] "Response" status="" headers="" milliseconds=1\n'
    ]


def test_streams_and_readers_have_no_request_body_entry() -> None:
    stream = Request("POST", "https://h/exec", operation="stream")
    assert log(CallStarted(1, stream), CallStarted(1, GET, log_body=False), verbosity=10, like="1.36") == []
    assert log(CallStarted(1, GET), verbosity=10) == []
    assert log(CallStarted(1, GET), verbosity=8, like="1.36") == ['I helper.go:113] "Request Body" body=""\n']


def test_unmask_shows_the_token() -> None:
    assert any("Bearer tok\n" in entry for entry in log(*CALL, verbosity=7, masker=Masker(unmask=True)))
