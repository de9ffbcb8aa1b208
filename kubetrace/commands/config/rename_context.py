"""`config rename-context` (kubectl pkg/cmd/config/rename_context.go)."""

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
    if len(arguments.words) != 2:
        raise wrong_arguments(environment, arguments)
    old, new = arguments.words
    if not new:
        raise KubetraceError("You must specify a new non-empty context name")
    files = sources(environment)
    config = starting_config(files)
    where = files.default_file()
    if old not in config.contexts:
        raise KubetraceError(f"cannot rename the context {go_quote(old)}, it's not in {where}")
    if new in config.contexts:
        raise KubetraceError(
            f"cannot rename the context {go_quote(old)}, the context {go_quote(new)} already exists in {where}"
        )
    contexts = {new if name == old else name: context for name, context in config.contexts.items()}
    current = new if config.current_context == old else config.current_context
    modify(files, replace(config, contexts=contexts, current_context=current))
    environment.stdout.write(f"Context {go_quote(old)} renamed to {go_quote(new)}.\n")


COMMAND = Command(
    run=run,
    words="context",
    usage="config rename-context CONTEXT_NAME NEW_NAME [options]",
    description="""
    Give the context CONTEXT_NAME the name NEW_NAME.

    When it is the current context, it stays the current one under its new name.
    """,
    examples="""
    # The context "old" shall be called "new"
    kubetrace config rename-context old new
    """,
)
