"""`rollout history`: the revisions of a workload (kubectl pkg/cmd/rollout/rollout_history.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.rollout.workloads import WorkloadOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.commands.rollout.revisions import History, Object, Revision
    from kubetrace.environment import Environment
    from kubetrace.printing.printers import Printer


class HistoryOptions(WorkloadOptions):
    revision: int = flag(0, help="Show this revision with its pod template.")


def run(environment: Environment, options: HistoryOptions, arguments: Arguments) -> None:
    from kubetrace.commands.rollout.workloads import check_named, workloads
    from kubetrace.commands.selecting import load_namespace
    from kubetrace.commands.writing import object_printer

    load_namespace(environment)
    check_named(options, arguments)
    if options.revision < 0:
        raise KubetraceError(f"revision must be a positive integer: {options.revision}")
    result = workloads(environment, options, arguments)
    printer = object_printer(environment, options, "") if options.output or options.template else None

    def one(info: Info) -> None:
        from kubetrace.commands.rollout.revisions import check_kind, read_history

        assert info.mapping is not None and info.object is not None
        kind = info.mapping.kind
        environment.make_client()
        check_kind(kind, "history", "history viewer")
        label = "deployment" if kind.kind == "Deployment" else kind.kind
        history = read_history(environment, kind.kind, info.namespace, info.name, label)
        if printer is not None:
            _print_objects(environment, printer, history, options.revision)
            return
        which = f"with revision #{options.revision}" if options.revision else ""
        told = f"{which}\n{_table(history, options.revision)}"
        object_printer(environment, options, told).print(info.object, environment.stdout)

    result.visit(one)


def _print_objects(environment: Environment, printer: Printer, history: History, wanted: int) -> None:
    from kubetrace.commands.writing import as_typed

    found = history.by_number()
    if wanted and wanted not in found:
        raise KubetraceError("unable to find the specified revision")
    for number, revision in found.items():
        if not wanted or number == wanted:
            printer.print(as_typed(revision.workload), environment.stdout)


def _with_cause(history: History, revision: Revision) -> Object:
    """A revision's pod template; that of a deployment's says what caused the change, too."""
    from kubetrace.commands.change_cause import ANNOTATION

    template = revision.template
    if not revision.change_cause or history.mapping.kind.kind != "Deployment":
        return template
    metadata = template.get("metadata") or {}
    annotations = {**(metadata.get("annotations") or {}), ANNOTATION: revision.change_cause}
    return {**template, "metadata": {**metadata, "annotations": annotations}}


def _table(history: History, wanted: int) -> str:
    """All revisions with their causes, or one with its pod template."""
    import io

    from kubetrace.commands.rollout.revisions import described
    from kubetrace.printing.tabwriter import TabWriter

    found = history.by_number()
    if not found:
        return "No rollout history found."
    if wanted:
        if wanted not in found:
            raise KubetraceError("unable to find the specified revision")
        return described(_with_cause(history, found[wanted]))
    text = io.StringIO()
    tabs = TabWriter(text, min_width=0, padding=2, remembers=False)
    tabs.write("REVISION\tCHANGE-CAUSE\n")
    for number, revision in found.items():
        tabs.write(f"{number}\t{revision.change_cause or '<none>'}\n")
    tabs.flush()
    return text.getvalue()


COMMAND = Command(
    run=run,
    options=HistoryOptions,
    words="resources:deployment,daemonset,statefulset",
    usage="rollout history (TYPE NAME | TYPE/NAME) [flags]",
    description="""
    Show the revisions of a workload: what it was rolled out as, one time after the other.
    """,
    examples="""
    # The revisions of a deployment
    kubetrace rollout history deployment/web

    # What the third revision of a daemon set is
    kubetrace rollout history daemonset/agent --revision=3
    """,
)
