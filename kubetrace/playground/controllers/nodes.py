"""Nodes: the taint of a cordoned one, leases, and pods that a NoExecute taint drives away (tainteviction)."""

from __future__ import annotations

import datetime

from kubetrace.playground.controllers.base import Controller, is_active
from kubetrace.playground.controllers.scheduler import tolerates
from kubetrace.playground.objects import Object, moment, now

_CORDONED = {"effect": "NoSchedule", "key": "node.kubernetes.io/unschedulable"}
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
        spec = node.setdefault("spec", {})
        taints = list(spec.get("taints") or ())
        marked = any((t["key"], t["effect"]) == (_CORDONED["key"], _CORDONED["effect"]) for t in taints)
        if bool(spec.get("unschedulable")) != marked:
            others = [taint for taint in taints if taint["key"] != _CORDONED["key"]]
            new: list[Object] = [*others, _CORDONED | {"timeAdded": now()}] if not marked else others
            spec["taints"] = new
            if not new:
                del spec["taints"]
            node = self.store.put("nodes", node)
        return self._evict(node)

    def _lease(self, node: Object) -> None:
        name = node["metadata"]["name"]
        if self.store.get(_LEASES, _LEASE_PLACE, name) is not None:
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
