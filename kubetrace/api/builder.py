"""From a selection to objects, one after the other, with kubectl's calls in kubectl's order (cli-runtime
pkg/resource: builder.go, visitor.go, selector.go, result.go).

    result = build(cluster, request)
    result.visit(function)      # kubectl's loop: what continues after an error and what does not
    result.infos()              # all of them, fetched where they came without an object
"""

from __future__ import annotations

from kubetrace.api.aggregates import raise_all
from kubetrace.api.builder_arguments import by_names, by_pairs, by_selector, list_options
from kubetrace.api.builder_documents import by_documents
from kubetrace.api.built import Asked, Cluster, Document, Info, Request, Result, is_list, items_of
from kubetrace.api.selection import NOTHING_SELECTED, Selection
from kubetrace.errors import KubetraceError

__all__ = [
    "Cluster",
    "Document",
    "Info",
    "NothingSelectedError",
    "Request",
    "Result",
    "build",
    "is_list",
    "items_of",
    "list_options",
]


def build(cluster: Asked, request: Request) -> Result:
    """Checks the request and resolves its kinds. Raises KubetraceError in kubectl's words."""
    selection = request.selection
    _expand_categories(cluster, selection)
    raise_all(selection.errors)
    if request.documents is not None:
        return by_documents(cluster, request)
    if selection.label_selector is not None or selection.field_selector is not None:
        return by_selector(cluster, request)
    if selection.pairs:
        return by_pairs(cluster, request)
    if selection.names:
        return by_names(cluster, request)
    if selection.types:
        for name in selection.types:
            cluster.mapper.mapping_for(name)
        raise KubetraceError("resource(s) were provided, but no name was specified")
    raise NothingSelectedError(NOTHING_SELECTED)


class NothingSelectedError(KubetraceError):
    """Neither argument nor file (kubectl adds the usage line to it: resource.IsUsageError)."""


def _expand_categories(cluster: Asked, selection: Selection) -> None:
    if selection.types and not selection.pairs:  # argv never has both
        words = ",".join(selection.types)
        try:
            mapper = cluster.mapper
        except KubetraceError as error:
            selection.errors += [error] * len(words.split(","))  # told for each of them
            return
        expanded = mapper.expand_categories(words)
        selection.types = list(dict.fromkeys(expanded.split(",")))
