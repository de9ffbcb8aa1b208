"""Which nodes `cordon`, `uncordon` and `drain` are about, and whether pods may come to them (kubectl
pkg/cmd/drain/drain.go, pkg/drain/cordon.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.commands.shared_options import dry_run, selector
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.cmdline.command import Arguments
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment

CHUNK_SIZE = 500


class NodeOptions(Value):
    dry_run: str = dry_run()
    selector: str = selector()


def change_cordon(environment: Environment, options: NodeOptions, arguments: Arguments, cordoned: bool) -> None:
    """`cordon` and `uncordon`. Raises KubetraceError; what fails for one node is told, and the next one follows."""
    from kubetrace.commands import writing

    check_words(options, arguments)
    strategy = writing.dry_run(environment, options.dry_run)
    environment.make_client()
    for info in nodes(environment, options, arguments):
        cordon(environment, info, cordoned, strategy)


def check_words(options: NodeOptions, arguments: Arguments) -> None:
    """Raises UsageError for a command line without nodes, and for one that names them in two ways."""
    if not arguments.words and not arguments.changed("selector"):
        raise arguments.usage_error(f"USAGE: {arguments.path[-1]} NODE [flags]")
    if arguments.words and options.selector:
        raise arguments.usage_error("error: cannot specify both a node name and a --selector option")


def nodes(
    environment: Environment, options: NodeOptions, arguments: Arguments, chunk_size: int = CHUNK_SIZE
) -> list[Info]:
    """The nodes as they are now. Raises KubetraceError for what is no node, and at the first that is not there."""
    from kubetrace.api.builder import Request, build
    from kubetrace.api.selection import Selection
    from kubetrace.trace.exchange import Purpose

    selection = Selection()
    selection.add_names("nodes", arguments.words)
    if options.selector:
        selection.add_selectors(options.selector, "")
        selection.types = ["nodes"]
    request = Request(
        selection=selection,
        namespace=environment.namespace,
        default_namespace=True,
        chunk_size=chunk_size,
        single_resource_type=True,
        flatten=True,
        purpose=Purpose(arguments.path[-1], "change: what does the object look like now?"),
    )
    found: list[Info] = []

    def keep(info: Info) -> None:
        from kubetrace.api.go_words import quoted

        assert info.mapping is not None
        resource = info.mapping.resource
        if (resource.group, resource.resource) != ("", "nodes"):
            raise KubetraceError(f"error: expected resource of type node, got {quoted(str(resource))}")
        found.append(info)

    build(environment.cluster.typed, request).visit(keep)
    return found


def cordon(environment: Environment, info: Info, cordoned: bool, strategy: DryRun) -> None:
    """Keeps pods off a node, or lets them come again, and says so."""
    from kubetrace.commands.writing import DryRun

    assert info.object is not None
    verb = "cordon" if cordoned else "uncordon"
    if bool((info.object.get("spec") or {}).get("unschedulable")) == cordoned:
        tell(environment, info.object, f"already {verb}ed", strategy)
        return
    if strategy is not DryRun.CLIENT:
        try:
            _patch(environment, info, cordoned, strategy)
        except KubetraceError as error:
            from kubetrace.api.go_words import quoted

            environment.stderr.write(f"error: unable to {verb} node {quoted(info.name)}: {error}\n")
            return
    tell(environment, info.object, f"{verb}ed", strategy)


def tell(environment: Environment, value: dict[str, Any], done: str, strategy: DryRun) -> None:
    """One line on what was done, written at once: others may take a while."""
    from kubetrace.printing.printers import NamePrinter

    NamePrinter(strategy.mark(done)).print(value, environment.stdout)
    environment.stdout.flush()


def _patch(environment: Environment, info: Info, cordoned: bool, strategy: DryRun) -> None:
    from copy import deepcopy

    from kubetrace.api import verbs
    from kubetrace.api.strategic_merge import built_in_patch
    from kubetrace.commands.writing import DryRun, as_typed
    from kubetrace.trace.exchange import Purpose
    from kubetrace.value import replace

    assert info.mapping is not None and info.object is not None
    before = as_typed(info.object)
    after = deepcopy(before)
    after["spec"]["unschedulable"] = cordoned
    write = verbs.WriteOptions(dry_run=strategy is DryRun.SERVER)
    purpose = Purpose("cordon" if cordoned else "uncordon", "change: only what differs")
    patch = built_in_patch(before, as_typed(after))
    call = verbs.patch(info.mapping, "", info.name, verbs.STRATEGIC_PATCH, patch, write, purpose=purpose)
    environment.cluster.objects.send(replace(call, operation="typed-patch"), info.mapping, info.name)
