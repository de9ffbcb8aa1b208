"""What `create KIND NAME` commands share: the name, the checks that kubectl makes first, the call, the printing
(kubectl pkg/cmd/create/create.go, CreateSubcommandOptions)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.commands.shared_options import GeneratedOptions
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.resources import Mapping
    from kubetrace.cmdline.command import Arguments
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment
    from kubetrace.printing.printers import Printer


def the_name(arguments: Arguments) -> str:
    """The one word before `--` (NameFromCommandArgs). Raises KubetraceError."""
    count = len(arguments.words) if arguments.dash is None else arguments.dash
    if count != 1:
        raise arguments.usage_error(f"exactly one NAME is required, got {count}")
    return arguments.words[0]


class Creation(Value):
    """One `create KIND NAME` on its way. `namespace` is that of the object, empty where argv names none."""

    environment: Environment
    options: GeneratedOptions
    name: str
    namespace: str
    strategy: DryRun
    directive: str
    printer: Printer

    def require_name(self) -> None:
        """Some commands refuse an empty name themselves, others leave that to the server."""
        if not self.name:
            raise KubetraceError("name must be specified")

    def create(self, value: dict[str, Any], mapping: Mapping, failure: str = "") -> None:
        """Sends the object unless this is a dry run of the client's, and prints it; `failure` begins the message of an
        error."""
        from kubetrace.api.last_applied import create_or_update
        from kubetrace.api.verbs import WriteOptions
        from kubetrace.commands.writing import DryRun, create_typed
        from kubetrace.wire.go_struct import typed

        made = typed(value)
        create_or_update(made, self.options.save_config)
        made = typed(made)
        if self.strategy is not DryRun.CLIENT:
            write = WriteOptions(self.options.field_manager, self.directive, self.strategy is DryRun.SERVER)
            namespace = self.environment.namespace if mapping.namespaced else ""
            made = create_typed(self.environment, mapping, namespace, made, write, failure=failure)
        self.printer.print(made, self.environment.stdout)


def prepare(
    environment: Environment,
    options: GeneratedOptions,
    arguments: Arguments,
    *,
    namespaced: bool = True,
    needs_kinds: bool = False,
) -> Creation:
    """The steps before a command's own checks; those that resolve kinds have a mapper before they have a client. Raises
    KubetraceError."""
    from kubetrace.commands import writing

    name = the_name(arguments)
    if needs_kinds:
        _ = environment.cluster.mapper
    else:
        environment.make_client()
    strategy = writing.dry_run(environment, options.dry_run)
    namespace = environment.namespace if namespaced and environment.namespace_given else ""
    if needs_kinds:
        environment.make_client()
    printer = writing.object_printer(environment, options, strategy.mark("created"))
    directive = writing.validation_directive(options.validate)
    return Creation(environment, options, name, namespace, strategy, directive, printer)
