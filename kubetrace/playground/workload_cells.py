"""What the server prints in the table rows of pods and of what makes pods (see cells.py)."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubetrace.playground.objects import moment
from kubetrace.playground.row_values import (
    NONE,
    Item,
    age,
    containers,
    get,
    human_duration,
    joined,
    selector_text,
    since,
)


@dataclass(slots=True)
class _PodRow:
    """What a pod's containers come to (printPod)."""

    reason: str
    ready: int = 0
    restarts: int = 0
    last: str = ""
    """When the last restart was."""

    def count(self, container: Item) -> None:
        self.restarts += container.get("restartCount", 0)
        self.last = max(self.last, get(container, "lastState.terminated.finishedAt") or "")


def _pod_row(item: Item) -> _PodRow:
    status, spec = item.get("status") or {}, item["spec"]
    conditions = status.get("conditions") or ()
    row = _PodRow(status.get("reason") or status.get("phase") or "")
    if any(c["type"] == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in conditions):
        row.reason = "SchedulingGated"
    sidecars = _PodRow("")
    initializing = _count_inits(spec, status, row, sidecars)
    if not initializing or any(c["type"] == "Initialized" and c["status"] == "True" for c in conditions):
        row.restarts, row.last = sidecars.restarts, sidecars.last
        _count_containers(status, row)
    if item["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            row.reason = "Unknown"
        elif status.get("phase") not in ("Succeeded", "Failed"):
            row.reason = "Terminating"
    return row


def _count_inits(spec: Item, status: Item, row: _PodRow, sidecars: _PodRow) -> bool:
    """Whether an init container is still in the way. `sidecars` gets the restarts of those that stay."""
    stay = {each["name"] for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"}
    for index, container in enumerate(status.get("initContainerStatuses") or ()):
        row.count(container)
        if container["name"] in stay:
            sidecars.count(container)
        terminated, waiting = get(container, "state.terminated"), get(container, "state.waiting")
        if terminated is not None and terminated.get("exitCode", 0) == 0:
            continue
        if container["name"] in stay and container.get("started"):
            row.ready += bool(container.get("ready"))
            continue
        if terminated is not None:
            row.reason = f"Init:{_ended(terminated)}"
        elif waiting and waiting.get("reason") not in (None, "", "PodInitializing"):
            row.reason = f"Init:{waiting['reason']}"
        else:
            row.reason = f"Init:{index}/{len(spec.get('initContainers') or ())}"
        return True
    return False


def _count_containers(status: Item, row: _PodRow) -> None:
    running, failure = False, ""
    for container in reversed(status.get("containerStatuses") or []):
        row.count(container)
        state = container.get("state") or {}
        waiting, terminated = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            row.reason = waiting["reason"]
        elif terminated is not None:
            row.reason = _ended(terminated)
            failure = row.reason if terminated.get("exitCode", 0) else failure
        elif container.get("ready") and "running" in state:
            running = True
            row.ready += 1
    if row.reason == "Completed":
        if running and any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ()):
            row.reason = "Running"
        elif failure or running:
            row.reason = failure or "NotReady"


def _ended(terminated: Item) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    signal = terminated.get("signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{terminated.get('exitCode', 0)}"


def _pod(item: Item) -> list[Any]:
    row, status, spec = _pod_row(item), item.get("status") or {}, item["spec"]
    restarts, last = row.restarts, row.last
    sidecars = [each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"]
    total = len(spec.get("containers") or ()) + len(sidecars)
    text = f"{restarts} ({since(last)} ago)" if restarts and last else str(restarts)
    gates = spec.get("readinessGates")
    gate_text = NONE
    if gates:
        met = {c["type"] for c in status.get("conditions") or () if c["status"] == "True"}
        gate_text = f"{sum(1 for gate in gates if gate['conditionType'] in met)}/{len(gates)}"
    return [
        item["metadata"]["name"],
        f"{row.ready}/{total}",
        row.reason,
        text,
        age(item),
        status.get("podIP") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        gate_text,
    ]


def _deployment(item: Item) -> list[Any]:
    spec, status = item["spec"], item.get("status") or {}
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    names, images = containers(spec["template"]["spec"])
    return [
        item["metadata"]["name"],
        ready,
        updated,
        available,
        age(item),
        names,
        images,
        selector_text(spec["selector"]),
    ]


def _replica_set(item: Item) -> list[Any]:
    spec, status = item["spec"], item.get("status") or {}
    names, images = containers(spec["template"]["spec"])
    selector = spec.get("selector") or {}
    text = selector_text(selector) if "matchLabels" in selector or "matchExpressions" in selector else joined(selector)
    counts = [spec.get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [item["metadata"]["name"], *counts, age(item), names, images, text]


def _stateful_set(item: Item) -> list[Any]:
    names, images = containers(item["spec"]["template"]["spec"])
    ready = f"{get(item, 'status.readyReplicas', 0)}/{item['spec'].get('replicas', 0)}"
    return [item["metadata"]["name"], ready, age(item), names, images]


def _daemon_set(item: Item) -> list[Any]:
    status, spec = item.get("status") or {}, item["spec"]
    fields = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    names, images = containers(spec["template"]["spec"])
    selector = joined(spec["template"]["spec"].get("nodeSelector"))
    counts = [status.get(field, 0) for field in fields]
    return [item["metadata"]["name"], *counts, selector, age(item), names, images, selector_text(spec["selector"])]


def _job(item: Item) -> list[Any]:
    spec, status = item["spec"], item.get("status") or {}
    conditions = {c["type"] for c in status.get("conditions") or () if c["status"] == "True"}
    state = "Running"
    for condition, text in (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")):
        if condition in conditions:
            state = text
            break
    else:
        if item["metadata"].get("deletionTimestamp"):
            state = "Terminating"
        elif "FailureTarget" in conditions:
            state = "FailureTarget"
        elif "SuccessCriteriaMet" in conditions:
            state = "SuccessCriteriaMet"
    wanted = spec.get("completions")
    completions = f"{status.get('succeeded', 0)}/{wanted}" if wanted is not None else f"{status.get('succeeded', 0)}/1"
    duration = ""
    if status.get("startTime"):
        start = moment(status["startTime"])
        end = moment(status["completionTime"]) if status.get("completionTime") else datetime.datetime.now(datetime.UTC)
        duration = human_duration((end - start).total_seconds())
    names, images = containers(spec["template"]["spec"])
    row = [item["metadata"]["name"], state, completions, duration, age(item)]
    return [*row, names, images, selector_text(spec.get("selector"))]


def _cron_job(item: Item) -> list[Any]:
    spec, status = item["spec"], item.get("status") or {}
    last = since(status.get("lastScheduleTime")) if status.get("lastScheduleTime") else NONE
    names, images = containers(spec["jobTemplate"]["spec"]["template"]["spec"])
    suspended = "True" if spec.get("suspend") else "False"
    row = [item["metadata"]["name"], spec["schedule"], spec.get("timeZone") or NONE, suspended]
    return [*row, len(status.get("active") or ()), last, age(item), names, images, NONE]


WORKLOAD_CELLS: dict[str, Callable[[Item], list[Any]]] = {
    "pods": _pod,
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "replicationcontrollers": _replica_set,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
}
