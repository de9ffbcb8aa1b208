"""Plugins: found and run as kubectl 1.36 finds and runs them (its words and exit codes, seen by hand)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubetrace.cmdline.plugins import find_plugin
from tests.conftest import Kubetrace

SCRIPT = '#!/bin/sh\necho "$0" "$@"\necho "$MARK" >&2\nexit 3\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("kubectl-foo", "kubectl-foo-bar_baz", "kubectl-create-thing", "kubectl-get"):
        (folder / name).write_text(SCRIPT)
        (folder / name).chmod(0o755)
    (folder / "kubectl-data").write_text("no program")
    return folder


@pytest.mark.parametrize(
    ("argv", "name", "rest"),
    [
        (["foo"], "kubectl-foo", []),
        (["foo", "a", "-x"], "kubectl-foo", ["a", "-x"]),
        (["foo", "bar-baz", "--y", "z"], "kubectl-foo-bar_baz", ["--y", "z"]),
        (["foo", "--y", "bar-baz"], "kubectl-foo", ["--y", "bar-baz"]),
    ],
)
def test_the_longest_name_wins(folder: Path, argv: list[str], name: str, rest: list[str]) -> None:
    assert find_plugin(argv, {"PATH": str(folder)}) == (str(folder / name), rest)


def test_what_is_no_program_is_no_plugin(folder: Path) -> None:
    assert find_plugin(["data"], {"PATH": str(folder)}) is None
    assert find_plugin(["--flag", "foo"], {"PATH": str(folder)}) is None
    assert find_plugin(["create", "other"], {"PATH": str(folder)}, 2) is None


def run(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder), "MARK": "kept"}
    words = [sys.executable, "-m", "kubetrace", *argv]
    return subprocess.run(words, capture_output=True, text=True, env=environ, check=False)


@pytest.mark.parametrize(
    ("argv", "output"),
    [
        (["foo", "a b", "-v=6"], "kubectl-foo a b -v=6\n"),
        (["create", "thing", "-f", "x"], "kubectl-create-thing -f x\n"),
    ],
)
def test_a_plugin_takes_the_place_of_the_command(folder: Path, argv: list[str], output: str) -> None:
    done = run(folder, *argv)
    assert (done.returncode, done.stdout, done.stderr) == (3, f"{folder}/{output}", "kept\n")


def test_commands_of_ours_are_no_plugins(folder: Path) -> None:
    done = run(folder, "get", "--nope")
    assert (done.returncode, done.stdout) == (1, "")


def test_the_list_says_what_is_wrong(kubetrace: Kubetrace, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "kubectl-foo").write_text(SCRIPT)
    done = kubetrace("plugin", "list", environ={"PATH": f"{folder}:{other}:{tmp_path}/none"})
    files = ["create-thing", "data", "foo", "foo-bar_baz", "get"]
    listed = [*(f"{folder}/kubectl-{name}" for name in files), f"{other}/kubectl-foo"]
    assert done.code == 1
    assert done.out.splitlines() == ["The following compatible plugins are available:", "", *listed]
    assert done.err.splitlines() == [
        f'Unable to read directory "{tmp_path}/none" from your PATH: open {tmp_path}/none: no such file or directory. '
        "Skipping...",
        '  - warning: kubectl-create-thing overwrites existing command: "kubetrace create"',
        f"  - warning: {folder}/kubectl-data identified as a kubectl plugin, but it is not executable",
        '  - warning: kubectl-get overwrites existing command: "kubetrace get"',
        f"  - warning: {other}/kubectl-foo identified as a kubectl plugin, but it is not executable",
        f"  - warning: {other}/kubectl-foo is overshadowed by a similarly named plugin: {folder}/kubectl-foo",
        "error: 5 plugin warnings were found",
    ]


def test_names_alone(kubetrace: Kubetrace, folder: Path) -> None:
    done = kubetrace("plugin", "list", "--name-only", environ={"PATH": str(folder)})
    assert done.out.splitlines()[2:] == [f"kubectl-{n}" for n in ("create-thing", "data", "foo", "foo-bar_baz", "get")]


def test_no_plugins_is_an_error(kubetrace: Kubetrace, tmp_path: Path) -> None:
    done = kubetrace("plugin", "list", environ={"PATH": str(tmp_path)})
    assert (done.code, done.err) == (1, "error: unable to find any kubectl plugins in your PATH\n")
