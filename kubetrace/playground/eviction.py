"""Evictions: a pod goes if its disruption budget allows it (pkg/registry/core/pod/storage/eviction.go)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kubetrace.playground.objects import Object, now
from kubetrace.playground.paths import Target
from kubetrace.playground.pods import disrupted, is_done, is_ready
from kubetrace.playground.selectors import matches_labels
from kubetrace.playground.status import ApiError
from kubetrace.playground.verbs import Verbs
from kubetrace.playground.write import Write

_BUDGETS = "poddisruptionbudgets.policy"
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
_SECONDS = 10
"""After which a client may ask again for a pod whose budget was not looked at yet."""


def evict(verbs: Verbs, target: Target, body: Any, write: Write) -> Object:
    """Deletes the pod, unless its budget forbids it: raises 429 then. Both the query and the body may say that this is
    a dry run."""
    if ((body or {}).get("metadata") or {}).get("name") != target.name:
        raise ApiError(400, "name in URL does not match name in Eviction object")
    options = (body or {}).get("deleteOptions") or {}
    write = replace(write, dry_run=write.dry_run or bool(options.get("dryRun")))
    pod = verbs.read(target.resource, target.namespace, target.name)
    budget = None if _is_lost_anyway(pod) else _budget_of(verbs, pod)
    if budget is not None and not _does_not_count(pod, budget):
        _check(budget)
        if not write.dry_run:
            _disrupt(verbs, budget, target.name)
    if not write.dry_run:
        _say_why(verbs, target)
    verbs.delete(target.resource, target.namespace, target.name, options, write)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _is_lost_anyway(pod: Object) -> bool:
    """No budget is asked for a pod that has ended, has not begun, or is going already."""
    status = pod.get("status") or {}
    return is_done(pod) or status.get("phase") == "Pending" or bool(pod["metadata"].get("deletionTimestamp"))


def _budget_of(verbs: Verbs, pod: Object) -> Object | None:
    labels = pod["metadata"].get("labels") or {}
    found = [
        budget
        for budget in verbs.store.select(_BUDGETS, pod["metadata"]["namespace"])
        if matches_labels(budget["spec"].get("selector"), labels)
    ]
    if len(found) > 1:
        told = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise ApiError(500, told, "")
    return found[0] if found else None


def _does_not_count(pod: Object, budget: Object) -> bool:
    """Whether the pod is missing already, so that nothing is lost with it."""
    if is_ready(pod):
        return False
    status = budget.get("status") or {}
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    needed = status.get("desiredHealthy", 0)
    return bool(needed > 0 and status.get("currentHealthy", 0) >= needed)


def _check(budget: Object) -> None:
    """Raises 429 where the budget has no disruption left."""
    found, name = budget.get("status") or {}, budget["metadata"]["name"]
    details: dict[str, Any] = {}
    if found.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        why = f"The disruption budget {name} is still being processed by the server."
        details = {"retryAfterSeconds": _SECONDS}
    elif found.get("disruptionsAllowed", 0) > 0:
        return
    else:
        needed, healthy = found.get("desiredHealthy", 0), found.get("currentHealthy", 0)
        why = f"The disruption budget {name} needs {needed} healthy pods and has {healthy} currently"
        if healthy > needed:
            why = f"The disruption budget {name} does not allow evicting pods currently"
    cause = {"reason": "DisruptionBudget", "message": why}
    raise ApiError(429, _REFUSED, details={"causes": [cause], **details})


def _disrupt(verbs: Verbs, budget: Object, name: str) -> None:
    """Counts the disruption at once, before the controllers do."""
    budget["status"]["disruptionsAllowed"] -= 1
    budget["status"].setdefault("disruptedPods", {})[name] = now()
    verbs.store.put(_BUDGETS, budget)


def _say_why(verbs: Verbs, target: Target) -> None:
    """Tells in the pod why it goes."""
    pod = verbs.store.get("pods", target.namespace, target.name)
    if pod is None or not pod["spec"].get("nodeName"):
        return
    pod["status"]["conditions"] = disrupted(pod, "EvictionByEvictionAPI", "Eviction API: evicting")
    verbs.store.put("pods", pod)
