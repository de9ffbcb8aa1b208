"""Names of kinds and resources, what discovery says about a resource, and the paths of its URLs.

The text forms are those of k8s.io/apimachinery/pkg/runtime/schema, because error messages contain them.
"""

from __future__ import annotations

from posixpath import normpath
from typing import Any

from kubetrace.api.go_words import quoted
from kubetrace.errors import KubetraceError
from kubetrace.value import Ordered, Value
from kubetrace.wire.url_path import escape_path


class GroupVersion(Ordered):
    """An API group and one of its versions; the core group's name is empty."""

    group: str
    version: str

    @classmethod
    def parse(cls, text: str) -> GroupVersion:
        """Reads "v1" or "apps/v1". Raises KubetraceError on a second slash (schema.ParseGroupVersion)."""
        if text in ("", "/"):
            return cls("", "")
        if text.count("/") > 1:
            raise KubetraceError(f"unexpected GroupVersion string: {text}")
        group, _, version = text.rpartition("/")
        return cls(group, version)

    def __str__(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


class GroupResource(Ordered):
    """A resource without its version."""

    group: str
    resource: str

    def __str__(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource


class GroupKind(Ordered):
    """A kind without its version."""

    group: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


class GroupVersionKind(Ordered):
    """What an object's apiVersion and kind say."""

    group: str
    version: str
    kind: str

    @classmethod
    def of(cls, value: object) -> GroupVersionKind:
        """The kind of an object (a dict with apiVersion and kind)."""
        found = value if isinstance(value, dict) else {}
        group_version = GroupVersion.parse(str(found.get("apiVersion") or ""))
        return cls(group_version.group, group_version.version, str(found.get("kind") or ""))

    @classmethod
    def of_struct(cls, value: dict[str, Any]) -> GroupVersionKind:
        """The kind whose struct an object is in kubectl, where an item of a typed list does not say it itself."""
        from kubetrace.wire.go_struct import struct_of

        version, kind = struct_of(value)
        return cls.of({"apiVersion": version, "kind": kind})

    @property
    def group_version(self) -> GroupVersion:
        return GroupVersion(self.group, self.version)

    @property
    def group_kind(self) -> GroupKind:
        return GroupKind(self.group, self.kind)

    @property
    def api_version(self) -> str:
        return str(self.group_version)

    def __bool__(self) -> bool:
        return bool(self.group or self.version or self.kind)

    def __str__(self) -> str:
        return f"{self.group}/{self.version}, Kind={self.kind}"


class GroupVersionResource(Ordered):
    """What a URL says. Empty parts stand for "any" where a person typed only a part."""

    group: str
    version: str
    resource: str

    @property
    def group_version(self) -> GroupVersion:
        return GroupVersion(self.group, self.version)

    @property
    def group_resource(self) -> GroupResource:
        return GroupResource(self.group, self.resource)

    def __str__(self) -> str:
        return f"{self.group}/{self.version}, Resource={self.resource}"


class Resource(Value):
    """One line of discovery (metav1.APIResource). `group` and `version` are those of `kind` where they differ from the
    list's; a subresource has a slash in its name."""

    name: str
    singular: str = ""
    namespaced: bool = False
    kind: str = ""
    verbs: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    group: str = ""
    version: str = ""
    storage_version_hash: str = ""

    @property
    def is_subresource(self) -> bool:
        return "/" in self.name


class Mapping(Value):
    """A kind, the resource that serves it, and whether it lives in namespaces (meta.RESTMapping)."""

    resource: GroupVersionResource
    kind: GroupVersionKind
    namespaced: bool


def resource_path(
    resource: GroupVersionResource,
    namespace: str = "",
    name: str = "",
    subresource: str = "",
) -> str:
    """The escaped path of a collection or of one object; `namespace` is left out when empty.

    Raises KubetraceError for a name, namespace or subresource that can't stand in a path (rest/request.go).
    """
    parts = [prefix(resource.group_version)]
    if namespace:
        _check_segment("namespace", namespace)
        parts += ["namespaces", namespace]
    parts.append(resource.resource.lower())
    if name:
        _check_segment("resource name", name)
        parts.append(name)
    if subresource:
        _check_segment("subresource", subresource)
        parts.append(subresource)
    return escape_path(normpath("/".join(parts)))


def prefix(group_version: GroupVersion) -> str:
    """Where a group and version live: "/api/v1" or "/apis/apps/v1"."""
    return f"/apis/{group_version}" if group_version.group else f"/api/{group_version.version}"


def _check_segment(what: str, text: str) -> None:
    if text in (".", ".."):
        problems = [f"may not be '{text}'"]
    else:
        problems = [f"may not contain '{sign}'" for sign in ("/", "%") if sign in text]
    if problems:
        raise KubetraceError(f"invalid {what} {quoted(text)}: [{' '.join(problems)}]")


def parse_resource_argument(text: str) -> tuple[GroupVersionResource | None, GroupResource]:
    """Both readings of "deployments.v1.apps": with a version (None with fewer than two dots) and without
    (schema.ParseResourceArg)."""
    versioned = None
    if text.count(".") >= 2:
        resource, version, group = text.split(".", 2)
        versioned = GroupVersionResource(group, version, resource)
    resource, _, group = text.partition(".")
    return versioned, GroupResource(group, resource)
