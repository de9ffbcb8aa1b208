"""The line that says that a long run is still at it: on a terminal only, gone before the end, and never on stdout."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetrace.trace.exchange import Operation, Request, RequestSent
from kubetrace.trace.progress import Progress
from tests.end_to_end.answers import Answer
from tests.end_to_end.scripted_server import ScriptedServer, serving

BODY = b'{"kind":"Status","status":"Success","message":"at last"}'


class Slow:
    """Answers once somebody has seen enough."""

    def __init__(self) -> None:
        self.enough = threading.Event()

    def answer(self, method: str, path: str) -> Answer:
        self.enough.wait(30)
        return Answer("200 OK", [("Content-Type", "application/json")], BODY, known_headers=False)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as plain:
        plain.script = Slow()
        yield plain


def _start(server: ScriptedServer, home: Path, stderr: int, *words: str, **environ: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "kubetrace", "get", "--raw", "/x", f"--server=http://127.0.0.1:{server.port}", *words]
    known = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "xterm", "PYTHONPATH": str(Path.cwd()), **environ}
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, env=known)


def _read(terminal: int) -> bytes:
    """What is left to read of a terminal that nobody writes to any more."""
    seen = b""
    try:
        while chunk := os.read(terminal, 4096):
            seen += chunk
    except OSError:  # Linux says EIO at the end
        pass
    return seen


def test_a_long_run_shows_on_a_terminal_that_it_is_at_it(server: ScriptedServer, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    process = _start(server, tmp_path, theirs)
    os.close(theirs)
    seen = b""
    while b"received" not in seen:
        seen += os.read(ours, 4096)
    server.script.enough.set()  # type: ignore[union-attr]
    out, _ = process.communicate()
    seen += _read(ours)
    os.close(ours)
    assert (out, process.returncode) == (BODY, 0)
    assert b"get: 0 calls, 0 B received, " in seen
    assert seen.endswith(b"\r\x1b[K")
    assert b"\n" not in seen


@pytest.mark.parametrize(("words", "environ"), [([], {"TERM": "dumb"}), (["-v=1"], {}), (["--why"], {})])
def test_no_line_where_it_could_not_go_away_or_a_log_tells_more(
    words: list[str], environ: dict[str, str], server: ScriptedServer, tmp_path: Path
) -> None:
    server.script.enough.set()  # type: ignore[union-attr]
    ours, theirs = os.openpty()
    process = _start(server, tmp_path, theirs, *words, **environ)
    os.close(theirs)
    out, _ = process.communicate()
    seen = _read(ours)
    os.close(ours)
    assert out == BODY
    assert b"\x1b[K" not in seen


class Typewriter(io.StringIO):
    """A terminal of which every byte is kept."""


def _progress(screen: io.StringIO, columns: int = 80) -> Progress:
    return Progress("get", screen.write, lambda: 60.0, lambda: columns, lambda: True)


def test_others_write_without_the_line() -> None:
    screen = Typewriter()
    progress = _progress(screen)
    shared = progress.shared(screen)
    progress._draw()
    shared.write("Warning: old\n")
    assert screen.getvalue() == "\r\x1b[Kget: 0 calls, 0 B received, 60 s" + "\r\x1b[K" + "Warning: old\n"


def test_the_line_covers_nothing_that_others_have_begun() -> None:
    screen = Typewriter()
    progress = _progress(screen)
    shared = progress.shared(screen)
    shared.write("half a line")
    progress._draw()
    assert screen.getvalue() == "half a line"
    shared.write("\n")
    progress._draw()
    assert screen.getvalue().endswith("received, 60 s")


def test_the_line_does_not_wrap() -> None:
    screen = Typewriter()
    _progress(screen, 10)._draw()
    assert screen.getvalue() == "\r\x1b[Kget: 0 ca"


@pytest.mark.parametrize("operation", ["logs-followed", "logs-followed-again", "typed-watch", "dynamic-watch-list"])
def test_there_is_no_line_while_an_answer_is_shown_as_it_comes(operation: Operation) -> None:
    screen = Typewriter()
    progress = _progress(screen)
    progress(RequestSent(1, 1, 1, Request("GET", "https://server/x", operation=operation)))
    progress._draw()
    assert screen.getvalue() == ""
