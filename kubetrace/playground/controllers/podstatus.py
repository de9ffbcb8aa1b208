"""What a kubelet reports of a pod: phase, conditions, container statuses (pkg/kubelet/kubelet_pods.go, status/)."""

from __future__ import annotations

from typing import Any

from kubetrace.playground.containers.images import identity
from kubetrace.playground.objects import Object, now

GROUPS = {
    "initContainers": "initContainerStatuses",
    "containers": "containerStatuses",
    "ephemeralContainers": "ephemeralContainerStatuses",
}
"""The parts of a pod's spec that hold containers, and those of its status that tell of them."""


def waiting(reason: str, message: str = "") -> Object:
    return {"waiting": {"reason": reason} | ({"message": message} if message else {})}


def fresh_status(container: Object, reason: str) -> Object:
    """A container that has not run yet."""
    return {
        "name": container["name"],
        "state": waiting(reason),
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": container.get("image", ""),
        "imageID": "",
        "started": False,
    }


def started_status(entry: Object, container: Object, identifier: str, started_at: str) -> Object:
    """The same entry for a run that has begun."""
    image = container.get("image", "")
    found = entry | {"state": {"running": {"startedAt": started_at}}, "containerID": identifier}
    found |= {"image": image, "imageID": identity(image)}
    resources = container.get("resources") or {}
    if resources:
        found["resources"] = resources
        requests = resources.get("requests")
        if requests:
            found["allocatedResources"] = requests
    mounts = [
        {"name": mount["name"], "mountPath": mount["mountPath"]}
        | ({"readOnly": True, "recursiveReadOnly": "Disabled"} if mount.get("readOnly") else {})
        for mount in container.get("volumeMounts") or ()
    ]
    if mounts:
        found["volumeMounts"] = mounts
    return found


def terminated(code: int, started_at: str, finished_at: str, identifier: str, message: str = "") -> Object:
    ended: Object = {"exitCode": code, "reason": "Completed" if code == 0 else "Error"}
    if message:
        ended["message"] = message
    return {"terminated": ended | {"startedAt": started_at, "finishedAt": finished_at, "containerID": identifier}}


def is_sidecar(container: Object) -> bool:
    return container.get("restartPolicy") == "Always"


def restarts(pod: Object, container: Object, code: int, init: bool) -> bool:
    """Whether a container that ended with that code is to run again (podutil.ContainerShouldRestart)."""
    policy = container.get("restartPolicy") or pod["spec"].get("restartPolicy", "Always")
    if init and not is_sidecar(container):
        return code != 0 and policy != "Never"
    return policy == "Always" or (policy == "OnFailure" and code != 0)


def exit_of(entry: Object) -> int | None:
    """The code of the latest run that ended, while no other has begun."""
    state = entry["state"]
    ended = state.get("terminated") or (
        (entry.get("lastState") or {}).get("terminated") if "waiting" in state else None
    )
    return None if ended is None else int(ended["exitCode"])


def initialized(pod: Object, entries: dict[str, Object]) -> bool:
    for container in pod["spec"].get("initContainers") or ():
        entry = entries.get(container["name"])
        if entry is None:
            return False
        if is_sidecar(container):
            if not entry.get("started"):
                return False
        elif (entry["state"].get("terminated") or {}).get("exitCode") != 0:
            return False
    return True


def phase(pod: Object, entries: dict[str, Object], init: dict[str, Object]) -> str:
    """getPhase."""
    pending = 0
    for container in pod["spec"].get("initContainers") or ():
        entry = init.get(container["name"])
        code = None if entry is None else exit_of(entry)
        if is_sidecar(container):
            pending += entry is None or (not entry.get("started") and code is None)
        elif code is None:
            pending += 1
        elif code and not restarts(pod, container, code, init=True):
            return "Failed"
        elif code:
            pending += 1
    if pending:
        return "Pending"
    running = stopped = succeeded = waits = stays = 0
    for container in pod["spec"]["containers"]:
        entry = entries.get(container["name"])
        code = None if entry is None else exit_of(entry)
        if entry is None or (code is None and "running" not in entry["state"]):
            waits += 1
        elif "running" in entry["state"]:
            running += 1
        else:
            stopped += 1
            succeeded += code == 0
            stays += not restarts(pod, container, code or 0, init=False)
    if waits:
        return "Pending"
    if running or stopped != stays:
        return "Running"
    return "Succeeded" if stopped == succeeded else "Failed"


def conditions(pod: Object, status: Object, sandbox: bool) -> list[Object]:
    """In the order in which a kubelet writes them; foreign conditions stay behind them."""
    entries = {e["name"]: e for e in status.get("containerStatuses") or ()}
    init = {e["name"]: e for e in status.get("initContainerStatuses") or ()}
    done = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(status["phase"], "")
    unready = [c["name"] for c in pod["spec"]["containers"] if not (entries.get(c["name"]) or {}).get("ready")]
    unready += [
        c["name"]
        for c in pod["spec"].get("initContainers") or ()
        if is_sidecar(c) and not (init.get(c["name"]) or {}).get("ready")
    ]
    begun = initialized(pod, init) or bool(done)
    undone = [c["name"] for c in pod["spec"].get("initContainers") or () if not _finished(c, init.get(c["name"]))]
    missing = f"containers with unready status: [{' '.join(unready)}]"
    containers_ready = ("False", done, "") if done else ("False", "ContainersNotReady", missing) if unready else _TRUE
    before = {entry["type"]: entry for entry in (pod.get("status") or {}).get("conditions") or ()}
    ready = containers_ready
    for gate in pod["spec"].get("readinessGates") or ():
        kind = gate["conditionType"]
        if ready == _TRUE and (before.get(kind) or {}).get("status") != "True":
            told = f'the status of pod readiness gate "{kind}" is not "True", but '
            ready = ("False", "ReadinessGatesNotReady", told + str((before.get(kind) or {}).get("status") or "False"))
    initial = ("True", "PodCompleted" if done == "PodCompleted" else "", "")
    if not begun:
        initial = ("False", "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(undone)}]")
    wanted = {
        "PodReadyToStartContainers": _TRUE if sandbox and not done else ("False", "", ""),
        "Initialized": initial,
        "Ready": ready,
        "ContainersReady": containers_ready,
        "PodScheduled": _TRUE,
    }
    generation = pod["metadata"].get("generation", 1)
    found = [_condition(before.get(kind), kind, facts, generation) for kind, facts in wanted.items()]
    return found + [entry for kind, entry in before.items() if kind not in wanted]


_TRUE = ("True", "", "")


def _finished(container: Object, entry: Object | None) -> bool:
    if entry is None:
        return False
    if is_sidecar(container):
        return bool(entry.get("started"))
    return (entry["state"].get("terminated") or {}).get("exitCode") == 0


def _condition(old: Object | None, kind: str, facts: tuple[str, str, str], generation: int) -> Object:
    status, reason, message = facts
    since = old["lastTransitionTime"] if old is not None and old["status"] == status else now()
    found: dict[str, Any] = {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": since}
    found |= {"observedGeneration": generation}
    return found | ({"reason": reason} if reason else {}) | ({"message": message} if message else {})


def part_of(pod: Object, name: str) -> str:
    """The field path of a container, as events name it."""
    for group in GROUPS:
        if any(entry["name"] == name for entry in pod["spec"].get(group) or ()):
            return f"spec.{group}{{{name}}}"
    return ""
