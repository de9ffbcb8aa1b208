"""`config current-context` (kubectl pkg/cmd/config/current_context.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command, NoOptions
from kubetrace.commands.config.common import sources
from kubetrace.errors import KubetraceError
from kubetrace.kubeconfig.loader import starting_config

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: NoOptions, arguments: Arguments) -> None:
    config = starting_config(sources(environment))
    if not config.current_context:
        raise KubetraceError("current-context is not set")
    environment.stdout.write(f"{config.current_context}\n")


COMMAND = Command(
    run=run,
    usage="config current-context [flags] [options]",
    description="Print the name of the current context.",
    examples="""
    # Which context is in use?
    kubetrace config current-context
    """,
)
