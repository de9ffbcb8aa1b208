"""ReplicaSets and ReplicationControllers: as many pods as are wanted (pkg/controller/replicaset/replica_set.go)."""

from __future__ import annotations

from typing import Any

from kubetrace.playground.controllers.base import Controller, is_active, is_available, ready_since
from kubetrace.playground.objects import Object, now
from kubetrace.playground.pods import is_ready
from kubetrace.playground.selectors import matches_labels
from kubetrace.playground.status import ApiError
from kubetrace.playground.verbs import Verbs

BURST = 500


def deletion_rank(pod: Object, on_node: int = 0) -> tuple[Any, ...]:
    """Which pod goes first: the smaller (controller_utils.go, ActivePodsWithRanks)."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    cost = (metadata.get("annotations") or {}).get("controller.kubernetes.io/pod-deletion-cost", "0")
    restarts = max((entry["restartCount"] for entry in status.get("containerStatuses") or ()), default=0)
    return (
        bool(pod["spec"].get("nodeName")),
        {"Pending": 0, "Unknown": 1}.get(status.get("phase", ""), 2),
        is_ready(pod),
        int(cost) if cost.lstrip("-").isdigit() else 0,
        -on_node,
        _reversed(ready_since(pod)),
        -restarts,
        _reversed(metadata["creationTimestamp"]),
    )


def _reversed(time: str) -> tuple[int, ...]:
    """Later times first."""
    return tuple(-ord(char) for char in time)


class ReplicaSets(Controller):
    component = "replicaset-controller"
    key = "replicasets.apps"

    def __init__(self, verbs: Verbs) -> None:
        super().__init__(verbs)
        self._failures: dict[str, str] = {}

    def creation_failure(self, owner: Object, name: str, error: ApiError) -> str:
        self._failures[owner["metadata"]["uid"]] = str(error)
        return f"Error creating: {error}"

    def reconcile(self, namespace: str, name: str) -> float | None:
        item = self.read(self.key, namespace, name)
        if item is None:
            return None
        pods = [pod for pod in self.claimed_pods(item) if is_active(pod)]
        wanted, again = item["spec"].get("replicas", 1), None
        self._failures.pop(item["metadata"]["uid"], None)
        for _ in range(min(BURST, wanted - len(pods))):
            if self.make_pod(item, item["spec"]["template"]) is None:
                again = 3.0
                break
        if len(pods) > wanted:
            nodes = [pod["spec"].get("nodeName", "") for pod in pods]
            pods.sort(key=lambda pod: deletion_rank(pod, nodes.count(pod["spec"].get("nodeName", ""))))
            for pod in pods[: len(pods) - wanted]:
                self.delete_pod(item, pod)
        later = self._report(item)
        return later if again is None else again

    def _report(self, item: Object) -> float | None:
        every = self.owned("pods", item)
        pods = [pod for pod in every if is_active(pod)]
        labels = item["spec"]["template"].get("metadata", {}).get("labels") or {}
        seconds = item["spec"].get("minReadySeconds", 0)
        available = sum(is_available(pod, seconds) for pod in pods)
        ready = sum(map(is_ready, pods))
        full = sum(matches_labels({"matchLabels": labels}, pod["metadata"].get("labels") or {}) for pod in pods)
        counts = {"fullyLabeledReplicas": full, "readyReplicas": ready, "availableReplicas": available}
        status: Object = {"replicas": len(pods)} | {name: count for name, count in counts.items() if count}
        if self.key == "replicasets.apps":
            status["terminatingReplicas"] = sum(bool(pod["metadata"].get("deletionTimestamp")) for pod in every)
        status["observedGeneration"] = item["metadata"].get("generation", 1)
        failure = self._failures.get(item["metadata"]["uid"])
        if failure is not None:
            told = {"type": "ReplicaFailure", "status": "True", "lastTransitionTime": now()}
            told |= {"reason": "FailedCreate", "message": failure}
            before = (item.get("status") or {}).get("conditions")  # the first failure stays told of until none is left
            status["conditions"] = before or [told]
        self.put_status(self.key, item, status)
        return float(seconds) if ready > available else None


class ReplicationControllers(ReplicaSets):
    component = "replication-controller"
    key = "replicationcontrollers"
