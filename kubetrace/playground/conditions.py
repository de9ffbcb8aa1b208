"""Conditions and shares that workloads report: readiness, availability, progress, completion."""

from __future__ import annotations

import math
from typing import Any

from kubetrace.playground.objects import Object, now


def is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def share(value: Any, total: int, up: bool) -> int:
    if isinstance(value, str) and value.endswith("%"):
        part = total * int(value[:-1]) / 100
        return math.ceil(part) if up else math.floor(part)
    return int(value)


def _conditioned(item: Object, kind: str, good: bool, reason: str, message: str) -> Object:
    status = "True" if good else "False"
    before: list[Object] = (item.get("status") or {}).get("conditions") or []
    old = next((c for c in before if c["type"] == kind), None)
    if old is not None and (old["status"], old["reason"], old["message"]) == (status, reason, message):
        return old
    since = old["lastTransitionTime"] if old is not None and old["status"] == status else now()
    found = {"type": kind, "status": status, "lastUpdateTime": now(), "lastTransitionTime": since}
    return found | {"reason": reason, "message": message}


def deployment_conditions(item: Object, available: bool, done: bool, set_name: str) -> list[Object]:
    if available:
        first = _conditioned(
            item, "Available", True, "MinimumReplicasAvailable", "Deployment has minimum availability."
        )
    else:
        told = "Deployment does not have minimum availability."
        first = _conditioned(item, "Available", False, "MinimumReplicasUnavailable", told)
    if done:
        told = f'ReplicaSet "{set_name}" has successfully progressed.'
        return [first, _conditioned(item, "Progressing", True, "NewReplicaSetAvailable", told)]
    return [
        first,
        _conditioned(item, "Progressing", True, "ReplicaSetUpdated", f'ReplicaSet "{set_name}" is progressing.'),
    ]


def job_conditions(status: Object, complete: bool, failed: bool) -> None:
    def entry(kind: str, reason: str, message: str) -> Object:
        times = {"lastProbeTime": now(), "lastTransitionTime": now()}
        return {"type": kind, "status": "True", **times, "reason": reason, "message": message}

    if complete:
        reason = ("CompletionsReached", "Reached expected number of succeeded pods")
        status["completionTime"] = now()
        status["conditions"] = [entry("SuccessCriteriaMet", *reason), entry("Complete", *reason)]
    elif failed:
        reason = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
        status["conditions"] = [entry("FailureTarget", *reason), entry("Failed", *reason)]
