"""kubetrace as a process of its own, with a kubeconfig, a home and a runtime folder of the test's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

KUBETRACE = [sys.executable, "-m", "kubetrace"]


class Program:
    """Runs kubetrace; everything it could leave behind lies below `folder`."""

    def __init__(self, folder: Path, kubeconfig: Path | str) -> None:
        self.folder = folder
        self.runtime = folder / "run"
        self.home = folder / "home"
        for each in (self.runtime, self.home):
            each.mkdir(mode=0o700, exist_ok=True)
        self.environ = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "KUBECONFIG": str(kubeconfig),
        }

    def run(
        self, *words: str, environ: dict[str, str] | None = None, stdin: str | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*KUBETRACE, *words],
            env={**self.environ, **(environ or {})},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *words: str, environ: dict[str, str] | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*KUBETRACE, *words],
            env={**self.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_as_in_a_terminal,
        )

    def left_behind(self) -> list[str]:
        """What is still there of runs that are over."""
        return [str(path.relative_to(self.runtime)) for path in self.runtime.glob("kubetrace/*")]


def _as_in_a_terminal() -> None:
    """Tests that run under nohup have SIGHUP ignored, which no shell below could trap then."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


ASK = """
import base64, http.client, json, os, pathlib, re, ssl, sys
text = pathlib.Path(os.environ["KUBECONFIG"]).read_text()
server = re.search(r"server: https://(\\S+)", text)[1]
token = re.search(r"token: (\\S+)", text)[1]
authority = base64.b64decode(re.search(r"certificate-authority-data: (\\S+)", text)[1]).decode()
connection = http.client.HTTPSConnection(server, context=ssl.create_default_context(cadata=authority))
def ask(method, path, body=None, **headers):
    connection.request(method, path, body, {"Authorization": "Bearer " + token, **headers})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()
"""
"""The beginning of a small client in Python: `ask(method, path, body)`, as the kubeconfig's first user."""


def asking(code: str) -> list[str]:
    """A command line for a small client."""
    return [sys.executable, "-c", ASK + code]
