"""kubetrace against a server that answers as a recorded one did; what was not recorded is a fault of the test or of
kubetrace."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kubetrace import cli
from kubetrace.environment import Environment
from kubetrace.streams import Streams
from kubetrace.transport.call import Call, ClientMaker

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://played:1"}}]
users: [{name: u, user: {}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""


def by_accept(call: Call) -> str:
    """What an answer was recorded under: what was accepted, and the URL."""
    return f"{dict(call.headers)['Accept']} {call.target()}"


class PlayedAnswer:
    def __init__(self, call: Call, recorded: dict[str, Any]) -> None:
        self.method, self.url = call.method, "http://played:1" + call.target()
        self.status: int = recorded["status"]
        self._type = recorded["type"]
        self.body = base64.b64decode(recorded["base64"]) if "base64" in recorded else recorded["body"].encode()

    def header(self, name: str) -> str | None:
        return self._type if name.lower() == "content-type" else None

    def chunks(self) -> Iterator[bytes]:
        half = len(self.body) // 2
        yield self.body[:half]
        yield self.body[half:]

    def close(self) -> None:
        pass


class PlayedServer:
    """`discovery` and `answers` are recorded answers, by path and by what `key` makes of a call."""

    server = "http://played:1"

    def __init__(
        self, discovery: Mapping[str, Any], answers: Mapping[str, Any], key: Callable[[Call], str] = by_accept
    ) -> None:
        self._discovery = discovery
        self._answers = answers
        self._key = key
        self.calls: list[str] = []

    def another(self, maker: ClientMaker) -> PlayedServer:
        return self

    def send(self, call: Call) -> PlayedAnswer:
        if call.path in self._discovery:
            return PlayedAnswer(call, self._discovery[call.path])
        key = self._key(call)
        self.calls.append(key)
        return PlayedAnswer(call, self._answers[key])

    def close(self) -> None:
        pass


class Ran:
    """One command line against the played server, in this process."""

    def __init__(self, words: list[str], tmp_path: Path, server: PlayedServer) -> None:
        (tmp_path / "config").write_text(KUBECONFIG)
        out, err = io.StringIO(), io.StringIO()
        environ = {"HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "config")}
        environment = Environment(Streams(io.BytesIO(), out, err), environ)
        environment.__dict__["client"] = server
        self.code = cli.main(words, environment)
        self.stdout, self.stderr, self.calls = out.getvalue(), as_kubectl_says(err.getvalue()), server.calls


def as_kubectl_says(text: str) -> str:
    return text.replace("kubetrace", "kubectl")
