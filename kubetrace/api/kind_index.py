"""Names to kinds and kinds to resources, over one state of discovery.

The rules, guesses included, are those of apimachinery's api/meta (DefaultRESTMapper, MultiRESTMapper,
PriorityRESTMapper) as client-go's restmapper/discovery.go composes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from kubetrace.api.discovery import Discovered
from kubetrace.api.go_words import bracketed, quoted, quoted_list
from kubetrace.api.resources import (
    GroupKind,
    GroupVersion,
    GroupVersionKind,
    GroupVersionResource,
    Mapping,
    Resource,
)
from kubetrace.errors import KubetraceError

T = TypeVar("T")
_Pattern = tuple[str, str | None]
"""A group and a version; None is any version."""


class NoMatchError(KubetraceError):
    """Nobody serves such a thing."""


class NoResourceMatchError(NoMatchError):
    """No resource of that name (meta.NoResourceMatchError)."""

    def __init__(self, partial: GroupVersionResource) -> None:
        self.partial = partial
        super().__init__(f"no matches for {partial}")

    def lines(self) -> list[str]:
        text = f"the server doesn't have a resource type {quoted(self.partial.resource)}"
        places = (("group", self.partial.group), ("version", self.partial.version))
        named = [f"{what} {quoted(name)}" for what, name in places if name]
        return [f"{text} in {' and '.join(named)}" if named else text]


class NoKindMatchError(NoMatchError):
    """No such kind in those versions (meta.NoKindMatchError)."""

    def __init__(self, group_kind: GroupKind, versions: Sequence[str]) -> None:
        self.group_kind = group_kind
        kind, group = quoted(group_kind.kind), group_kind.group
        searched = sorted({str(GroupVersion(group, version)) for version in versions})
        if not searched:
            text = f"in group {quoted(group)}"
        elif len(searched) == 1:
            text = f"in version {quoted(searched[0])}"
        else:
            text = f"in versions {quoted_list(searched)}"
        super().__init__(f"no matches for kind {kind} {text}")


class AmbiguousError(KubetraceError):
    """Several kinds match and no priority decides."""


class _Version:
    """The names of one group and version."""

    def __init__(self, group_version: GroupVersion, resources: Iterable[Resource]) -> None:
        self.group_version = group_version
        self.kind_by_name: dict[str, str] = {}
        self.resource_by_kind: dict[str, tuple[str, bool]] = {}
        self.singulars: dict[str, str] = {}
        for resource in resources:
            if resource.is_subresource:
                continue
            singular = resource.singular or guessed_names(resource.kind)[1]
            for kind in (resource.kind.lower(), resource.kind):
                self._add(kind, resource.name, singular, resource.namespaced)
            self._add(f"{resource.kind}List", *guessed_names(f"{resource.kind}List"), resource.namespaced)
        self._add("List", *guessed_names("List"), False)

    def _add(self, kind: str, plural: str, singular: str, namespaced: bool) -> None:
        self.singulars[plural] = singular
        self.kind_by_name[singular] = kind
        self.kind_by_name[plural] = kind
        self.resource_by_kind[kind] = (plural, namespaced)

    def serves(self, wanted: GroupVersionResource) -> bool:
        """Whether a typed name may mean this version: a group may be shortened unless a version stands with it."""
        group, version = self.group_version.group, self.group_version.version
        if wanted.version and version != wanted.version:
            return False
        if wanted.group and wanted.version:
            return group == wanted.group
        return group.startswith(wanted.group)

    def plurals(self, name: str) -> list[str]:
        return [plural for plural, singular in self.singulars.items() if name in (plural, singular)]

    def mapping(self, kind: str) -> Mapping | None:
        found = self.resource_by_kind.get(kind)
        if found is None:
            return None
        group, version = self.group_version.group, self.group_version.version
        return Mapping(GroupVersionResource(group, version, found[0]), GroupVersionKind(group, version, kind), found[1])


class KindIndex:
    """One state of discovery, ready to be asked."""

    def __init__(self, found: Discovered) -> None:
        by_version = {one.group_version: one.resources for one in found.lists}
        self._versions: list[_Version] = []
        priorities: list[_Pattern] = [("", "v1")]
        for group in found.groups:
            if group.preferred and group.preferred in by_version:
                priorities.append((group.name, group.preferred.version))
            for version in group.versions:
                if version not in by_version:
                    continue
                if version != group.preferred:
                    priorities.append((group.name, version.version))
                self._versions.append(_Version(version, by_version[version]))
        self._priorities = priorities + [(group.name, None) for group in found.groups]

    def kinds_for(self, wanted: GroupVersionResource) -> list[GroupVersionKind]:
        """Every kind that a typed name may mean. Raises NoResourceMatchError."""
        name = _name_of(wanted)
        kinds = []
        for version in self._versions:
            if version.serves(wanted) and name in version.kind_by_name:
                where = version.group_version
                kinds.append(GroupVersionKind(where.group, where.version, version.kind_by_name[name]))
        if not kinds:
            raise NoResourceMatchError(wanted)
        return list(dict.fromkeys(kinds))

    def kind_for(self, wanted: GroupVersionResource) -> GroupVersionKind:
        """The kind that a typed name means. Raises NoResourceMatchError, AmbiguousError."""
        kinds = self.kinds_for(wanted)
        chosen = _narrow(kinds, self._priorities, lambda kind: kind.group_version)
        if chosen is None:
            raise AmbiguousError(f"{wanted} matches multiple kinds {bracketed(kinds)}")
        return chosen

    def resources_for(self, wanted: GroupVersionResource) -> list[GroupVersionResource]:
        """Every resource that a typed name may mean. Raises NoResourceMatchError."""
        name = _name_of(wanted)
        found = [
            GroupVersionResource(version.group_version.group, version.group_version.version, plural)
            for version in self._versions
            if version.serves(wanted)
            for plural in sorted(version.plurals(name))
        ]
        if not found:
            raise NoResourceMatchError(wanted)
        return list(dict.fromkeys(found))

    def resource_for(self, wanted: GroupVersionResource) -> GroupVersionResource:
        """The resource that a typed name means. Raises NoResourceMatchError, AmbiguousError."""
        found = self.resources_for(wanted)
        chosen = _narrow(found, self._priorities, lambda resource: resource.group_version)
        if chosen is None:
            raise AmbiguousError(f"{wanted} matches multiple resources {bracketed(found)}")
        return chosen

    def mappings(self, wanted: GroupKind, *versions: str) -> list[Mapping]:
        """Who serves a kind: in one of `versions`, or in any where none is named. Raises NoKindMatchError."""
        named = [version for version in versions if version and version != "__internal"]
        found = []
        for version in self._versions:
            where = version.group_version
            if where.group != wanted.group or (named and where.version not in named):
                continue
            mapping = version.mapping(wanted.kind)
            if mapping is not None:
                found.append(mapping)
        if not found:
            raise NoKindMatchError(wanted, versions)
        return found

    def mapping(self, wanted: GroupKind, *versions: str) -> Mapping:
        """The preferred one among `mappings`. Raises NoKindMatchError, AmbiguousError."""
        found = self.mappings(wanted, *versions)
        first: list[_Pattern] = [(wanted.group, version) for version in versions]
        chosen = _narrow(found, first + self._priorities, lambda mapping: mapping.kind.group_version)
        if chosen is None:
            kinds = bracketed(mapping.kind for mapping in found)
            raise AmbiguousError(f"{GroupVersionKind(wanted.group, '', wanted.kind)} matches multiple kinds {kinds}")
        return chosen

    def singular(self, name: str) -> str | None:
        """The singular of a resource's name, where one version knows it."""
        for version in self._versions:
            singulars = {version.singulars[plural] for plural in version.plurals(name.lower())}
            if len(singulars) == 1:
                return singulars.pop()
        return None


def _name_of(wanted: GroupVersionResource) -> str:
    if not wanted.resource:
        raise KubetraceError(f"a resource must be present, got: {wanted}")
    return wanted.resource.lower()


def _narrow(found: Sequence[T], priorities: Sequence[_Pattern], where: Callable[[T], GroupVersion]) -> T | None:
    """The one that is left when each pattern in turn keeps what it matches, unless it matches nothing."""
    remaining = list(found)
    for group, version in priorities:
        if len(remaining) == 1:
            break
        matching = [one for one in remaining if _matches(where(one), group, version)]
        remaining = matching or remaining
    return remaining[0] if len(remaining) == 1 else None


def _matches(group_version: GroupVersion, group: str, version: str | None) -> bool:
    return group_version.group == group and version in (None, group_version.version)


def guessed_names(kind: str) -> tuple[str, str]:
    """A kind's plural and singular where the server names none (meta.UnsafeGuessKindToResource)."""
    singular = kind.lower()
    if not singular or singular.endswith("endpoints"):
        return singular, singular
    if singular.endswith("s"):
        return singular + "es", singular
    if singular.endswith("y"):
        return singular.removesuffix("y") + "ies", singular
    return singular + "s", singular


def short_names(found: Discovered) -> Iterator[tuple[str, str, str]]:
    """Group, short name and resource of every short name, in the server's order."""
    for one in found.lists:
        for resource in one.resources:
            for short in resource.short_names:
                yield one.group_version.group, short, resource.name
