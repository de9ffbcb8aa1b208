"""Pods whose node is gone are taken away after a while (pkg/controller/podgc)."""

from __future__ import annotations

import time

from kubetrace.playground.controllers.base import Controller
from kubetrace.playground.objects import Object
from kubetrace.playground.pods import disrupted, is_done
from kubetrace.playground.verbs import Verbs
from kubetrace.playground.write import Write

_QUARANTINE_SECONDS = 40.0


class PodGarbage(Controller):
    component = "pod-garbage-collector"

    def __init__(self, verbs: Verbs) -> None:
        super().__init__(verbs)
        self._since: dict[str, float] = {}
        """When a pod's node was first missed, by the pod's uid."""

    def reconcile(self, namespace: str, name: str) -> float | None:
        pod = self.store.get("pods", namespace, name)
        node = pod and pod["spec"].get("nodeName")
        if pod is None or not node or self.store.get("nodes", "", node) is not None:
            if pod is not None:
                self._since.pop(pod["metadata"]["uid"], None)
            return None
        uid = pod["metadata"]["uid"]
        left = self._since.setdefault(uid, time.monotonic()) + _QUARANTINE_SECONDS - time.monotonic()
        if left > 0:
            return left
        del self._since[uid]
        self._take(pod)
        return None

    def _take(self, pod: Object) -> None:
        if not is_done(pod):
            conditions = disrupted(pod, "DeletionByPodGC", "PodGC: node no longer exists")
            self.put_status("pods", pod, pod["status"] | {"phase": "Failed", "conditions": conditions})
        resource = self.verbs.catalog.preferred("pods")
        assert resource is not None
        metadata = pod["metadata"]
        write = Write()
        with self.verbs.webhooks.answering(write.asked):
            self.verbs.delete(resource, metadata["namespace"], metadata["name"], {"gracePeriodSeconds": 0}, write)
