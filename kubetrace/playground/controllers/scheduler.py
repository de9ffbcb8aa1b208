"""The scheduler: a node for each pod, by the plugins that people meet (pkg/scheduler/framework/plugins)."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from kubetrace.playground import pod_resources
from kubetrace.playground.binding import assign
from kubetrace.playground.controllers import preemption
from kubetrace.playground.controllers.base import Controller
from kubetrace.playground.objects import Object, now
from kubetrace.playground.pods import claim_name, disrupted, is_done
from kubetrace.playground.quantities import amount
from kubetrace.playground.selectors import matches_labels

_RETRY_SECONDS = 5.0
_FINAL = frozenset(
    (
        "node(s) didn't match Pod's node affinity/selector",
        "node(s) had untolerated taint(s)",
        "node(s) were unschedulable",
        "node(s) didn't match pod affinity rules",
        "node(s) didn't match pod topology spread constraints (missing required label)",
    )
)
"""Reasons that no preemption can change (UnschedulableAndUnresolvable)."""


def requests(pod: Object) -> dict[str, Fraction]:
    """What a pod asks for, to be compared."""
    return {name: amount(value) for name, value in pod_resources.requested(pod["spec"]).items()}


def tolerates(tolerations: list[Object], taint: Object) -> bool:
    """v1helper.TolerationsTolerateTaint."""
    for entry in tolerations:
        if entry.get("effect") and entry["effect"] != taint.get("effect"):
            continue
        if entry.get("key") and entry["key"] != taint["key"]:
            continue
        operator = entry.get("operator") or "Equal"
        if operator == "Exists" or (operator == "Equal" and entry.get("value", "") == taint.get("value", "")):
            return True
    return False


def _term_matches(term: Object, node: Object) -> bool:
    labels = node["metadata"].get("labels") or {}
    for expression in term.get("matchExpressions") or ():
        key, operator, values = expression["key"], expression["operator"], expression.get("values") or []
        if operator in ("Gt", "Lt"):
            try:
                left, right = int(labels[key]), int(values[0])
            except (KeyError, ValueError, IndexError):
                return False
            if not (left > right if operator == "Gt" else left < right):
                return False
        elif not matches_labels({"matchExpressions": [expression]}, labels):
            return False
    for expression in term.get("matchFields") or ():
        inside = node["metadata"]["name"] in (expression.get("values") or ())
        if inside != (expression["operator"] == "In"):
            return False
    return bool(term.get("matchExpressions") or term.get("matchFields"))


def node_matches(pod: Object, node: Object) -> bool:
    """nodeSelector and required node affinity."""
    labels, spec = node["metadata"].get("labels") or {}, pod["spec"]
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    return affinity is None or any(_term_matches(term, node) for term in affinity.get("nodeSelectorTerms") or ())


def untolerated(pod: Object, node: Object) -> Object | None:
    tolerations = pod["spec"].get("tolerations") or []
    for taint in (node.get("spec") or {}).get("taints") or ():
        if taint.get("effect") in ("NoSchedule", "NoExecute") and not tolerates(tolerations, taint):
            return dict(taint)
    return None


class Scheduler(Controller):
    component = "default-scheduler"

    def reconcile(self, namespace: str, name: str) -> float | None:
        pod = self.read("pods", namespace, name)
        if pod is None or pod["spec"].get("nodeName"):
            return None
        if pod["spec"].get("schedulerName", "default-scheduler") != "default-scheduler":
            return None
        gates = pod["spec"].get("schedulingGates")
        if gates:
            self._gated(pod)
            return None
        nodes = list(self.store.select("nodes"))
        why = self._claims(pod, len(nodes))
        placed = [other for other in map(_placed, self.store.select("pods")) if other is not None]
        placed = [other for other in placed if _counts(other, pod)]
        reasons: Counter[str] = Counter()
        fitting, helpful = [], []
        for node in nodes if not why else ():
            problems = self._problems(pod, node, nodes, placed)
            reasons.update(problems)
            if not problems:
                fitting.append(node)
            elif not set(problems) & _FINAL and self._could_ever(pod, node):
                helpful.append(node)
        if not fitting:
            self._refuse(pod, why or self._preempt(pod, nodes, helpful, placed, reasons))
            return _RETRY_SECONDS
        self._bind(pod, min(fitting, key=lambda node: self._load(pod, node, placed)))
        return None

    def _could_ever(self, pod: Object, node: Object) -> bool:
        """Whether the node would be large enough if nobody else were on it."""
        return not self._lacking(pod, node, [])

    def _preempt(
        self, pod: Object, nodes: list[Object], helpful: list[Object], placed: list[Object], reasons: Counter[str]
    ) -> str:
        """Makes room where less important pods can leave, and says what came of it in FitError's words."""
        if not nodes:
            return "no nodes available to schedule pods"
        told = _unfit(len(nodes), reasons)
        start = f"{told} no new claims to deallocate, preemption:"
        if pod["spec"].get("preemptionPolicy") == "Never":
            return f"{start} not eligible due to preemptionPolicy=Never."
        if self._has_room_coming(pod):
            return f"{start} not eligible due to a terminating pod on the nominated node."

        def fits(node: Object, others: list[Object]) -> bool:
            return not self._problems(pod, node, nodes, others)

        budgets = list(self.store.select("poddisruptionbudgets.policy"))
        found = preemption.choose(pod, helpful, placed, budgets, fits)
        if found is None:
            hopeless = len(nodes) - len(helpful)
            ends = [f"{hopeless} Preemption is not helpful for scheduling"] if hopeless else []
            if helpful:
                ends.insert(0, f"{len(helpful)} No preemption victims found for incoming pod")
            return f"{start} 0/{len(nodes)} nodes are available: {', '.join(sorted(ends))}."
        for victim in found.victims:
            self._evict(victim, pod, found.node)
        self._nominate(pod, found.node)
        return told

    def _has_room_coming(self, pod: Object) -> bool:
        """Whether somebody who made way is still on the way out."""
        node = (pod.get("status") or {}).get("nominatedNodeName")
        return bool(node) and any(
            other["spec"].get("nodeName") == node
            and other["metadata"].get("deletionTimestamp")
            and preemption.priority(other) < preemption.priority(pod)
            for other in self.store.select("pods")
        )

    def _evict(self, victim: Object, pod: Object, node: str) -> None:
        metadata = victim["metadata"]
        fresh = self.store.get("pods", metadata["namespace"], metadata["name"])
        if fresh is None:
            return
        why = "default-scheduler: preempting to accommodate a higher priority pod"
        conditions = disrupted(fresh, "PreemptionByScheduler", why)
        self.put_status("pods", fresh, fresh["status"] | {"conditions": conditions})
        self.delete("pods", fresh)
        self.events.normal(victim, "Preempted", f"Preempted by pod {pod['metadata']['uid']} on node {node}")

    def _nominate(self, pod: Object, node: str) -> None:
        pod["status"] = pod["status"] | {"nominatedNodeName": node}
        self.put_status("pods", pod, pod["status"])

    def _load(self, pod: Object, node: Object, placed: list[Object]) -> tuple[int, int, str]:
        """Least loaded first, and pods of one owner apart; preferred affinities and taints before both."""
        name = node["metadata"]["name"]
        own = {owner["uid"] for owner in pod["metadata"].get("ownerReferences") or ()}
        here = [other for other in placed if other["spec"]["nodeName"] == name]
        siblings = [o for o in here if own & {r["uid"] for r in o["metadata"].get("ownerReferences") or ()}]
        affinity = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(
            "preferredDuringSchedulingIgnoredDuringExecution"
        )
        wished = sum(
            entry.get("weight", 1) for entry in affinity or () if _term_matches(entry.get("preference") or {}, node)
        )
        taints = (node.get("spec") or {}).get("taints") or ()
        tolerations = pod["spec"].get("tolerations") or []
        shunned = sum(t.get("effect") == "PreferNoSchedule" and not tolerates(tolerations, t) for t in taints)
        return shunned * 1000 - wished * 100 + len(siblings) * 10 + len(here), len(here), name

    def _problems(self, pod: Object, node: Object, nodes: list[Object], placed: list[Object]) -> list[str]:
        spec = node.get("spec") or {}
        cordoned = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
        if spec.get("unschedulable") and not tolerates(pod["spec"].get("tolerations") or [], cordoned):
            return ["node(s) were unschedulable"]
        if untolerated(pod, node) is not None:
            return ["node(s) had untolerated taint(s)"]
        if not node_matches(pod, node):
            return ["node(s) didn't match Pod's node affinity/selector"]
        here = [other for other in placed if other["spec"]["nodeName"] == node["metadata"]["name"]]
        return (
            self._lacking(pod, node, here)
            or self._busy_ports(pod, here)
            or self._apart(pod, node, nodes, placed)
            or self._uneven(pod, node, nodes, placed)
        )

    @staticmethod
    def _lacking(pod: Object, node: Object, here: list[Object]) -> list[str]:
        room = {k: amount(str(v)) for k, v in ((node.get("status") or {}).get("allocatable") or {}).items()}
        if len(here) + 1 > room.get("pods", Fraction(110)):
            return ["Too many pods"]
        used: dict[str, Fraction] = {}
        for other in here:
            for name, value in requests(other).items():
                used[name] = used.get(name, Fraction(0)) + value
        wanted = requests(pod)
        zero = Fraction(0)
        return [f"Insufficient {n}" for n, v in wanted.items() if v and used.get(n, zero) + v > room.get(n, zero)]

    @staticmethod
    def _busy_ports(pod: Object, here: list[Object]) -> list[str]:
        def ports(item: Object) -> set[tuple[int, str]]:
            return {
                (port["hostPort"], port.get("protocol", "TCP"))
                for container in item["spec"]["containers"]
                for port in container.get("ports") or ()
                if port.get("hostPort")
            }

        wanted = ports(pod)
        if wanted and any(wanted & ports(other) for other in here):
            return ["node(s) didn't have free ports for the requested pod ports"]
        return []

    @staticmethod
    def _apart(pod: Object, node: Object, nodes: list[Object], placed: list[Object]) -> list[str]:
        """Required pod affinity and anti-affinity, the pod's own and that of those who are there."""
        by_name = {entry["metadata"]["name"]: entry for entry in nodes}

        def near(term: Object, source: Object) -> list[Object]:
            key = term.get("topologyKey", "")
            here = (node["metadata"].get("labels") or {}).get(key)
            spaces = term.get("namespaces") or [source["metadata"]["namespace"]]
            return [
                other
                for other in placed
                if here is not None
                and other["metadata"]["namespace"] in spaces
                and (by_name.get(other["spec"]["nodeName"], {"metadata": {}})["metadata"].get("labels") or {}).get(key)
                == here
                and matches_labels(term.get("labelSelector"), other["metadata"].get("labels") or {})
            ]

        def terms(item: Object, kind: str) -> list[Object]:
            part = (item["spec"].get("affinity") or {}).get(kind) or {}
            return list(part.get("requiredDuringSchedulingIgnoredDuringExecution") or ())

        for term in terms(pod, "podAffinity"):
            alone = matches_labels(term.get("labelSelector"), pod["metadata"].get("labels") or {}) and not any(
                matches_labels(term.get("labelSelector"), other["metadata"].get("labels") or {}) for other in placed
            )
            if not near(term, pod) and not alone:
                return ["node(s) didn't match pod affinity rules"]
        if any(near(term, pod) for term in terms(pod, "podAntiAffinity")):
            return ["node(s) didn't match pod anti-affinity rules"]
        for other in placed:
            for term in terms(other, "podAntiAffinity"):
                key = term.get("topologyKey", "")
                there = by_name.get(other["spec"]["nodeName"], {"metadata": {}})["metadata"].get("labels") or {}
                here = node["metadata"].get("labels") or {}
                spaces = term.get("namespaces") or [other["metadata"]["namespace"]]
                if (
                    key in here
                    and here.get(key) == there.get(key)
                    and pod["metadata"]["namespace"] in spaces
                    and matches_labels(term.get("labelSelector"), pod["metadata"].get("labels") or {})
                ):
                    return ["node(s) didn't satisfy existing pods anti-affinity rules"]
        return []

    @staticmethod
    def _uneven(pod: Object, node: Object, nodes: list[Object], placed: list[Object]) -> list[str]:
        """topologySpreadConstraints with DoNotSchedule."""
        for entry in pod["spec"].get("topologySpreadConstraints") or ():
            if entry.get("whenUnsatisfiable", "DoNotSchedule") != "DoNotSchedule":
                continue
            key = entry["topologyKey"]
            zones = {n["metadata"]["name"]: (n["metadata"].get("labels") or {}).get(key) for n in nodes}
            here = zones[node["metadata"]["name"]]
            if here is None:
                return ["node(s) didn't match pod topology spread constraints (missing required label)"]
            counts = Counter({zone: 0 for zone in zones.values() if zone is not None})
            for other in placed:
                zone = zones.get(other["spec"]["nodeName"])
                labels = other["metadata"].get("labels") or {}
                same = other["metadata"]["namespace"] == pod["metadata"]["namespace"]
                if zone is not None and same and matches_labels(entry.get("labelSelector"), labels):
                    counts[zone] += 1
            own = matches_labels(entry.get("labelSelector"), pod["metadata"].get("labels") or {})
            if counts[here] + own - min(counts.values()) > entry.get("maxSkew", 1):
                return ["node(s) didn't match pod topology spread constraints"]
        return []

    def _claims(self, pod: Object, count: int) -> str:
        """Why the pod's claims keep it from any of the `count` nodes, "" where they do not."""
        for volume in pod["spec"].get("volumes") or ():
            name = claim_name(pod, volume)
            if not name:
                continue
            claim = self.store.get("persistentvolumeclaims", pod["metadata"]["namespace"], name)
            start = f"0/{count} nodes are available: "
            if claim is None and "ephemeral" in volume:
                told = "waiting for ephemeral volume controller to create the persistentvolumeclaim"
                return f'{start}{told} "{name}". not found'
            if claim is None:
                return f'{start}persistentvolumeclaim "{name}" not found. not found'
            if claim["metadata"].get("deletionTimestamp"):
                return f'{start}persistentvolumeclaim "{name}" is being deleted. not found'
            if not claim["spec"].get("volumeName") and not self._waits_for_consumer(claim):
                return f"{start}pod has unbound immediate PersistentVolumeClaims. not found"
        return ""

    def _waits_for_consumer(self, claim: Object) -> bool:
        kind = self.store.get("storageclasses.storage.k8s.io", "", claim["spec"].get("storageClassName") or "")
        return kind is not None and kind.get("volumeBindingMode") == "WaitForFirstConsumer"

    def _gated(self, pod: Object) -> None:
        told = "Scheduling is blocked due to non-empty scheduling gates"
        entry = _scheduled("False", pod) | {"reason": "SchedulingGated", "message": told}
        if not any(c.get("reason") == "SchedulingGated" for c in pod["status"].get("conditions") or ()):
            self.put_status("pods", pod, pod["status"] | {"conditions": [entry]})

    def _refuse(self, pod: Object, message: str) -> None:
        old = next((c for c in pod["status"].get("conditions") or () if c["type"] == "PodScheduled"), None)
        if old is not None and old.get("message") == message:
            return
        entry = _scheduled("False", pod) | {"reason": "Unschedulable", "message": message}
        if old is not None and old["status"] == "False":
            entry["lastTransitionTime"] = old["lastTransitionTime"]
        self.put_status("pods", pod, pod["status"] | {"conditions": [entry]})
        self.events.warning(pod, "FailedScheduling", message)

    def _bind(self, pod: Object, node: Object) -> None:
        metadata, name = pod["metadata"], node["metadata"]["name"]
        fresh = self.store.get("pods", metadata["namespace"], metadata["name"])
        if fresh is None or fresh["spec"].get("nodeName"):
            return
        assign(fresh, name, _scheduled("True", pod))
        self.verbs.store.put("pods", fresh)  # a binding is nobody's in managedFields
        told = f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {name}"
        self.events.normal(pod, "Scheduled", told)


def _scheduled(status: str, pod: Object) -> Object:
    times = {"lastProbeTime": None, "lastTransitionTime": now()}
    generation = pod["metadata"].get("generation", 1)
    return {"type": "PodScheduled", "status": status, **times, "observedGeneration": generation}


def _unfit(count: int, reasons: Counter[str]) -> str:
    told = ", ".join(sorted(f"{number} {reason}" for reason, number in reasons.items()))
    return f"0/{count} nodes are available: {told}."


def _placed(pod: Object) -> Object | None:
    """A pod that takes room: it has a node, or other pods made way for it on one."""
    if is_done(pod):
        return None
    nominated = (pod.get("status") or {}).get("nominatedNodeName")
    if pod["spec"].get("nodeName") or not nominated:
        return pod if pod["spec"].get("nodeName") else None
    return pod | {"spec": pod["spec"] | {"nodeName": nominated}}


def _counts(other: Object, pod: Object) -> bool:
    """A nomination holds against pods that are no more important."""
    if other["metadata"]["uid"] == pod["metadata"]["uid"]:
        return False
    waits = bool((other.get("status") or {}).get("nominatedNodeName"))
    return not waits or preemption.priority(other) >= preemption.priority(pod)
