"""Streams, signals and argv, with kubetrace as a process of its own."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bad_input.cases import ALL, ONE
from tests.bad_input.server import CONFIG_MAP, GOOD, MANIFEST, TABLE, Asked, BadServer, Step, door, hang, reply

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


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 KiB without a free byte; a file `config` on it is the kubeconfig."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        (disk / "config").write_bytes((tmp_path / ".kube" / "config").read_bytes())
        with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 512)
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_costs_the_cache_only(tmp_path: Path, server: BadServer, full_disk: Path) -> None:
    code, out, err = shell("X get cm a -o name --cache-dir=disk/cache -v=3", tmp_path, KUBETRACE_LIKE="1.36")
    assert (code, out) == (0, b"configmap/a\n")
    told = [line for line in err.splitlines() if b"failed to write cache" in line]
    assert told and all(line.endswith(b": no space left on device") for line in told)
    assert [path for path in full_disk.rglob("*") if path.is_file() and path.parent != full_disk] == []


def test_a_full_disk_costs_no_kubeconfig(tmp_path: Path, server: BadServer, full_disk: Path) -> None:
    before = (full_disk / "config").read_bytes()
    for line in ("config set-context y --cluster=c", "config set users.u.token other", "config delete-user u"):
        code, out, err = shell(f"X {line}", tmp_path, KUBECONFIG=str(full_disk / "config"))
        assert (code, out, err) == (1, b"", b"error: open %s/config: no space left on device\n" % bytes(full_disk))
        assert (full_disk / "config").read_bytes() == before
    assert sorted(path.name for path in full_disk.iterdir()) == ["config", "filler"]


def test_a_full_disk_costs_the_trace_only(tmp_path: Path, server: BadServer, full_disk: Path) -> None:
    code, out, err = shell("X get cm a -o name --trace=disk/trace.jsonl", tmp_path)
    assert (code, out) == (0, b"configmap/a\n")
    assert err == b"warning: the trace is not complete: No space left on device\n"


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
        ("get cm a", "GET /apis"),
        ("get cm -w", f"GET {ALL}"),
        ("create --validate=false -f m.json", f"POST {ALL}"),
        ("delete cm a", f"DELETE {ONE}"),
        ("get --raw /raw", "GET /raw"),
    ],
)
def test_ctrl_c_ends_at_once(words: str, fault: str, tmp_path: Path, server: BadServer) -> None:
    server.be(fault, hang(server))
    assert interrupted(words, signal.SIGINT, tmp_path, server) == (-signal.SIGINT, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(("words", "name"), [("delete cm a", b""), ("get cm -w", b"NAME\na\na\n")])
def test_a_signal_ends_a_watch_with_exit_code_1(
    words: str, name: bytes, number: signal.Signals, tmp_path: Path, server: BadServer
) -> None:
    """A watch has begun: kubectl waits for signals itself from here on (pkg/util/interrupt)."""
    others = server._next
    changed = TABLE if words.startswith("get") else CONFIG_MAP
    event = json.dumps({"type": "MODIFIED", "object": changed}).encode() + b"\n"
    begun = reply(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked", 1)
    begun += b"%x\r\n%s\r\n" % (len(event), event)

    def step(asked: Asked) -> Step:
        if "watch=true" in asked.line:
            server.reached.set()
            return hang(server, begun)
        return reply(GOOD) if ONE in asked.line else others(asked)

    server._next = step  # type: ignore[method-assign]
    code, err = interrupted(words, number, tmp_path, server, name)
    assert (code, err) == (1, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_was_done_is_said_before_the_next_call(number: signal.Signals, tmp_path: Path, server: BadServer) -> None:
    """On a pipe, too, where Python would keep it until the end that never comes."""
    others = server._next

    def step(asked: Asked) -> Step:
        if asked.line.startswith(f"DELETE {ALL}/b"):
            server.reached.set()
            return hang(server)
        return reply(GOOD) if asked.line.startswith(f"DELETE {ONE}") else others(asked)

    server._next = step  # type: ignore[method-assign]
    said = b'configmap "a" deleted from default namespace\n'
    assert interrupted("delete cm a b", number, tmp_path, server, said) == (-number, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_nothing_is_there_to_be_watched(
    number: signal.Signals, tmp_path: Path, server: BadServer
) -> None:
    """Until it has something to watch, kubectl leaves signals alone: `wait --for=create` is ended by one."""
    others = server._next

    def step(asked: Asked) -> Step:
        if asked.line.startswith(f"GET {ALL}/b"):
            server.reached.set()
        return others(asked)

    server._next = step  # type: ignore[method-assign]
    assert interrupted("wait --for=create cm/b", number, tmp_path, server) == (-number, b"")


@pytest.mark.parametrize("line", [b"this is no event\n", b'{"type":"ERROR","object":{"kind":"Status","code":410}}\n'])
@pytest.mark.parametrize("words", ["wait --for=jsonpath={.data.k}=z cm/a", "wait --for=delete cm/a", "delete cm a"])
def test_a_watch_that_breaks_is_begun_anew(words: str, line: bytes, tmp_path: Path, server: BadServer) -> None:
    """Until the time is up; the log tells of it once the first state is there, which is listed then."""
    others = server._next
    watches = []
    found = {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": [CONFIG_MAP]}
    listed = reply(json.dumps(found).encode())
    begun = reply(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked", 1)

    def step(asked: Asked) -> Step:
        if "watch=true" in asked.line:
            watches.append(asked)
            return begun + b"%x\r\n%s\r\n0\r\n\r\n" % (len(line), line)
        if "fieldSelector=metadata.name" in asked.line:
            return listed
        return reply(GOOD) if ONE in asked.line else others(asked)

    server._next = step  # type: ignore[method-assign]
    code, _, err = shell(f"X {words} --timeout=2s", tmp_path)
    *told, last = err.splitlines()
    assert (code, last) == (1, b"error: timed out waiting for the condition on configmaps/a")
    words = b'ended with: an error on the server ("unable to decode an event from the watch stream: '
    assert told and all(words in line for line in told) and len(watches) == 2 * len(told)


def interrupted(
    words: str, number: signal.Signals, home: Path, server: BadServer, after: bytes = b""
) -> tuple[int, bytes]:
    """Sends a signal once the server was asked, and `after` was said; the exit code and stderr."""
    with subprocess.Popen(
        [*PROGRAM, *words.split()], cwd=home, env=environ(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert server.reached.wait(30)
        assert process.stdout.read(len(after)) == after
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    return process.returncode, err


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
