"""Completion of pods, of what has pods behind it, and of containers (kubectl pkg/util/completion)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_WITH_PODS = (
    "daemonsets",
    "deployments",
    "pods",
    "jobs",
    "replicasets",
    "replicationcontrollers",
    "services",
    "statefulsets",
)
_PATIENCE = 0.1
"""Seconds that a shell waits for the first pod behind an object."""

Names = Callable[[str], Iterable[str]]
"""The names of a type's objects."""


def pods_and_types(names: Names, word: str) -> tuple[list[str], bool]:
    """POD or TYPE/NAME; and whether the types stand alone, so that no blank may follow (doPodResourceCompletion)."""
    kind, slash, start = word.partition("/")
    if slash:
        return [f"{kind}/{name}" for name in names(kind) if name.startswith(start)], False
    pods = [name for name in names("pods") if name.startswith(word)]
    return [*pods, *(f"{kind}/" for kind in _WITH_PODS if kind.startswith(word))], not pods


def containers(environment: Environment, words: Sequence[str], word: str) -> list[str]:
    """The containers of the pod that the first word names, or of the best one behind it."""
    from kubetrace.api.containers import CONTAINERS, INIT_CONTAINERS, container_names
    from kubetrace.api.pods_behind import attachable_pod

    if not words:
        return []
    try:
        value = _named(environment, words[0])
        pod = attachable_pod(environment.cluster.objects, value, _PATIENCE)
    except KubetraceError:
        return []  # completion never complains
    return [name for name in container_names(pod, INIT_CONTAINERS, CONTAINERS) if name.startswith(word)]


def _named(environment: Environment, word: str) -> dict[str, object]:
    from kubetrace.api.builder import Request, build
    from kubetrace.api.selection import Selection

    selection = Selection()
    selection.add_names("pods", (word,))
    request = Request(selection=selection, namespace=environment.namespace, default_namespace=True)
    return build(environment.cluster.typed, request).infos()[0].object or {}
