"""`config unset` (kubectl pkg/cmd/config/unset.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command, NoOptions
from kubetrace.commands.config.common import sources, wrong_arguments
from kubetrace.errors import KubetraceError
from kubetrace.kubeconfig.loader import starting_config
from kubetrace.kubeconfig.modify import modify
from kubetrace.kubeconfig.navigation import unset_value
from kubetrace.wire.go_strconv import go_quote

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: NoOptions, arguments: Arguments) -> None:
    if len(arguments.words) != 1:
        raise wrong_arguments(environment, arguments)
    name = arguments.words[0]
    if not name:
        raise KubetraceError("you must specify a property")
    files = sources(environment)
    modify(files, unset_value(starting_config(files), name), relativize=False)
    environment.stdout.write(f"Property {go_quote(name)} unset.\n")


COMMAND = Command(
    run=run,
    usage="config unset PROPERTY_NAME [options]",
    description="""
    Remove a single value, or a whole entry, from the kubeconfig.

    PROPERTY_NAME is a path of names with dots between them: sections, entries and fields.
    """,
    examples="""
    # No current context any more
    kubetrace config unset current-context

    # No namespace in the context "foo"
    kubetrace config unset contexts.foo.namespace
    """,
)
