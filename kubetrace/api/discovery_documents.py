"""Discovery documents as values: read from the server's three forms, written as client-go's cache files.

Aggregated documents (apidiscovery.k8s.io v2 and v2beta1) are turned into the old groups and resource lists, as
client-go's discovery/aggregated_discovery.go does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubetrace.api.go_words import struct_json
from kubetrace.api.resources import GroupVersion, Resource
from kubetrace.errors import KubetraceError
from kubetrace.value import Value, fresh

AGGREGATED = ("v2", "v2beta1")


class Group(Value):
    """An API group: its versions in the server's order and the one it prefers (metav1.APIGroup). `addresses` are the
    serverAddressByClientCIDRs of old servers, kept for the cache file."""

    name: str
    versions: tuple[GroupVersion, ...] = ()
    preferred: GroupVersion | None = None
    addresses: tuple[Mapping[str, Any], ...] | None = None


class Groups(Value):
    """A whole discovery: the groups and, where the server aggregates, the resources of each version. `stale` are the
    versions whose resources the server could not fetch."""

    groups: tuple[Group, ...]
    resources: Mapping[GroupVersion, tuple[Resource, ...]] | None = None
    stale: Mapping[GroupVersion, KubetraceError] = fresh(dict)


# --- the server's forms ----------------------------------------------------------------------------------------------


def is_aggregated(parameters: Mapping[str, str]) -> bool:
    """Whether a Content-Type's parameters say that this is an APIGroupDiscoveryList."""
    return (
        parameters.get("g") == "apidiscovery.k8s.io"
        and parameters.get("v") in AGGREGATED
        and parameters.get("as") == "APIGroupDiscoveryList"
    )


def read_aggregated(document: Mapping[str, Any]) -> Groups:
    """An APIGroupDiscoveryList."""
    groups = []
    resources: dict[GroupVersion, tuple[Resource, ...]] = {}
    stale: dict[GroupVersion, KubetraceError] = {}
    for item in document.get("items") or ():
        name = (item.get("metadata") or {}).get("name") or ""
        fresh = []
        for version in item.get("versions") or ():
            group_version = GroupVersion(name, version.get("version") or "")
            if version.get("freshness") == "Stale":
                stale[group_version] = KubetraceError(f"stale GroupVersion discovery: {group_version}")
                continue
            fresh.append(group_version)
            resources[group_version] = tuple(_aggregated_resources(version.get("resources") or ()))
        groups.append(Group(name, tuple(fresh), fresh[0] if fresh else None))
    return Groups(tuple(groups), resources, stale)


def _aggregated_resources(items: Sequence[Mapping[str, Any]]) -> list[Resource]:
    found = []
    for item in items:
        name = item.get("resource") or ""
        kind = item.get("responseKind") or {}
        resource = Resource(
            name=name,
            singular=item.get("singularResource") or "",
            namespaced=item.get("scope") == "Namespaced",
            kind=kind.get("kind") or "",
            verbs=tuple(item.get("verbs") or ()),
            short_names=tuple(item.get("shortNames") or ()),
            categories=tuple(item.get("categories") or ()),
            group=kind.get("group") or "",
            version=kind.get("version") or "",
        )
        if any(kind.values()):
            found.append(resource)
        found += [_subresource(resource, one) for one in item.get("subresources") or () if one.get("responseKind")]
    return found


def _subresource(parent: Resource, item: Mapping[str, Any]) -> Resource:
    kind = item["responseKind"]
    return Resource(
        name=f"{parent.name}/{item.get('subresource') or ''}",
        singular=parent.singular,
        namespaced=parent.namespaced,
        kind=kind.get("kind") or "",
        verbs=tuple(item.get("verbs") or ()),
        group=kind.get("group") or "",
        version=kind.get("version") or "",
    )


def read_api_versions(document: Mapping[str, Any]) -> Groups:
    """The old answer of /api (metav1.APIVersions)."""
    versions = tuple(GroupVersion.parse(text) for text in document.get("versions") or ())
    return Groups((Group("", versions, versions[0] if versions else None),))


def read_group_list(document: Mapping[str, Any]) -> Groups:
    """The old answer of /apis, and servergroups.json (metav1.APIGroupList)."""
    return Groups(tuple(_group(item) for item in document.get("groups") or ()))


def _group(item: Mapping[str, Any]) -> Group:
    name = item.get("name") or ""
    preferred = (item.get("preferredVersion") or {}).get("version") or ""
    addresses = item.get("serverAddressByClientCIDRs")
    return Group(
        name,
        tuple(GroupVersion(name, version.get("version") or "") for version in item.get("versions") or ()),
        GroupVersion(name, preferred) if preferred else None,
        tuple(addresses) if addresses else None,
    )


def read_resource_list(document: Mapping[str, Any]) -> tuple[Resource, ...]:
    """One version's resources, and serverresources.json (metav1.APIResourceList)."""
    return tuple(
        Resource(
            name=item.get("name") or "",
            singular=item.get("singularName") or "",
            namespaced=bool(item.get("namespaced")),
            kind=item.get("kind") or "",
            verbs=tuple(item.get("verbs") or ()),
            short_names=tuple(item.get("shortNames") or ()),
            categories=tuple(item.get("categories") or ()),
            group=item.get("group") or "",
            version=item.get("version") or "",
            storage_version_hash=item.get("storageVersionHash") or "",
        )
        for item in document.get("resources") or ()
    )


# --- client-go's cache files -----------------------------------------------------------------------------------------


def write_group_list(groups: Sequence[Group]) -> bytes:
    """servergroups.json, byte for byte as client-go encodes it."""
    items = [_group_object(group) for group in groups]
    return struct_json({"kind": "APIGroupList", "apiVersion": "v1", "groups": items}) + b"\n"


def _group_object(group: Group) -> dict[str, Any]:
    preferred = group.preferred
    result: dict[str, Any] = {
        "name": group.name,
        "versions": [_version_object(version) for version in group.versions] or None,
        "preferredVersion": _version_object(preferred) if preferred else {"groupVersion": "", "version": ""},
    }
    if group.addresses:
        result["serverAddressByClientCIDRs"] = list(group.addresses)
    return result


def _version_object(version: GroupVersion) -> dict[str, str]:
    return {"groupVersion": str(version), "version": version.version}


def write_resource_list(group_version: GroupVersion, resources: Sequence[Resource]) -> bytes:
    """serverresources.json, byte for byte as client-go encodes it."""
    items = [resource_object(resource) for resource in resources]
    document = {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": str(group_version),
        "resources": items,
    }
    return struct_json(document) + b"\n"


def resource_object(resource: Resource) -> dict[str, Any]:
    """A resource as an APIResource object, keys in Go's order, empty optional ones left out."""
    result: dict[str, Any] = {
        "name": resource.name,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "group": resource.group,
        "version": resource.version,
        "kind": resource.kind,
        "verbs": list(resource.verbs) or None,
        "shortNames": list(resource.short_names),
        "categories": list(resource.categories),
        "storageVersionHash": resource.storage_version_hash,
    }
    always = ("name", "singularName", "namespaced", "kind", "verbs")
    return {key: value for key, value in result.items() if value or key in always}
