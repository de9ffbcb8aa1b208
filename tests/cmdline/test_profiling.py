"""--profile: what each kind leaves behind can be read with the tool that its help names."""

from __future__ import annotations

import pstats
import tracemalloc
from pathlib import Path

import pytest

from tests.conftest import Kubetrace


def test_cpu_is_read_by_pstats(kubetrace: Kubetrace, tmp_path: Path) -> None:
    path = tmp_path / "cpu"
    assert kubetrace("version", "--client", "--profile=cpu", f"--profile-output={path}").code == 0
    functions = pstats.Stats(str(path)).get_stats_profile().func_profiles
    assert "run" in functions


@pytest.mark.parametrize("name", ["heap", "allocs"])
def test_heap_is_read_by_tracemalloc(name: str, kubetrace: Kubetrace, tmp_path: Path) -> None:
    path = tmp_path / name
    assert kubetrace("api-resources", "-s=127.0.0.1:1", f"--profile={name}", f"--profile-output={path}").code == 1
    assert tracemalloc.Snapshot.load(str(path)).statistics("lineno")


def test_goroutine_has_the_stacks_of_all_threads(kubetrace: Kubetrace, tmp_path: Path) -> None:
    path = tmp_path / "threads"
    assert kubetrace("version", "--client", "--profile=goroutine", f"--profile-output={path}").code == 0
    assert "Current thread" in path.read_text() and "in main" in path.read_text()


@pytest.mark.parametrize(
    ("name", "output", "words"),
    [
        ("block", "x", "error: profile 'block' needs the Go runtime"),
        ("foo", "x", "error: unknown profile 'foo'\n"),
        ("", "x", "error: unknown profile ''\n"),
        ("cpu", "/nowhere/x", "error: open /nowhere/x: no such file or directory\n"),
    ],
)
def test_what_cannot_be_profiled_is_told_first(name: str, output: str, words: str, kubetrace: Kubetrace) -> None:
    found = kubetrace("version", "--client", f"--profile={name}", f"--profile-output={output}")
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith(words) and found.err.count("\n") == 1
