"""How far a Deployment has come: bounds, counts and conditions (pkg/controller/deployment/util, progress.go)."""

from __future__ import annotations

import math
from typing import Any

from kubetrace.playground.controllers.base import age_of
from kubetrace.playground.objects import Object, now


def share(value: Any, total: int, up: bool) -> int:
    """A number or a percentage of the total."""
    if isinstance(value, str) and value.endswith("%"):
        part = total * int(value[:-1]) / 100
        return math.ceil(part) if up else math.floor(part)
    return int(value)


def bounds(item: Object) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) as numbers; never both zero."""
    wanted, strategy = item["spec"].get("replicas", 1), item["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return 0, 0
    rolling = strategy.get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge", "25%"), wanted, up=True)
    unavailable = share(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    if not surge and not unavailable:
        unavailable = 1
    return surge, min(unavailable, wanted)


def size_of(entry: Object) -> int:
    return int(entry["spec"].get("replicas", 0))


def available_of(entry: Object) -> int:
    return int((entry.get("status") or {}).get("availableReplicas", 0))


def counts(item: Object, sets: list[Object], current: Object | None) -> Object:
    def total(field: str, which: list[Object]) -> int:
        return sum((entry.get("status") or {}).get(field, 0) for entry in which)

    wanted = int(item["spec"].get("replicas", 1))
    available = total("availableReplicas", sets)
    numbers = {
        "replicas": total("replicas", sets),
        "updatedReplicas": total("replicas", [current] if current else []),
        "readyReplicas": total("readyReplicas", sets),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(map(size_of, sets)) - available),
    }
    status: Object = {"observedGeneration": item["metadata"].get("generation", 1)}
    status |= {name: count for name, count in numbers.items() if count}
    if sets or wanted:
        status["terminatingReplicas"] = total("terminatingReplicas", sets)
    if (item.get("status") or {}).get("collisionCount"):
        status["collisionCount"] = item["status"]["collisionCount"]
    return status


def progressing(item: Object, status: Object, entries: list[Object], current: Object | None) -> float | None:
    """syncRolloutStatus: the answer is when to look at the deadline again."""
    deadline, before = item["spec"].get("progressDeadlineSeconds"), item.get("status") or {}
    if deadline is None or item["spec"].get("paused"):
        return None
    name = f'ReplicaSet "{current["metadata"]["name"]}"' if current else f'Deployment "{item["metadata"]["name"]}"'
    known = next((entry for entry in entries if entry["type"] == "Progressing"), None)
    done = status.get("replicas", 0) == status.get("updatedReplicas", 0) and known is not None
    if done and known is not None and known["reason"] == "NewReplicaSetAvailable":
        return None
    if is_complete(item | {"status": status}):
        set_condition(entries, "Progressing", "True", "NewReplicaSetAvailable", f"{name} has successfully progressed.")
        return None
    moved = (
        status.get("updatedReplicas", 0) > before.get("updatedReplicas", 0)
        or status.get("replicas", 0) - status.get("updatedReplicas", 0)
        < before.get("replicas", 0) - before.get("updatedReplicas", 0)
        or status.get("readyReplicas", 0) > before.get("readyReplicas", 0)
        or status.get("availableReplicas", 0) > before.get("availableReplicas", 0)
    )
    if moved:
        entries[:] = [entry for entry in entries if entry["type"] != "Progressing"]
        fresh = {"type": "Progressing", "status": "True", "lastUpdateTime": now(), "lastTransitionTime": now()}
        if known is not None and known["status"] == "True":
            fresh["lastTransitionTime"] = known["lastTransitionTime"]
        entries.append(fresh | {"reason": "ReplicaSetUpdated", "message": f"{name} is progressing."})
        return float(deadline) + 0.5
    if known is None:
        return None
    if known["reason"] == "ProgressDeadlineExceeded":
        return None
    left = deadline - age_of(known["lastUpdateTime"])
    if left <= 0:
        set_condition(entries, "Progressing", "False", "ProgressDeadlineExceeded", f"{name} has timed out progressing.")
        return None
    return float(max(0.1, left + 0.1))


def is_complete(item: Object) -> bool:
    status, wanted = item.get("status") or {}, int(item["spec"].get("replicas", 1))
    counts = [status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas")]
    return counts == [wanted] * 3 and status.get("observedGeneration", 0) >= item["metadata"].get("generation", 1)


def condition_of(item: Object, kind: str) -> Object | None:
    return next((entry for entry in (item.get("status") or {}).get("conditions") or () if entry["type"] == kind), None)


def set_condition(entries: list[Object], kind: str, status: str, reason: str, message: str) -> None:
    """SetDeploymentCondition: what is changed moves to the end; what says the same stays."""
    old = next((entry for entry in entries if entry["type"] == kind), None)
    if old is not None and (old["status"], old["reason"]) == (status, reason):
        old["message"] = message
        return
    since = old["lastTransitionTime"] if old is not None and old["status"] == status else now()
    entries[:] = [entry for entry in entries if entry["type"] != kind]
    times = {"lastUpdateTime": now(), "lastTransitionTime": since}
    entries.append({"type": kind, "status": status} | times | {"reason": reason, "message": message})
