"""What the `config` subcommands share: the files they work on, and the complaint about wrong arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments
from kubetrace.errors import KubetraceError
from kubetrace.kubeconfig.loader import Sources

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def sources(environment: Environment) -> Sources:
    """The files that this run reads and writes."""
    return Sources.of(environment.environ, environment.kubeconfig_path, environment.note)


def show_help(environment: Environment, arguments: Arguments) -> None:
    """The command's own help on stdout, as kubectl prints it before some complaints."""
    from kubetrace.cmdline.help import command_help
    from kubetrace.commands.table import ROOT

    path = []
    entry = ROOT
    for name in arguments.path:
        found = entry.child(name)
        assert found is not None
        path.append(found)
        entry = found
    environment.stdout.write(command_help(tuple(path), entry.load(), environment.help_width))


def wrong_arguments(environment: Environment, arguments: Arguments, word: str = "Unexpected") -> KubetraceError:
    """Help on stdout, then "error: Unexpected args: [a b]" (helpErrorf)."""
    show_help(environment, arguments)
    return KubetraceError(f"{word} args: [{' '.join(arguments.words)}]")
