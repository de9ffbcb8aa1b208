"""`trace curl`, with --httpie and --python: the scripts run against the server and do what the command did."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kubetrace.playground.manager import Playground
from tests.conftest import Outcome
from tests.playground.conftest import Client

Run = Callable[..., Outcome]

DOCUMENTS = [
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"text": "it's $HOME `id`\nEND\n"}},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two"}, "data": {"a": "☃ héé"}},
]
LANGUAGES = {"": "curl", "--httpie": "http", "--python": ""}


def shell(folder: Path, playground: Playground) -> dict[str, str]:
    """An environment in which `kubetrace` is this program."""
    programs = folder / "bin"
    programs.mkdir()
    program = programs / "kubetrace"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m kubetrace "$@"\n')
    program.chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(folder), "TMPDIR": str(folder), "KUBECONFIG": str(playground.kubeconfig)}


@pytest.mark.parametrize("context", ["admin", "certificate"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_script_does_what_the_command_did(
    run: Run, server: Client, playground: Playground, namespace: str, tmp_path: Path, language: str, context: str
) -> None:
    program = LANGUAGES[language]
    if program and not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    (tmp_path / "all.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": DOCUMENTS}))
    trace = str(tmp_path / "t.jsonl")
    maps = f"/api/v1/namespaces/{namespace}/configmaps"
    flags = ["--context", context, "-n", namespace]
    assert run("apply", "-f", str(tmp_path / "all.json"), *flags, "--trace", trace).code == 0
    held = {name: server.get(f"{maps}/{name}")["data"] for name in ("one", "two")}
    for name in held:
        assert server.call("DELETE", f"{maps}/{name}")[0] == 200
    written = run("trace", "curl", trace, "--context", context, *([language] if language else []))
    assert written.code == 0, written.err
    assert server.token not in written.out and "PRIVATE KEY" not in written.out
    command = [sys.executable, "-"] if language == "--python" else ["sh"]
    done = subprocess.run(
        command, input=written.out.encode(), env=shell(tmp_path, playground), capture_output=True, timeout=100,
        cwd=Path.cwd(), check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
    assert {name: server.get(f"{maps}/{name}")["data"] for name in held} == held
    assert not list(tmp_path.glob("tmp*"))
