"""A run without -v loads no log until there is something to write."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kubetrace.trace.dialects.notes import NOTES
from kubetrace.trace.exchange import CacheHit, Event, Note, Request, Throttled, WarningReceived
from kubetrace.trace.quiet import AUDIBLE_NOTES, QuietLog, is_audible


def test_audible_notes_are_those_that_some_release_writes_without_v() -> None:
    written = {
        name
        for name, spec in NOTES.items()
        if any((spec.level if line.level is None else line.level) <= 0 for line in spec.lines.values())
    }
    assert written == AUDIBLE_NOTES


@pytest.mark.parametrize(
    ("event", "audible"),
    [
        (WarningReceived("old"), True),
        (Throttled(1, Request("GET", "/"), 1.5), True),
        (Throttled(1, Request("GET", "/"), 0.5), False),
        (Note("group-list-failed", {"error": "x"}), True),
        (Note("config-loaded", {"path": "x"}), False),
        (CacheHit("x"), False),
    ],
)
def test_what_is_audible(event: Event, audible: bool) -> None:
    assert is_audible(event) is audible


def test_the_log_is_made_once_and_only_when_needed() -> None:
    heard: list[Event] = []
    made: list[int] = []

    def make() -> object:
        made.append(1)
        return heard.append

    log = QuietLog(make)  # type: ignore[arg-type]
    log(Note("config-loaded", {"path": "x"}))
    assert made == []
    log(WarningReceived("one"))
    log(WarningReceived("two"))
    assert made == [1] and len(heard) == 2


@pytest.mark.parametrize("words", [["version", "--client"], ["config", "current-context"], ["config", "view"]])
def test_commands_without_calls_load_no_log(words: list[str], tmp_path: object) -> None:
    program = (
        "import sys; from kubetrace.cli import main; main(sys.argv[1:]);"
        "sys.exit(9 if any(name.startswith(('kubetrace.trace.klog', 'kubetrace.trace.dialects.notes'))"
        " for name in sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        env={"HOME": str(tmp_path), "PATH": ""},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
