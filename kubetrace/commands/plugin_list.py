"""`plugin list`: the plugins in PATH, and what is wrong with them (kubectl pkg/cmd/plugin)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import PROGRAM, Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.errors import PlainError, os_words
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class PluginListOptions(Value):
    name_only: bool = flag(False, help="Show only the plugins' names, not where they are.")


def run(environment: Environment, options: PluginListOptions, arguments: Arguments) -> None:
    from kubetrace.cmdline.plugins import plugin_files

    files = list(plugin_files(environment.environ, environment.stderr.write))
    problems = []
    if files:
        environment.stdout.write("The following compatible plugins are available:\n\n")
    else:
        problems.append("error: unable to find any kubectl plugins in your PATH")
    seen: dict[str, str] = {}
    count = 0
    for file in files:
        environment.stdout.write(f"{os.path.basename(file) if options.name_only else file}\n")  # noqa: PTH119
        for warning in _warnings(file, seen):
            environment.stdout.flush()
            environment.stderr.write(f"  - {warning}\n")
            count += 1
    if count:
        problems.append(f"error: {'one plugin warning was' if count == 1 else f'{count} plugin warnings were'} found")
    if problems:
        raise PlainError("\n".join(problems))


def _warnings(file: str, seen: dict[str, str]) -> list[str]:
    """Not executable, hidden by another of its name, or named as a command that is there already."""
    name = os.path.basename(file)  # noqa: PTH119
    warnings = []
    try:
        status = os.stat(file)  # noqa: PTH116
        if not os.path.isfile(file) or not status.st_mode & 0o111:  # noqa: PTH113
            warnings.append(f"warning: {file} identified as a kubectl plugin, but it is not executable")
    except OSError as error:
        words = os_words("stat", file, error)
        warnings.append(f"error: unable to identify {file} as an executable file: {words}")
    if name in seen:
        warnings.append(f"warning: {file} is overshadowed by a similarly named plugin: {seen[name]}")
    else:
        seen[name] = file
    existing = _command(name.split("-")[1:])
    if existing:
        warnings.append(f'warning: {name} overwrites existing command: "{existing}"')
    return warnings


def _command(words: list[str]) -> str:
    """The command that a plugin's words name; empty where there is none."""
    from kubetrace.cmdline.find import UnknownCommandError, find
    from kubetrace.cmdline.global_options import GLOBAL_FLAGS
    from kubetrace.commands.table import ROOT

    try:
        path, _, _ = find(ROOT, words, GLOBAL_FLAGS)
    except UnknownCommandError:
        return ""
    return " ".join((PROGRAM, *(entry.name for entry in path)))


COMMAND = Command(
    run=run,
    options=PluginListOptions,
    usage="plugin list",
    description="""
    List the plugins in PATH: programs whose names begin with "kubectl-".

    They are kubectl's own plugins, and kubetrace runs them as kubectl does.
    """,
    examples="""
    # All of them
    kubetrace plugin list

    # Only their names
    kubetrace plugin list --name-only
    """,
)
