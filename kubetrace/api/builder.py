"""From a selection to objects, one after the other, with kubectl's calls in kubectl's order (cli-runtime
pkg/resource: builder.go, visitor.go, selector.go, result.go).

    result = build(cluster, request)
    result.visit(function)      # kubectl's loop: what continues after an error and what does not
    result.infos()              # all of them, fetched where they came without an object
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from kubetrace.api.go_words import quoted
from kubetrace.api.kind_index import NoKindMatchError
from kubetrace.api.mapper import Mapper
from kubetrace.api.objects import Objects
from kubetrace.api.resources import GroupVersionKind, Mapping
from kubetrace.api.selection import NOTHING_SELECTED, Selection
from kubetrace.api.status import AggregateError, aggregate
from kubetrace.api.verbs import ListOptions
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import UNSTATED, Purpose


class Document(Protocol):
    """One object of a manifest; `kubetrace.api.manifests` makes them."""

    @property
    def object(self) -> dict[str, Any]: ...
    @property
    def source(self) -> str: ...


@dataclass(slots=True)
class Info:
    """One thing that was selected: where it is, what it is, and the object once it is known. A page of a list is one
    Info whose object is the list."""

    mapping: Mapping | None
    namespace: str
    name: str
    object: dict[str, Any] | None = None
    source: str = ""
    resource_version: str = ""
    subresource: str = ""
    document: Document | None = None

    @property
    def namespaced(self) -> bool:
        return self.mapping.namespaced if self.mapping else bool(self.namespace)

    def refresh(self, value: dict[str, Any]) -> None:
        """Takes over what the server answered."""
        metadata = value.get("metadata") or {}
        self.name = metadata.get("name") or self.name
        self.namespace = metadata.get("namespace") or ""
        self.resource_version = metadata.get("resourceVersion") or ""
        self.object = value

    @property
    def object_name(self) -> str:
        """ "pods/web", as messages name it."""
        resource = self.mapping.resource.resource if self.mapping else str((self.object or {}).get("kind", "")).lower()
        return f"{resource}/{self.name}"


@dataclass(frozen=True, slots=True)
class Request:
    """What a command wants built. `documents` are the manifests' objects, None without -f; they are read as the
    visit goes. `namespace` empty is all namespaces."""

    selection: Selection
    documents: Iterable[Document] | None = None
    namespace: str = ""
    all_namespaces: bool = False
    default_namespace: bool = False
    enforce_namespace: bool = False
    chunk_size: int = 0
    subresource: str = ""
    flatten: bool = False
    latest: bool = False
    local: bool = False
    single_item: bool = False
    single_resource_type: bool = False
    continue_on_error: bool = False
    require_object: bool = True
    purpose: Purpose = UNSTATED


class Asked(Protocol):
    """Whom to ask: the calls and the kinds (`kubetrace.api.cluster.Cluster` is one)."""

    @property
    def objects(self) -> Objects: ...
    @property
    def mapper(self) -> Mapper: ...


@dataclass(frozen=True, slots=True)
class Cluster:
    """Calls and kinds, put together by hand."""

    objects: Objects
    mapper: Mapper


Visit = Callable[[Info], None]
Source = Callable[[Visit], None]


@dataclass(slots=True)
class Result:
    """What was built. `single_item` says that one object, not a list, is to be printed; `mappings` are the kinds of
    what was selected by name or selector; `targets_single_items` is False for collections."""

    sources: list[Source]
    request: Request
    cluster: Asked
    single_item: bool = False
    targets_single_items: bool = False
    mappings: list[Mapping] = field(default_factory=list)
    selected: list[Info] = field(default_factory=list)

    def visit(self, function: Visit) -> None:
        """Calls `function` for each. Raises the first error, or, with continue_on_error, all of them at the end."""
        errors: list[KubetraceError] = []

        def prepared(info: Info) -> None:
            self._prepare(info)
            function(info)

        def guarded(info: Info) -> None:
            try:
                prepared(info)
            except KubetraceError as error:
                errors.append(error)

        each: Visit = guarded if self.request.continue_on_error else prepared
        if self.request.flatten:
            each = self._flattened(each)
        for source in self.sources:
            try:
                source(each)
            except KubetraceError as error:
                if not self.request.continue_on_error:
                    raise
                errors.append(error)
        failure = aggregate(_flat(errors))
        if failure is not None:
            raise failure

    def infos(self) -> list[Info]:
        """All of them. Raises as `visit` does."""
        found: list[Info] = []
        self.visit(found.append)
        return found

    def only_mapping(self) -> Mapping:
        """The one kind of what was selected. Raises KubetraceError for several."""
        resources = {mapping.resource: mapping for mapping in self.mappings}
        if len(resources) != 1:
            raise KubetraceError("expected only a single resource type")
        return next(iter(resources.values()))

    # --- what happens to each ------------------------------------------------------------------------------------

    def _prepare(self, info: Info) -> None:
        request = self.request
        if request.default_namespace and info.namespaced and not info.namespace:
            _set_namespace(info, request.namespace)
        if request.enforce_namespace and info.namespaced:
            _enforce_namespace(info, request.namespace)
        if not info.namespaced:
            _set_namespace(info, "")
        if request.require_object and info.object is None:
            self._fetch(info)

    def _fetch(self, info: Info) -> None:
        assert info.mapping is not None
        value = self.cluster.objects.get_or_blame_namespace(
            info.mapping, info.namespace, info.name, info.subresource, purpose=self.request.purpose
        )
        info.object = value
        info.resource_version = (value.get("metadata") or {}).get("resourceVersion") or ""

    def _flattened(self, each: Visit) -> Visit:
        def flat(info: Info) -> None:
            if info.object is None or not is_list(info.object):
                each(info)
                return
            errors = []
            for item in items_of(info.object):
                try:
                    each(self._item_info(item, info))
                except KubetraceError as error:
                    errors.append(error)
            failure = aggregate(errors)
            if failure is not None:
                raise failure

        return flat

    def _item_info(self, item: dict[str, Any], parent: Info) -> Info:
        info = _info_of(item)
        if not self.request.local:
            kind = GroupVersionKind.of(item)
            try:
                info.mapping = self.cluster.mapper.mapping(kind.group_kind, kind.version)
            except KubetraceError as error:
                raise KubetraceError(f"unable to recognize {error}") from None
        info.source = parent.source
        info.resource_version = parent.resource_version or info.resource_version
        return info


# --- building --------------------------------------------------------------------------------------------------------


def build(cluster: Asked, request: Request) -> Result:
    """Checks the request and resolves its kinds. Raises KubetraceError in kubectl's words."""
    selection = request.selection
    _expand_categories(cluster, selection)
    if selection.errors:
        raise AggregateError(selection.errors) if len(selection.errors) > 1 else selection.errors[0]
    if request.documents is not None:
        return _by_documents(cluster, request)
    if selection.label_selector is not None or selection.field_selector is not None:
        return _by_selector(cluster, request)
    if selection.pairs:
        return _by_pairs(cluster, request)
    if selection.names:
        return _by_names(cluster, request)
    if selection.types:
        for name in selection.types:
            cluster.mapper.mapping_for(name)
        raise KubetraceError("resource(s) were provided, but no name was specified")
    raise NothingSelectedError(NOTHING_SELECTED)


class NothingSelectedError(KubetraceError):
    """Neither argument nor file (kubectl adds the usage line to it: resource.IsUsageError)."""


def _expand_categories(cluster: Asked, selection: Selection) -> None:
    if selection.types:
        expanded = cluster.mapper.expand_categories(",".join(selection.types))
        selection.types = list(dict.fromkeys(expanded.split(",")))


def _by_selector(cluster: Asked, request: Request) -> Result:
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
    sources = [_pages(cluster, request, mapping) for mapping in mappings]
    return Result(sources, request, cluster, mappings=mappings)


def _pages(cluster: Asked, request: Request, mapping: Mapping) -> Source:
    options = list_options(request)
    namespace = request.namespace if mapping.namespaced else ""

    def source(each: Visit) -> None:
        for page in cluster.objects.pages(mapping, namespace, options, purpose=request.purpose):
            version = (page.get("metadata") or {}).get("resourceVersion") or ""
            each(Info(mapping, namespace, "", page, resource_version=version))

    return source


def list_options(request: Request) -> ListOptions:
    """The options with which a request's collections are listed."""
    selection = request.selection
    return ListOptions(
        label_selector=selection.label_selector or "",
        field_selector=selection.field_selector or "",
        limit=request.chunk_size,
    )


def _by_pairs(cluster: Asked, request: Request) -> Result:
    if request.selection.types:
        raise KubetraceError("you may not specify individual resources and bulk resources in the same call")
    known: dict[str, Mapping] = {}
    for kind, _ in request.selection.pairs:
        if kind not in known:
            known[kind] = cluster.mapper.mapping_for(kind)
    if request.single_resource_type and len({mapping.resource for mapping in known.values()}) > 1:
        raise KubetraceError("you may only specify a single resource type")
    infos = [_named(request, known[kind], name) for kind, name in request.selection.pairs]
    return _of_infos(cluster, request, infos, list(known.values()))


def _by_names(cluster: Asked, request: Request) -> Result:
    types = request.selection.types
    if not types:
        raise KubetraceError("you must provide a resource and a resource name together")
    if len(types) > 1:
        raise KubetraceError("you must specify only one resource")
    mapping = _mappings(cluster, request)[0]
    infos = [_named(request, mapping, name) for name in request.selection.names]
    return _of_infos(cluster, request, infos, [mapping])


def _of_infos(cluster: Asked, request: Request, infos: list[Info], mappings: list[Mapping]) -> Result:
    def source_of(info: Info) -> Source:
        return lambda each: each(info)

    single = request.single_item or len(infos) == 1
    sources = [source_of(info) for info in infos]
    return Result(sources, request, cluster, single, True, mappings, infos)


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


def _by_documents(cluster: Asked, request: Request) -> Result:
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
        failure = aggregate(_flat(errors))
        if failure is not None:
            raise failure

    return source


def _info_of_document(result: Result, document: Document) -> Info:
    info = _info_of(document.object)
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
    result._flattened(flat.append)(info) if result.request.flatten else flat.append(info)
    for one in flat:
        if result.request.default_namespace and one.namespaced and not one.namespace:
            _set_namespace(one, result.request.namespace)
        if one.object is not None and is_list(one.object):
            raise KubetraceError(
                "watch is only supported on individual resources and resource collections, "
                "but a list of resources is found"
            )
        if one.name:
            if one.namespaced and not one.namespace:
                where = one.mapping.resource if one.mapping else ""
                raise KubetraceError(f"no namespace set on resource {where} {quoted(one.name)}")
            result._fetch(one)
        yield one


def _selects(selector: str, info: Info) -> bool:
    from kubetrace.api.labels import matches

    metadata = (info.object or {}).get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return matches(selector, labels or {})


def _info_of(value: dict[str, Any]) -> Info:
    metadata = value.get("metadata")
    found = metadata if isinstance(metadata, dict) else {}

    def text(key: str) -> str:
        field_value = found.get(key)
        return field_value if isinstance(field_value, str) else ""

    return Info(None, text("namespace"), text("name"), value, resource_version=text("resourceVersion"))


def is_list(value: dict[str, Any]) -> bool:
    """Whether an object is a list of objects (a List kind, or any object with items)."""
    return isinstance(value.get("items"), list)


def items_of(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The objects in a list, those of lists within it after the others; items of a typed list ("PodList") get its
    kind and version where they have none."""
    kind, version = str(value.get("kind") or ""), value.get("apiVersion")
    waiting = [value]
    while waiting:
        current = waiting.pop(0)
        for item in current.get("items") or ():
            if is_list(item):
                waiting.append(item)
                continue
            if kind != "List" and kind.endswith("List") and not item.get("kind"):
                item = {"apiVersion": version, "kind": kind.removesuffix("List"), **item}
            yield item


def _set_namespace(info: Info, namespace: str) -> None:
    info.namespace = namespace
    if info.object is None or is_list(info.object):
        return
    metadata = info.object.get("metadata")
    if namespace:
        if not isinstance(metadata, dict):
            metadata = info.object["metadata"] = {}
        metadata["namespace"] = namespace
    elif isinstance(metadata, dict):
        metadata.pop("namespace", None)


def _enforce_namespace(info: Info, namespace: str) -> None:
    if not info.namespace:
        _set_namespace(info, namespace)
    elif info.namespace != namespace:
        raise KubetraceError(
            f"the namespace from the provided object {quoted(info.namespace)} does not match the namespace "
            f"{quoted(namespace)}. You must pass '--namespace={info.namespace}' to perform this operation."
        )


def _flat(errors: Iterable[KubetraceError]) -> list[KubetraceError]:
    found: list[KubetraceError] = []
    for error in errors:
        found += _flat(error.errors) if isinstance(error, AggregateError) else [error]
    return found
