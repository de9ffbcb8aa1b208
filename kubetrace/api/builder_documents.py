"""Building from manifests: the objects of -f, each with its kind (cli-runtime pkg/resource: builder.go, mapper.go)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kubetrace.api.aggregates import AggregateError, taken_apart
from kubetrace.api.built import (
    Asked,
    Document,
    Info,
    Request,
    Result,
    Source,
    Visit,
    info_of,
    is_list,
    set_namespace,
)
from kubetrace.api.go_words import quoted
from kubetrace.api.kind_index import NoKindMatchError
from kubetrace.api.labels import Requirement, parse
from kubetrace.api.metadata import string_map
from kubetrace.api.resources import GroupVersionKind, Mapping
from kubetrace.errors import KubetraceError
from kubetrace.value import replace


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
    selector = selection.label_selector
    result = Result([], request, cluster, request.single_item, True)
    result.sources = [_documents(result, request.documents or (), () if selector is None else parse(selector))]
    return result


def _documents(result: Result, documents: Iterable[Document], requirements: Sequence[Requirement]) -> Source:
    """The manifests' objects; one that no kind is known for is an error of its own, and the next one follows."""

    def source(each: Visit) -> None:
        visit = _filtered(requirements, each)
        if result.request.latest:
            visit = _latest(result, visit)
        visit = result.flattened(visit)
        errors: list[KubetraceError] = []
        for document in documents:
            try:
                visit(_info_of_document(result, document))
            except KubetraceError as error:
                if not result.request.continue_on_error:
                    raise
                errors.append(error)
        if errors:
            raise AggregateError(errors)

    return source


def _filtered(requirements: Sequence[Requirement], each: Visit) -> Visit:
    """A visit of what the label selector selects."""
    if not requirements:
        return each

    def visit(info: Info) -> None:
        labels = string_map(info.object, "labels")
        if all(requirement.holds(labels) for requirement in requirements):
            each(info)

    return visit


def _info_of_document(result: Result, document: Document) -> Info:
    value = document.typed_object if result.cluster.objects.typed else document.object
    info = info_of(value)
    info.source, info.document = document.source, document
    if result.request.local:
        return info
    kind = GroupVersionKind.of(value)
    try:
        mapper = result.cluster.mapper
    except KubetraceError as error:
        raise taken_apart(error) from None
    try:
        info.mapping = _as_written(mapper.mapping(kind.group_kind, kind.version), kind)
    except NoKindMatchError as error:
        name, namespace, source = quoted(info.name), quoted(info.namespace), quoted(document.source)
        raise KubetraceError(
            f"resource mapping not found for name: {name} namespace: {namespace} from {source}: {error}\n"
            "ensure CRDs are installed first"
        ) from None
    except KubetraceError as error:
        raise KubetraceError(f"unable to recognize {quoted(document.source)}: {error}") from error
    result.cluster.make_client()
    return info


def _as_written(mapping: Mapping, kind: GroupVersionKind) -> Mapping:
    """The mapping, its URLs in the object's own version: an object without apiVersion goes to a path without one,
    where no server serves anything (the builder makes its client for the object's version, not for the mapping's)."""
    if mapping.resource.version == kind.version:
        return mapping
    return replace(mapping, resource=replace(mapping.resource, version=kind.version))


def _latest(result: Result, each: Visit) -> Visit:
    """A visit of each object as it is on the server now, for what a manifest names (`get -f`)."""

    def visit(info: Info) -> None:
        if result.request.default_namespace and info.namespaced and not info.namespace:
            set_namespace(info, result.request.namespace)
        if info.object is not None and is_list(info.object):
            raise KubetraceError(
                "watch is only supported on individual resources and resource collections, "
                "but a list of resources is found"
            )
        if info.name:
            if info.namespaced and not info.namespace:
                where = info.mapping.resource if info.mapping else ""
                raise KubetraceError(f"no namespace set on resource {where} {quoted(info.name)}")
            result.fetch(info)
        each(info)

    return visit
