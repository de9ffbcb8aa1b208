"""The whole program against what real kubectls wrote: the same command line, a server that answers as theirs did, and
the whole log, stdout and exit code must be theirs.

Put aside are times, pids, ports, the user agent and Go's random orders (see compare.py). Everything else that differs
on purpose is in EXCEPTIONS, with its reason.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.answers import DEAD_PORT, PLAIN_PORT, RECORDED_HERE, Script, answers_of, tls_port
from tests.end_to_end.compare import normalized
from tests.end_to_end.program import Ports, Run, configure, environment_of, free_port, make_certificates, run
from tests.end_to_end.recordings import argv_of, environ_of, warm_up
from tests.end_to_end.scripted_server import ScriptedServer, serving
from tests.trace.capture import CAPTURES, Capture, load

NOT_HERE = re.compile(r"adddir|backtrace|badflag|logfile|skipheaders|z-h2")
"""Flags that kubectl has lost, and HTTP/2, which is not spoken."""

EXCEPTIONS: dict[str, str] = {
    r".*/x-(?:tlsbad|dnsbad)-.*": "kubectl asks for a username where a TLS server gets no credentials",
    r".*/y-plain-.*": "Python's ssl does not show the bytes by which Go tells what answered instead of TLS",
    r".*/x-slow-v9": "Go words a timeout in one of two ways, by who notices first",
    r"1\.2[78]\.\d+/apply-.*": "apply read OpenAPI v2 before it did anything; kubetrace makes 1.36's calls",
    r"1\.20\.2/(?:apply|create)-.*": "kubectl 1.20 had no fieldValidation and read OpenAPI v2; the calls are 1.36's",
    r"1\.20\.2/(?:x-create-validate|y-apply-ssa|y-delete-wait|y-apiversions)-.*": "other calls in 1.20, too",
    r"1\.20\.2/y-tlsbad-.*": "Go's TLS errors had no prefix then",
    r"1\.20\.2/x-warnaserr": "cobra ended this command then, not kubectl",
    r"1\.20\.2/(?:x-cut_utf8|x-len1025nl|z-cutodd)-.*": "the log has only a part of the body",
    r".*/(?:watch-.*|(?:x-)?wait-v6)": "a watch's events are in no log",
    r".*/(?:cani-v.|y-expose-dry-v8|y-run-v8)": "kubectl's typed clients send protobuf, kubetrace JSON",
    r".*/(?:execcmd-v[89]|logs-v[89])|1\.37\.2/exec-v8": "what passes within a stream is in no log",
    r".*/(?:explain(?:-v2)?-v8|x-diff-v6)": "the server's OpenAPI document is not in the log",
    r".*/create-secret-v8": "kubetrace masks what a Secret holds",
    r".*/cfgview-v9": "the kubeconfig of the recording had other entries",
    r".*/y-edit-noop-v6": "edit had other words for an object that is not there",
    r"1\.20\.2/(?:x-describe|x-explain|y-top)-v6|1\.20\.2/y-replace-v8": "other calls in 1.20, too",
    r".*/x-nlbefore1024-.*": "the log has only a part of the body",
    r".*/x-many-v0": "four hundred groups of which the log names one; tests/transport has the throttle",
    r"1\.37\.2/(?:apply|create)-.*": "the server's OpenAPI document has 1.6 MB and is not in the log",
    r"1\.37\.2/delete-.*": "deletion is watched, and a watch's events are in no log",
    r"1\.(?:2\d|30|31|32|33)\.\d+/(?:y-)?version-.*": "the skew that is warned of is the client's",
}
OLDER = ("1.33.1", "1.32.5", "1.31.9", "1.30.13", "1.29.14", "1.28.15", "1.27.16", "1.20.2")
CHOSEN = re.compile(
    r"get-pods-v(?:1|6|8|9|10)|get-pods-(?:cold|warm)-v(?:6|8|9)|get-pod-json-v(?:8|9)|missing-v.|retry.*|warn.*|redirect.*|odd-v8|bin-v8"
    r"|big-v9|imp-v8|create-v8|apply-v8|delete-v8|raw-v9|dead-v6|vmodule.*|secret-v8|x-(?:gz|chunked|redir|reset|html)-v8"
)
"""Of the older releases, whose words differ and not their calls, some captures of each kind; CAPTURES=all runs all."""
ALL = os.environ.get("CAPTURES") == "all"


def _captures(versions: tuple[str, ...]) -> list[Path]:
    found = [path for version in versions for path in sorted((CAPTURES / version).glob("*.log"))]
    found = [path for path in found if path.parent.name not in OLDER or ALL or CHOSEN.fullmatch(path.stem)]
    return [path for path in found if not NOT_HERE.match(path.stem)]


def _id(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@dataclass(frozen=True)
class Servers:
    tls: ScriptedServer
    plain: ScriptedServer
    ports: Ports
    certificates: Path


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    with serving(folder / "server.pem") as tls, serving() as plain:
        yield Servers(tls, plain, Ports(tls.port, plain.port, free_port()), folder)


def _replayed(capture: Capture, servers: Servers, home: Path) -> Run:
    container = {"name": "c", "image": "nginx:1.25"}
    configure(home, servers.certificates, servers.ports, [] if capture.version in RECORDED_HERE else [container])
    script = Script(capture)
    servers.tls.script = servers.plain.script = script
    argv = argv_of(capture, servers.ports)
    environ = environment_of(home, **environ_of(capture, home))
    filling = warm_up(capture, argv)
    if filling is not None:
        run(filling, environ)
    script.unexpected.clear()
    got = run([f"--like={capture.like}", *argv], environ)
    assert script.unexpected == []
    return got


def _recorded_stderr(capture: Capture) -> bytes:
    data = (CAPTURES / capture.version / f"{capture.name}.log").read_bytes()
    match = re.search(rb"\n--- stderr\n(.*?)^--- stdout\n", data, re.DOTALL | re.MULTILINE)
    assert match is not None
    return match[1]


def _stdout(text: bytes, capture: Capture, own_bodies: bool) -> bytes:
    """stdout without what names the program's own version; ages, too, where the body came from another capture."""
    text = text.replace(b" from default namespace", b"")  # kubectl's from 1.34 on
    text = re.sub(rb"(?m)^Kustomize Version: .*\n|(?<=^Client Version: ).*", b"", text)
    return text if own_bodies else re.sub(rb"(?m) +\d+[smhd]$|^(\w+ .*AGE)$", rb"\1", text)


@pytest.fixture(autouse=True)
def _nothing_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name is looked up but localhost, and the clock of the recordings is UTC or as they say."""
    real = socket.getaddrinfo

    def look_up(host: str, *rest: object, **more: object) -> object:
        if host not in ("localhost", "127.0.0.1"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real("127.0.0.1", *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def _needs_nobody_on_8080(capture: Capture) -> None:
    if any(b"localhost:8080" in entry.message for entry in capture.entries):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", 8080)) == 0:
                pytest.skip("somebody listens on port 8080, the default server of a missing kubeconfig")


@pytest.mark.parametrize("path", _captures(("1.36.4", "1.37.2", *OLDER)), ids=_id)
def test_log_stdout_and_exit_code_are_kubectls(
    path: Path, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pattern, reason in EXCEPTIONS.items():
        if re.fullmatch(pattern, _id(path)):
            pytest.skip(reason)
    capture = load(path)
    _needs_nobody_on_8080(capture)
    monkeypatch.chdir(tmp_path)
    got = _replayed(capture, servers, tmp_path)
    ports = servers.ports
    names = {ports.tls: tls_port(capture.version), ports.plain: PLAIN_PORT, ports.dead: DEAD_PORT}
    theirs = re.sub(rb"c3VwZXJzZWNyZXQ=|c2VjcmV0", b"<masked:1>", _recorded_stderr(capture))
    assert normalized(got.stderr, names, str(tmp_path)) == normalized(theirs, {}, "/nowhere")
    own = all(answer.body is not None for _, answer in answers_of(capture)) and bool(answers_of(capture))
    assert _stdout(got.stdout, capture, own) == _stdout(capture.stdout, capture, own)
    assert got.exit_code == capture.exit_code
