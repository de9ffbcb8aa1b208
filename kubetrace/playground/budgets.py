"""PodDisruptionBudgets' status and ResourceQuotas: how many may go, how many may come."""

from __future__ import annotations

import copy
import math
from typing import Any

from kubetrace.playground import status
from kubetrace.playground.catalog import Resource
from kubetrace.playground.objects import Object
from kubetrace.playground.selectors import matches_labels
from kubetrace.playground.storage import Store

_COUNTED = {
    "pods": "pods",
    "services": "services",
    "configmaps": "configmaps",
    "secrets": "secrets",
    "persistentvolumeclaims": "persistentvolumeclaims",
    "replicationcontrollers": "replicationcontrollers",
    "resourcequotas": "resourcequotas",
}
_BUDGETS, _QUOTAS = "poddisruptionbudgets.policy", "resourcequotas"


def _ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _share(value: Any, total: int) -> int:
    if isinstance(value, str) and value.endswith("%"):
        return math.ceil(total * int(value[:-1]) / 100)
    return int(value)


class Budgets:
    def __init__(self, store: Store) -> None:
        self._store = store

    def pod_changed(self, namespace: str, name: str) -> float | None:
        for budget in self._store.select(_BUDGETS, namespace):
            self.budget(namespace, budget["metadata"]["name"])
        for quota in self._store.select(_QUOTAS, namespace):
            self.quota(namespace, quota["metadata"]["name"])
        return None

    def budget(self, namespace: str, name: str) -> float | None:
        """How many disruptions a budget allows now (pkg/controller/disruption)."""
        item = self._store.get(_BUDGETS, namespace, name)
        if item is None:
            return None
        spec, pods = item["spec"], self._matching(namespace, item["spec"].get("selector"))
        healthy = sum(map(_ready, pods))
        if "maxUnavailable" in spec:
            wanted = max(0, len(pods) - _share(spec["maxUnavailable"], len(pods)))
        else:
            wanted = _share(spec.get("minAvailable", 1), len(pods))
        found = {
            "currentHealthy": healthy,
            "desiredHealthy": wanted,
            "disruptionsAllowed": max(0, healthy - wanted) if pods else 0,
            "expectedPods": len(pods),
            "observedGeneration": item["metadata"].get("generation", 1),
        }
        if {key: (item.get("status") or {}).get(key) for key in found} != found:
            self._store.put(_BUDGETS, copy.deepcopy(item) | {"status": (item.get("status") or {}) | found})
        return None

    def _matching(self, namespace: str, selector: Object | None) -> list[Object]:
        done = ("Succeeded", "Failed")
        return [
            pod
            for pod in self._store.select("pods", namespace)
            if matches_labels(selector, pod["metadata"].get("labels") or {})
            and (pod.get("status") or {}).get("phase") not in done
            and not pod["metadata"].get("deletionTimestamp")
        ]

    def quota(self, namespace: str, name: str) -> float | None:
        item = self._store.get(_QUOTAS, namespace, name)
        if item is None:
            return None
        hard = item["spec"].get("hard") or {}
        used = {key: str(count) for key in hard if (count := used_of(self._store, namespace, key)) is not None}
        found = {"hard": hard, "used": used}
        if (item.get("status") or {}) != found:
            self._store.put(_QUOTAS, copy.deepcopy(item) | {"status": found})
        return 3.0


def used_of(store: Store, namespace: str, key: str) -> int | None:
    """How many objects a quota's line counts; None for lines that are not counts (cpu, memory)."""
    resource = _COUNTED.get(key) or (key.removeprefix("count/") if key.startswith("count/") else None)
    if resource is None:
        return None
    if resource != "pods":
        return store.count(resource, namespace)
    done = ("Succeeded", "Failed")
    return sum((pod.get("status") or {}).get("phase") not in done for pod in store.select("pods", namespace))


def admit(store: Store, resource: Resource, item: Object) -> None:
    """Raises 403 where one more object would exceed a quota (admission plugin ResourceQuota)."""
    namespace = item["metadata"].get("namespace", "")
    if not namespace or resource.key == _QUOTAS:
        return
    for quota in store.select(_QUOTAS, namespace):
        hard = quota["spec"].get("hard") or {}
        for key in sorted(hard):
            if resource.key not in (_COUNTED.get(key), key.removeprefix("count/")) or not str(hard[key]).isdigit():
                continue
            used = used_of(store, namespace, key) or 0
            if used + 1 > int(hard[key]):
                name = quota["metadata"]["name"]
                why = f"exceeded quota: {name}, requested: {key}=1, used: {key}={used}, limited: {key}={hard[key]}"
                raise status.forbidden(resource.name, resource.group, item["metadata"]["name"], why)
