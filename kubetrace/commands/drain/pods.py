"""Which of a node's pods have to go, and why the others may not (kubectl pkg/drain: drain.go, filters.go)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubetrace.api.controllers import controller_of
from kubetrace.api.labels import canonical
from kubetrace.api.metadata import string_map, text
from kubetrace.api.related import Related
from kubetrace.api.status import is_not_found
from kubetrace.api.typed_kinds import DAEMON_SETS, PODS
from kubetrace.api.verbs import escaped_value
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Purpose
from kubetrace.value import Value

Pod = Mapping[str, Any]

_ON_NODE = Purpose("drain", "drain: which pods are on the node?")
_DAEMON_SET = Purpose("drain", "drain: is the pod's daemon set still there?")
_MIRROR = "kubernetes.io/config.mirror"
"""The annotation of a pod that stands for one which a node's own file describes."""


class Fate(Value):
    """What becomes of a pod: whether it goes, and what is to be told of it (a reason that `refuses`, or a warning)."""

    goes: bool = True
    refuses: bool = False
    reason: str = ""


_GOES = Fate()
_STAYS = Fate(goes=False)


class Fates(Value):
    """A node's pods with the fate of each."""

    all: tuple[tuple[Pod, Fate], ...]

    @property
    def going(self) -> list[Pod]:
        return [pod for pod, fate in self.all if fate.goes]

    @property
    def warning(self) -> str:
        """One line on pods that are left, and on those that will not come back; empty for none."""
        return "; ".join(f"{reason}: {', '.join(names)}" for reason, names in self._by_reason(refuses=False).items())

    @property
    def errors(self) -> list[KubetraceError]:
        """Why nothing may go."""
        refused = self._by_reason(refuses=True).items()
        return [KubetraceError(f"cannot delete {reason}: {', '.join(names)}") for reason, names in refused]

    def _by_reason(self, *, refuses: bool) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for pod, fate in self.all:
            if fate.reason and fate.refuses == refuses:
                found.setdefault(fate.reason, []).append(f"{text(pod, 'namespace')}/{text(pod, 'name')}")
        return found


class Filter(Value):
    """What the flags say of pods. `selector` limits which are looked at; `skip_after` are the seconds after whose end
    a pod that should be gone is not waited for (0: always)."""

    related: Related
    selector: str = ""
    force: bool = False
    ignore_daemon_sets: bool = False
    delete_empty_dir_data: bool = False
    skip_after: int = 0

    def fates(self, node: str) -> Fates:
        """The fates of a node's pods. Raises KubetraceError where they cannot be listed."""
        on_node = f"spec.nodeName={escaped_value(node)}"
        found = self.related.many(PODS, "", labels=canonical(self.selector), fields=on_node, purpose=_ON_NODE)
        return Fates(tuple([(pod, self._fate(pod)) for pod in found]))

    def _fate(self, pod: Pod) -> Fate:
        """The verdict of the last check, or of the first that lets the pod stay, as in kubectl."""
        fate = _GOES
        for check in (self._too_late, self._of_daemon_set, self._mirrored, self._with_data, self._alone):
            fate = check(pod)
            if not fate.goes:
                break
        return fate

    def _too_late(self, pod: Pod) -> Fate:
        return _STAYS if overdue(pod, self.skip_after) else _GOES

    def _of_daemon_set(self, pod: Pod) -> Fate:
        owner = controller_of(pod)
        if owner is None or (owner.get("kind"), owner.get("apiVersion")) != ("DaemonSet", "apps/v1") or is_over(pod):
            return _GOES
        try:
            self.related.one(DAEMON_SETS, text(pod, "namespace"), str(owner.get("name")), purpose=_DAEMON_SET)
        except KubetraceError as error:
            if self.force and is_not_found(error):
                return Fate(reason=str(error))
            return Fate(goes=False, refuses=True, reason=str(error) or "unexpected error")
        if not self.ignore_daemon_sets:
            return Fate(goes=False, refuses=True, reason="DaemonSet-managed Pods (use --ignore-daemonsets to ignore)")
        return Fate(goes=False, reason="ignoring DaemonSet-managed Pods")

    def _mirrored(self, pod: Pod) -> Fate:
        return _STAYS if _MIRROR in string_map(pod, "annotations") else _GOES

    def _with_data(self, pod: Pod) -> Fate:
        volumes: Sequence[Mapping[str, Any]] = (pod.get("spec") or {}).get("volumes") or ()
        if is_over(pod) or not any(volume.get("emptyDir") is not None for volume in volumes):
            return _GOES
        if not self.delete_empty_dir_data:
            return Fate(
                goes=False, refuses=True, reason="Pods with local storage (use --delete-emptydir-data to override)"
            )
        return Fate(reason="deleting Pods with local storage")

    def _alone(self, pod: Pod) -> Fate:
        if is_over(pod) or controller_of(pod) is not None:
            return _GOES
        if self.force:
            return Fate(reason="deleting Pods that declare no controller")
        return Fate(goes=False, refuses=True, reason="Pods that declare no controller (use --force to override)")


def is_over(pod: Pod) -> bool:
    """Has the pod run to its end?"""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def overdue(pod: Pod, seconds: int) -> bool:
    """Should the pod have been gone for more than these seconds (0: no pod is)?"""
    import datetime

    due = text(pod, "deletionTimestamp")
    if seconds <= 0 or not due:
        return False
    try:
        moment = datetime.datetime.fromisoformat(due.replace("Z", "+00:00"))
    except ValueError:
        return False
    return int((datetime.datetime.now(datetime.UTC) - moment).total_seconds()) > seconds
