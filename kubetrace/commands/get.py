"""`get`: list objects, or show single ones (kubectl pkg/cmd/get)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.errors import KubetraceError, SilentExit
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.builder import Document, Request, Result
    from kubetrace.environment import Environment
    from kubetrace.transport.call import Call

_FORMATS = (
    "json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file|"
    "custom-columns|custom-columns-file|wide"
)


class GetOptions(Value):
    all_namespaces: bool = flag(
        False, "A", help="List objects of every namespace; the current one and --namespace count for nothing."
    )
    allow_missing_template_keys: bool = flag(
        True, help="Let templates (go-template, jsonpath) name fields that an object lacks."
    )
    chunk_size: int = flag(500, help="Fetch long lists in pages of this many objects; 0 fetches all at once.")
    field_selector: str = flag(
        "", help="Only objects whose fields match, with '=', '==' and '!=' (status.phase=Running)."
    )
    filename: tuple[str, ...] = flag(
        (),
        "f",
        help="Files, folders or URLs whose manifests name the objects to get.",
        completion="ext:json,yaml,yml",
    )
    ignore_not_found: bool = flag(False, help="Say nothing of named objects that do not exist.")
    kustomize: str = flag("", "k", help="A kustomization folder, in place of -f and -R.")
    label_columns: tuple[str, ...] = flag(
        (), "L", help="Labels to show as columns, separated by commas; may be repeated."
    )
    no_headers: bool = flag(False, help="Leave out the header of tables and custom columns.")
    output: str = flag(
        "",
        "o",
        help=f"How to print: one of ({_FORMATS.replace('|', ', ')}).",
        completion=f"={_FORMATS.replace('|', ',')}",
    )
    output_watch_events: bool = flag(
        False, help="While watching, print whole events; objects that exist come first as ADDED."
    )
    raw: str = flag("", help="A path to GET from the server as it is, with the kubeconfig's credentials.")
    recursive: bool = flag(False, "R", help="Look for manifests in the folders below those of -f, too.")
    selector: str = flag("", "l", help="Only objects whose labels match, with '=', '==', '!=', 'in' and 'notin'.")
    server_print: bool = flag(True, help="Let the server lay out the table.")
    show_kind: bool = flag(False, help="Show the kind in front of each name.")
    show_labels: bool = flag(False, help="Show all labels in a last column.")
    show_managed_fields: bool = flag(False, help="Keep metadata.managedFields in JSON and YAML.")
    sort_by: str = flag("", help="Sort by the field that this JSONPath names ('{.metadata.name}').")
    subresource: str = flag(
        "", help="Get this subresource of the objects (status, scale).", completion="any:status,scale,resize"
    )
    template: str = flag("", help="A template, or the file of one, for the -o formats that take it.")
    watch: bool = flag(False, "w", help="Go on with every change after the objects were printed.")
    watch_only: bool = flag(False, help="Print changes only, not what is there already.")

    @property
    def is_table(self) -> bool:
        """Is a table for people wanted (the human-readable printer)?"""
        return (not self.output and not self.template) or self.output == "wide"

    @property
    def asks_for_table(self) -> bool:
        """Is the server to lay it out?"""
        return self.server_print and self.is_table


def run(environment: Environment, options: GetOptions, arguments: Arguments) -> None:
    if not options.sort_by:
        _run(environment, options, arguments)
        return
    from kubetrace.printing.sorting import UnsortableError

    try:
        _run(environment, options, arguments)
    except UnsortableError as error:
        environment.note(error.note, text=str(error))
        raise SilentExit(1) from None


def _run(environment: Environment, options: GetOptions, arguments: Arguments) -> None:
    _check(environment, options, arguments)
    if options.raw:
        from kubetrace.commands.raw import print_raw

        print_raw(environment, "GET", options.raw)
    elif options.watch or options.watch_only:
        from kubetrace.commands.get_watch import watch

        watch(environment, options, arguments)
    elif options.is_table:
        from kubetrace.commands.get_table import print_tables

        print_tables(environment, options, build_result(environment, options, arguments))
    else:
        from kubetrace.commands.get_objects import print_objects

        print_objects(environment, options, build_result(environment, options, arguments))


# --- checks, in kubectl's order (Complete, Validate) -----------------------------------------------------------------


def _check(environment: Environment, options: GetOptions, arguments: Arguments) -> None:
    if options.raw:
        if arguments.words:
            raise KubetraceError("arguments may not be passed when --raw is specified")
        _check_raw(options)
    else:
        _ = environment.namespace  # a bad kubeconfig is told first
        _check_selection(environment, options, arguments)
    if options.show_labels and options.output not in ("", "wide"):
        raise KubetraceError(f"--show-labels option cannot be used with {options.output} printer")
    if options.output_watch_events and not (options.watch or options.watch_only):
        raise KubetraceError("--output-watch-events option can only be used with --watch or --watch-only")


def _check_raw(options: GetOptions) -> None:
    from kubetrace.commands.raw import check_raw_path

    if options.watch or options.watch_only or options.selector:
        raise KubetraceError(
            "--raw may not be specified with other flags that filter the server request or alter the output"
        )
    if options.output:
        raise KubetraceError("--raw and --output are mutually exclusive")
    check_raw_path(options.raw)


def _check_selection(environment: Environment, options: GetOptions, arguments: Arguments) -> None:
    if options.watch or options.watch_only:
        if options.sort_by:
            flag, what = ("--watch", " for watch events received") if options.watch else ("--watch-only", "")
            environment.stderr.write(f"warning: {flag} requested, --sort-by will be ignored{what}\n")
        return
    if arguments.words or options.filename or options.kustomize:
        return
    environment.stderr.write(
        "You must specify the type of resource to get. "
        'Use "kubetrace api-resources" for a complete list of supported resources.\n\n'
    )
    from kubetrace.commands.table import ROOT

    message = "Required resource not specified."
    if ROOT.child("explain") is not None:
        message += (
            '\nUse "kubetrace explain <resource>" for a detailed description of that resource '
            "(e.g. kubetrace explain pods)."
        )
    raise arguments.usage_error(message)


# --- what is asked for -----------------------------------------------------------------------------------------------


def build_result(
    environment: Environment,
    options: GetOptions,
    arguments: Arguments,
    change: Callable[[Request], Request] | None = None,
) -> Result:
    """The objects that the command names, not yet fetched. `change` adjusts the request (a watch flattens nothing)."""
    from kubetrace.api.builder import Request, build
    from kubetrace.api.selection import Selection

    selection = Selection()
    selection.add_selectors(options.selector, options.field_selector)
    documents: Iterable[Document] | None = None
    single = False
    if options.filename or options.kustomize:
        from kubetrace.commands.selecting import file_documents

        documents, single = file_documents(environment, options, selection)
    selection.add_arguments(arguments.words, allow_empty_selector=True)
    request = Request(
        selection,
        documents,
        namespace="" if options.all_namespaces else environment.namespace,
        all_namespaces=options.all_namespaces,
        default_namespace=True,
        enforce_namespace=documents is not None and environment.namespace_given and not options.all_namespaces,
        chunk_size=0 if options.sort_by else options.chunk_size,
        subresource=options.subresource,
        flatten=True,
        latest=True,
        single_item=single,
        continue_on_error=True,
    )
    if change is not None:
        request = change(request)
    return build(environment.cluster.transformed(lambda call: _as_table(call, options)), request)


def _as_table(call: Call, options: GetOptions) -> Call:
    """Asks for a table, with whole objects in it where they are to be sorted (transformRequests)."""
    from kubetrace.api.verbs import TABLE
    from kubetrace.value import replace

    if not options.asks_for_table:
        return call
    headers = (*((name, value) for name, value in call.headers if name != "Accept"), ("Accept", TABLE))
    query = (*call.query, ("includeObject", "Object")) if options.sort_by else call.query
    return replace(call, headers=headers, query=query)


COMMAND = Command(
    run=run,
    options=GetOptions,
    may_take_long=True,
    words="resources",
    usage=(
        f"get [(-o|--output=){_FORMATS}] (TYPE[.VERSION][.GROUP] [NAME | -l label] | "
        "TYPE[.VERSION][.GROUP]/NAME ...) [flags] [options]"
    ),
    description="""
    List objects, or show single ones.

    Without -o a table shows what matters most about each object. Namespaced types are listed in the current namespace
    unless -n or -A says otherwise; -l and --field-selector narrow the list.

    Use "kubetrace api-resources" for the types that the server knows.
    """,
    examples="""
    # All pods, then with their nodes and addresses
    kubetrace get pods
    kubetrace get pods -o wide

    # One object as YAML, and the calls that it took
    kubetrace get deployment web -o yaml -v=6

    # Several types at once, or objects of several types
    kubetrace get services,deployments
    kubetrace get service/web pod/web-0

    # What the server has for the objects of a manifest
    kubetrace get -f pod.yaml -o json

    # Every namespace, filtered by label, only names
    kubetrace get pods -A -l app=web -o name

    # Single fields
    kubetrace get pods -o jsonpath='{range .items[*]}{.metadata.name}{"\\t"}{.status.podIP}{"\\n"}{end}'
    kubetrace get pods -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image

    # The list, then every change
    kubetrace get pods --watch
    """,
)
