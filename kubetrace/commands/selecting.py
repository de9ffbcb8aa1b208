"""Which objects a changing command works on: those of files, or those that argv names (what kubectl's commands build
with resource.NewBuilder)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import UNSTATED, Purpose
from kubetrace.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubetrace.api.builder import Document, Result
    from kubetrace.api.selection import Selection
    from kubetrace.environment import Environment


class Files(Protocol):
    """The options of a command that takes -f, -k and -R."""

    @property
    def filename(self) -> tuple[str, ...]: ...
    @property
    def kustomize(self) -> str: ...
    @property
    def recursive(self) -> bool: ...


class Selecting(Value):
    """How objects are selected beside files and words. `latest` fetches what a file names, too; `typed` asks as
    kubectl's typed clients do; `local` asks nobody."""

    purpose: Purpose = UNSTATED
    labels: str = ""
    fields: str = ""
    everything: bool = False
    all_namespaces: bool = False
    latest: bool = False
    local: bool = False
    typed: bool = False
    subresource: str = ""


def check_all(everything: bool, labels: str, fields: str = "") -> None:
    """Raises KubetraceError for --all beside a selector."""
    if everything and labels:
        raise KubetraceError("cannot set --all and --selector at the same time")
    if everything and fields:
        raise KubetraceError("cannot set --all and --field-selector at the same time")


def names_files(options: Files) -> bool:
    """Is there a -f or -k (not IsFilenameSliceEmpty)?"""
    return bool(options.filename or options.kustomize)


def select(environment: Environment, options: Files, words: Sequence[str], how: Selecting) -> Result:
    """The objects, not yet fetched. Raises KubetraceError."""
    from kubetrace.api.builder import Request, build
    from kubetrace.api.selection import Selection

    selection = Selection()
    documents, single = file_documents(environment, options, selection)
    if not how.local:
        selection.add_selectors(how.labels, how.fields)
        selection.add_arguments(words, allow_empty_selector=how.everything)
    namespace, given = _namespace(environment, how.local)
    request = Request(
        selection=selection,
        documents=documents,
        namespace="" if how.all_namespaces else namespace,
        all_namespaces=how.all_namespaces,
        default_namespace=True,
        enforce_namespace=documents is not None and given,
        subresource=how.subresource,
        flatten=True,
        latest=how.latest and not how.local,
        local=how.local,
        single_item=single,
        continue_on_error=True,
        purpose=how.purpose,
    )
    return build(environment.cluster.typed if how.typed else environment.cluster, request)


def load_namespace(environment: Environment, local: bool = False) -> None:
    """Reads the kubeconfig, as kubectl does before it looks at what the command may do. Raises KubetraceError."""
    _namespace(environment, local)


def _namespace(environment: Environment, local: bool) -> tuple[str, bool]:
    """The namespace, and whether it was given; where nobody is asked, no kubeconfig is needed."""
    from kubetrace.kubeconfig.errors import InvalidConfiguration

    try:
        return environment.namespace, environment.namespace_given
    except InvalidConfiguration as error:
        if not local or not error.empty:
            raise
        return "", False


def file_documents(
    environment: Environment, options: Files, selection: Selection
) -> tuple[Iterable[Document] | None, bool]:
    """The files' objects (None without -f), and whether there can be but one; what is wrong with the files is among the
    selection's errors."""
    if not names_files(options):
        return None, False
    from kubetrace.api.manifests import FilenameOptions, find_sources, read_documents

    filenames = FilenameOptions(options.filename, options.kustomize, options.recursive)
    try:
        found = find_sources(filenames, environment.read_manifest, environment.write_error_bytes)
    except KubetraceError as error:
        selection.errors.append(error)
        return (), False
    return read_documents(found.sources), found.single_item_implied
