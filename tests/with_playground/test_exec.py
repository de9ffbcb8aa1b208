"""`exec` and `attach`: exit codes, bytes, terminals, and connections that break off."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetrace.playground import manager
from tests.conftest import Outcome
from tests.playground.conftest import Client, kubectl_binary
from tests.pseudo_terminal import kubetrace, screen
from tests.with_playground.cutting import Cutter, cutting

Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def pods(playground: manager.Playground) -> Iterator[str]:
    """A namespace with pods that run: web (one container), two, init, tty (a shell with a terminal), done."""
    client = Client(playground.folder, playground.port)
    name: str = client.post("/api/v1/namespaces", {"metadata": {"generateName": "exec-"}})["metadata"]["name"]
    path = f"/api/v1/namespaces/{name}/pods"

    def container(name: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "image": "nginx", **more}

    def make(pod: str, *containers: dict[str, Any], annotations: dict[str, str] | None = None, **spec: Any) -> None:
        value = {"metadata": {"name": pod, "annotations": annotations or {}}, "spec": {"containers": list(containers)}}
        value["spec"] |= spec
        client.post(path, value)

    make("web", container("web"))
    make("two", container("a"), container("b"))
    make("noted", container("a"), container("b"), annotations={"kubectl.kubernetes.io/default-container": "b"})
    make("misnoted", container("a"), annotations={"kubectl.kubernetes.io/default-container": "z"})
    make("init", container("a"), initContainers=[container("i", command=["true"])])
    make("tty", container("sh", image="busybox", command=["sh"], stdin=True, tty=True))
    make("cat", container("cat", image="busybox", command=["cat"], stdin=True))
    make("done", container("d", image="busybox", command=["true"]), restartPolicy="Never")
    for pod in ("web", "two", "noted", "misnoted", "init", "tty", "cat"):
        client.until(f"{path}/{pod}", lambda _, value: (value.get("status") or {}).get("phase") == "Running")
    client.until(f"{path}/done", lambda _, value: (value.get("status") or {}).get("phase") == "Succeeded")
    yield name
    client.call("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def execute(run: Run, pods: str) -> Run:
    def call(*words: str, **given: Any) -> Outcome:
        return run("-n", pods, "exec", *words, **given)

    return call


# --- exec ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_streams_stay_apart_and_the_exit_code_is_the_commands(code: int, execute: Run) -> None:
    outcome = execute("web", "--", "sh", "-c", f"echo out; echo err >&2; exit {code}")
    said = f"command terminated with exit code {code}\n" if code else ""
    assert outcome == Outcome(code, "out\n", "err\n" + said)


def test_every_byte_passes_both_ways(execute: Run) -> None:
    data = bytes(range(256)) * 500
    outcome = execute("web", "-i", "--", "cat", stdin=data)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.encode("utf-8", "surrogateescape") == data


def test_a_command_that_reads_nothing_leaves_stdin_alone(execute: Run) -> None:
    assert execute("web", "--", "cat", stdin=b"unread").out == ""


def test_a_command_may_end_before_its_input(execute: Run) -> None:
    assert execute("web", "-i", "--", "head", "-n1", stdin=b"a\n" * 400_000).out == "a\n"


def test_a_command_that_does_not_exist(execute: Run) -> None:
    outcome = execute("web", "--", "nosuchprogram")
    assert outcome.code == 1
    assert outcome.err.startswith("error: Internal error occurred: ")
    assert 'exec: "nosuchprogram": executable file not found in $PATH' in outcome.err


@pytest.mark.parametrize(
    ("words", "err"),
    [
        ((), "error: pod, type/name or --filename must be specified\n"),
        (("web",), "error: you must specify at least one command for the container\n"),
        (("web", "-c", "z", "--", "ls"), "error: container z is not valid for pod web out of: web\n"),
        (("two", "-c", "z", "--", "ls"), "error: container z is not valid for pod two out of: a, b\n"),
        (("misnoted", "--", "ls"), "error: container z is not valid for pod misnoted out of: a\n"),
        (("done", "--", "ls"), "error: cannot exec into a container in a completed pod; current phase is Succeeded\n"),
        (("nosuch", "--", "ls"), 'Error from server (NotFound): pods "nosuch" not found\n'),
    ],
)
def test_refusals(words: tuple[str, ...], err: str, execute: Run) -> None:
    assert execute(*words) == Outcome(1, "", err)


def test_the_old_form_is_refused(execute: Run) -> None:
    assert execute("web", "ls").err == (
        "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\n"
        "See 'kubetrace exec -h' for help and examples\n"
    )


def test_which_container(execute: Run) -> None:
    assert execute("two", "--", "echo").err == 'Defaulted container "a" out of: a, b\n'
    assert execute("init", "--", "echo").err == 'Defaulted container "a" out of: a, i (init)\n'
    assert execute("two", "-q", "--", "echo").err == ""
    assert execute("noted", "--", "echo").err == ""
    logged = execute("noted", "-v=6", "--", "echo").err
    assert "container=b" in logged


def test_no_terminal_where_one_is_asked_for(execute: Run) -> None:
    outcome = execute("web", "-it", "--", "cat", stdin=b"x")
    words = "Unable to use a TTY - input is not a terminal or the right kind of file\n"
    assert outcome == Outcome(0, "x", words)
    assert execute("web", "-itq", "--", "cat", stdin=b"x").err == ""


def test_a_server_without_websockets_is_spoken_to_in_spdy(
    run: Run, pods: str, playground: manager.Playground, tmp_path: Path
) -> None:
    with cutting(playground, tmp_path, Cutter(refuse_websockets=True)) as kubeconfig:
        given = ("--kubeconfig", kubeconfig, "-n", pods, "exec", "web", "-i", "-v=8", "--like=1.36")
        outcome = run(*given, "--", "sh", "-c", "cat; echo err >&2; exit 4", stdin=b"over spdy\n")
        assert (outcome.code, outcome.out) == (4, "over spdy\n")
        assert 'fallback.go:56] "RemoteCommand fallback" err="unable to upgrade streaming request: ' in outcome.err
        assert "Upgrade: SPDY/3.1\n\tX-Stream-Protocol-Version: v5.channel.k8s.io\n" in outcome.err
        assert "\nerr\n" in outcome.err
        data = os.urandom(300_000)
        got = run("--kubeconfig", kubeconfig, "-n", pods, "exec", "web", "-i", "--", "cat", stdin=data).out
        assert got.encode("utf-8", "surrogateescape") == data


@pytest.mark.parametrize(
    ("rst", "why"), [(False, "websocket: close 1006 (abnormal closure): unexpected EOF"), (True, "connection reset")]
)
def test_a_connection_that_breaks_off(
    rst: bool, why: str, run: Run, pods: str, playground: manager.Playground, tmp_path: Path
) -> None:
    cutter = Cutter(cut_after=b"/exec?", seconds=1.0, reset=rst)
    with cutting(playground, tmp_path, cutter) as kubeconfig:
        outcome = run(
            *("--kubeconfig", kubeconfig, "-n", pods, "exec", "web", "--like=1.36"),
            *("--", "sh", "-c", "echo begun; sleep 30"),
        )
    assert (outcome.code, outcome.out) == (1, "begun\n")
    last = outcome.err.splitlines()
    assert last[-1].startswith("error: error reading from error stream: next reader: ") and why in last[-1]
    assert 'v2.go:151] "Copying stdout failed" err="next reader: ' in outcome.err


def test_a_pod_that_goes_away_in_the_middle(run: Run, server: Client, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    spec = {"terminationGracePeriodSeconds": 0, "containers": [{"name": "c", "image": "nginx"}]}
    server.post(path, {"metadata": {"name": "short"}, "spec": spec})
    server.until(f"{path}/short", lambda _, value: (value.get("status") or {}).get("phase") == "Running")
    threading.Timer(4.0, server.call, ("DELETE", f"{path}/short")).start()
    outcome = run("-n", namespace, "exec", "short", "--", "sh", "-c", "echo begun; sleep 60; echo never")
    assert outcome == Outcome(137, "begun\n", "command terminated with exit code 137\n")


def test_frames_in_the_log_and_the_plan(execute: Run, pods: str) -> None:
    logged = execute("web", "-i", "-v=9", "--", "cat", stdin=b"swordf").err
    assert 'direction="sent" type="binary" channel="stdin" bytes=7' in logged
    assert 'direction="received" type="binary" channel="stdout" bytes=7' in logged
    assert "swordf" not in logged
    planned = execute("web", "--plan", "--", "rm", "-rf", "/")
    assert planned.code == 0
    assert f"/api/v1/namespaces/{pods}/pods/web/exec?command=rm&command=-rf&command=%2F" in planned.out


# --- terminals -------------------------------------------------------------------------------------------------------


def test_a_shell_in_a_terminal(playground: manager.Playground, pods: str) -> None:
    environ = {"KUBECONFIG": str(playground.kubeconfig)}
    with screen(*kubetrace("-n", pods, "exec", "-it", "web", "--", "sh"), environ=environ) as shell:
        before = shell.settings
        shell.until(b"# ")
        assert shell.settings != before
        shell.type(b"stty size\r")
        shell.until(b"\r\n30 100\r\n")
        shell.resize(60, 20)
        time.sleep(0.5)
        shell.type(b"stty size\r")
        shell.until(b"\r\n20 60\r\n")
        shell.until(b"# ")
        shell.type(b"sleep 100\r")
        shell.until(b"sleep 100\r\n")
        time.sleep(0.3)
        shell.type(b"\x03")
        shell.until(b"# ")
        shell.type(b"cat\r")
        shell.until(b"cat\r\n")
        shell.type(b"once\r\x04")
        shell.until(b"once\r\nonce\r\n")
        shell.until(b"# ")  # Ctrl-D ends what reads, not the shell behind it
        shell.type(b"exit 5\r")
        assert shell.ends() == 5
        assert shell.seen == b"exit 5\r\ncommand terminated with exit code 5\r\n"
        assert shell.settings == before


@pytest.mark.parametrize(
    ("words", "keys", "code"),
    [
        (("exec", "-it", "web", "--", "sh"), b"\x04", 0),
        (("exec", "-i", "web", "--", "cat"), b"\x03", 1),
        (("exec", "-i", "web", "--", "cat"), b"\x04", 0),
        (("exec", "web", "--", "sleep", "100"), b"\x03", -signal.SIGINT),
        (("attach", "-i", "cat"), b"\x03", 1),
    ],
)
def test_keys_that_end_a_session(
    words: tuple[str, ...], keys: bytes, code: int, playground: manager.Playground, pods: str
) -> None:
    environ = {"KUBECONFIG": str(playground.kubeconfig)}
    with screen(*kubetrace("-v=8", "-n", pods, *words), environ=environ) as session:
        before = session.settings
        session.until(b"Switching Protocols")
        time.sleep(0.7)
        session.type(keys)
        assert session.ends() == code
        assert session.settings == before


def test_a_signal_ends_a_session_and_leaves_the_terminal_as_it_was(playground: manager.Playground, pods: str) -> None:
    environ = {"KUBECONFIG": str(playground.kubeconfig)}
    with screen(*kubetrace("-n", pods, "exec", "-it", "web", "--", "sh"), environ=environ) as shell:
        before = shell.settings
        shell.until(b"# ")
        shell.process.terminate()
        assert shell.ends() == 1
        assert shell.settings == before


def test_nobody_reads_the_output(playground: manager.Playground, pods: str) -> None:
    argv = kubetrace("-n", pods, "exec", "web", "--", "sh", "-c", "while true; do seq 1000; done")
    environ = {**os.environ, "KUBECONFIG": str(playground.kubeconfig)}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait(30) == -signal.SIGPIPE
        assert process.stderr.read() == b""


# --- attach ----------------------------------------------------------------------------------------------------------

_RECORDED = (
    "All commands and output from this session will be recorded in container logs, including credentials and sensitive "
    "information passed through the command prompt.\nIf you don't see a command prompt, try pressing enter.\n"
)


@pytest.mark.parametrize(
    ("words", "err"),
    [
        ((), "error: at least 1 argument is required for attach\n"),
        (
            ("a", "b", "c"),
            "error: expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw 3: [a b c]\n",
        ),
        (("nosuch",), 'Error from server (NotFound): pods "nosuch" not found\n'),
        (
            ("web", "-c", "z"),
            "error: cannot attach to the container: container z is not valid for pod web out of: web\n",
        ),
        (("done",), "error: cannot attach a container in a completed pod; current phase is Succeeded\n"),
    ],
)
def test_attach_refusals(words: tuple[str, ...], err: str, run: Run, pods: str) -> None:
    assert run("-n", pods, "attach", *words) == Outcome(1, "", err)


def test_attach_to_a_shell(playground: manager.Playground, pods: str) -> None:
    environ = {"KUBECONFIG": str(playground.kubeconfig)}
    with screen(*kubetrace("-n", pods, "attach", "-it", "tty"), environ=environ) as shell:
        before = shell.settings
        shell.until(_RECORDED.replace("\n", "\r\n").encode())
        shell.type(b"echo al''most\r")
        shell.until(b"almost\r\n")
        shell.type(b"exit\r")
        assert shell.ends() == 0
        again = f"'kubetrace attach tty -c sh -n {pods} -i -t'"
        assert shell.seen.endswith(f"Session ended, resume using {again} command\r\n".encode())
        assert shell.settings == before


def test_attach_without_a_terminal_in_the_container(playground: manager.Playground, pods: str) -> None:
    environ = {"KUBECONFIG": str(playground.kubeconfig)}
    with screen(*kubetrace("-n", pods, "attach", "-it", "web"), environ=environ) as session:
        session.until(b"error: Unable to use a TTY - container web did not allocate one\r\n")
        session.until(b"try pressing enter.\r\n")
        time.sleep(0.5)
        session.type(b"\x03")
        assert session.ends() == 1


# --- against kubectl -------------------------------------------------------------------------------------------------

COMMANDS = (
    (("exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 9"), b""),
    (("exec", "web", "-i", "--", "cat"), b"\xff\x00\n"),
    (("exec", "web", "-it", "--", "cat"), b"x"),
    (("exec", "two", "--", "hostname"), b""),
    (("exec", "two", "-c", "z", "--", "hostname"), b""),
    (("exec", "web", "--", "nosuchprogram"), b""),
    (("exec", "pod/web", "--", "pwd"), b""),
    (("exec", "nosuch", "--", "pwd"), b""),
    (("exec", "cm/kube-root-ca.crt", "--", "pwd"), b""),
    (("exec", "sa/default", "--", "pwd"), b""),
    (("attach", "cm/kube-root-ca.crt"), b""),
    (("attach", "done"), b""),
)


@pytest.mark.parametrize(("words", "stdin"), COMMANDS, ids=[" ".join(words) for words, _ in COMMANDS])
def test_kubectl_says_the_same(
    words: tuple[str, ...], stdin: bytes, playground: manager.Playground, pods: str, run: Run
) -> None:
    binary = kubectl_binary()
    if binary is None:
        pytest.skip("no kubectl-1.36 in KUBEBUILDER_ASSETS")
    ran = subprocess.run(
        [binary, "-n", pods, *words],
        input=stdin,
        capture_output=True,
        env={**os.environ, "KUBECONFIG": str(playground.kubeconfig)},
        check=False,
    )
    outcome = run("-n", pods, *words, stdin=stdin)
    texts = [text.decode("utf-8", "surrogateescape") for text in (ran.stdout, ran.stderr)]
    assert outcome == Outcome(ran.returncode, *texts)


def test_stats_count_what_went_over_the_connection(execute: Run) -> None:
    text = "x" * 5000
    done = execute("-i", "web", "--stats", "--", "cat", stdin=text.encode())
    assert done.out == text
    sent, received = re.findall(r"([\d.]+) KiB (?:sent|received)", done.err)
    assert 4.9 <= float(sent) < 6 and float(received) >= 4.9
