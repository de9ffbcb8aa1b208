"""From what a person types to a kind and its resource, with kubectl's shortcuts, retries and words.

The composition is kubectl's: a shortcut expander (client-go restmapper/shortcut.go) over a mapper that reads
discovery on first use and again, once, when a stale cache did not know a kind (restmapper/discovery.go).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from kubetrace.api.discovery import Discovered, Discovery
from kubetrace.api.go_words import quoted
from kubetrace.api.kind_index import KindIndex, NoMatchError, short_names
from kubetrace.api.resources import (
    GroupKind,
    GroupResource,
    GroupVersionKind,
    GroupVersionResource,
    Mapping,
    parse_resource_argument,
)
from kubetrace.errors import KubetraceError
from kubetrace.trace.events import Events
from kubetrace.trace.exchange import Note

T = TypeVar("T")
_Answer = TypeVar("_Answer")


class Mapper:
    """Resolves names. `warn` gets the text of a warning for people (an ambiguous short name)."""

    def __init__(
        self, discovery: Discovery, *, events: Events | None = None, warn: Callable[[str], None] | None = None
    ) -> None:
        self._discovery = discovery
        self._events = events or Events()
        self._warn = warn or (lambda text: None)
        self._index: KindIndex | None = None

    def reset(self) -> None:
        """Forget what discovery said (after a CustomResourceDefinition was made, for one)."""
        self._events.emit(Note("cache-invalidated"))
        self._discovery.invalidate()
        self._index = None

    # --- kubectl's questions -------------------------------------------------------------------------------------

    def mapping_for(self, argument: str) -> Mapping:
        """What a type argument of a command means: "po", "pods", "Pod", "deploy.apps", "deployments.v1.apps".

        Raises KubetraceError in kubectl's words (cli-runtime resource/builder.go, mappingFor).
        """
        versioned, group_resource = parse_resource_argument(argument)
        kind = self._kind_or_none(versioned) if versioned else None
        if kind is None:
            kind = self._kind_or_none(GroupVersionResource(group_resource.group, "", group_resource.resource))
        if kind is not None:
            return self.mapping(kind.group_kind, kind.version)
        group_kind = GroupKind(group_resource.group, group_resource.resource)
        if versioned is not None:
            first, version = GroupKind(versioned.group, versioned.resource), versioned.version
        else:
            first, version = group_kind, ""
        if first.kind or first.group or version:
            try:
                return self.mapping(first, version)
            except KubetraceError:
                pass
        try:
            return self.mapping(group_kind, "")
        except NoMatchError:
            name = quoted(group_resource.resource)
            raise KubetraceError(f"the server doesn't have a resource type {name}") from None

    def _kind_or_none(self, wanted: GroupVersionResource) -> GroupVersionKind | None:
        try:
            return self.kind_for(wanted)
        except KubetraceError:
            return None

    def kind_for(self, wanted: GroupVersionResource) -> GroupVersionKind:
        """The kind that a name means; short names count."""
        try:
            return self._ask(lambda index, name: index.kind_for(name), self._expanded(wanted))
        except NoMatchError:  # a new kind may have brought its short name
            return self._ask(lambda index, name: index.kind_for(name), self._expanded(wanted))

    def resource_for(self, wanted: GroupVersionResource) -> GroupVersionResource:
        """The resource that a name means; short names count."""
        return self._ask(lambda index, name: index.resource_for(name), self._expanded(wanted))

    def resources_for(self, wanted: GroupVersionResource) -> list[GroupVersionResource]:
        """Every resource that a name may mean; short names count."""
        return self._ask(lambda index, name: index.resources_for(name), self._expanded(wanted))

    def mapping(self, kind: GroupKind, *versions: str) -> Mapping:
        """Who serves a kind, in one of `versions` or in the preferred one. Raises NoKindMatchError."""
        return self._ask(lambda index, wanted: index.mapping(wanted, *versions), kind)

    def mappings(self, kind: GroupKind, *versions: str) -> list[Mapping]:
        """All who serve a kind. Raises NoKindMatchError."""
        return self._ask(lambda index, wanted: index.mappings(wanted, *versions), kind)

    def category(self, name: str) -> list[GroupResource] | None:
        """The resources of a category ("all"); None where there is none (restmapper/category_expansion.go)."""
        try:
            found = self._discovery.everything()
        except KubetraceError:
            return None
        resources = [
            GroupResource(one.group_version.group, resource.name)
            for one in found.lists
            for resource in one.resources
            if name in resource.categories
        ]
        return resources or None

    def expand_categories(self, argument: str) -> str:
        """A comma list of types with every category replaced by its resources."""
        parts = []
        for part in argument.split(","):
            members = self.category(part)
            parts.append(part if members is None else ",".join(str(member) for member in members))
        return ",".join(parts)

    # --- shortcuts -----------------------------------------------------------------------------------------------

    def _expanded(self, wanted: GroupVersionResource) -> GroupVersionResource:
        """A short name's resource; anything else as it is."""
        try:
            found = self._discovery.everything()
        except KubetraceError as error:
            self._shortcut_failed(error)
            return wanted
        if found.error is not None:
            self._shortcut_failed(found.error)
        if _is_name(found, wanted):
            return wanted
        members = [
            GroupResource(group, resource)
            for group, short, resource in short_names(found)
            if short == wanted.resource and wanted.group in ("", group)
        ]
        if members:
            self._warn_of_others(wanted.resource, members)
            return GroupVersionResource(members[0].group, "", members[0].resource)
        return _by_group_prefix(found, wanted)

    def _warn_of_others(self, short: str, members: list[GroupResource]) -> None:
        for other in dict.fromkeys(member for member in members if member != members[0]):
            self._warn(f"short name {quoted(short)} could also match lower priority resource {other}")

    def _shortcut_failed(self, error: KubetraceError) -> None:
        if self._events.active:
            self._events.emit(Note("shortcut-failed", {"error": str(error)}))

    # --- discovery, once and perhaps once more -------------------------------------------------------------------

    def _ask(self, question: Callable[[KindIndex, T], _Answer], wanted: T) -> _Answer:
        index = self._current()
        try:
            return question(index, wanted)
        except KubetraceError:
            if self._discovery.fresh:
                raise
        self.reset()
        return self._ask(question, wanted)

    def _current(self) -> KindIndex:
        if self._index is None:
            self._index = KindIndex(self._discovery.everything())
        return self._index


def _is_name(found: Discovered, wanted: GroupVersionResource) -> bool:
    return any(
        wanted.resource in (resource.name, resource.singular)
        for one in found.lists
        if wanted.group in ("", one.group_version.group)
        for resource in one.resources
    )


def _by_group_prefix(found: Discovered, wanted: GroupVersionResource) -> GroupVersionResource:
    """A short name whose group was shortened, too ("deploy.app")."""
    if wanted.group:
        for group, short, resource in short_names(found):
            if short == wanted.resource and group.startswith(wanted.group):
                return GroupVersionResource(group, wanted.version, resource)
    return wanted
