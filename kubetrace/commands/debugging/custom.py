"""--custom: a partial container in a file, laid over the one that the profile has made (kubectl pkg/cmd/debug)."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from kubetrace.errors import KubetraceError

Object = dict[str, Any]

_FIXED = ("name", "command", "image", "lifecycle", "volumeDevices")
"""What a custom profile cannot say."""


def read_custom(path: str) -> Object | None:
    """The container in a JSON or YAML file; None where the file holds nothing. Raises KubetraceError."""
    from kubetrace.commands.generators.data_sources import read
    from kubetrace.wire.go_decoding import container_problem, with_texts
    from kubetrace.wire.yaml_reader import InvalidYAML
    from kubetrace.wire.yaml_reader import loads as yaml_loads

    try:
        data = read(path)
    except KubetraceError as error:
        raise KubetraceError(f"must pass a container spec json file for custom profile: {error}") from None
    wrong = f"{path} does not contain a valid container spec: "
    try:  # JSON is YAML, too; what kubectl reads as JSON only reads the same
        value = yaml_loads(data)
    except InvalidYAML as error:
        raise KubetraceError(f"{wrong}error converting YAML to JSON: {error}") from None
    if value is None:
        return None
    if problem := container_problem(value):
        raise KubetraceError(f"{wrong}error unmarshaling JSON: while decoding JSON: {problem}")
    return as_container(with_texts(value, "v1.Container"))


def check_custom(custom: Object | None) -> None:
    """Raises KubetraceError for what is not to be changed."""
    if custom is not None and any(custom.get(field) for field in _FIXED):
        raise KubetraceError("name, command, image, lifecycle and volume devices are not modifiable via custom profile")


def as_container(value: Object) -> Object:
    """A container as kubectl's struct has it."""
    from kubetrace.wire.go_struct import typed

    pod = typed({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [value]}})
    found: Object = pod["spec"]["containers"][0]
    return found


def customized(container: Object, custom: Object) -> Object:
    """The container with the custom one merged into it. Raises KubetraceError."""
    from kubetrace.api.merge_meta import built_in_meta
    from kubetrace.api.merge_values import MergeError
    from kubetrace.api.strategic_merge import apply_patch

    pod_meta = built_in_meta("v1", "Pod")
    assert pod_meta is not None
    meta = pod_meta.field("spec", False).inner.field("containers", True).inner
    try:
        return apply_patch(container, {**deepcopy(custom), "name": container["name"]}, meta)
    except MergeError as error:
        raise KubetraceError(f"error creating three way patch to add debug container: {error}") from None


def customize(pod: Object, field: str, name: str, custom: Object) -> None:
    """Lays the custom container over the one of this name in a field of the pod. Raises KubetraceError."""
    containers = (pod.get("spec") or {}).get(field) or []
    for index, container in enumerate(containers):
        if container.get("name") == name:
            containers[index] = customized(container, custom)
            return
    kind = "ephemeral container" if field == "ephemeralContainers" else "container"
    raise KubetraceError(f"unable to find the {name} {kind} in the pod {pod['metadata'].get('name', '')}")
