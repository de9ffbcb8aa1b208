"""Line for line: replays what a real kubectl met and compares the whole log with what it wrote.

Times and pids aside, and the orders that are random in kubectl itself: headers and -H options in Go's map order,
feature gates.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path

import pytest

from kubetrace.trace.klog import KlogObserver
from kubetrace.trace.masking import Masker
from tests.trace.capture import CAPTURES, HEADER, Capture, LogEntry, PlainLine, all_captures, load
from tests.trace.replay import events_of

_OPTION = re.compile(rb' -H "(?:[^"\\]|\\.)*"')


def replayed(capture: Capture, masker: Masker) -> bytes:
    written: list[bytes] = []
    now = [0.0]
    observer = KlogObserver(
        written.append,
        verbosity=capture.verbosity,
        vmodule=capture.vmodule,
        like=capture.like,
        masker=masker,
        clock=lambda: now[0],
        pid=capture.entries[0].pid if capture.entries else 1,
    )
    for item in events_of(capture):
        now[0] = item.at
        observer(item.event)
    assert all((piece.endswith(b"\n") and HEADER.match(piece)) or piece.startswith(b"Warning: ") for piece in written)
    return b"".join(written)


def recorded(capture: Capture) -> bytes:
    """The capture's stderr as it was, without the lines that are not the log's (and goroutine dumps)."""
    parts = []
    for item in capture.stderr:
        if isinstance(item, LogEntry):
            head = f"{item.severity}{item.stamp} {item.pid:7d} {item.source}] ".encode()
            parts.append(head + item.message + b"\n")
        else:
            parts += [line + b"\n" for line in item.text.split(b"\n") if line.startswith(b"Warning: ")]
    return b"".join(parts)


def normalized(log: bytes) -> list[bytes]:
    """Entries without time and pid; runs in random order are sorted."""
    starts = [match.start() for match in re.finditer(rb"(?m)^(?:[IWEF]\d{4} \d\d:|Warning: )", log)]
    pieces = [log[start:stop] for start, stop in zip_longest(starts, starts[1:])]
    entries = [_canonical(re.sub(rb"^([IWEF])\d{4} [\d:.]+ +\d+ ", rb"\1 ", piece)) for piece in pieces]
    result: list[bytes] = []
    run: list[bytes] = []
    for entry in entries:
        if run and _run(entry) != _run(run[0]):
            result += _sorted_run(run)
            run = []
        if _run(entry):
            run.append(entry)
        else:
            result.append(entry)
    return result + _sorted_run(run)


def _run(entry: bytes) -> bytes:
    """What names a run of entries in random order: header lines of one source, feature gates."""
    match = re.match(rb"I (round_trippers\.go:\d+)\]     |I (envvar\.go)", entry)
    return (match[1] or match[2]) if match else b""


def _sorted_run(run: list[bytes]) -> list[bytes]:
    # A stable sort by name: the values of one header stay in order.
    return sorted(run, key=lambda entry: entry.split(b": ")[0] if b"envvar" not in entry else entry)


def _canonical(entry: bytes) -> bytes:
    options = _OPTION.findall(entry)
    if not options or b"curl " not in entry:
        return entry
    ordered = iter(sorted(options, key=lambda option: option.split(b": ")[0]))
    return _OPTION.sub(lambda _: next(ordered), entry)


def _id(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", all_captures(), ids=_id)
def test_the_log_is_kubectls_line_for_line(path: Path) -> None:
    capture = load(path)
    holds_secrets = "secret" in path.stem
    assert normalized(replayed(capture, Masker(unmask=holds_secrets))) == normalized(recorded(capture))


@pytest.mark.parametrize("path", [path for path in all_captures() if "secret" in path.stem], ids=_id)
def test_secrets_of_a_capture_are_masked(path: Path) -> None:
    log = replayed(load(path), Masker())
    assert b"c2VjcmV0" not in log and b"<masked:1>" in log


def test_every_family_is_covered() -> None:
    likes = {load(path).like for path in all_captures()}
    assert {"1.19", "1.20", *(f"1.{minor}" for minor in range(27, 34)), "1.36", "1.37"} <= likes


def test_a_capture_reads_as_a_whole() -> None:
    capture = load(CAPTURES / "1.36.4" / "create-v8.log")
    assert capture.command[:2] == ["-v=8", "create"]
    assert capture.verbosity == 8 and capture.exit_code == 0
    assert b"pod/" in capture.stdout
    (exchange,) = capture.exchanges
    assert (exchange.method, exchange.status) == ("POST", "201 Created")
    assert exchange.request_body is not None and exchange.body is not None and exchange.complete
    assert not [item for item in capture.stderr if isinstance(item, PlainLine)]
