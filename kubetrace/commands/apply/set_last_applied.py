"""`apply set-last-applied`: the annotation that remembers what was applied last, set to what a file says (kubectl
pkg/cmd/apply/apply_set_last_applied.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import PrintOptions, dry_run, filename
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.api.builder import Info, Result
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment


class SetLastAppliedOptions(PrintOptions):
    create_annotation: bool = flag(False, help="Make the annotation where an object has none.")
    dry_run: str = dry_run()
    filename: tuple[str, ...] = filename("the objects as they were applied last")


def run(environment: Environment, options: SetLastAppliedOptions, arguments: Arguments) -> None:
    from kubetrace.commands import writing

    strategy = writing.dry_run(environment, options.dry_run)
    _ = environment.namespace
    printer = writing.object_printer(environment, options, strategy.mark("configured"))
    changes: list[tuple[Info, bytes]] = []

    def compare(info: Info) -> None:
        change = _change(environment, info, options.create_annotation)
        if change is not None:
            changes.append(change)

    _select(environment, options).visit(compare)
    for info, patch in changes:
        assert info.object is not None
        changed = info.object if strategy is writing.DryRun.CLIENT else _send(environment, info, patch, strategy)
        printer.print(changed, environment.stdout)


def _select(environment: Environment, options: SetLastAppliedOptions) -> Result:
    from kubetrace.api.builder import Request, build
    from kubetrace.api.manifests import FilenameOptions, find_sources, read_documents
    from kubetrace.api.selection import Selection

    documents = None
    if options.filename:
        filenames = FilenameOptions(options.filename)
        found = find_sources(filenames, environment.read_manifest, environment.write_error_bytes)
        documents = read_documents(found.sources)
    request = Request(
        selection=Selection(),
        documents=documents,
        namespace=environment.namespace,
        default_namespace=True,
        enforce_namespace=documents is not None and environment.namespace_given,
        flatten=True,
    )
    return build(environment.cluster, request)


def _change(environment: Environment, info: Info, create: bool) -> tuple[Info, bytes] | None:
    """The live object and the patch of its annotation; None where it says so already. Raises KubetraceError."""
    from kubetrace.api import last_applied
    from kubetrace.commands.apply.live import fetch_live
    from kubetrace.trace.exchange import Purpose
    from kubetrace.wire.yaml_text import without_comments

    assert info.object is not None
    wanted, patch = last_applied.annotation_patch(info.object)
    info.object = live = fetch_live(environment, info, Purpose("apply", "apply: what was applied last?"))
    found = last_applied.original_configuration(live)
    if found is None and not create:
        raise KubetraceError(
            f"no last-applied-configuration annotation found on resource: {info.name}, to create the annotation, "
            "run the command with --create-annotation"
        )
    if without_comments(found or b"") == without_comments(wanted):
        environment.stdout.write(f"set-last-applied {info.name}: no changes required.\n")
        return None
    return info, patch


def _send(environment: Environment, info: Info, patch: bytes, strategy: DryRun) -> dict[str, object]:
    from kubetrace.api import verbs
    from kubetrace.commands.writing import DryRun
    from kubetrace.trace.exchange import Purpose

    assert info.mapping is not None
    write = verbs.WriteOptions(dry_run=strategy is DryRun.SERVER)
    purpose = Purpose("apply", "apply: remember this manifest as the one applied last")
    call = verbs.patch(info.mapping, info.namespace, info.name, verbs.MERGE_PATCH, patch, write, purpose=purpose)
    environment.make_client()
    changed: dict[str, object] = environment.cluster.objects.send(call, info.mapping, info.name)
    return changed


COMMAND = Command(
    run=run,
    options=SetLastAppliedOptions,
    usage="apply set-last-applied -f FILENAME",
    description="""
    Set the annotation that remembers what was applied last to what a file says, as if the file had been applied, and
    change nothing else of the object.
    """,
    examples="""
    # Remember deploy.yaml as what was applied last
    kubetrace apply set-last-applied -f deploy.yaml

    # The same for every manifest of a folder
    kubetrace apply set-last-applied -f path/

    # Make the annotation where there is none yet
    kubetrace apply set-last-applied -f deploy.yaml --create-annotation=true
    """,
)
