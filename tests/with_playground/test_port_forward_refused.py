"""`port-forward` where the server makes no connection of it, or breaks one off: kubectl's words."""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from pathlib import Path

import pytest

from tests.conftest import Kubetrace
from tests.playground.conftest import kubectl_binary
from tests.with_playground import refusing
from tests.with_playground.forwarding import forwarding
from tests.with_playground.refusing import Behaviour, refused

STATUS = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": 'pods "web" is forbidden: no'}
_TUNNEL = '"SPDY/3.1+portforward.k8s.io"'
_FALLBACK = (
    "fallback_dialer.go:84] fallback to secondary dialer from primary dialer err: unable to upgrade streaming request: "
)
_POST = 'error sending request: Post "http://ADDRESS/api/v1/namespaces/default/pods/web/portforward": unexpected EOF'


def _spdy_vanishes(connection: socket.socket, method: str, fields: refusing.Fields) -> None:
    if refusing.is_websocket(fields):
        connection.sendall(refusing.answer("400 Bad Request", b"no", "text/plain"))


CASES: dict[str, tuple[Behaviour, list[str]]] = {
    "forbidden": (
        refused("403 Forbidden", json.dumps(STATUS).encode(), "application/json"),
        [
            _FALLBACK + 'pods "web" is forbidden: no',
            'error: error upgrading connection: unable to upgrade connection: pods "web" is forbidden: no',
        ],
    ),
    "broken": (
        refused("500 Internal Server Error", b"it broke\n"),
        [
            _FALLBACK + "websocket: bad handshake (500 Internal Server Error): it broke",
            "error: error upgrading connection: unable to upgrade connection: it broke",
        ],
    ),
    "empty": (
        refused("404 Not Found", b""),
        [
            _FALLBACK + "websocket: bad handshake (404 Not Found)",
            "error: error upgrading connection: unable to upgrade connection: empty server response",
        ],
    ),
    "no upgrade": (
        refused("200 OK", b"hello"),
        [
            _FALLBACK + "websocket: bad handshake (200 OK): hello",
            "error: error upgrading connection: unable to upgrade connection: hello",
        ],
    ),
    "another protocol": (
        refusing.another_protocol,
        [
            _FALLBACK + f'invalid protocol, expected one of [{_TUNNEL}], got "other"',
            'error: unable to negotiate protocol: client supports "portforward.k8s.io", server returned "other"',
        ],
    ),
    "no answer": (refusing.vanishes, ["error: error upgrading connection: unexpected EOF"]),
    "no answer to SPDY": (
        _spdy_vanishes,
        [
            _FALLBACK + "websocket: bad handshake (400 Bad Request): no",
            f"error: error upgrading connection: {_POST}",
        ],
    ),
    "goodbye": (refusing.says_goodbye, ["error: lost connection to pod"]),
    "breaks off": (refusing.breaks_off, ["error: lost connection to pod"]),
    "nonsense": (refusing.speaks_nonsense, ["error: lost connection to pod"]),
}


def _steady(err: str) -> list[str]:
    """The lines about the connection to the pod."""
    lines = [re.sub(r"^[IEW]\d{4} [0-9:.]+ +\d+ ", "", line) for line in err.splitlines()]
    lines = [re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", line) for line in lines]
    return [line for line in lines if line.startswith(("fallback", "error"))]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("program", ["kubetrace", "kubectl"])
def test_kubectls_words(program: str, name: str, tmp_path: Path) -> None:
    behaviour, expected = CASES[name]
    command = [sys.executable, "-m", "kubetrace"]
    if program == "kubectl":
        binary = kubectl_binary()
        if binary is None:
            pytest.skip("no kubectl-1.36 in KUBEBUILDER_ASSETS")
        command = [str(binary)]
    with refusing.refusing(behaviour) as url:
        words = [*command, "-s", url, "port-forward", "web", ":80", "--address=127.0.0.1", "-v=4"]
        environ = {"HOME": str(tmp_path), "KUBECONFIG": "", "KUBETRACE_LIKE": "1.36", "KUBETRACE_DEBUG": "1"}
        with forwarding(words, environ, lines=0) as running:
            running.end(None)
    assert (_steady(running.err), running.code) == (expected, 1)


def test_a_server_that_speaks_only_spdy(tmp_path: Path) -> None:
    with refusing.refusing(refusing.spdy_only) as url:
        words = [sys.executable, "-m", "kubetrace", "-s", url, "port-forward", "web", ":80", "--address=127.0.0.1"]
        with forwarding(words, {"HOME": str(tmp_path), "KUBECONFIG": ""}) as running:
            assert running.page() == b"a page over SPDY"
    assert (running.err, running.code) == ("", 0)


def test_nothing_is_left_behind(kubetrace: Kubetrace) -> None:
    before = threading.active_count()
    with refusing.refusing(refusing.says_goodbye) as url:
        outcome = kubetrace("-s", url, "port-forward", "web", ":80")
    assert (outcome.code, outcome.err) == (1, "error: lost connection to pod\n")
    names = [thread.name for thread in threading.enumerate() if "kubetrace" in thread.name]
    assert names == [] and threading.active_count() <= before + 3  # the server's own
