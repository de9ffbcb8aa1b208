"""`create -f`: new objects from manifests (kubectl pkg/cmd/create)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import RecordedOptions, field_manager, filename, selector, validate
from kubetrace.commands.writing import DryRun
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.api.manifests import FilenameOptions
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.environment import Environment
    from kubetrace.printing.printers import Printer


class CreateOptions(RecordedOptions):
    edit: bool = flag(False, help="Open the object in an editor before it is created.")
    field_manager: str = field_manager("kubectl-create")
    filename: tuple[str, ...] = filename("the objects to create")
    raw: str = flag("", help="Path on the server to POST the file to, as it is.")
    save_config: bool = flag(
        False, help="Keep the manifest in the object's annotation, so that 'apply' can be used on it later."
    )
    selector: str = selector()
    validate: str = validate()
    windows_line_endings: bool = flag(False, help="With --edit, write the file with CRLF line ends.")


def run(environment: Environment, options: CreateOptions, arguments: Arguments) -> None:
    from kubetrace.api.manifests import FilenameOptions
    from kubetrace.commands import writing
    from kubetrace.commands.change_cause import Recorder

    if arguments.words:
        raise arguments.usage_error(f"Unexpected args: [{' '.join(arguments.words)}]")
    recorder = Recorder.of(environment, options, options.record)
    strategy = writing.dry_run(environment, options.dry_run)
    directive = writing.validation_directive(options.validate)
    printer = writing.object_printer(environment, options, strategy.mark("created"))
    filenames = FilenameOptions(options.filename, options.kustomize, options.recursive)
    _check(options, filenames)
    if options.raw:
        from kubetrace.commands.raw import print_raw

        print_raw(environment, "POST", options.raw, options.filename[0])
        return
    if options.edit:
        _edit_all(environment, options, filenames, directive, recorder)
        return
    _create_all(environment, options, filenames, directive, strategy, printer, recorder)


def _check(options: CreateOptions, filenames: FilenameOptions) -> None:
    """The combinations that kubectl refuses (CreateOptions.Validate)."""
    filenames.require_any()
    if not options.raw:
        return
    from kubetrace.commands.raw import check_raw

    if options.edit:
        raise KubetraceError("--raw and --edit are mutually exclusive")
    beside = (
        (options.recursive, "--recursive"),
        (options.selector, "--selector (-l)"),
        (options.output, "--output"),
    )
    check_raw(options.raw, options.filename, beside)


def _edit_all(
    environment: Environment, options: CreateOptions, filenames: FilenameOptions, directive: str, recorder: Recorder
) -> None:
    from kubetrace.api.builder import build
    from kubetrace.commands import writing
    from kubetrace.commands.editing.opening import edit_and_create

    request = writing.manifest_request(environment, filenames, None, "")
    edit_and_create(environment, options, directive, build(environment.cluster, request), recorder)


def _create_all(
    environment: Environment,
    options: CreateOptions,
    filenames: FilenameOptions,
    directive: str,
    strategy: DryRun,
    printer: Printer,
    recorder: Recorder,
) -> None:
    from kubetrace.api.builder import build
    from kubetrace.api.last_applied import create_or_update
    from kubetrace.api.verbs import WriteOptions
    from kubetrace.commands import writing

    validation = writing.field_validation(environment, directive)
    request = writing.manifest_request(environment, filenames, validation, options.selector)
    write = WriteOptions(options.field_manager, directive, strategy is DryRun.SERVER)
    count = 0

    def create(info: Info) -> None:
        nonlocal count
        assert info.object is not None
        create_or_update(info.object, options.save_config)
        recorder.record(info.object)
        if strategy is not DryRun.CLIENT:
            try:
                info.refresh(writing.create_object(environment, info, write))
            except KubetraceError as error:
                raise writing.with_source("creating", info.source, error) from None
        count += 1
        printer.print(info.object, environment.stdout)

    build(environment.cluster, request).visit(create)
    if not count:
        raise KubetraceError("no objects passed to create")


COMMAND = Command(
    run=run,
    options=CreateOptions,
    usage="create -f FILENAME [options]",
    description="""
    Create objects that a file, a folder, a URL or standard input describes, as JSON or YAML.
    """,
    examples="""
    # What pod.json describes
    kubetrace create -f ./pod.json

    # The same from standard input
    cat pod.json | kubetrace create -f -

    # Only try it out on the server
    kubetrace create -f pod.yaml --dry-run=server -o yaml
    """,
)
