"""Bad input of every kind: stdout, stderr and exit code are those that the real kubectl had in the same situation
(golden/kubectl.json, recorded by tests/tools/record_bad_input.py), except for what differences.py lists."""

from __future__ import annotations

import io
import json
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetrace import cli
from kubetrace.streams import Streams
from tests.bad_input.cases import Case, cases, normal
from tests.bad_input.differences import DIFFERENCES
from tests.bad_input.server import TOKEN, BadServer, answers, authority, door
from tests.end_to_end.program import Impatient

GOLDEN = json.loads((Path(__file__).parent / "golden" / "kubectl.json").read_text())["cases"]
CASES = {case.name: case for case in cases()}
SHARE = 1 if os.environ.get("BAD_INPUT") == "all" else 4
"""Every fourth case is enough for each day; BAD_INPUT=all runs them all."""
CHOSEN = [name for name in CASES if zlib.crc32(name.encode()) % SHARE == 0]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BadServer, bytes]]:
    """One server in the clear for all cases that need nothing else, and the kubeconfig that leads to it."""
    home = tmp_path_factory.mktemp("plain")
    with door("http", home) as server:
        yield server, (home / ".kube" / "config").read_bytes()


def run(case: Case, home: Path) -> dict[str, Any]:
    for name, data in case.files.items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_bytes(data)
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape", "\n") for _ in range(2))
    environ = {"HOME": str(home), "PATH": os.environ.get("PATH", ""), "TZ": "UTC", "KUBETRACE_LIKE": "1.36"}
    code = cli.main(case.words, Impatient(Streams(io.BytesIO(case.stdin), out, err), environ))
    texts = []
    for stream in (out, err):
        stream.flush()
        data: bytes = stream.buffer.getvalue()  # type: ignore[attr-defined]
        assert TOKEN not in data.decode("utf-8", "replace")
        texts.append(normal(data.decode("utf-8", "backslashreplace"), home))
    return {"words": list(case.words), "code": code, "stdout": texts[0], "stderr": texts[1]}


def differs(name: str) -> bool:
    return any(re.fullmatch(pattern, name) for pattern in DIFFERENCES)


def outcome(case: Case, home: Path, plain: tuple[BadServer, bytes]) -> dict[str, Any]:
    if case.door != "http":
        with door(case.door, home) as server:
            server.be(case.fault, answers(server)[case.answer] if case.answer else b"")
            return run(case, home)
    server, config = plain
    (home / ".kube").mkdir()
    (home / ".kube" / "config").write_bytes(config)
    (home / "ca.pem").write_bytes(authority().pem)
    server.be(case.fault, answers(server)[case.answer] if case.answer else b"")
    return run(case, home)


@pytest.mark.parametrize("name", CHOSEN)
def test_says_what_kubectl_says(
    name: str, tmp_path: Path, plain: tuple[BadServer, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    case = CASES[name]
    found, told = outcome(case, tmp_path, plain), GOLDEN[name]
    if differs(name):
        assert found["code"] in (0, 1)
        assert found["stderr"].count("\n") <= 1
        return
    assert found == {**told, "stdout": normal(told["stdout"], tmp_path), "stderr": normal(told["stderr"], tmp_path)}


def test_every_difference_has_a_case() -> None:
    for pattern in DIFFERENCES:
        assert any(re.fullmatch(pattern, name) for name in CASES), pattern
