"""`create -f`: new objects from manifests (kubectl pkg/cmd/create)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.writing import DRY_RUN_HELP, VALIDATE_HELP, DryRun
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.api.manifests import FilenameOptions
    from kubetrace.environment import Environment
    from kubetrace.printing.printers import Printer


class CreateOptions(Value):
    allow_missing_template_keys: bool = flag(
        True, help="In templates, take a missing field or key for nothing instead of for an error."
    )
    dry_run: str = flag("none", help=DRY_RUN_HELP, bare="unchanged", completion="=none,server,client")
    edit: bool = flag(False, help="Open the object in an editor before it is created.")
    field_manager: str = flag("kubectl-create", help="Name under which the server records who set which field.")
    filename: tuple[str, ...] = flag(
        (),
        "f",
        help="File, folder or URL with the objects to create ('-': standard input).",
        completion="ext:json,yaml,yml",
    )
    kustomize: str = flag("", "k", help="Folder with a kustomization. Not together with -f or -R.", completion="dir")
    output: str = flag(
        "",
        "o",
        help="Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, "
        "templatefile, jsonpath, jsonpath-as-json, jsonpath-file).",
        completion="=json,yaml,name",
    )
    raw: str = flag("", help="Path on the server to POST the file to, as it is.")
    recursive: bool = flag(False, "R", help="Read folders given with -f and all folders in them.")
    save_config: bool = flag(
        False, help="Keep the manifest in the object's annotation, so that 'apply' can be used on it later."
    )
    selector: str = flag("", "l", help="Only objects whose labels meet this selector.")
    show_managed_fields: bool = flag(False, help="Print metadata.managedFields, too (json and yaml).")
    template: str = flag("", help="Template, or file with it, for the template formats of -o.")
    validate: str = flag("strict", help=VALIDATE_HELP, bare="strict", completion="=strict,warn,ignore")
    windows_line_endings: bool = flag(False, help="With --edit, write the file with CRLF line ends.")


def run(environment: Environment, options: CreateOptions, arguments: Arguments) -> None:
    from kubetrace.commands import writing
    from kubetrace.printing.formats import OutputOptions, resource_printer

    if arguments.words:
        raise arguments.usage_error(f"Unexpected args: [{' '.join(arguments.words)}]")
    strategy = writing.dry_run(environment, options.dry_run)
    directive = writing.validation_directive(options.validate)
    output = OutputOptions(
        options.output,
        options.template,
        options.allow_missing_template_keys,
        options.show_managed_fields,
        operation=strategy.mark("created"),
    )
    printer = resource_printer(output, environment.environ)
    filenames = _filenames(options)
    _check(options, filenames)
    if options.raw:
        writing.send_raw(environment, "POST", options.raw, options.filename[0])
        return
    if options.edit:
        raise KubetraceError("--edit is not supported yet")
    _create_all(environment, options, filenames, directive, strategy, printer)


def _filenames(options: CreateOptions) -> FilenameOptions:
    from kubetrace.api.manifests import FilenameOptions

    return FilenameOptions(options.filename, options.kustomize, options.recursive)


def _check(options: CreateOptions, filenames: FilenameOptions) -> None:
    """The combinations that kubectl refuses (CreateOptions.Validate)."""
    from kubetrace.commands.writing import check_raw_path

    filenames.require_any()
    if not options.raw:
        return
    if options.edit:
        raise KubetraceError("--raw and --edit are mutually exclusive")
    if len(options.filename) != 1:
        raise KubetraceError("--raw can only use a single local file or stdin")
    if options.filename[0].startswith(("http://", "https://")):
        raise KubetraceError("--raw cannot read from a url")
    for given, name in (
        (options.recursive, "--recursive"),
        (options.selector, "--selector (-l)"),
        (options.output, "--output"),
    ):
        if given:
            raise KubetraceError(f"--raw and {name} are mutually exclusive")
    check_raw_path(options.raw)


def _create_all(
    environment: Environment,
    options: CreateOptions,
    filenames: FilenameOptions,
    directive: str,
    strategy: DryRun,
    printer: Printer,
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
