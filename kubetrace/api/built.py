"""What a builder makes: things selected, one `Info` each, and the visit that goes through them (cli-runtime
pkg/resource: visitor.go, result.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from kubetrace.api.aggregates import AggregateError, raise_all
from kubetrace.api.go_words import quoted
from kubetrace.api.mapper import Mapper
from kubetrace.api.metadata import is_object, set_field, text
from kubetrace.api.objects import Objects
from kubetrace.api.resources import GroupVersionKind, Mapping
from kubetrace.api.selection import Selection
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import UNSTATED, Purpose
from kubetrace.value import Mutable, Value, fresh


class Document(Protocol):
    """One object of a manifest; `kubetrace.api.manifests` makes them."""

    @property
    def object(self) -> dict[str, Any]: ...
    @property
    def typed_object(self) -> dict[str, Any]: ...
    @property
    def source(self) -> str: ...


class Info(Mutable):
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
        if is_object(value):
            self.name = text(value, "name")
            self.namespace = text(value, "namespace")
            self.resource_version = text(value, "resourceVersion")
        self.object = value

    @property
    def object_name(self) -> str:
        """ "pods/web", as messages name it; what no server was asked about goes by its kind, and kubectl ends the line
        there when the kind has a group."""
        if self.mapping:
            return f"{self.mapping.resource.resource}/{self.name}"
        kind = GroupVersionKind.of(self.object)
        if not kind.group:
            return f"{kind.kind.lower()}/{self.name}"
        return f"{kind.kind.lower()}.{kind.group}/{self.name}\n"


class Request(Value):
    """What a command wants built. `documents` are the manifests' objects, None without -f; they are read as the
    visit goes. `namespace` empty is all namespaces. `scheme` is what errors call the table of structs."""

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
    scheme: str = ""
    purpose: Purpose = UNSTATED


class Asked(Protocol):
    """Whom to ask: the calls and the kinds (`kubetrace.api.cluster.Cluster` is one). `make_client` is called where the
    builder of kubectl makes a client (builder.go getClient)."""

    @property
    def objects(self) -> Objects: ...
    @property
    def mapper(self) -> Mapper: ...
    def make_client(self) -> None: ...


class Cluster(Value):
    """Calls and kinds, put together by hand."""

    objects: Objects
    mapper: Mapper

    def make_client(self) -> None:
        """Nobody counts the clients of this one."""


Visit = Callable[[Info], None]
Source = Callable[[Visit], None]


class Result(Mutable):
    """What was built. `single_item` says that one object, not a list, is to be printed; `mappings` are the kinds of
    what was selected by name or selector; `targets_single_items` is False for collections; `eager` goes on with the
    next source where one fails (EagerVisitorList)."""

    sources: list[Source]
    request: Request
    cluster: Asked
    single_item: bool = False
    targets_single_items: bool = False
    eager: bool = False
    mappings: list[Mapping] = fresh(list)
    selected: list[Info] = fresh(list)

    def visit(self, function: Visit) -> None:
        """Calls `function` for each. Raises the first error, or, with continue_on_error, all of them at the end: how
        they nest in each other decides how kubectl words them (`AggregateError.lines`)."""

        def prepared(info: Info) -> None:
            self._prepare(info)
            function(info)

        if not self.request.continue_on_error:
            self._visit_sources(self.flattened(prepared))
            return
        errors: list[KubetraceError] = []
        try:
            self._visit_sources(self.flattened(collecting(prepared, errors)))
        except KubetraceError as error:
            errors.append(error)
        raise_all(errors)

    def _visit_sources(self, each: Visit) -> None:
        if not self.eager:
            for source in self.sources:
                source(each)
            return
        errors: list[KubetraceError] = []
        for source in self.sources:
            try:
                source(collecting(each, errors))
            except KubetraceError as error:
                errors.append(error)
        if errors:
            raise AggregateError(errors)

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
            set_namespace(info, request.namespace)
        if request.enforce_namespace and info.namespaced:
            require_namespace(info, request.namespace)
        if not info.namespaced:
            set_namespace(info, "")
        if request.require_object and info.object is None:
            self.fetch(info)

    def fetch(self, info: Info) -> None:
        """Fetches the object that an Info names."""
        assert info.mapping is not None
        value = self.cluster.objects.get_or_blame_namespace(
            info.mapping, info.namespace, info.name, info.subresource, purpose=self.request.purpose
        )
        self.cluster.objects.require_struct(value, self.request.scheme)
        info.object = value
        info.resource_version = text(value, "resourceVersion")

    def flattened(self, each: Visit) -> Visit:
        """A visit that takes the items of lists one by one, where the request wants that (FlattenListVisitor)."""
        if not self.request.flatten:
            return each

        def flat(info: Info) -> None:
            if info.object is None or not is_list(info.object):
                each(info)
                return
            errors: list[KubetraceError] = []
            mappings: dict[GroupVersionKind, Mapping] = {}
            for item in self._items(info.object):
                try:
                    if isinstance(item, KubetraceError):
                        raise item
                    each(self._item_info(item, info, mappings))
                except KubetraceError as error:
                    errors.append(error)
            if errors:
                raise AggregateError(errors)

        return flat

    def _items(self, value: dict[str, Any]) -> list[dict[str, Any] | KubetraceError]:
        if self.cluster.objects.typed:
            from kubetrace.api.typed_lists import typed_items

            return typed_items(value)
        return list(items_of(value))

    def _kind_of(self, item: dict[str, Any]) -> GroupVersionKind:
        if self.cluster.objects.typed:
            return GroupVersionKind.of_struct(item)
        return GroupVersionKind.of(item)

    def _item_info(self, item: dict[str, Any], parent: Info, mappings: dict[GroupVersionKind, Mapping]) -> Info:
        """One item of a list; `mappings` are those of the items before it, for most lists are of one kind."""
        info = info_of(item)
        kind = self._kind_of(item)
        _require_type(kind)
        if not self.request.local:
            mapping = mappings.get(kind)
            if mapping is None:
                try:
                    mapping = mappings[kind] = self.cluster.mapper.mapping(kind.group_kind, kind.version)
                except KubetraceError as error:
                    raise KubetraceError(f"unable to recognize {error}") from None
            info.mapping = mapping
            self.cluster.make_client()
        info.source = parent.source
        info.resource_version = parent.resource_version or info.resource_version
        return info


# --- objects and lists -----------------------------------------------------------------------------------------------


def collecting(each: Visit, errors: list[KubetraceError]) -> Visit:
    """A visit that keeps what goes wrong in `errors`, and goes on."""

    def collect(info: Info) -> None:
        try:
            each(info)
        except KubetraceError as error:
            errors.append(error)

    return collect


def info_of(value: dict[str, Any]) -> Info:
    """An object as an Info, without its kind."""
    return Info(
        None, text(value, "namespace"), text(value, "name"), value, resource_version=text(value, "resourceVersion")
    )


def _require_type(kind: GroupVersionKind) -> None:
    """Raises KubetraceError for an item of a list that does not say what it is (mapper.infoForObject)."""
    missing = "Kind" if not kind.kind else "apiVersion" if not kind.version else ""
    if missing:
        field = missing[0].lower() + missing[1:]
        place = "object has no kind field " if missing == "Kind" else f"object has no {field} field"
        raise KubetraceError(
            'unable to get type info from the object "*unstructured.Unstructured": '
            f"Object '{missing}' is missing in '{place}'"
        )


def is_list(value: dict[str, Any]) -> bool:
    """Whether an object is a list of objects: whatever has items, its kind does not matter."""
    return isinstance(value.get("items"), list)


def items_of(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The objects in a list; what says neither kind nor version has those that the list's kind tells (unstructured's
    decodeToList). Raises KubetraceError for a list in the list: kubectl reads those within no further."""
    kind = str(value.get("kind") or "").removesuffix("List")
    for item in value.get("items") or ():
        if is_list(item):
            raise KubetraceError("*unstructured.Unstructured is not a list: no Items field in this object")
        if not item.get("kind") and not item.get("apiVersion"):
            item = {"apiVersion": value.get("apiVersion"), "kind": kind, **item}
        yield item


def set_namespace(info: Info, namespace: str) -> None:
    """Puts the Info, and the object it has, into a namespace; empty for none."""
    info.namespace = namespace
    if info.object is None or is_list(info.object):
        return
    if namespace:
        set_field(info.object, "namespace", namespace)
    elif isinstance(metadata := info.object.get("metadata"), dict):
        metadata.pop("namespace", None)


def require_namespace(info: Info, namespace: str) -> None:
    """Puts the Info into a namespace. Raises KubetraceError where it is in another one (RequireNamespace)."""
    if not info.namespace:
        set_namespace(info, namespace)
    elif info.namespace != namespace:
        raise KubetraceError(
            f"the namespace from the provided object {quoted(info.namespace)} does not match the namespace "
            f"{quoted(namespace)}. You must pass '--namespace={info.namespace}' to perform this operation."
        )
