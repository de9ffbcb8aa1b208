"""`apply view-last-applied`: what was applied last, as it was (kubectl pkg/cmd/apply/apply_view_last_applied.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import everything, filename, kustomize, recursive, selector
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.builder import Info, Result
    from kubetrace.environment import Environment


class ViewLastAppliedOptions(Value):
    all: bool = everything()
    filename: tuple[str, ...] = filename("the objects whose last applied manifests are wanted")
    kustomize: str = kustomize()
    output: str = flag("yaml", "o", help="Output format. Must be one of (yaml, json).")
    recursive: bool = recursive()
    selector: str = selector()


def run(environment: Environment, options: ViewLastAppliedOptions, arguments: Arguments) -> None:
    for text in _configurations(_select(environment, options, arguments.words)):
        if options.output == "json":
            environment.stdout.write(_indented(text))
        elif options.output == "yaml":
            environment.stdout.write(_as_yaml(text))
        else:
            raise arguments.usage_error(
                f"Unexpected -o output mode: {options.output}, the flag 'output' must be one of yaml|json"
            )


def _select(environment: Environment, options: ViewLastAppliedOptions, words: tuple[str, ...]) -> Result:
    from kubetrace.api.builder import Request, build
    from kubetrace.api.selection import Selection
    from kubetrace.commands.selecting import file_documents
    from kubetrace.trace.exchange import Purpose

    namespace, given = environment.namespace, environment.namespace_given
    selection = Selection()
    documents, single = file_documents(environment, options, selection)
    selection.add_arguments(words, allow_empty_selector=given)
    selection.add_everything(options.all)
    selection.add_label_selector(options.selector)
    request = Request(
        selection=selection,
        documents=documents,
        namespace=namespace,
        default_namespace=True,
        enforce_namespace=documents is not None and given,
        flatten=True,
        latest=True,
        single_item=single,
        purpose=Purpose("apply", "apply: what was applied last?"),
    )
    return build(environment.cluster, request)


def _configurations(result: Result) -> list[str]:
    """The annotations' texts. An object that argv names and that has none is passed over, as in kubectl; one that a
    file names is an error."""
    from kubetrace.api.go_words import quoted
    from kubetrace.api.last_applied import original_configuration

    texts: list[str] = []

    def read(info: Info) -> None:
        assert info.object is not None
        found = original_configuration(info.object)
        if found is not None:
            texts.append(found.decode("utf-8", "surrogateescape"))
        elif info.source:
            missing = f"no last-applied-configuration annotation found on resource: {info.name}\n"
            raise KubetraceError(f"error when {missing} {quoted(info.source)}: <nil>")

    result.visit(read)
    return texts


def _indented(text: str) -> str:
    """json.Indent: numbers and texts stay as they are written, so do blanks at the end."""
    from kubetrace.api.go_words import json_problem
    from kubetrace.wire.go_json import InvalidJSON, indented, loads

    data = text.encode("utf-8", "surrogateescape")
    try:
        loads(data)
    except InvalidJSON:
        raise KubetraceError(json_problem(data)) from None
    rest = text[len(text.rstrip(" \t\r\n")) :]
    return indented(data, 2).decode("utf-8", "surrogateescape") + rest


def _as_yaml(text: str) -> str:
    from kubetrace.wire import go_yaml
    from kubetrace.wire.yaml_reader import InvalidYAML, loads

    try:
        return go_yaml.dumps(loads(text.encode("utf-8", "surrogateescape")))
    except InvalidYAML as error:
        raise KubetraceError(str(error)) from None


COMMAND = Command(
    run=run,
    options=ViewLastAppliedOptions,
    words="resources",
    usage="apply view-last-applied (TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)",
    description="""
    Show the manifest that was applied last, as the object's annotation keeps it, in YAML or with -o json in JSON.
    """,
    examples="""
    # What was applied for a deployment, in YAML
    kubetrace apply view-last-applied deployment/web

    # The same in JSON, for the objects of a file
    kubetrace apply view-last-applied -f deploy.yaml -o json
    """,
)
