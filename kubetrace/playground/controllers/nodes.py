"""Nodes: their leases, the taints that tell of their state (nodelifecycle), and pods that a NoExecute taint drives away
(tainteviction)."""

from __future__ import annotations

import datetime

from kubetrace.playground import fresh
from kubetrace.playground.controllers.base import Controller, is_active
from kubetrace.playground.controllers.scheduler import tolerates
from kubetrace.playground.objects import Object, moment, now

_TAINT = "node.kubernetes.io/"
_CORDONED = "unschedulable"
_OF_CONDITIONS = {
    ("Ready", "False"): "not-ready",
    ("Ready", "Unknown"): "unreachable",
    ("MemoryPressure", "True"): "memory-pressure",
    ("DiskPressure", "True"): "disk-pressure",
    ("NetworkUnavailable", "True"): "network-unavailable",
    ("PIDPressure", "True"): "pid-pressure",
}
"""Which taint tells of a condition."""
_EVICTING = ("not-ready", "unreachable")
_STARTUP_SECONDS = 60.0
"""So long a new node may be silent (--node-startup-grace-period)."""
_SECRETS_AGE = "node.alpha.kubernetes.io/ttl"
"""Seconds for which a kubelet may keep Secrets: none in a small cluster (pkg/controller/ttl)."""
_LEASES, _LEASE_PLACE = "leases.coordination.k8s.io", "kube-node-lease"


class Nodes(Controller):
    component = "node-controller"

    def reconcile(self, _: str, name: str) -> float | None:
        node = self.store.get("nodes", "", name)
        if node is None:
            return None
        self._lease(node)
        annotations = node["metadata"].get("annotations") or {}
        if annotations.get(_SECRETS_AGE) != "0":
            node["metadata"]["annotations"] = annotations | {_SECRETS_AGE: "0"}
            node = self.store.put("nodes", node)
        silent, node = self._silence(node)
        node = self._taint(node)
        waits = [seconds for seconds in (silent, self._evict(node)) if seconds is not None]
        return min(waits, default=None)

    def _silence(self, node: Object) -> tuple[float | None, Object]:
        """A node of which no kubelet ever told anything gets conditions that say so: (seconds until then, the node)."""
        conditions = (node.get("status") or {}).get("conditions") or []
        if any(condition.get("type") == "Ready" for condition in conditions):
            return None, node
        born = node["metadata"]["creationTimestamp"]
        left = _STARTUP_SECONDS - (datetime.datetime.now(datetime.UTC) - moment(born)).total_seconds()
        if left > 0:
            return left, node
        told = {"status": "Unknown", "reason": "NodeStatusNeverUpdated", "message": "Kubelet never posted node status."}
        times = {"lastHeartbeatTime": born, "lastTransitionTime": now()}
        kinds = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
        unknown = [{"type": kind, **told, **times} for kind in kinds]
        status = (node.get("status") or {}) | {"conditions": [*conditions, *unknown]}
        self.put_status("nodes", node, status)
        return None, self.store.get("nodes", "", node["metadata"]["name"]) or node

    def _taint(self, node: Object) -> Object:
        """The node with the taints that its conditions, and whether it is cordoned, ask for."""
        spec = node.setdefault("spec", {})
        conditions = (node.get("status") or {}).get("conditions") or ()
        states = {(condition.get("type", ""), condition.get("status", "")) for condition in conditions}
        wanted = {name for state, name in _OF_CONDITIONS.items() if state in states}
        known = any(kind == "Ready" for kind, _ in states)
        evicting = {name for name in wanted if name in _EVICTING}
        wanted |= {_CORDONED} if spec.get("unschedulable") else set()
        expected = {(f"{_TAINT}{name}", "NoSchedule") for name in wanted}
        expected |= {(f"{_TAINT}{name}", "NoExecute") for name in evicting}
        ours = {f"{_TAINT}{name}" for name in (_CORDONED, *_OF_CONDITIONS.values())}
        kept: list[Object] = []
        for taint in spec.get("taints") or ():
            pair = (taint.get("key", ""), taint.get("effect", ""))
            new_born = not known and pair[0] == f"{_TAINT}not-ready"  # as admission has marked it
            if pair[0] not in ours or pair in expected or new_born or pair[1] not in ("NoSchedule", "NoExecute"):
                kept.append(taint)
                expected.discard(pair)
        taints = kept + [{"effect": effect, "key": key, "timeAdded": now()} for key, effect in sorted(expected)]
        if taints == (spec.get("taints") or []):
            return node
        spec["taints"] = taints
        if not taints:
            del spec["taints"]
        return self.store.put("nodes", node)

    def _lease(self, node: Object) -> None:
        name = node["metadata"]["name"]
        if not fresh.is_ours(name) or self.store.get(_LEASES, _LEASE_PLACE, name) is not None:
            return
        if self.read("namespaces", "", _LEASE_PLACE) is None:
            return
        owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
        renewed = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": renewed}
        self.create(_LEASES, _LEASE_PLACE, {"metadata": {"name": name, "ownerReferences": [owner]}, "spec": spec})

    def _evict(self, node: Object) -> float | None:
        """Pods that do not tolerate a NoExecute taint, or no longer."""
        taints = [t for t in (node.get("spec") or {}).get("taints") or () if t.get("effect") == "NoExecute"]
        waits: list[float] = []
        for pod in self.store.select("pods") if taints else ():
            if pod["spec"].get("nodeName") != node["metadata"]["name"] or not is_active(pod):
                continue
            left = self._left(pod, taints)
            if left is None:
                continue
            if left > 0:
                waits.append(left)
                continue
            told = f"Marking for deletion Pod {pod['metadata']['namespace']}/{pod['metadata']['name']}"
            self.events.normal(pod, "TaintManagerEviction", told)
            self.delete("pods", pod)
        return min(waits, default=None)

    @staticmethod
    def _left(pod: Object, taints: list[Object]) -> float | None:
        """Seconds until a pod has to go; None where it may stay."""
        tolerations = pod["spec"].get("tolerations") or []
        least: float | None = None
        for taint in taints:
            holding = [entry for entry in tolerations if tolerates([entry], taint)]
            if not holding:
                return 0.0
            limits = [entry["tolerationSeconds"] for entry in holding if entry.get("tolerationSeconds") is not None]
            if len(limits) == len(holding):
                since = moment(taint.get("timeAdded") or now())
                left = min(limits) - (datetime.datetime.now(datetime.UTC) - since).total_seconds()
                least = left if least is None else min(least, left)
        return least
