"""`trace rbac`: the permissions that a trace's requests need, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.trace_source import FilterOptions, exchanges

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class RBACOptions(FilterOptions):
    name: str = flag("from-trace", help="The name of the roles.")
    bind_to: str = flag("", help="Bind the roles too: user:NAME, group:NAME or serviceaccount:NAMESPACE:NAME.")


def run(environment: Environment, options: RBACOptions, arguments: Arguments) -> None:
    from kubetrace.trace.views.rbac import render

    for piece in render(exchanges(environment, options, arguments.words), options.name, options.bind_to):
        environment.stdout.write(piece)


COMMAND = Command(
    run=run,
    usage="trace rbac [FILE|FOLDER|-|last …] [--name NAME] [--bind-to SUBJECT] [flags] [options]",
    description="""
    Print the smallest Roles and ClusterRole that allow a trace's requests. Comments say which request needs each rule.

    Run a program once with enough rights and a trace, then give it these.
    """,
    options=RBACOptions,
    examples="""
    # What a deploy script needs
    kubetrace trace rbac "$KUBETRACE_TRACE" --name deployer --bind-to serviceaccount:ci:deployer
    """,
)
