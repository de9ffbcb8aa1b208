"""`config use-context` (kubectl pkg/cmd/config/use_context.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command, NoOptions
from kubetrace.commands.config.common import sources, wrong_arguments
from kubetrace.errors import KubetraceError
from kubetrace.kubeconfig.loader import starting_config
from kubetrace.kubeconfig.modify import modify
from kubetrace.value import replace
from kubetrace.wire.go_strconv import go_quote

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: NoOptions, arguments: Arguments) -> None:
    if len(arguments.words) != 1:
        raise wrong_arguments(environment, arguments)
    files = sources(environment)
    config = starting_config(files)
    name = arguments.words[0]
    if not name:
        raise KubetraceError("empty context names are not allowed")
    if name not in config.contexts:
        raise KubetraceError(f"no context exists with the name: {go_quote(name)}")
    modify(files, replace(config, current_context=name))
    environment.stdout.write(f"Switched to context {go_quote(name)}.\n")


COMMAND = Command(
    run=run,
    words="context",
    usage="config use-context CONTEXT_NAME [options]",
    description="Make a context the current one.",
    examples="""
    # Work with the cluster "minikube" from now on
    kubetrace config use-context minikube
    """,
)
