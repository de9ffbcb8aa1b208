"""Patterns as Go's filepath.Match and filepath.Glob read them (golang.org/src/path/filepath/match.go says how)."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubetrace.api.go_paths import glob
from kubetrace.errors import KubetraceError
from kubetrace.wire.go_match import matcher


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*", ".hidden", True),
        ("a*", "a/b", False),
        ("[^a-c]", "x", True),
        ("[^a-c]", "b", False),
        ("[!a]", "!", True),
        ("[!a]", "b", False),
        ("[a\\]]", "]", True),
        ("[b-a]", "a", False),
        ("[^b-a]", "a", True),
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("{a,b}", "a", False),
        ("?", "é", True),
    ],
)
def test_patterns(pattern: str, name: str, matches: bool) -> None:
    assert (matcher(pattern).fullmatch(name) is not None) is matches


@pytest.mark.parametrize("pattern", ["[", "[a", "[]a]", "[-a]", "[a-]", "[a-", "a\\", "x/[/y"])
def test_malformed_patterns(pattern: str) -> None:
    with pytest.raises(KubetraceError, match="syntax error in pattern"):
        glob(pattern)


def test_names_that_exist(tmp_path: Path) -> None:
    for name in (".hidden.yaml", "b.yaml", "a.yaml", "deep/c.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.removeprefix(f"{tmp_path}/") for path in (*glob(f"{tmp_path}/*.yaml"), *glob(f"{tmp_path}/*/*"))]
    assert found == [".hidden.yaml", "a.yaml", "b.yaml", "deep/c.yaml"]
