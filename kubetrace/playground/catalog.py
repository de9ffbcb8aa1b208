"""Which resources the playground serves: the table of a fresh 1.36 server, and what custom definitions add.

The built-in rows were recorded (tests/tools/record_server_facts.py) from aggregated discovery.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from kubetrace.playground.status import qualified


@cache
def recorded(name: str) -> Any:
    """A recorded JSON document of the data folder, decoded."""
    return msgspec.json.decode(recorded_bytes(name))


def recorded_bytes(name: str) -> bytes:
    return gzip.decompress((resources.files("kubetrace.playground") / "data" / name).read_bytes())


def server_facts() -> dict[str, Any]:
    facts: dict[str, Any] = recorded("server-1.36.json.gz")
    return facts


_SHARED = {"events.events.k8s.io": "events"}
"""What two groups serve is stored once."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of one version."""

    group: str
    version: str
    name: str
    kind: str
    namespaced: bool
    verbs: tuple[str, ...]
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: dict[str, dict[str, Any]] = field(default_factory=dict)
    custom: dict[str, Any] | None = None
    """A custom resource's version entry from its CustomResourceDefinition."""
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    """A custom resource's version entries by their names, if it has more than this one."""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def key(self) -> str:
        """Where its objects are stored: the same for all versions."""
        found = qualified(self.name, self.group)
        return _SHARED.get(found, found)

    @property
    def prefix(self) -> str:
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    @property
    def ends(self) -> bool:
        """Is its CustomResourceDefinition being deleted?"""
        return self.custom is not None and self.verbs == tuple(_ENDING_VERBS)

    @property
    def package(self) -> str:
        """The Go package of its internal type."""
        return "core" if self.group in ("", "events.k8s.io") else self.group.partition(".")[0]

    def go_type(self, suffix: str = "") -> str:
        """What %T shows of its objects, or of their List."""
        return f"*{self.package}.{self.kind}{suffix}" if self.custom is None else f"*unstructured.Unstructured{suffix}"


def _resource(group: str, version: str, entry: dict[str, Any]) -> Resource:
    return Resource(
        group=group,
        version=version,
        name=entry["resource"],
        kind=entry["responseKind"]["kind"],
        namespaced=entry["scope"] == "Namespaced",
        verbs=tuple(entry.get("verbs") or ()),
        singular=entry.get("singularResource", ""),
        short_names=tuple(entry.get("shortNames", ())),
        categories=tuple(entry.get("categories", ())),
        subresources={part["subresource"]: part for part in entry.get("subresources", ())},
    )


class Catalog:
    """Every group, version and resource, in discovery's order."""

    def __init__(self) -> None:
        self.built_in: list[dict[str, Any]] = server_facts()["discovery"]
        self._custom: dict[str, list[dict[str, Any]]] = {}
        self._entries: dict[tuple[str, str, str], Resource] = {}
        self._custom_versions: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._all_versions: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
        self._elsewhere: dict[str, dict[str, Any]] = {}
        self.generation = 0
        self._index()

    @property
    def groups(self) -> list[dict[str, Any]]:
        """APIGroupDiscovery items, custom groups after the built-in ones."""
        merged = {group["metadata"].get("name", ""): group for group in self.built_in}
        extra: dict[str, list[dict[str, Any]]] = {}
        for groups in self._custom.values():
            for group in groups:
                extra.setdefault(group["metadata"]["name"], []).append(group)
        for name in sorted(extra):
            merged[name] = _merge_groups(name, extra[name])
        return list(merged.values())

    @property
    def discovered(self) -> list[dict[str, Any]]:
        """The groups, and those of other API servers, whose resources nobody knows while they can't be reached."""
        found = {group["metadata"].get("name", ""): group for group in self.groups}
        for spec in sorted(self._elsewhere.values(), key=lambda spec: (-spec["groupPriorityMinimum"], spec["group"])):
            group = found.get(spec["group"]) or {"metadata": {"name": spec["group"]}, "versions": []}
            others = [entry for entry in group["versions"] if entry["version"] != spec["version"]]
            versions = [*others, {"version": spec["version"], "freshness": "Stale"}]
            found[spec["group"]] = group | {"versions": versions}
        return list(found.values())

    def is_elsewhere(self, group: str, version: str) -> bool:
        """Whether an APIService leaves a group's version to another API server."""
        return f"{version}.{group}" in self._elsewhere

    def register(self, service: dict[str, Any]) -> None:
        """Takes in an APIService, or its new state."""
        spec = service["spec"]
        name = f"{spec['version']}.{spec.get('group', '')}"
        self._elsewhere.pop(name, None)
        if spec.get("service"):
            self._elsewhere[name] = spec
        self.generation += 1

    def deregister(self, name: str) -> None:
        self._elsewhere.pop(name, None)
        self.generation += 1

    def _index(self) -> None:
        self._entries = {}
        for group in self.groups:
            name = group["metadata"].get("name", "")
            for version in group["versions"]:
                for entry in version["resources"]:
                    found = _resource(name, version["version"], entry)
                    key = (name, version["version"], found.name)
                    custom = self._custom_versions.get(key)
                    if custom is not None:
                        versions = self._all_versions[name, found.name]
                        found = replace(found, custom=custom, versions=versions if len(versions) > 1 else {})
                    self._entries[key] = found
        self.generation += 1

    def find(self, group: str, version: str, name: str) -> Resource | None:
        return self._entries.get((group, version, name))

    def by_kind(self, api_version: str, kind: str) -> Resource | None:
        group, _, version = api_version.rpartition("/")
        matches = (r for r in self._entries.values() if (r.group, r.version, r.kind) == (group, version, kind))
        return next(matches, None)

    def preferred(self, key: str) -> Resource | None:
        """The resource of that storage key ("deployments.apps"), in its group's preferred version."""
        return next((resource for resource in self._entries.values() if resource.key == key), None)

    def has_group(self, group: str) -> bool:
        return any(g == group for g, _, _ in self._entries)

    def is_built_in(self, group: str) -> bool:
        return any(each["metadata"].get("name", "") == group for each in self.built_in)

    def has_version(self, group: str, version: str) -> bool:
        return any((g, v) == (group, version) for g, v, _ in self._entries)

    @property
    def all(self) -> list[Resource]:
        return list(self._entries.values())

    def storing(self, group: str) -> dict[str, str]:
        """The versions in which a group's custom resources are kept, by the names of the resources."""
        found = ((name, each) for (its, name), each in self._all_versions.items() if its == group)
        return {name: next((v for v, part in each.items() if part.get("storage")), "") for name, each in found}

    def define(self, definition: dict[str, Any]) -> None:
        """Serves what a CustomResourceDefinition describes, or its new state."""
        spec = definition["spec"]
        name = definition["metadata"]["name"]
        self._forget(name)
        versions = [version for version in spec["versions"] if version.get("served")]
        ends = bool(definition["metadata"].get("deletionTimestamp"))
        self._custom[name] = [_custom_group(spec, versions, _ENDING_VERBS if ends else _VERBS)]
        self._all_versions[spec["group"], spec["names"]["plural"]] = {each["name"]: each for each in spec["versions"]}
        for version in versions:
            self._custom_versions[spec["group"], version["name"], spec["names"]["plural"]] = version
        self._index()

    def forget(self, name: str) -> None:
        self._forget(name)
        self._index()

    def _forget(self, name: str) -> None:
        self._custom.pop(name, None)
        plural, _, group = name.partition(".")
        self._all_versions.pop((group, plural), None)
        for key in [key for key in self._custom_versions if (key[2], key[0]) == (plural, group)]:
            del self._custom_versions[key]


def _merge_groups(name: str, groups: list[dict[str, Any]]) -> dict[str, Any]:
    versions: dict[str, list[dict[str, Any]]] = {}
    for group in groups:
        for version in group["versions"]:
            versions.setdefault(version["version"], []).extend(version["resources"])
    ordered = sorted(versions, key=version_priority)
    return {
        "metadata": {"name": name, "creationTimestamp": None},
        "versions": [{"version": v, "resources": versions[v], "freshness": "Current"} for v in ordered],
    }


def version_priority(version: str) -> tuple[int, int, int, str]:
    """Kubernetes' order: v2, v1, v2beta1, v1alpha1, then the rest by name (apimachinery version/helpers.go)."""
    import re

    match = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if match is None:
        return (3, 0, 0, version)
    stage = {None: 0, "beta": 1, "alpha": 2}[match[2]]
    return (stage, -int(match[1]), -int(match[3] or 0), version)


_VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
_ENDING_VERBS = ["delete", "deletecollection", "get", "list", "watch"]
"""What discovery tells of while the definition is being deleted."""


def _custom_group(spec: dict[str, Any], versions: list[dict[str, Any]], verbs: list[str]) -> dict[str, Any]:
    return {
        "metadata": {"name": spec["group"]},
        "versions": [{"version": v["name"], "resources": [_custom_entry(spec, v, verbs)]} for v in versions],
    }


def _custom_entry(spec: dict[str, Any], version: dict[str, Any], verbs: list[str]) -> dict[str, Any]:
    names = spec["names"]
    kind = {"group": spec["group"], "version": version["name"], "kind": names["kind"]}
    entry: dict[str, Any] = {
        "resource": names["plural"],
        "responseKind": kind,
        "scope": spec["scope"],
        "singularResource": names.get("singular") or names["kind"].lower(),
        "verbs": verbs,
    }
    if names.get("shortNames"):
        entry["shortNames"] = names["shortNames"]
    if names.get("categories"):
        entry["categories"] = names["categories"]
    scale = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    parts = [
        {"subresource": part, "responseKind": scale if part == "scale" else kind, "verbs": ["get", "patch", "update"]}
        for part in ("status", "scale")
        if part in (version.get("subresources") or {})
    ]
    return entry | ({"subresources": parts} if parts else {})
