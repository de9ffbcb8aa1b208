"""Pods and pod templates in objects, changed (kubectl pkg/polymorphichelpers/updatepodspec.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.flags import flag
from kubetrace.commands.set.changes import SetOptions
from kubetrace.commands.shared_options import record, selector
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubetrace.commands.change_cause import Recorder

_TEMPLATES = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    **dict.fromkeys(
        ("DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"), ("spec", "template")
    ),
}
"""Where each kind has its pods' spec, but for the last step."""


class PodChangeOptions(SetOptions):
    record: bool = record()
    selector: str = selector()


def containers() -> str:
    """-c"""
    return flag("*", "c", help="Names of the containers to change, '*' stands for any text.")


def pod_spec(value: dict[str, Any]) -> dict[str, Any]:
    """The spec of an object's pods. Raises KubetraceError."""
    from kubetrace.wire.go_struct import go_type_of, struct_of

    _, kind = struct_of(value)
    if kind not in _TEMPLATES:
        raise KubetraceError(f"the object is not a pod or does not have a pod template: {go_type_of(value)}")
    for key in (*_TEMPLATES[kind], "spec"):
        value = value.setdefault(key, {})
    return value


def matching(spec: dict[str, Any], pattern: str) -> list[dict[str, Any]]:
    """The containers, and the init containers after them, whose name fits a pattern in which "*" stands for any text
    (selectContainers)."""
    found: list[dict[str, Any]] = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return [container for container in found if matches(str(container.get("name") or ""), pattern)]


def matches(name: str, pattern: str) -> bool:
    """kubectl's selectString, which lets any text stand before the pattern, and is not strict about the rest either."""
    if "*" not in pattern:
        return name == pattern
    position, parts = 0, pattern.split("*")
    for index, part in enumerate(parts):
        if not part:
            continue
        found = name[position:].find(part)
        is_last = index == len(parts) - 1
        if found < position or (is_last and len(name) != len(part) + found):
            return False
        position = found
    return True


def of_pods(
    change: Callable[[dict[str, Any]], bool | None], recorder: Recorder
) -> Callable[[dict[str, Any]], bool | None]:
    """A change of the pods' spec as one of the whole object, which keeps the cause."""

    def changed(value: dict[str, Any]) -> bool | None:
        if change(pod_spec(value)) is False:
            return False
        recorder.record(value)
        return None

    return changed
