"""`set selector`: the pods that a service stands for (kubectl pkg/cmd/set/set_selector.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import (
    PrintOptions,
    dry_run,
    everything,
    field_manager,
    filename,
    local,
    record,
    recursive,
)
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.environment import Environment


class SelectorOptions(PrintOptions):
    all: bool = everything()
    dry_run: str = dry_run()
    field_manager: str = field_manager("kubectl-set")
    filename: tuple[str, ...] = filename()
    local: bool = local()
    record: bool = record()
    recursive: bool = recursive(True)
    resource_version: str = flag("", help="Change the service only if this is its version on the server.")

    @property
    def kustomize(self) -> str:
        """There is no -k."""
        return ""


def run(environment: Environment, options: SelectorOptions, arguments: Arguments) -> None:
    from kubetrace.api.labels import label_selector
    from kubetrace.api.metadata import set_field
    from kubetrace.api.selection import ONLY_LOCAL_FILES
    from kubetrace.commands import writing
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.selecting import load_namespace, select
    from kubetrace.commands.set.changes import looked_up, patch_of, send
    from kubetrace.commands.writing import DryRun

    recorder = Recorder.of(environment, options, options.record)
    strategy = writing.dry_run(environment, options.dry_run)
    objects = arguments.words[:-1]
    wanted = label_selector(arguments.words[-1]) if arguments.words else None
    load_namespace(environment, options.local)
    printer = writing.object_printer(environment, options, strategy.mark("selector updated"))
    if wanted is None:
        raise KubetraceError("one selector is required")
    if options.local and objects:
        raise KubetraceError(ONLY_LOCAL_FILES)

    def change(value: dict[str, Any]) -> None:
        if options.resource_version:
            set_field(value, "resourceVersion", options.resource_version)
        _set_selector(value, wanted)
        recorder.record(value)

    def one(info: Info) -> None:
        assert info.object is not None
        if options.resource_version:
            info.object.get("metadata", {}).pop("resourceVersion", None)  # so that the patch surely has it
        patch = patch_of(info, change)
        assert patch is not None
        if options.local or strategy is DryRun.CLIENT:
            printer.print(info.object, environment.stdout)
            return
        dry = strategy is DryRun.SERVER
        printer.print(send(environment, info, patch, options.field_manager, dry_run=dry), environment.stdout)

    select(environment, options, objects, looked_up(options.all, options.local)).visit(one)


def _set_selector(value: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Raises KubetraceError for what is no service, and for what its selector can't say."""
    from kubetrace.wire.go_struct import go_type_of

    if go_type_of(value) != "*v1.Service":
        raise KubetraceError("setting a selector is only supported for Services")
    if expressions := wanted.get("matchExpressions"):
        listed = " ".join(
            f"{{{one['key']} {one['operator']} [{' '.join(one.get('values') or ())}]}}" for one in expressions
        )
        raise KubetraceError(f"match expression [{listed}] not supported on this object")
    value["spec"]["selector"] = dict(wanted.get("matchLabels") or {})


COMMAND = Command(
    run=run,
    options=SelectorOptions,
    usage="set selector (-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version] [options]",
    description="""
    Set another selector for services; the one that they had is gone then.

    EXPRESSIONS are labels with their values ("app=web,tier=front"). --resource-version is a condition: a service of
    another version is not changed.
    """,
    examples="""
    # The pods labelled app=web
    kubetrace set selector service web app=web

    # Of a service that is still to be made
    kubetrace create service clusterip web --clusterip="None" -o yaml --dry-run=client | \\
      kubetrace set selector --local -f - environment=qa -o yaml | kubetrace create -f -
    """,
)
