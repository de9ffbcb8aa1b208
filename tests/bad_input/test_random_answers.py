"""Whatever a server answers, a command ends with an exit code and text, never with an exception."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubetrace import cli
from kubetrace.environment import Environment
from kubetrace.streams import Streams
from kubetrace.transport.call import Call, ClientMaker
from tests.bad_input.server import MANIFEST, WELL

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://played:1"}}]
contexts: [{name: x, context: {cluster: c}}]
current-context: x
"""
COMMANDS = {
    "get cm a": "GET /api/v1/namespaces/default/configmaps/a",
    "get cm -o json": "GET /api/v1/namespaces/default/configmaps",
    "get cm": "GET /api/v1/namespaces/default/configmaps",
    "apply --validate=false -f m.json": "GET /api/v1/namespaces/default/configmaps/a",
    "create --validate=false -f m.json": "POST /api/v1/namespaces/default/configmaps",
    "delete cm a --wait=false": "DELETE /api/v1/namespaces/default/configmaps/a",
    "api-resources": "GET /apis",
    "version": "GET /version",
}
KEYS = st.sampled_from(
    ["kind", "apiVersion", "metadata", "items", "rows", "cells", "columnDefinitions", "name", "status", "code",
     "reason", "message", "details", "causes", "versions", "resources", "spec", "annotations", "labels",
     "object", "finalizers"]
)  # fmt: skip
WORDS = st.sampled_from(["v1", "Table", "List", "ConfigMap", "Status", "Failure", "Success", "a", "meta.k8s.io/v1", ""])
NUMBERS = st.integers(-(2**65), 2**65) | st.floats(allow_nan=False)
LEAVES = st.none() | st.booleans() | NUMBERS | WORDS | st.text(max_size=5)
SHAPES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=12
)
KINDED = st.builds(
    lambda kind, rest: {**rest, "kind": kind, "apiVersion": "meta.k8s.io/v1" if kind == "Table" else "v1"},
    st.sampled_from(["Table", "List", "ConfigMap", "Status", "APIGroupDiscoveryList", "APIGroupList"]),
    st.dictionaries(KEYS, SHAPES, max_size=5),
)
BODIES = st.binary(max_size=60) | (SHAPES | KINDED).map(lambda value: json.dumps(value).encode())
CODES = st.sampled_from([200, 201, 204, 400, 401, 403, 404, 406, 409, 410, 415, 422, 429, 500, 503])


class RandomAnswer:
    def __init__(self, call: Call, status: int, body: bytes, kind: str = "application/json") -> None:
        self.method, self.url, self.status, self.body, self._type = call.method, call.target(), status, body, kind

    def header(self, name: str) -> str | None:
        return self._type if name.lower() == "content-type" else None

    def chunks(self) -> Iterator[bytes]:
        yield self.body

    def close(self) -> None:
        pass


class RandomServer:
    server = "http://played:1"

    def __init__(self, failing: str, status: int, body: bytes) -> None:
        self._failing, self._status, self._body = failing, status, body

    def another(self, maker: ClientMaker) -> RandomServer:
        return self

    def send(self, call: Call) -> RandomAnswer:
        request = f"{call.method} {call.path}"
        if request == self._failing:
            return RandomAnswer(call, self._status, self._body)
        well = WELL.get(request)
        if well is None:
            return RandomAnswer(call, 404, b"")
        head, _, body = well.partition(b"\r\n\r\n")
        kind = head.partition(b"Content-Type: ")[2].partition(b"\r\n")[0].decode()
        return RandomAnswer(call, 200, body, kind)

    def close(self) -> None:
        pass


def run(line: str, home: Path, server: Any) -> tuple[int, str, str]:
    (home / "config").write_text(KUBECONFIG)
    (home / "m.json").write_text(MANIFEST)
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape") for _ in range(2))
    environment = Environment(Streams(io.BytesIO(), out, err), {"HOME": str(home), "KUBECONFIG": str(home / "config")})
    environment.__dict__["client"] = server
    code = cli.main([word.replace("m.json", str(home / "m.json")) for word in line.split()], environment)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode("utf-8", "replace"))  # type: ignore[attr-defined]
    return code, texts[0], texts[1]


@pytest.mark.parametrize("line", COMMANDS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(status=CODES, body=BODIES)
def test_any_answer_ends_in_text(line: str, tmp_path: Path, status: int, body: bytes) -> None:
    code, _, err = run(line, tmp_path, RandomServer(COMMANDS[line], status, body))
    assert code in (0, 1)
    assert "Traceback" not in err
    assert code == 0 or err


class Stumbling(RandomServer):
    def send(self, call: Call) -> RandomAnswer:
        raise AttributeError("secret of the user")


def test_an_unforeseen_shape_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Environment, "debug", False)
    code, _, err = run("version", tmp_path, Stumbling("", 200, b""))
    assert code == 1
    assert err.count("\n") == 1 and err.startswith("error: unexpected input: AttributeError at test_random_answers.py:")
    assert "secret of the user" not in err


def test_with_debug_it_is_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match="secret of the user"):
        run("version", tmp_path, Stumbling("", 200, b""))
