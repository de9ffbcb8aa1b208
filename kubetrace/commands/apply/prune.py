"""`apply --prune` by an allow-list: applied objects that the manifests no longer have, found kind by kind and namespace
by namespace (kubectl pkg/util/prune/prune.go, pkg/cmd/apply/prune.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from kubetrace.api import verbs
from kubetrace.api.last_applied import ANNOTATION, annotations_of
from kubetrace.api.metadata import text
from kubetrace.api.resources import GroupKind, GroupVersionKind, Mapping
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Purpose
from kubetrace.value import Value, replace

if TYPE_CHECKING:
    from kubetrace.commands.apply.visited import Visited
    from kubetrace.environment import Environment

Object = dict[str, Any]

_NAMESPACED = (
    *(GroupVersionKind("", "v1", kind) for kind in ("ConfigMap", "Endpoints", "PersistentVolumeClaim", "Pod")),
    *(GroupVersionKind("", "v1", kind) for kind in ("ReplicationController", "Secret", "Service")),
    *(GroupVersionKind("batch", "v1", kind) for kind in ("Job", "CronJob")),
    GroupVersionKind("networking.k8s.io", "v1", "Ingress"),
    *(GroupVersionKind("apps", "v1", kind) for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")),
)
_OF_THE_CLUSTER = (GroupVersionKind("", "v1", "Namespace"), GroupVersionKind("", "v1", "PersistentVolume"))

_WHAT_IS_LEFT = Purpose("prune", "prune: which applied objects are no longer in the manifests?")
_REMOVE = Purpose("prune", "prune: no manifest has this object any more")


class Prunable(Value):
    """A kind that may be pruned; `namespaced` is where kubectl expects its objects."""

    kind: GroupVersionKind
    namespaced: bool

    def __str__(self) -> str:
        namespaced = str(self.namespaced).lower()
        return f"{self.kind.group}/{self.kind.version}, Kind={self.kind.kind}, Namespaced={namespaced}"


def allow_list(environment: Environment, texts: Iterable[str]) -> tuple[Prunable, ...]:
    """--prune-allowlist's values, "group/version/kind" each ("core" is the core group). Raises KubetraceError
    (ParseResources)."""
    found = []
    for words in texts:
        parts = words.split("/")
        if len(parts) != 3:
            raise KubetraceError(f"invalid GroupVersionKind format: {words}, please follow <group/version/kind>")
        group, version, kind = parts
        group = "" if group == "core" else group
        mapping = environment.cluster.mapper.mapping(GroupKind(group, kind), version)
        found.append(Prunable(GroupVersionKind(group, version, kind), mapping.namespaced))
    return tuple(found)


def mappings(environment: Environment, allowed: Sequence[Prunable]) -> list[tuple[Mapping, bool]]:
    """What serves the kinds on the list, or those that kubectl prunes without one; namespaced ones first. Raises
    KubetraceError (GetRESTMappings)."""
    if not allowed:
        environment.note("prune-beyond-namespace")
        allowed = (
            *(Prunable(kind, True) for kind in _NAMESPACED),
            *(Prunable(kind, False) for kind in _OF_THE_CLUSTER),
        )
    found = []
    for one in allowed:
        try:
            mapping = environment.cluster.mapper.mapping(one.kind.group_kind, one.kind.version)
        except KubetraceError as error:
            raise KubetraceError(f"error retrieving RESTMappings to prune: invalid resource {one}: {error}") from None
        found.append((mapping, one.namespaced))
    return sorted(found, key=lambda entry: not entry[1])


class Left(Value):
    """An object that is there and should not be."""

    mapping: Mapping
    namespace: str
    object: Object

    @property
    def name(self) -> str:
        return text(self.object, "name")


def visit_left(
    environment: Environment,
    allowed: Sequence[Prunable],
    visited: Visited,
    labels: str,
    each: Callable[[Left], object],
) -> None:
    """Calls `each` for the applied objects that the manifests do not have. Raises KubetraceError."""
    found = mappings(environment, allowed)
    places = [
        *((namespace, mapping) for namespace in visited.namespaces for mapping, namespaced in found if namespaced),
        *(("", mapping) for mapping, namespaced in found if not namespaced),
    ]
    for namespace, mapping in places:
        what = "namespaced" if namespace else "nonNamespaced"
        try:
            for value in listed(environment, mapping, namespace, labels):
                if ANNOTATION in annotations_of(value) and text(value, "uid") not in visited.uids:
                    each(Left(mapping, namespace, value))
        except KubetraceError as error:
            raise KubetraceError(f"error pruning {what} object {mapping.kind}: {error}") from None


def listed(environment: Environment, mapping: Mapping, namespace: str, labels: str) -> list[Object]:
    """The objects that a selector takes. Raises StatusError, TransportError."""
    from kubetrace.api.builder import items_of

    call = verbs.list_(mapping, namespace, verbs.ListOptions(labels), purpose=_WHAT_IS_LEFT)
    return list(items_of(environment.cluster.objects.send(replace(call, operation="dynamic-list"), mapping)))


def delete(environment: Environment, left: Left, propagation: str, grace_period: int, dry_run: bool) -> None:
    """Raises StatusError, TransportError."""
    from kubetrace.commands.deletion import delete_options

    body = delete_options(grace_period, propagation, dry_run, with_type=True)
    mapping = left.mapping
    call = verbs.delete(mapping, left.namespace, left.name, body, purpose=_REMOVE)
    environment.cluster.objects.send(replace(call, operation="dynamic-delete"), mapping, left.name)
