"""The containers of a pod by name, and the one that is meant where nobody names one (kubectl pkg/cmd/util/podcmd)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kubetrace.api.go_words import quoted
from kubetrace.api.metadata import string_map, text
from kubetrace.errors import KubetraceError

Object = Mapping[str, Any]

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
"""The annotation that names a pod's most interesting container."""

CONTAINERS, INIT_CONTAINERS, EPHEMERAL_CONTAINERS = FIELDS = ("containers", "initContainers", "ephemeralContainers")
"""The fields of a pod's spec that hold containers."""


def containers_in(pod: Object, field: str) -> list[dict[str, Any]]:
    """The containers in one of the FIELDS."""
    found: list[dict[str, Any]] = (pod.get("spec") or {}).get(field) or []
    return found


def container_names(pod: Object, *fields: str) -> Iterator[str]:
    """The names in these of the FIELDS (without any: in all), in this order."""
    for field in fields or FIELDS:
        for container in containers_in(pod, field):
            yield str(container.get("name") or "")


def find_container(pod: Object, name: str) -> tuple[dict[str, Any], str] | None:
    """The container of a name, and the field of the spec that it is in; None where there is none."""
    for field in FIELDS:
        for container in containers_in(pod, field):
            if container.get("name") == name:
                return container, field
    return None


def all_container_names(pod: Object) -> str:
    """The names as messages list them: "a, b, debugger (ephem), setup (init)"."""
    marks = ((CONTAINERS, ""), (EPHEMERAL_CONTAINERS, " (ephem)"), (INIT_CONTAINERS, " (init)"))
    return ", ".join(f"{name}{mark}" for field, mark in marks for name in container_names(pod, field))


def is_ambiguous(pod: Object) -> bool:
    """Has the pod more containers than one?"""
    return len(list(container_names(pod))) > 1


def no_such_container(pod: Object, name: str) -> KubetraceError:
    """The error for a name that no container has."""
    return KubetraceError(
        f"container {name} is not valid for pod {text(pod, 'name')} out of: {all_container_names(pod)}"
    )


def defaulted(pod: Object, name: str) -> str:
    """What is told of a container that was chosen among several."""
    return f"Defaulted container {quoted(name)} out of: {all_container_names(pod)}\n"


def find_or_default_container(
    pod: Object, name: str, tell: Callable[[str], object] | None, note: Callable[..., object] | None = None
) -> dict[str, Any]:
    """The container of this name; without one, of the annotation's; without that, the first, which `tell` gets to know
    where there are others. `note` takes what kubectl logs (`Environment.note`). Raises KubetraceError."""
    containers = containers_in(pod, CONTAINERS)
    if not containers:
        raise KubetraceError(f"pod {text(pod, 'namespace')}/{text(pod, 'name')} does not have any containers")
    annotated = "" if name else string_map(pod, "annotations").get(DEFAULT_CONTAINER, "")
    if annotated and note is not None:
        note("container-of-annotation", container=annotated)
    if wanted := name or annotated:
        found = find_container(pod, wanted)
        if found is None:
            raise no_such_container(pod, wanted)
        return found[0]
    first = str(containers[0].get("name") or "")
    if tell is not None and is_ambiguous(pod):
        tell(defaulted(pod, first))
    if note is not None:
        note("default-container", container=first)
    return containers[0]
