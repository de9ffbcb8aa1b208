"""`config get-contexts` (kubectl pkg/cmd/config/get_contexts.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.config.common import sources
from kubetrace.errors import KubetraceError, PlainError
from kubetrace.kubeconfig.loader import starting_config
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.environment import Environment
    from kubetrace.kubeconfig.sections import Config

_HEADERS = ("CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE")


class GetContextsOptions(Value):
    no_headers: bool = flag(False, help="Leave out the line of headers.")
    output: str = flag("", "o", help='Print as "name": the names only.')


def run(environment: Environment, options: GetContextsOptions, arguments: Arguments) -> None:
    if options.output not in ("", "name"):
        raise KubetraceError(
            f"--output {options.output} is not available in kubetrace config get-contexts;"
            " resetting to default output format"
        )
    config = starting_config(sources(environment))
    wanted = arguments.words or tuple(config.contexts)
    names = sorted(name for name in wanted if name in config.contexts)
    if options.output == "name":
        environment.stdout.write("".join(f"{name}\n" for name in names))
    else:
        _print_table(environment, config, names, not options.no_headers)
    _complain([name for name in wanted if name not in config.contexts])


def _print_table(environment: Environment, config: Config, names: list[str], headers: bool) -> None:
    from kubetrace.printing.tabwriter import TabWriter

    rows = ["\t".join(_HEADERS)] if headers else []
    for name in names:
        context = config.contexts[name]
        mark = "*" if name == config.current_context else " "
        rows.append("\t".join((mark, name, context.cluster, context.user, context.namespace)))
    table = TabWriter(environment.stdout)
    table.write("".join(f"{row}\n" for row in rows))
    table.flush()


def _complain(missing: list[str]) -> None:
    if len(missing) == 1:
        raise KubetraceError(f"context {missing[0]} not found")
    if missing:
        raise PlainError("\n".join(f"context {name} not found" for name in missing))


COMMAND = Command(
    run=run,
    options=GetContextsOptions,
    usage="config get-contexts [(-o|--output=)name)] [options]",
    description="Show the contexts of the kubeconfig, or those that are named.",
    examples="""
    # Every context, the current one marked
    kubetrace config get-contexts

    # One context
    kubetrace config get-contexts my-context
    """,
)
