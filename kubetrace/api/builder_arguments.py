"""Building from argv: kinds, names and selectors (cli-runtime pkg/resource: builder.go, selector.go)."""

from __future__ import annotations

from kubetrace.api.built import Asked, Info, Request, Result, Source, Visit
from kubetrace.api.metadata import text
from kubetrace.api.resources import Mapping
from kubetrace.api.verbs import ListOptions
from kubetrace.errors import KubetraceError


def by_selector(cluster: Asked, request: Request) -> Result:
    """Every page of the collections that a selector (or none) takes."""
    selection = request.selection
    if selection.names:
        raise KubetraceError("name cannot be provided when a selector is specified")
    if selection.pairs:
        raise KubetraceError("selectors and the all flag cannot be used when passing resource/name arguments")
    if not selection.types:
        raise KubetraceError("at least one resource must be specified to use a selector")
    if request.subresource:
        raise KubetraceError("subresource cannot be used when bulk resources are specified")
    mappings = _mappings(cluster, request)
    for _ in mappings:
        cluster.make_client()
    sources = [_pages(cluster, request, mapping) for mapping in mappings]
    return Result(sources, request, cluster, mappings=mappings, eager=request.continue_on_error)


def _pages(cluster: Asked, request: Request, mapping: Mapping) -> Source:
    options = list_options(request)
    namespace = request.namespace if mapping.namespaced else ""

    def source(each: Visit) -> None:
        for page in cluster.objects.pages(mapping, namespace, options, purpose=request.purpose):
            cluster.objects.require_struct(page, request.scheme)
            each(Info(mapping, namespace, "", page, resource_version=text(page, "resourceVersion")))

    return source


def list_options(request: Request) -> ListOptions:
    """The options with which a request's collections are listed."""
    selection = request.selection
    return ListOptions(
        label_selector=selection.label_selector or "",
        field_selector=selection.field_selector or "",
        limit=request.chunk_size,
    )


def by_pairs(cluster: Asked, request: Request) -> Result:
    """What arguments of the form kind/name say."""
    if request.selection.types:
        raise KubetraceError("you may not specify individual resources and bulk resources in the same call")
    known: dict[str, Mapping] = {}
    for kind, _ in request.selection.pairs:
        if kind not in known:
            known[kind] = cluster.mapper.mapping_for(kind)
    if request.single_resource_type and len({mapping.resource for mapping in known.values()}) > 1:
        raise KubetraceError("you may only specify a single resource type")
    for _ in {mapping.resource for mapping in known.values()}:
        cluster.make_client()
    infos = [_named(request, known[kind], name) for kind, name in request.selection.pairs]
    return _of_infos(cluster, request, infos, list(known.values()), eager=request.continue_on_error)


def by_names(cluster: Asked, request: Request) -> Result:
    """The names of one kind."""
    types = request.selection.types
    if not types:
        raise KubetraceError("you must provide a resource and a resource name together")
    if len(types) > 1:
        raise KubetraceError("you must specify only one resource")
    mapping = _mappings(cluster, request)[0]
    cluster.make_client()
    infos = [_named(request, mapping, name) for name in request.selection.names]
    return _of_infos(cluster, request, infos, [mapping])


def _of_infos(
    cluster: Asked, request: Request, infos: list[Info], mappings: list[Mapping], *, eager: bool = False
) -> Result:
    def source_of(info: Info) -> Source:
        return lambda each: each(info)

    single = request.single_item or len(infos) == 1
    sources = [source_of(info) for info in infos]
    return Result(sources, request, cluster, single, True, eager, mappings, infos)


def _named(request: Request, mapping: Mapping, name: str) -> Info:
    if not mapping.namespaced:
        return Info(mapping, "", name, subresource=request.subresource)
    if not request.namespace:
        if request.all_namespaces:
            raise KubetraceError("a resource cannot be retrieved by name across all namespaces")
        raise KubetraceError("namespace may not be empty when retrieving a resource by name")
    return Info(mapping, request.namespace, name, subresource=request.subresource)


def _mappings(cluster: Asked, request: Request) -> list[Mapping]:
    types = request.selection.types
    if len(types) > 1 and request.single_resource_type:
        raise KubetraceError("you may only specify a single resource type")
    found = (cluster.mapper.mapping_for(name) for name in types)
    return list({mapping.kind: mapping for mapping in reversed(list(found))}.values())[::-1]
