"""Completion of plugins and of what stands behind their names (kubectl pkg/cmd/plugin/plugin_completion.go)."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Entry
from kubetrace.commands.complete import DEFAULT, Answer, Candidate

if TYPE_CHECKING:
    from kubetrace.environment import Environment

Tree = dict[str, "Tree"]
"""Plugins' commands by name, each with those below it: kubectl-foo-bar is "bar" below "foo"."""


def plugin_commands(environment: Environment, root: Entry, typed: str) -> list[Candidate]:
    """The commands that plugins add to the first level."""
    return _offered([name for name in _tree(environment) if root.child(name) is None], typed)


def plugin_answer(environment: Environment, root: Entry, argv: list[str]) -> Answer | None:
    """For a command line that begins with a plugin's name; None for any other."""
    *before, typed = argv
    if not before or before[0].startswith("-") or root.child(before[0]) is not None:
        return None
    environment.stderr.write("[Debug] Cleared global flags for plugin completion\n")
    here, path = _tree(environment), ["kubectl"]
    rest = list(before)
    while rest and rest[0] in here:
        here = here[rest[0]]
        path.append(rest.pop(0))
    if len(path) == 1:
        return None
    found = _offered(list(here), typed) if not rest else []
    answered, directive = _ask(environment, "-".join(word.replace("-", "_") for word in path), [*rest, typed])
    return [*found, *answered], directive


def _offered(names: list[str], typed: str) -> list[Candidate]:
    return [
        (name, f"The command {name} is a plugin installed by the user")
        for name in sorted(names)
        if name.startswith(typed)
    ]


def _tree(environment: Environment) -> Tree:
    from kubetrace.cmdline.plugins import plugin_files

    root: Tree = {}
    for file in plugin_files(environment.environ, lambda text: None):
        here = root
        for part in os.path.basename(file).split("-")[1:]:  # noqa: PTH119
            here = here.setdefault(part.replace("_", "-"), {})
    return root


def _ask(environment: Environment, plugin: str, arguments: list[str]) -> Answer:
    """What the program kubectl_complete-NAME offers: a line each, the last one may be a directive (":4")."""
    name = plugin.replace("-", "_complete-", 1)
    environment.stderr.write(f"[Debug] About to look for: {name}\n")
    program = shutil.which(name, path=environment.environ.get("PATH", ""))
    if program is None:
        environment.stderr.write(f"[Debug] Plugin {plugin} does not provide a matching completion executable\n")
        return [], DEFAULT
    environment.stderr.write(f"[Debug] About to call: {program} {' '.join(arguments)}\n")
    environment.stderr.flush()
    done = subprocess.run(
        [program, *arguments], stdout=subprocess.PIPE, env=dict(environment.environ), check=False, errors="replace"
    )
    lines = [line for line in done.stdout.split("\n") if line] if done.returncode == 0 else []
    directive = DEFAULT
    if lines and lines[-1].startswith(":") and lines[-1][1:].isdigit():
        directive = int(lines.pop()[1:])
    pairs = (line.split("\t", 1) for line in lines)
    return [(pair[0].strip(), pair[-1].strip() if len(pair) > 1 else "") for pair in pairs], directive
