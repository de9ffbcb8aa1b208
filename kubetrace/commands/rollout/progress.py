"""How far a workload's rollout is, in kubectl's words (kubectl pkg/polymorphichelpers/rollout_status.go)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kubetrace.api.go_words import quoted
from kubetrace.api.metadata import text
from kubetrace.commands.rollout.workloads import GROUPS
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.resources import GroupVersionKind

Object = dict[str, Any]

REVISION = "deployment.kubernetes.io/revision"
_ROLLING_ONLY = "rollout status is only available for RollingUpdate strategy type"


class Told(Value):
    """What there is to say, and whether the rollout is done."""

    text: str
    done: bool = False


Progress = Callable[[Object, int], Told]
"""Gets a workload and the revision that it must have (0: any). Raises KubetraceError for a rollout that failed."""


def progress_of(kind: GroupVersionKind) -> Progress:
    """Raises KubetraceError for a kind that has no rollouts."""
    known: dict[tuple[str, str], Progress] = {("apps", "StatefulSet"): stateful_set}
    for group in GROUPS:
        known[group, "Deployment"], known[group, "DaemonSet"] = deployment, daemon_set
    try:
        return known[kind.group, kind.kind]
    except KeyError:
        raise KubetraceError(f"no status viewer has been implemented for {kind.group_kind}") from None


def revision_of(value: Object) -> int:
    """The revision of a deployment or a replica set; 0 where it has none. Raises KubetraceError for one that is no
    number."""
    from kubetrace.api.metadata import string_map
    from kubetrace.wire.go_strconv import BadValue, parse_int

    found = string_map(value, "annotations").get(REVISION)
    if found is None:
        return 0
    try:
        return parse_int(found, base=10)
    except BadValue as error:
        raise KubetraceError(str(error)) from None


def deployment(value: Object, revision: int) -> Told:
    name, spec, status = quoted(text(value, "name")), value.get("spec") or {}, value.get("status") or {}
    if revision > 0:
        try:
            running = revision_of(value)
        except KubetraceError as error:
            raise KubetraceError(f"cannot get the revision of deployment {name}: {error}") from None
        if revision != running:
            raise KubetraceError(f"desired revision ({revision}) is different from the running revision ({running})")
    if not _observed(value):
        return Told("Waiting for deployment spec update to be observed...\n")
    if any(
        one.get("type") == "Progressing" and one.get("reason") == "ProgressDeadlineExceeded"
        for one in status.get("conditions") or ()
    ):
        raise KubetraceError(f"deployment {name} exceeded its progress deadline")
    replicas, updated, available = (status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas"))
    waiting = f"Waiting for deployment {name} rollout to finish: "
    wanted = spec.get("replicas")
    if wanted is not None and updated < wanted:
        return Told(f"{waiting}{updated} out of {wanted} new replicas have been updated...\n")
    if replicas > updated:
        return Told(f"{waiting}{replicas - updated} old replicas are pending termination...\n")
    if available < updated:
        return Told(f"{waiting}{available} of {updated} updated replicas are available...\n")
    return Told(f"deployment {name} successfully rolled out\n", True)


def daemon_set(value: Object, revision: int) -> Told:
    """Of any revision: kubectl does not look."""
    name, status = quoted(text(value, "name")), value.get("status") or {}
    if ((value.get("spec") or {}).get("updateStrategy") or {}).get("type") != "RollingUpdate":
        raise KubetraceError(_ROLLING_ONLY)
    if not _observed(value):
        return Told("Waiting for daemon set spec update to be observed...\n")
    wanted, updated, available = (
        status.get(key, 0) for key in ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    )
    waiting = f"Waiting for daemon set {name} rollout to finish: "
    if updated < wanted:
        return Told(f"{waiting}{updated} out of {wanted} new pods have been updated...\n")
    if available < wanted:
        return Told(f"{waiting}{available} of {wanted} updated pods are available...\n")
    return Told(f"daemon set {name} successfully rolled out\n", True)


def stateful_set(value: Object, revision: int) -> Told:
    """Of any revision: kubectl does not look."""
    spec, status = value.get("spec") or {}, value.get("status") or {}
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") != "RollingUpdate":
        raise KubetraceError(_ROLLING_ONLY)
    if not status.get("observedGeneration") or not _observed(value):
        return Told("Waiting for statefulset spec update to be observed...\n")
    wanted, updated = spec.get("replicas"), status.get("updatedReplicas", 0)
    missing = (wanted or 0) - status.get("readyReplicas", 0)
    if missing > 0:
        return Told(f"Waiting for {missing} pods to be ready...\n")
    rolling = strategy.get("rollingUpdate")
    if rolling is not None:
        partition = rolling.get("partition")
        if wanted is not None and partition is not None and updated < wanted - partition:
            return Told(
                f"Waiting for partitioned roll out to finish: {updated} out of {wanted - partition} new pods have been "
                "updated...\n"
            )
        return Told(f"partitioned roll out complete: {updated} new pods have been updated...\n", True)
    if status.get("updateRevision") != status.get("currentRevision"):
        revision_name = status.get("updateRevision", "")
        return Told(
            f"waiting for statefulset rolling update to complete {updated} pods at revision {revision_name}...\n"
        )
    current, revision_name = status.get("currentReplicas", 0), status.get("currentRevision", "")
    return Told(f"statefulset rolling update complete {current} pods at revision {revision_name}...\n", True)


def _observed(value: Object) -> bool:
    """Has the controller seen the object's last change?"""
    generation: int = (value.get("metadata") or {}).get("generation", 0)
    observed: int = (value.get("status") or {}).get("observedGeneration", 0)
    return generation <= observed
