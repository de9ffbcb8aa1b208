"""The rooms' walls: imports point one way, and light commands stay light."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("requests", "urllib3", "rich", "ruamel.yaml", "msgspec", "cryptography", "h11", "ssl")


def modules_after(*argv: str) -> set[str]:
    code = f"""
import io, sys
from kubetrace.cli import main
from kubetrace.environment import Environment
from kubetrace.streams import Streams
streams = Streams(io.BytesIO(), io.StringIO(), io.StringIO())
assert main({list(argv)!r}, Environment(streams, {{"HOME": "/nonexistent"}})) == 0, streams.stderr.getvalue()
print("\\n".join(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "argv", [["version", "--client"], ["version", "--client", "-o", "json"], ["options"], ["--help"], []]
)
def test_light_commands_import_nothing_heavy(argv: list[str]) -> None:
    loaded = modules_after(*argv)
    assert "kubetrace.cli" in loaded
    assert not loaded.intersection(HEAVY)


def test_imports_follow_the_rooms() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "importlinter.cli", "lint", "--no-cache"], capture_output=True, text=True, check=False
    )
    if "No module named" in done.stderr:
        done = subprocess.run(["lint-imports", "--no-cache"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
