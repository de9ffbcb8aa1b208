"""Real clients through wrap: kubetrace itself against the playground, and the real kubectl where there is one."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubetrace.playground import manager
from tests.conformance.plane import free_port
from tests.recorder.conftest import until
from tests.recorder.program import KUBETRACE, Program

CONTAINERS = [{"name": "main", "image": "nginx"}]
POD = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mypod"}, "spec": {"containers": CONTAINERS}})


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[manager.Playground]:
    environ = {"XDG_STATE_HOME": str(tmp_path_factory.mktemp("state")), "PATH": os.environ.get("PATH", "")}
    yield manager.up(environ, "wrapped")
    manager.down(environ, "wrapped")


@pytest.fixture
def program(tmp_path: Path, playground: manager.Playground) -> Program:
    return Program(tmp_path, playground.kubeconfig)


@pytest.fixture
def namespace(program: Program, request: pytest.FixtureRequest) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:60]
    program.run("create", "namespace", name)
    return name


def test_kubetrace_itself(program: Program, namespace: str) -> None:
    trace = str(program.folder / "t.jsonl")
    apply = [*KUBETRACE, "apply", "-n", namespace, "-f", "-"]
    done = program.run("wrap", "--trace", trace, "--", *apply, stdin=POD)
    assert (done.returncode, done.stdout, done.stderr) == (0, "pod/mypod created\n", "")
    done = program.run("wrap", "--trace", trace, "--", *KUBETRACE, "get", "pod", "mypod", "-n", namespace, "-o", "name")
    assert done.stdout == "pod/mypod\n"
    shown = program.run("trace", "show", trace, "--color=never", "--resource=pods").stdout
    assert [line.split()[1] for line in shown.splitlines()[1:]] == ["get", "create", "get"]


def test_every_context_by_its_name(program: Program) -> None:
    who = [*KUBETRACE, "get", "pods", "-n", "kube-system", "-o", "name"]
    for context, code in (("certificate", 0), ("viewer", 0), ("nobody", 1)):
        done = program.run("wrap", "--block-writes", "--", *who, f"--context={context}")
        assert done.returncode == code, done.stderr
    assert 'User "nobody" cannot list resource "pods"' in done.stderr


def test_looking_without_touching(program: Program, namespace: str) -> None:
    done = program.run("wrap", "--block-writes", "--", *KUBETRACE, "create", "configmap", "c", "-n", namespace)
    assert done.returncode == 1
    assert "configmaps is forbidden: kubetrace lets nothing write (--block-writes)" in done.stderr
    assert program.run("get", "configmap", "c", "-n", namespace).returncode == 1


def test_a_fault_in_the_way(program: Program, namespace: str) -> None:
    create = [*KUBETRACE, "create", "configmap", "c", "-n", namespace]
    done = program.run("wrap", "--fault", "POST configmaps: 409 once", "--", *create)
    assert done.returncode == 1 and "a fault that kubetrace was told to make" in done.stderr
    assert program.run("wrap", "--fault", "POST configmaps: 409 once", "--", "sh", "-c", " ".join(create) + " || " +
                       " ".join(create)).returncode == 0  # fmt: skip


def test_the_playground_on_demand(program: Program, playground: manager.Playground) -> None:
    environ = {"XDG_STATE_HOME": str(playground.folder.parents[2]), "KUBECONFIG": "/nonexistent"}
    done = program.run("wrap", "--playground", "-v=6", "--", *KUBETRACE, "get", "--raw", "/version", environ=environ)
    try:
        assert done.returncode == 0 and json.loads(done.stdout)["major"] == "1"
        assert re.search(r"GET https://127.0.0.1:\d+/version 200 OK", done.stderr)
    finally:
        manager.down({**program.environ, **environ})


# --- the real kubectl -------------------------------------------------------------------------------------------------


def kubectls() -> list[Path]:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    return sorted(path for path in Path(assets).glob("kubectl*") if os.access(path, os.X_OK)) if assets else []


@pytest.fixture(params=[path.name for path in kubectls()] or [None])
def kubectl(request: pytest.FixtureRequest) -> str:
    if request.param is None:
        pytest.skip("no kubectl in KUBEBUILDER_ASSETS")
    return str(Path(os.environ["KUBEBUILDER_ASSETS"]) / request.param)


Run = Callable[..., str]


@pytest.fixture
def run(program: Program, kubectl: str, namespace: str) -> Run:
    """run("get", "pods"): through wrap, with a trace; its standard output."""

    def through(*words: str, stdin: str | None = None, code: int = 0) -> str:
        command = [kubectl, "-n", namespace, *words]
        done = program.run("wrap", "--trace", str(program.folder / "t.jsonl"), "--", *command, stdin=stdin)
        assert done.returncode == code, done.stderr
        return done.stdout

    return through


def frames(program: Program) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in (program.folder / "t.jsonl").read_text().splitlines()]
    return [line for line in lines if line.get("event") == "frame"]


def test_kubectl(run: Run, program: Program) -> None:
    assert run("apply", "-f", "-", stdin=POD) == "pod/mypod created\n"
    run("wait", "--for=condition=Ready", "pod/mypod", "--timeout=30s")
    assert run("get", "pods", "--no-headers").split()[:3] == ["mypod", "1/1", "Running"]
    assert run("create", "configmap", "c", "--from-literal=a=b") == "configmap/c created\n"
    assert run("label", "configmap", "c", "x=y") == "configmap/c labeled\n"
    assert run("auth", "can-i", "create", "pods") == "yes\n"
    assert run("logs", "mypod") != ""
    assert "mypod" in run("describe", "pod", "mypod")
    assert run("delete", "configmap", "c").startswith('configmap "c" deleted')
    assert run("get", "nothing", code=1) == ""
    assert program.left_behind() == []


def test_kubectl_exec_and_its_frames(run: Run, program: Program) -> None:
    run("apply", "-f", "-", stdin=POD)
    run("wait", "--for=condition=Ready", "pod/mypod", "--timeout=30s")
    (program.folder / "t.jsonl").unlink()
    assert run("exec", "mypod", "--", "echo", "hello") == "hello\n"
    assert {frame.get("channel") for frame in frames(program) if frame["direction"] == "received"} >= {
        "stdout",
        "error",
    }
    assert run("exec", "-i", "mypod", "--", "cat", stdin="through and back\n") == "through and back\n"
    assert "stdin" in {frame.get("channel") for frame in frames(program) if frame["direction"] == "sent"}
    run("exec", "mypod", "--", "sh", "-c", "exit 7", code=7)


def test_kubectl_port_forward(run: Run, program: Program, kubectl: str, namespace: str) -> None:
    run("apply", "-f", "-", stdin=POD)
    run("wait", "--for=condition=Ready", "pod/mypod", "--timeout=30s")
    (program.folder / "t.jsonl").unlink()
    port = free_port()
    forward = [kubectl, "-n", namespace, "port-forward", "mypod", f"{port}:80"]
    with program.start("wrap", "--trace", str(program.folder / "t.jsonl"), "--", *forward) as process:
        assert process.stdout is not None and process.stdout.readline().startswith("Forwarding from")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/hello", timeout=20) as answer:
            assert b"GET /hello" in answer.read()
        process.terminate()
        process.wait(20)
    channels = {frame.get("channel") for frame in frames(program)}
    assert {"data 80", "error 80"} <= channels


def test_kubectl_watches(program: Program, kubectl: str, namespace: str) -> None:
    watch = [kubectl, "-n", namespace, "get", "configmaps", "-w", "-o", "name"]
    with program.start("wrap", "-v=6", "--", *watch) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "configmap/kube-root-ca.crt\n"
        program.run("create", "configmap", "new", "-n", namespace)
        assert process.stdout.readline() == "configmap/new\n"
        process.terminate()
        process.wait(20)


def test_the_log_is_kubectls_own(program: Program, namespace: str) -> None:
    """What wrap -v=8 writes of kubectl's calls is what kubectl -v=8 writes of them."""
    kubectl = Path(os.environ.get("KUBEBUILDER_ASSETS", "/nonexistent")) / "kubectl-1.36"
    if not kubectl.exists():
        pytest.skip("no kubectl-1.36 in KUBEBUILDER_ASSETS")
    get = [str(kubectl), "get", "configmaps", "-n", namespace, "-o", "name"]
    subprocess.run(get, env=program.environ, check=True, capture_output=True)  # discovery is cached from here on
    own = subprocess.run([*get, "-v=8"], env=program.environ, check=True, capture_output=True, text=True)
    ours = program.run("wrap", "-v=8", "--like=1.36", "--", *get)
    assert ours.stdout == own.stdout
    assert _comparable(ours.stderr) == _comparable(own.stderr)
    assert '"Response Body"' in ours.stderr


def _comparable(log: str) -> list[str]:
    """The lines about HTTP, without what differs from run to run."""
    lines = [re.sub(r"^I\d{4} \S+ +\d+ ", "", line) for line in log.splitlines()]
    lines = [re.sub(r"(milliseconds=|Audit-Id: |Date: ).*", r"\1", line) for line in lines]
    others = re.compile(r"(loader|envvar|cached_discovery|cert_rotation|table_printer)\.go")
    return [line for line in lines if not others.match(line)]


# --- terminals --------------------------------------------------------------------------------------------------------


class Terminal:
    """A shell on a terminal of its own."""

    def __init__(self, environ: dict[str, str]) -> None:
        import pty

        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], {**environ, "PS1": "$ ", "TERM": "dumb"})
        self.text = ""

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def wait_for(self, pattern: str) -> re.Match[str]:
        while not (found := re.search(pattern, self.text)):
            ready, _, _ = select.select([self._terminal], [], [], 60)
            assert ready, f"no {pattern!r} in {self.text!r}"
            self.text += os.read(self._terminal, 4096).decode("utf-8", "replace")
        self.text = self.text[found.end() :]
        return found

    def close(self) -> None:
        import signal

        os.kill(self._pid, signal.SIGKILL)
        os.close(self._terminal)
        os.waitpid(self._pid, 0)


@pytest.fixture
def terminal(program: Program) -> Iterator[Terminal]:
    made = Terminal(program.environ)
    yield made
    made.close()


WRAPPED_SLEEP = f"{sys.executable} -m kubetrace wrap --block-writes -- sh -c 'echo begun; sleep 60; echo ended'"


def test_ctrl_c_ends_the_command_and_then_us(terminal: Terminal, program: Program) -> None:
    terminal.type(WRAPPED_SLEEP + "\n")
    terminal.wait_for("\nbegun")
    terminal.type("\x03")
    terminal.wait_for(r"\n\$ ")
    terminal.type("echo code=$?\n")
    assert terminal.wait_for(r"\ncode=(\d+)")[1] == "130"
    assert program.left_behind() == []


def test_ctrl_c_is_the_commands_to_take(terminal: Terminal) -> None:
    script = "trap 'echo caught; exit 3' INT; echo begun; while :; do sleep 0.05; done"
    terminal.type(f'{sys.executable} -m kubetrace wrap --block-writes -- sh -c "{script}"\n')
    terminal.wait_for("\nbegun")
    terminal.type("\x03")
    terminal.wait_for("caught")
    terminal.type("echo code=$?\n")
    assert terminal.wait_for(r"\ncode=(\d+)")[1] == "3"


def test_job_control(terminal: Terminal) -> None:
    terminal.type(WRAPPED_SLEEP.replace("sleep 60", "sleep 2") + "\n")
    terminal.wait_for("\nbegun")
    terminal.type("\x1a")
    terminal.wait_for("Stopped")
    terminal.type("jobs\n")
    terminal.wait_for("Stopped")
    terminal.type("fg\n")
    terminal.wait_for("ended")
    terminal.type("echo code=$?\n")
    assert terminal.wait_for(r"\ncode=(\d+)")[1] == "0"


def test_a_shell_within_has_the_terminal(terminal: Terminal) -> None:
    terminal.type(f"{sys.executable} -m kubetrace wrap --block-writes -- bash --norc --noprofile -i\n")
    terminal.wait_for(r"\$ $")
    terminal.type("tty; echo $KUBECONFIG\n")
    kubeconfig = terminal.wait_for(r"/dev/pts/\d+\s+(\S+/kubeconfig)")[1]
    assert Path(kubeconfig).exists()
    terminal.type("sleep 60\n")
    time.sleep(0.3)
    terminal.type("\x03")
    terminal.type("echo still=here\n")
    terminal.wait_for(r"\nstill=here")
    terminal.type("exit 4\n")
    terminal.wait_for(r"\$ $")
    terminal.type("echo code=$?\n")
    assert terminal.wait_for(r"\ncode=(\d+)")[1] == "4"
    until(lambda: not Path(kubeconfig).exists())
