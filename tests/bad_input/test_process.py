"""Streams, signals and argv, with kubetrace as a process of its own."""

from __future__ import annotations

import base64
import contextlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bad_input.cases import ALL, ONE
from tests.bad_input.server import GOOD, MANIFEST, BadServer, door, hang, reply

PROGRAM = (sys.executable, "-m", "kubetrace")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[BadServer]:
    (tmp_path / "m.json").write_text(MANIFEST)
    with door("http", tmp_path) as server:
        server.be(f"GET {ONE}|DELETE {ONE}", reply(GOOD))
        yield server


def environ(home: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.environ.get("PATH", ""), "PYTHONPATH": os.pathsep.join(sys.path), **more}


def shell(line: str, home: Path, **more: str) -> tuple[int, bytes, bytes]:
    """A line of sh in which X is the program."""
    program = " ".join(f"'{word}'" for word in PROGRAM)
    done = subprocess.run(
        ["sh", "-c", line.replace("X ", program + " ", 1)],
        cwd=home,
        env=environ(home, **more),
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


FULL = b"error: write /dev/stdout: no space left on device\n"
"""kubectl loses the output in silence for some commands (exit code 0); kubetrace always tells."""


@pytest.mark.parametrize("line", ["get cm a -o yaml", "version --client"])
def test_a_full_stdout_is_told(line: str, tmp_path: Path, server: BadServer) -> None:
    assert shell(f"X {line} > /dev/full", tmp_path) == (1, b"", FULL)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("X get cm a -o yaml >&-", (0, b"", b"")),
        ("X get cm nope 2>&-", (1, b"", b"")),
        ("X get cm nope 2>/dev/full", (1, b"", b"")),
        ("X apply --validate=false -f - <&-", (1, b"", b"error: no objects passed to apply\n")),
        ("X version --client <&- >&- 2>&-", (0, b"", b"")),
    ],
)
def test_closed_streams_end_quietly(
    line: str, found: tuple[int, bytes, bytes], tmp_path: Path, server: BadServer
) -> None:
    assert shell(line, tmp_path) == found


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path, server: BadServer) -> None:
    server.be("GET /raw", reply(b"x" * 2_000_000))
    assert shell("X get --raw /raw | head -c 5", tmp_path) == (0, b"xxxxx", b"")


@pytest.mark.parametrize("cache", ["a-file", "/dev/full/x", "/proc/nowhere"])
def test_a_cache_that_cannot_be_written_is_done_without(cache: str, tmp_path: Path, server: BadServer) -> None:
    (tmp_path / "a-file").write_text("the user's")
    assert shell(f"X get cm a -o name --cache-dir={cache}", tmp_path) == (0, b"configmap/a\n", b"")
    assert (tmp_path / "a-file").read_text() == "the user's"


def test_an_unknown_locale_changes_nothing(tmp_path: Path, server: BadServer) -> None:
    assert shell("X get cm a -o name", tmp_path, LC_ALL="xx_YY.nope", LANG="C") == (0, b"configmap/a\n", b"")


@pytest.mark.parametrize(
    "words", [("get", "cm", b"\xff\xfe"), ("get", "cm", "-n", b"\xc3"), ("get", "cm", "-l", b"a=\xff")]
)
def test_argv_that_is_no_utf8_is_sent_as_it_is(
    words: tuple[str | bytes, ...], tmp_path: Path, server: BadServer
) -> None:
    done = subprocess.run([*PROGRAM, *words], cwd=tmp_path, env=environ(tmp_path), capture_output=True, check=False)
    assert b"Traceback" not in done.stderr
    assert "%FF" in server.asked[-1].line or "%C3" in server.asked[-1].line


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("get cm a", f"GET {ONE}"),
        ("get cm a", "GET /apis?"),
        ("create --validate=false -f m.json", f"POST {ALL}"),
        ("delete cm a", f"GET {ALL}"),
    ],
)
def test_ctrl_c_ends_at_once(words: str, fault: str, tmp_path: Path, server: BadServer) -> None:
    if words.startswith("delete"):
        pass_through = server._next

        def step(asked: object) -> object:
            if " /api/v1/namespaces/default/configmaps/a" in asked.line and asked.line.startswith("DELETE"):  # type: ignore[attr-defined]
                return reply(GOOD)
            return pass_through(asked)  # type: ignore[arg-type]

        server._next = step  # type: ignore[method-assign,assignment]
        fault = f"GET ({ONE}|{ALL})"
    server.be(fault, hang(server))
    with subprocess.Popen(
        [*PROGRAM, *words.split()], cwd=tmp_path, env=environ(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert server.reached.wait(30)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert err == b""


def typed(words: tuple[str, ...], lines: list[bytes], home: Path) -> tuple[int, bytes]:
    """Runs the program on a terminal, types a line at each question; its exit code and all that the terminal shows."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(home)
        os.execve(PROGRAM[0], [*PROGRAM, *words], environ(home))
    shown = b""
    waiting = list(lines)
    with contextlib.suppress(OSError):
        while data := os.read(terminal, 4096):
            shown += data
            if shown.endswith(b": ") and waiting:
                os.write(terminal, waiting.pop(0))
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown


ASKED = b"Please enter Username: bob%s\r\nPlease enter Password: "


@pytest.mark.parametrize(
    ("lines", "code", "shown", "sent"),
    [
        ([b"bob\n", b"s3cret\n"], 0, ASKED % b"" + b"NAME\r\na\r\n", b"bob:s3cret"),
        ([b"bob the builder\n"], 0, ASKED % b" the builder" + b"NAME\r\na\r\n", b"bob:the builder"),
        ([b"\x04"], 1, b"Please enter Username: error: EOF\r\n", None),
        ([b"bob\n", b"\x04"], 1, ASKED % b"" + b"error: EOF\r\n", None),
        ([b"bob\n", b"\x03"], -signal.SIGINT, ASKED % b"", None),
    ],
)
def test_a_terminal_is_asked_for_user_name_and_password(
    lines: list[bytes], code: int, shown: bytes, sent: bytes | None, tmp_path: Path
) -> None:
    with door("anonymous", tmp_path) as server:
        assert typed(("get", "cm"), lines, tmp_path) == (code, shown)
        found = {value for asked in server.asked for name, value in asked.headers if name == "Authorization"}
    assert found == ({f"Basic {base64.b64encode(sent).decode()}"} if sent else set())
