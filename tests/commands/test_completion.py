"""Shell completion: the protocol, and the scripts in real shells."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kubetrace.cmdline.flags import bind
from kubetrace.commands.table import ROOT
from tests.conftest import Kubetrace

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: red
contexts:
- {name: red, context: {cluster: one, user: alice}}
- {name: rose, context: {cluster: two, user: bob}}
clusters:
- {name: one, cluster: {server: "https://127.0.0.1:1"}}
- {name: two, cluster: {server: "https://127.0.0.1:1"}}
users:
- {name: alice, user: {}}
- {name: bob, user: {}}
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG)
    return {"KUBECONFIG": str(path)}


@pytest.mark.parametrize(
    ("argv", "expected", "directive"),
    [
        (["apply", "--fi"], ["--field-manager", "--filename"], 4),
        (["--context", ""], ["red", "rose"], 4),
        (["--context", "ro"], ["rose"], 4),
        (["--context=re"], ["red"], 4),
        (["get", "--cluster", "t"], ["two"], 4),
        (["--user", "a"], ["alice"], 4),
        (["config", "use-context", "r"], ["red", "rose"], 4),
        (["config", "use-context", "red", ""], [], 4),
        (["config", "use-c"], ["use-context"], 4),
        (["completion", "z"], ["zsh"], 4),
        (["apply", "-f", ""], ["json", "yaml", "yml"], 8),
        (["playground", "up", "--seed-from", ""], [], 16),
        (["playground", "up", "--engine", "em"], ["embedded"], 4),
        (["--kubeconfig", ""], [], 0),
        (["vers"], ["version"], 4),
        (["version", "--client=false", "--out"], ["--output"], 4),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_candidates(
    kubetrace: Kubetrace, environ: dict[str, str], argv: list[str], expected: list[str], directive: int
) -> None:
    outcome = kubetrace("__completeNoDesc", *argv, environ=environ)
    *candidates, last = outcome.out.splitlines()
    assert (candidates, last) == (expected, f":{directive}")
    assert outcome.code == 0


def test_what_commands_declare_can_be_completed() -> None:
    """A misspelt kind would be taken for a list of types."""
    words = re.compile(r"(resources?(:[a-z,]+)?|names:[a-z]+|pods|pods-containers|pods-ports|files-in-pods|=[a-z,]+|)$")
    values = re.compile(r"(namespace|names:[a-z]+|containers|ext:[a-z,]+|any:[a-z,]+|=[A-Za-z,-]+|dir|file|)$")
    for path, entry in ROOT.walk():
        command = entry.load()
        if command is None:
            continue
        assert command.words in ("context", "cluster", "user") or words.match(command.words), path
        for bound in bind(command.options):
            assert values.match(bound.flag.completion), (path, bound.name)


def test_descriptions(kubetrace: Kubetrace) -> None:
    outcome = kubetrace("__complete", "vers")
    assert outcome.out.splitlines()[0] == "version\tPrint the versions of the client and of the server"


def test_commands_to_come_are_not_offered(kubetrace: Kubetrace) -> None:
    names = [line.partition("\t")[0] for line in kubetrace("__complete", "").out.splitlines()]
    assert "get" in names
    assert "options" not in names and "__complete" not in names


@pytest.fixture
def path_with_kubetrace(tmp_path: Path) -> str:
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "kubetrace"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kubetrace "$@"\n')
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def in_shell(argv: list[str], environ: dict[str, str], path: str) -> str:
    if shutil.which(argv[0]) is None:
        pytest.skip(f"no {argv[0]} here")
    env = {**os.environ, **environ, "PATH": path}
    done = subprocess.run(argv, capture_output=True, text=True, env=env, check=False, timeout=60)
    assert not done.stderr, done.stderr
    return done.stdout


def test_bash(environ: dict[str, str], path_with_kubetrace: str) -> None:
    script = """
    source <(kubetrace completion bash)
    COMP_LINE="kubetrace --context r"; COMP_POINT=${#COMP_LINE}; COMP_WORDS=(kubetrace --context r); COMP_CWORD=2
    __kubetrace_complete 2>/dev/null; printf '%s\n' "${COMPREPLY[@]}"
    """
    assert in_shell(["bash", "-c", script], environ, path_with_kubetrace).split() == ["red", "rose"]


def test_fish(environ: dict[str, str], path_with_kubetrace: str) -> None:
    script = "kubetrace completion fish | source; complete -C 'kubetrace --context r'"
    assert in_shell(["fish", "--no-config", "-c", script], environ, path_with_kubetrace).split() == ["red", "rose"]


def test_zsh_accepts_the_script(environ: dict[str, str], path_with_kubetrace: str) -> None:
    script = "autoload -Uz compinit && compinit -D -u; source <(kubetrace completion zsh); print ${_comps[kubetrace]}"
    assert in_shell(["zsh", "-f", "-c", script], environ, path_with_kubetrace).split() == ["_kubetrace"]
