"""`kubetrace wrap`: the command runs as if nobody were in between, and nothing is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recorder.conftest import until
from tests.recorder.program import Program, asking
from tests.transport.scripted import Authority, ScriptedServer, reply

REAL_TOKEN = "real-token-0123456789abcdef"
PASSWORD = "hunter2-very-secret"
POD_LIST = b'{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}'


@pytest.fixture
def server(authority: Authority) -> Iterator[ScriptedServer]:
    with ScriptedServer([reply(POD_LIST)], tls=authority.server()) as server:
        yield server


@pytest.fixture
def program(tmp_path: Path, server: ScriptedServer, authority: Authority) -> Program:
    """kubetrace with a kubeconfig of three contexts, whose users have a token, a password, and nothing."""
    (tmp_path / "ca.crt").write_bytes(authority.pem)
    config = {
        "kind": "Config",
        "apiVersion": "v1",
        "current-context": "one",
        "clusters": [
            {"name": "c1", "cluster": {"server": server.url, "certificate-authority": "ca.crt"}},
            {"name": "c2", "cluster": {"server": server.url + "/prefix/", "certificate-authority": "ca.crt"}},
        ],
        "users": [
            {"name": "a1", "user": {"token": REAL_TOKEN}},
            {"name": "u2", "user": {"username": "bob", "password": PASSWORD, "as": "alice"}},
        ],
        "contexts": [
            {"name": "one", "context": {"cluster": "c1", "user": "a1", "namespace": "shop"}},
            {"name": "two words", "context": {"cluster": "c2", "user": "u2"}},
            {"name": "nobody", "context": {"cluster": "c1", "user": ""}},
        ],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config))
    return Program(tmp_path, path)


ASK_ONCE = asking("print(ask('GET', '/api/v1/pods?limit=500')[1])")


def test_a_command_runs_and_its_calls_are_logged(program: Program, server: ScriptedServer) -> None:
    done = program.run("wrap", "-v=6", "--", *ASK_ONCE)
    assert (done.returncode, done.stdout) == (0, POD_LIST.decode() + "\n")
    loaded, call = done.stderr.splitlines()
    assert loaded.endswith(f"Config loaded from file:  {program.folder}/kubeconfig")
    assert re.fullmatch(
        r"I\d{4} \S+ +\d+ round_trippers.go:553\] "
        rf"GET {server.url}/api/v1/pods\?limit=500 200 OK in \d+ milliseconds",
        call,
    )
    assert server.asked[0].values("authorization") == [f"Bearer {REAL_TOKEN}"]
    assert program.left_behind() == []


def test_the_log_is_ahead_of_the_command(program: Program) -> None:
    """The line of a call stands before what the command makes of the answer."""
    code = "print(ask('GET', '/a')[0], file=sys.stderr, flush=True); print(ask('GET', '/b')[0], file=sys.stderr)"
    done = program.run("wrap", "-v=6", "--", *asking(code))
    shape = [re.sub(r".*GET \S+(/\w) .*", r"\1", line) for line in done.stderr.splitlines()[1:]]
    assert shape == ["/a", "200", "/b", "200"]


def test_a_trace_is_kept(program: Program) -> None:
    trace = program.folder / "calls.jsonl"
    assert program.run("wrap", "--trace", str(trace), "--", *ASK_ONCE).returncode == 0
    shown = program.run("trace", "show", str(trace), "--color=never")
    assert re.search(r"1 +list +/api/v1/pods\?limit=500 +200", shown.stdout)
    again = program.run("wrap", "--", *ASK_ONCE, environ={"KUBETRACE_TRACE": str(program.folder / "traces")})
    assert again.returncode == 0 and again.stderr == ""
    assert [path.name.endswith(".jsonl") for path in (program.folder / "traces").iterdir()] == [True]


def test_requests_join_a_trace_of_opentelemetry(program: Program, server: ScriptedServer) -> None:
    own, known = f"00-{'ab' * 16}-{'cd' * 8}-01", f"00-{'12' * 16}-{'34' * 8}-01"
    code = f"ask('GET', '/a'); ask('GET', '/b'); ask('GET', '/c', traceparent={own!r})"
    done = program.run("wrap", f"--traceparent={known}", "-v=8", "--", *asking(code))
    sent = [asked.values("traceparent") for asked in server.asked]
    assert [len(values) for values in sent] == [1, 1, 1] and sent[2] == [own]
    first, second = (value for (value,) in sent[:2])
    assert first[:36] == second[:36] == known[:36] and first != second != known
    assert "Traceparent: " + own in done.stderr and "12" * 16 not in done.stderr  # no header of the command's


def test_the_time_between_calls_is_the_commands(program: Program) -> None:
    done = program.run("wrap", "--stats", "--", *asking("ask('GET', '/a')"))
    assert re.fullmatch(r"stats: 1 call, .* in the network, .* in the command and in kubetrace\n", done.stderr)


def test_where_nothing_is_recorded_somebody_says_so(program: Program) -> None:
    done = program.run("wrap", "--", *ASK_ONCE)
    assert done.stderr == "warning: nothing is recorded: add --trace FILE, or -v=6 to see the calls\n"
    done = program.run("wrap", "--block-writes", "--", *ASK_ONCE)
    assert done.stderr == ""


def test_a_command_that_goes_past_us_is_noticed(program: Program) -> None:
    done = program.run("wrap", "--block-writes", "--", "true")
    assert (done.returncode, done.stderr) == (
        0,
        "warning: the command made no call through kubetrace: does it read KUBECONFIG?\n",
    )


# --- the throw-away kubeconfig ----------------------------------------------------------------------------------------


def test_the_kubeconfig_has_the_users_names_and_none_of_their_secrets(program: Program) -> None:
    code = "import os; path = os.environ['KUBECONFIG']; print(oct(os.stat(path).st_mode), open(path).read())"
    done = program.run("wrap", "--block-writes", "--", sys.executable, "-c", code)
    mode, _, text = done.stdout.partition(" ")
    assert stat.S_IMODE(int(mode, 8)) == 0o600
    for secret in (REAL_TOKEN, PASSWORD, "alice", "bob"):
        assert secret not in text
    path = program.folder / "seen"
    path.write_text(text)
    view = json.loads(program.run("config", "view", "-o", "json", f"--kubeconfig={path}", "--raw").stdout)
    assert view["current-context"] == "one"
    assert {context["name"]: context["context"] for context in view["contexts"]} == {
        "one": {"cluster": "c1", "user": "a1", "namespace": "shop"},
        "two words": {"cluster": "c2", "user": "u2"},
        "nobody": {"cluster": "c1", "user": "kubetrace"},
    }
    servers = {cluster["name"]: cluster["cluster"]["server"] for cluster in view["clusters"]}
    assert re.fullmatch(r"https://127\.0\.0\.1:\d+", servers["c1"])
    assert re.fullmatch(r"https://127\.0\.0\.1:\d+/prefix", servers["c2"])
    tokens = [user["user"]["token"] for user in view["users"]]
    assert len(set(tokens)) == 3 and all(len(token) >= 40 for token in tokens)


def test_contexts_users_and_clusters_may_be_combined(program: Program, server: ScriptedServer) -> None:
    """The port says which cluster is meant, the token says who is asking."""
    get = [*map(str, [sys.executable, "-m", "kubetrace", "get", "--raw", "/version"])]
    for flags, path, authorization in (
        ([], "/version", [f"Bearer {REAL_TOKEN}"]),
        (["--context=two words"], "/prefix/version", ["Basic Ym9iOmh1bnRlcjItdmVyeS1zZWNyZXQ="]),
        (["--context=nobody"], "/version", []),
        (["--cluster=c2"], "/prefix/version", [f"Bearer {REAL_TOKEN}"]),
        (["--user=u2"], "/version", ["Basic Ym9iOmh1bnRlcjItdmVyeS1zZWNyZXQ="]),
    ):
        done = program.run("wrap", "--block-writes", "--", *get, *flags)
        assert (done.returncode, done.stderr) == (0, ""), flags
        asked = server.asked[-1]
        assert (asked.line.split()[1], asked.values("authorization")) == (path, authorization)
        assert asked.values("impersonate-user") == (["alice"] if "Basic" in str(authorization) else [])


def test_flags_before_the_command_choose_and_override(program: Program, server: ScriptedServer) -> None:
    script = f"cat $KUBECONFIG; exec {sys.executable} -m kubetrace get --raw /version"
    flags = ["--block-writes", "--context=two words", "-n", "lab", "--as=carol"]
    done = program.run("wrap", *flags, "--", "sh", "-c", script)
    assert "current-context: two words" in done.stdout and "namespace: lab" in done.stdout
    asked = server.asked[-1]
    assert asked.line.split()[1] == "/prefix/version" and asked.values("impersonate-user") == ["carol"]
    done = program.run("wrap", "--context=nowhere", "--", "true")
    assert (done.returncode, done.stderr) == (1, 'error: context "nowhere" does not exist\n')


def test_without_a_kubeconfig_there_is_still_a_server(program: Program, server: ScriptedServer) -> None:
    flags = ["--server", server.url, "--certificate-authority", str(program.folder / "ca.crt"), "--token", REAL_TOKEN]
    environ = {"KUBECONFIG": str(program.folder / "none")}
    done = program.run("wrap", "--block-writes", *flags, "--", *ASK_ONCE, environ=environ)
    assert (done.returncode, done.stdout) == (0, POD_LIST.decode() + "\n")
    assert server.asked[0].values("authorization") == [f"Bearer {REAL_TOKEN}"]


def test_an_exec_plugin_is_run_by_kubetrace_and_not_by_the_command(
    program: Program, server: ScriptedServer, authority: Authority
) -> None:
    plugin = program.folder / "plugin"
    credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}
    said = json.dumps({**credential, "status": {"token": "from-plugin-123456"}})
    plugin.write_text(f"#!/bin/sh\necho x >> {program.folder}/runs\necho '{said}'\n")
    plugin.chmod(0o755)
    stanza = {"apiVersion": credential["apiVersion"], "command": str(plugin), "interactiveMode": "Never"}
    config = json.loads((program.folder / "kubeconfig").read_text())
    config["users"][0]["user"] = {"exec": stanza}
    (program.folder / "kubeconfig").write_text(json.dumps(config))
    server.steps[:] = [reply(POD_LIST), reply(b"{}", "401 Unauthorized"), reply(POD_LIST)]
    done = program.run("wrap", "-v=8", "--", *asking("for _ in range(3): print(ask('GET', '/a')[0])"))
    assert done.stdout == "200\n401\n200\n"
    assert (program.folder / "runs").read_text() == "x\n" * 2  # once, and once more after the 401
    assert [asked.values("authorization") for asked in server.asked] == [["Bearer from-plugin-123456"]] * 3
    assert "from-plugin" not in done.stderr and "Authorization" not in done.stderr  # below the log, as in client-go
    plugin.write_text("#!/bin/sh\nkill -INT $$; exit 0\n")  # as Ctrl-C does
    done = program.run("wrap", "-v=6", "--", *asking("print(ask('GET', '/a'))"))
    assert "failed with exit code -1" in done.stdout
    plugin.write_text("#!/bin/sh\nexit 3\n")
    done = program.run("wrap", "-v=6", "--", *asking("print(ask('GET', '/a'))"))
    words = f"getting credentials: exec: executable {plugin} failed with exit code 3"
    assert done.stdout.startswith("(502,") and words in done.stdout
    assert f"warning: kubetrace: {words}\n" in done.stderr


# --- streams, exit codes, signals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 7, 130, 255])
def test_the_exit_code_is_the_commands(program: Program, code: int) -> None:
    assert program.run("wrap", "--block-writes", "--", "sh", "-c", f"exit {code}").returncode == code


def test_a_command_that_a_signal_ended(program: Program) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT):
        done = program.run("wrap", "--block-writes", "--", "sh", "-c", f"kill -{int(number)} $$")
        assert done.returncode == -number  # and so does kubetrace: to a shell both are 128 and the signal


def test_commands_that_cannot_be_run(program: Program) -> None:
    script = program.folder / "script"
    script.write_text("#!/bin/sh\n")
    done = program.run("wrap", "-v=6", "--", "no-such-command-anywhere")
    assert (done.returncode, done.stderr) == (127, "error: no-such-command-anywhere: command not found\n")
    done = program.run("wrap", "-v=6", "--", str(script))
    assert (done.returncode, done.stderr) == (126, f"error: {script}: not an executable program\n")
    done = program.run("wrap", "-v=6", "--", "script", environ={"PATH": str(program.folder)})
    assert (done.returncode, done.stderr) == (126, "error: script: not an executable program\n")
    script.write_text("neither a script nor a program")
    script.chmod(0o755)
    done = program.run("wrap", "--block-writes", "--", str(script))
    assert (done.returncode, done.stderr) == (126, f"error: {script}: exec format error\n")
    assert program.left_behind() == []


def test_the_command_stands_behind_two_dashes(program: Program) -> None:
    done = program.run("wrap", "kubectl", "version")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == (
        'error: the command must stand behind "--": kubetrace wrap [flags] -- COMMAND [args…]'
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--fault", "nonsense"], "invalid fault 'nonsense'"),
        (["--latency", "2h"], "invalid latency: must be between 0s and 1h"),
        (["--plan"], "kubetrace wrap has none of its own"),
        (["--trace", "/nowhere/at/all"], "cannot write the trace /nowhere/at/all: No such file or directory"),
    ],
)
def test_bad_flags(program: Program, flags: list[str], message: str) -> None:
    done = program.run("wrap", *flags, "--", "touch", str(program.folder / "ran"))
    assert done.returncode == 1 and message in done.stderr.splitlines()[0]
    assert not (program.folder / "ran").exists() and program.left_behind() == []


def test_standard_streams_are_the_commands(program: Program) -> None:
    done = program.run("wrap", "--block-writes", "--", "sh", "-c", "cat; echo err >&2", stdin="in\n")
    assert (done.stdout, done.stderr.splitlines()[0]) == ("in\n", "err")


def test_python_leaves_no_signal_ignored(program: Program) -> None:
    """`yes | head` in a wrapped shell ends as it should, though Python ignores SIGPIPE."""
    done = program.run("wrap", "--block-writes", "--", "sh", "-c", "yes | head -1", timeout=20)
    assert (done.returncode, done.stdout) == (0, "y\n")
    code = "import signal; print([s.name for s in signal.pthread_sigmask(signal.SIG_BLOCK, [])])"
    assert program.run("wrap", "--block-writes", "--", sys.executable, "-c", code).stdout == "[]\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_to_kubetrace_alone_is_handed_on(program: Program, number: signal.Signals) -> None:
    script = f"trap 'echo got; exit 5' {int(number)}; echo ready; while :; do sleep 0.05; done"
    process = program.start("wrap", "--block-writes", "--", "sh", "-c", script)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    assert (process.returncode, out) == (5, "got\n") and program.left_behind() == []


# --- what is left behind ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def running(program: Program) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """A run that goes on, its command's process, and its kubeconfig; both processes end with the test."""
    script = "echo $$ $KUBECONFIG; exec sleep 60"
    with program.start("wrap", "--block-writes", "--", "sh", "-c", script) as process:
        assert process.stdout is not None
        child, kubeconfig = process.stdout.readline().split()
        try:
            yield process, int(child), Path(kubeconfig)
        finally:
            for each in (int(child), process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)


def test_nothing_is_left_after_a_kill(program: Program) -> None:
    with running(program) as (process, _, kubeconfig):
        assert kubeconfig.exists()
        process.kill()
        until(lambda: program.left_behind() == [])


def test_what_even_the_watchdog_could_not_remove_goes_at_the_next_start(program: Program) -> None:
    with running(program) as (process, _, kubeconfig):
        stale = kubeconfig.parent
        found = subprocess.run(["pgrep", "-f", f"rm -rf.* {stale}"], capture_output=True, text=True, check=True)
        os.kill(int(found.stdout.split()[0]), signal.SIGKILL)
        process.kill()
        process.wait()
    assert stale.exists()
    with running(program) as (alive, _, living):
        assert not stale.exists()
        assert program.run("wrap", "--block-writes", "--", "true").returncode == 0
        assert living.exists()  # a run that lives is nobody's to sweep
        alive.terminate()
        alive.wait(20)
    assert program.left_behind() == []


def test_a_discovery_cache_goes_with_the_port(program: Program) -> None:
    """A client that does not know KUBECACHEDIR caches under our port, which the next server there must not find."""
    code = (
        "p = os.path.expanduser('~/.kube/cache/discovery/127.0.0.1_' + server.split(':')[1]); os.makedirs(p); print(p)"
    )
    done = program.run("wrap", "--block-writes", "--", *asking(code))
    assert done.returncode == 0 and not Path(done.stdout.strip()).exists()


def test_kubectls_caches_are_the_users_own(program: Program, server: ScriptedServer) -> None:
    code = "p = os.environ['KUBECACHEDIR'] + '/discovery/' + server.replace(':', '_'); open(p + '/x', 'w'); print(p)"
    done = program.run("wrap", "--block-writes", "--", *asking(code))
    assert done.returncode == 0
    assert not Path(done.stdout.strip()).exists()
    assert (program.home / ".kube" / "cache" / "discovery" / f"127.0.0.1_{server.port}" / "x").exists()


def test_a_runtime_folder_of_somebody_elses_is_not_used(program: Program) -> None:
    (program.runtime / "kubetrace").mkdir()
    (program.runtime / "kubetrace").chmod(0o777)
    done = program.run("wrap", "--block-writes", "--", "true")
    assert done.returncode == 1
    assert done.stderr == f"error: {program.runtime}/kubetrace belongs to somebody else, or others may write there\n"


# --- sessions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_session_serves_others_until_it_is_stopped(program: Program, number: signal.Signals) -> None:
    process = program.start("wrap", "-v=6")
    assert process.stdout is not None
    line = process.stdout.readline()
    kubeconfig = re.fullmatch(r"export KUBECONFIG=(\S+)\n", line)
    assert kubeconfig is not None
    asked = subprocess.run(
        ASK_ONCE, env={**program.environ, "KUBECONFIG": kubeconfig[1]}, capture_output=True, text=True
    )
    assert asked.stdout == POD_LIST.decode() + "\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert err.count("round_trippers.go:553] GET ") == 1 and program.left_behind() == []


# --- what must not be seen --------------------------------------------------------------------------------------------


def test_no_credential_is_shown_anywhere(program: Program, server: ScriptedServer) -> None:
    secret = b'{"kind":"Secret","apiVersion":"v1","metadata":{"name":"s"},"data":{"p":"aHVudGVyMi12ZXJ5LXNlY3JldA=="}}'
    echoed = json.dumps({"message": f"token {REAL_TOKEN} is not known", "password": PASSWORD}).encode()
    server.steps[:] = [reply(secret), reply(echoed, "403 Forbidden"), reply(b"x", headers=(("X-Echo", REAL_TOKEN),))]
    trace = program.folder / "t.jsonl"
    code = (
        "ask('GET', '/api/v1/namespaces/n/secrets/s'); ask('GET', '/x?token=' + token); ask('GET', '/' + token);"
        "print(token)"
    )
    one_time = set()
    for flags in (["-v=10"], ["-v=9", "--like=1.36"], ["-v=8", "--context=two words"], ["--why"], ["--stats"]):
        done = program.run("wrap", *flags, "--trace", str(trace), "--", *asking(code))
        assert done.returncode == 0
        one_time.add(done.stdout.strip())
        texts = [done.stderr, trace.read_text()]
        for text in texts:
            for hidden in (REAL_TOKEN, PASSWORD, "aHVudGVyMi12ZXJ5LXNlY3JldA", "Ym9iOmh1bnRlcjI", *one_time):
                assert hidden not in text
    assert len(one_time) == 5


def test_a_full_disk_ends_the_trace_and_not_the_command(program: Program) -> None:
    done = program.run("wrap", "--trace", "/dev/full", "--", *asking("for _ in range(3): print(ask('GET', '/a')[0])"))
    assert (done.returncode, done.stdout) == (0, "200\n200\n200\n")
    assert done.stderr == "warning: the trace is not complete: No space left on device\n"


def test_protobuf_is_decoded_for_people(program: Program, server: ScriptedServer) -> None:
    body = b"k8s\0\n\x0f\n\x02v1\x12\tNamespace\x12\x06\n\x04\n\x02ns"
    server.steps[:] = [reply(body, headers=(("Content-Type", "application/vnd.kubernetes.protobuf"),))]
    code = f"ask('POST', '/api/v1/namespaces', {body!r})"
    done = program.run("wrap", "-v=8", "--", *asking(code))
    wanted = '{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"ns"}}'
    assert f"Request Body: {wanted}\n" in done.stderr and f"Response Body: {wanted}\n" in done.stderr
    assert server.asked[0].body == body
