"""Building from manifests: the objects of -f, each with its kind (cli-runtime pkg/resource: builder.go, mapper.go)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubetrace.api.built import (
    Asked,
    Document,
    Info,
    Request,
    Result,
    Source,
    Visit,
    flat_errors,
    info_of,
    is_list,
    set_namespace,
)
from kubetrace.api.go_words import quoted
from kubetrace.api.kind_index import NoKindMatchError
from kubetrace.api.resources import GroupVersionKind
from kubetrace.api.status import aggregate
from kubetrace.errors import KubetraceError


def by_documents(cluster: Asked, request: Request) -> Result:
    """What manifests say, read as the visit goes."""
    selection = request.selection
    if selection.types:
        raise KubetraceError(
            "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well"
        )
    if selection.names:
        raise KubetraceError("name cannot be provided when a path is specified")
    if selection.pairs:
        raise KubetraceError("resource/name arguments cannot be provided when a path is specified")
    result = Result([], request, cluster, request.single_item, True)
    result.sources = [_documents(result, request.documents or ())]
    return result


def _documents(result: Result, documents: Iterable[Document]) -> Source:
    """The manifests' objects; one that no kind is known for is an error of its own, and the next one follows."""
    selector = result.request.selection.label_selector

    def source(each: Visit) -> None:
        errors = []
        waiting = iter(documents)
        while True:
            try:
                document = next(waiting, None)
                if document is None:
                    break
                info = _info_of_document(result, document)
                for one in _latest(result, info) if result.request.latest else (info,):
                    if selector is None or _selects(selector, one):
                        each(one)
            except KubetraceError as error:
                if not result.request.continue_on_error:
                    raise
                errors.append(error)
        failure = aggregate(flat_errors(errors))
        if failure is not None:
            raise failure

    return source


def _info_of_document(result: Result, document: Document) -> Info:
    info = info_of(document.object)
    info.source, info.document = document.source, document
    if result.request.local or (result.request.flatten and is_list(document.object)):
        return info
    kind = GroupVersionKind.of(document.object)
    try:
        info.mapping = result.cluster.mapper.mapping(kind.group_kind, kind.version)
    except NoKindMatchError as error:
        name, namespace, source = quoted(info.name), quoted(info.namespace), quoted(document.source)
        raise KubetraceError(
            f"resource mapping not found for name: {name} namespace: {namespace} from {source}: {error}\n"
            "ensure CRDs are installed first"
        ) from None
    except KubetraceError as error:
        raise KubetraceError(f"unable to recognize {quoted(document.source)}: {error}") from error
    return info


def _latest(result: Result, info: Info) -> Iterator[Info]:
    """The object as it is on the server now, for what a manifest names (`get -f`)."""
    flat: list[Info] = []
    result.flattened(flat.append)(info) if result.request.flatten else flat.append(info)
    for one in flat:
        if result.request.default_namespace and one.namespaced and not one.namespace:
            set_namespace(one, result.request.namespace)
        if one.object is not None and is_list(one.object):
            raise KubetraceError(
                "watch is only supported on individual resources and resource collections, "
                "but a list of resources is found"
            )
        if one.name:
            if one.namespaced and not one.namespace:
                where = one.mapping.resource if one.mapping else ""
                raise KubetraceError(f"no namespace set on resource {where} {quoted(one.name)}")
            result.fetch(one)
        yield one


def _selects(selector: str, info: Info) -> bool:
    from kubetrace.api.labels import matches

    metadata = (info.object or {}).get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return matches(selector, labels or {})
