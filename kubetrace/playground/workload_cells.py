"""What the server prints in the table rows of pods and of what makes pods (see cells.py)."""

from __future__ import annotations

import datetime
from collections.abc import Callable
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


def pod_reason(item: Item) -> tuple[str, int, str | None]:
    """(STATUS, restarts, when the last restart was)."""
    status, metadata = item.get("status") or {}, item["metadata"]
    reason = status.get("reason") or status.get("phase") or ""
    if any(
        c["type"] == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in status.get("conditions") or ()
    ):
        reason = "SchedulingGated"
    restarts, last = 0, None
    waiting_init = None
    inits = status.get("initContainerStatuses") or []
    for index, container in enumerate(inits):
        restarts += container.get("restartCount", 0)
        terminated, waiting = get(container, "state.terminated"), get(container, "state.waiting")
        if terminated is not None and terminated.get("exitCode") == 0:
            continue
        if terminated is not None:
            waiting_init = "Init:" + (terminated.get("reason") or f"ExitCode:{terminated.get('exitCode')}")
        elif waiting and waiting.get("reason") not in (None, "", "PodInitializing"):
            waiting_init = "Init:" + waiting["reason"]
        else:
            waiting_init = f"Init:{index}/{len(item['spec'].get('initContainers') or ())}"
        break
    if waiting_init is not None:
        reason = waiting_init
    else:
        restarts, running = 0, False
        for container in reversed(status.get("containerStatuses") or []):
            restarts += container.get("restartCount", 0)
            last = get(container, "lastState.terminated.finishedAt", last)
            state = container.get("state") or {}
            waiting, terminated = state.get("waiting") or {}, state.get("terminated")
            if waiting.get("reason"):
                reason = waiting["reason"]
            elif terminated is not None:
                signal, code = terminated.get("signal"), terminated.get("exitCode", 0)
                reason = terminated.get("reason") or (f"Signal:{signal}" if signal else f"ExitCode:{code}")
            elif container.get("ready") and "running" in state:
                running = True
        if reason == "Completed" and running:
            ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ())
            reason = "Running" if ready else "NotReady"
    if metadata.get("deletionTimestamp"):
        reason = "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return reason, restarts, last


def _pod(item: Item) -> list[Any]:
    reason, restarts, last = pod_reason(item)
    status, spec = item.get("status") or {}, item["spec"]
    ready = sum(
        1 for c in status.get("containerStatuses") or () if c.get("ready") and "running" in (c.get("state") or {})
    )
    text = f"{restarts} ({since(last)} ago)" if restarts and last else str(restarts)
    gates = spec.get("readinessGates")
    gate_text = NONE
    if gates:
        met = {c["type"] for c in status.get("conditions") or () if c["status"] == "True"}
        gate_text = f"{sum(1 for gate in gates if gate['conditionType'] in met)}/{len(gates)}"
    return [
        item["metadata"]["name"],
        f"{ready}/{len(spec.get('containers') or ())}",
        reason,
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
