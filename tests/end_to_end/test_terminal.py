"""What a hostile server can make a terminal see: nothing but text; and colours only where they are wanted."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetrace.cli import main
from kubetrace.environment import Environment
from kubetrace.streams import Streams
from tests.end_to_end.answers import Answer
from tests.end_to_end.scripted_server import ScriptedServer, serving


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


class Hostile:
    def answer(self, method: str, path: str) -> Answer:
        body = b'{"kind":"Status","status":"Failure","code":403,"message":"\\u001b]0;owned\\u0007 \\u009b31m"}'
        headers = [("Content-Type", "application/json"), ("Warning", '299 - "\x1b[31mred"'), ("X-Evil", "\x1b[5m")]
        return Answer("403 Forbidden", headers, body, known_headers=False)


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with serving() as plain:
        plain.script = Hostile()
        yield plain


def _stderr(server: ScriptedServer, home: Path, *words: str, **environ: str) -> str:
    err = Terminal(io.BytesIO(), "utf-8", "surrogateescape", "\n")
    streams = Streams(io.BytesIO(), io.TextIOWrapper(io.BytesIO(), "utf-8"), err)
    argv = ["get", "--raw", "/x", f"--server=http://127.0.0.1:{server.port}", *words]
    assert main(argv, Environment(streams, {"HOME": str(home), "TERM": "xterm-256color", **environ})) == 1
    err.flush()
    written: bytes = err.buffer.getvalue()  # type: ignore[attr-defined]
    return written.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("words", [["-v=0"], ["-v=8"], ["-v=10", "--like=1.36"], ["-v=8", "--like=1.32"]])
def test_control_characters_reach_no_terminal(words: list[str], server: ScriptedServer, tmp_path: Path) -> None:
    shown = _stderr(server, tmp_path, *words, "--color=never")
    assert r"\x1b" in shown
    assert not [sign for sign in shown if (sign < " " and sign not in "\n\t") or "\x7f" <= sign <= "\x9f"]


def test_colour_is_for_terminals_that_want_it(server: ScriptedServer, tmp_path: Path) -> None:
    assert "\x1b[2m" in _stderr(server, tmp_path, "-v=8")
    assert "\x1b" not in _stderr(server, tmp_path, "-v=8", NO_COLOR="1")
    assert "\x1b" not in _stderr(server, tmp_path, "-v=8", TERM="dumb")
    assert "\x1b[2m" in _stderr(server, tmp_path, "-v=8", "--color=always", NO_COLOR="1")
