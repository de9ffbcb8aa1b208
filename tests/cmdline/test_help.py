"""--help has kubectl's structure; every command and flag explains itself."""

from __future__ import annotations

import re

import pytest

from kubetrace.cmdline.flags import bind
from kubetrace.cmdline.global_options import KUBECTL_FLAGS, OWN_FLAGS
from kubetrace.cmdline.help import wrap_width
from kubetrace.commands.table import ROOT
from tests.conftest import Kubetrace

COMMANDS = list(ROOT.walk())
RUNNABLE = [(path, entry) for path, entry in COMMANDS if entry.module]


@pytest.mark.parametrize(
    ("path", "entry"), COMMANDS, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_sections_stand_in_kubectls_order(kubetrace: Kubetrace, path: tuple[str, ...], entry: object) -> None:
    outcome = kubetrace(*path, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    headings = re.findall(r"^(\w[\w ]*:)$", outcome.out, re.MULTILINE)
    order = ["Aliases:", "Examples:", "Available Commands:", "Options:", "Usage:"]
    assert headings == [heading for heading in order if heading in headings]
    assert outcome.out.endswith(
        'Use "kubetrace options" for a list of global command-line options (applies to all commands).\n'
    )
    assert f"  kubetrace {' '.join(path)}" in outcome.out.partition("\nUsage:\n")[2]
    assert kubetrace("help", *path).out == outcome.out
    assert kubetrace(*path, "-h").out == outcome.out


@pytest.mark.parametrize(
    ("path", "entry"), COMMANDS, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_every_command_has_a_line_and_flags_have_help(path: tuple[str, ...], entry: object) -> None:
    from kubetrace.cmdline.command import Entry

    assert isinstance(entry, Entry)
    assert entry.summary
    command = entry.load()
    assert command is not None or entry.children
    for flag in bind(command.options) if command else ():
        assert flag.flag.help or flag.flag.hidden, flag.name


def test_a_flag_as_kubectl_shows_it(kubetrace: Kubetrace) -> None:
    text = kubetrace("get", "--help").out
    assert re.search(r"^    -A, --all-namespaces=false:\n\t\S.*\n\n", text, re.MULTILINE)
    assert re.search(r"^    --chunk-size=500:\n\t\S", text, re.MULTILINE)
    assert re.search(r"^    -f, --filename=\[\]:\n\t\S", text, re.MULTILINE)
    assert re.search(r"^    -o, --output='':\n\t\S", text, re.MULTILINE)
    names = re.findall(r"^    (?:-\w, )?--([\w-]+)=", text, re.MULTILINE)
    assert names == sorted(names)


def test_the_root_lists_groups_and_own_commands_apart(kubetrace: Kubetrace) -> None:
    text = kubetrace().out
    groups = re.findall(r"^(\w.*Commands.*:)$", text, re.MULTILINE)
    assert groups == [
        "Basic Commands (Beginner):",
        "Basic Commands (Intermediate):",
        "Cluster Management Commands:",
        "Troubleshooting and Debugging Commands:",
        "Advanced Commands:",
        "Settings Commands:",
        "Tracing Commands (kubetrace only):",
        "Other Commands:",
    ]
    own = text.partition("Tracing Commands (kubetrace only):\n")[2].partition("\n\n")[0]
    assert "  playground " in own
    assert kubetrace("--help").out == text == kubetrace("help").out


def test_options_lists_every_global_flag(kubetrace: Kubetrace) -> None:
    text = kubetrace("options").out
    for flag in (*KUBECTL_FLAGS, *OWN_FLAGS):
        assert f"--{flag.name}=" in text
        assert flag.flag.help


def test_bad_flags_win_over_help(kubetrace: Kubetrace) -> None:
    assert kubetrace("get", "--foo", "--help").code == 1
    assert kubetrace("get", "--help=false", "--foo").code == 1


@pytest.mark.parametrize(("columns", "width"), [(None, None), (79, None), (80, 80), (99, 80), (100, 100), (250, 120)])
def test_wrapping_follows_the_terminal(columns: int | None, width: int | None) -> None:
    assert wrap_width(columns) == width
