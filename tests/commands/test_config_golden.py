"""Every `config` command against what the real kubectl did: stdout, stderr, exit code, and the files it wrote."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from kubetrace.cli import main
from kubetrace.environment import Environment
from kubetrace.streams import Streams
from tests.tools.config_cases import CASES, Case
from tests.tools.record_config import GOLDEN, changed_files, prepare

RECORDED: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))["cases"]
PANICS = {name for name, case in RECORDED.items() if case["stderr"] == "(panic)"}
"""Where kubectl itself crashes: there is nothing to be equal to, but kubetrace says something in one line."""


class _Text(io.TextIOWrapper):
    """A stream that keeps what was written to it."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", errors="surrogateescape", newline="\n")

    def text(self) -> str:
        self.flush()
        data: bytes = self.buffer.getvalue()  # type: ignore[attr-defined]
        return data.decode()


def run(argv: list[str], environ: dict[str, str]) -> tuple[int, str, str]:
    out, err = _Text(), _Text()
    code = main(argv, Environment(Streams(io.BytesIO(), out, err), environ))
    return code, out.text(), err.text()


def test_every_case_was_recorded() -> None:
    assert {case.name for case in CASES} == set(RECORDED)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_as_kubectl(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = RECORDED[case.name]
    environ = prepare(case, tmp_path)
    monkeypatch.chdir(tmp_path)
    code, out, err = run(["config", *case.argv], environ)
    found = {
        "argv": list(case.argv),
        "stdout": "(help)" if "\nUsage:\n" in out else out.replace(str(tmp_path), "$DIR"),
        "stderr": err.replace("kubetrace", "kubectl").replace(str(tmp_path), "$DIR"),
        "exit": code,
        "files": changed_files(case, tmp_path),
    }
    if case.name in PANICS:
        assert code in (0, 1) and err.count("\n") <= 1
    else:
        assert found == recorded
