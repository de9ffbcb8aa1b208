"""DaemonSets: a pod on each node that will have it (pkg/controller/daemon)."""

from __future__ import annotations

from kubetrace.playground.controllers import revisions
from kubetrace.playground.controllers.base import Controller, is_active, is_available
from kubetrace.playground.controllers.rollouts import share
from kubetrace.playground.controllers.scheduler import node_matches, untolerated
from kubetrace.playground.objects import Object
from kubetrace.playground.pods import is_ready

_KEY = "daemonsets.apps"
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


def _placed(body: Object, node: str) -> None:
    """Ties a pod to its node, and lets it stay there (daemon/util)."""
    spec = body["spec"]
    tolerations = spec.setdefault("tolerations", [])
    for key, effect in _TOLERATED:
        entry = {"key": key, "operator": "Exists", "effect": effect}
        if entry not in tolerations:
            tolerations.append(entry)
    affinity = spec.setdefault("affinity", {}).setdefault("nodeAffinity", {})
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    required = affinity.setdefault("requiredDuringSchedulingIgnoredDuringExecution", {"nodeSelectorTerms": []})
    for term in required["nodeSelectorTerms"]:
        term["matchFields"] = [field]
    if not required["nodeSelectorTerms"]:
        required["nodeSelectorTerms"] = [{"matchFields": [field]}]


def node_of(pod: Object) -> str:
    """Where a daemon's pod is, or will be."""
    if pod["spec"].get("nodeName"):
        return str(pod["spec"]["nodeName"])
    affinity = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    for term in (affinity or {}).get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field.get("key") == "metadata.name" and field.get("values"):
                return str(field["values"][0])
    return ""


class DaemonSets(Controller):
    component = "daemonset-controller"

    def reconcile(self, namespace: str, name: str) -> float | None:
        item = self.read(_KEY, namespace, name)
        if item is None:
            return None
        update, every = revisions.current(self, item)
        mark = revisions.mark(update)
        template = item["spec"]["template"]
        wanted = []
        for node in self.store.select("nodes"):
            body: Object = {"spec": dict(template.get("spec") or {}), "metadata": {}}
            body["spec"]["tolerations"] = list(body["spec"].get("tolerations") or ())
            body["spec"].pop("affinity", None)
            _placed(body, node["metadata"]["name"])
            plain = {"spec": template.get("spec") or {}}
            if node_matches(plain, node) and untolerated(body, node) is None:
                wanted.append(node["metadata"]["name"])
        pods = self.claimed_pods(item)
        self._place(item, template, mark, wanted, pods)
        self._roll(item, mark, wanted)
        later = self._report(item, mark, wanted)
        live = {f"{name}-{(pod['metadata'].get('labels') or {}).get(revisions.LABEL)}" for pod in pods}
        revisions.clean_up(self, item, every, live | {update["metadata"]["name"]})
        return later

    def _place(self, item: Object, template: Object, mark: str, wanted: list[str], pods: list[Object]) -> None:
        here: dict[str, list[Object]] = {}
        for pod in pods:
            if (pod.get("status") or {}).get("phase") == "Failed":
                self.delete("pods", pod)
                told = f"Found failed daemon pod {item['metadata']['namespace']}/{pod['metadata']['name']} on node "
                self.events.warning(item, "FailedDaemonPod", f"{told}{node_of(pod)}, will try to kill it")
            here.setdefault(node_of(pod), []).append(pod)
        for node in wanted:
            if node not in here:
                self._make(item, template, mark, node)
        for node, entries in here.items():
            alive = [pod for pod in entries if is_active(pod)]
            for pod in alive if node not in wanted else alive[1:]:
                self.delete_pod(item, pod)

    def _make(self, item: Object, template: Object, mark: str, node: str) -> None:
        generation = (item["metadata"].get("annotations") or {}).get(
            "deprecated.daemonset.template.generation", str(item["metadata"].get("generation", 1))
        )

        def change(body: Object) -> None:
            labels = {revisions.LABEL: mark, "pod-template-generation": generation}
            body["metadata"]["labels"] = dict(body["metadata"]["labels"]) | labels
            _placed(body, node)

        self.make_pod(item, template, change=change)

    def _roll(self, item: Object, mark: str, wanted: list[str]) -> None:
        strategy = item["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return
        allowed = max(1, share((strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1), len(wanted), up=True))
        pods = [pod for pod in self.owned("pods", item) if node_of(pod) in wanted]
        seconds = item["spec"].get("minReadySeconds", 0)
        good = {node_of(pod) for pod in pods if is_active(pod) and is_available(pod, seconds)}
        room = allowed - (len(wanted) - len(good))
        old = [p for p in pods if is_active(p) and (p["metadata"].get("labels") or {}).get(revisions.LABEL) != mark]
        for pod in sorted(old, key=is_ready):
            if not is_available(pod, seconds):
                self.delete_pod(item, pod)
            elif room > 0:
                room -= 1
                self.delete_pod(item, pod)

    def _report(self, item: Object, mark: str, wanted: list[str]) -> float | None:
        pods = [pod for pod in self.owned("pods", item) if is_active(pod)]
        here = [pod for pod in pods if node_of(pod) in wanted]
        seconds = item["spec"].get("minReadySeconds", 0)
        ready, available = sum(map(is_ready, here)), sum(is_available(pod, seconds) for pod in here)
        updated = sum((pod["metadata"].get("labels") or {}).get(revisions.LABEL) == mark for pod in here)
        status: Object = {
            "currentNumberScheduled": len({node_of(pod) for pod in here}),
            "numberMisscheduled": len(pods) - len(here),
            "desiredNumberScheduled": len(wanted),
            "numberReady": ready,
            "observedGeneration": item["metadata"].get("generation", 1),
        }
        counts = {"updatedNumberScheduled": updated, "numberAvailable": available}
        counts["numberUnavailable"] = len(wanted) - available
        self.put_status(_KEY, item, status | {name: count for name, count in counts.items() if count})
        return float(seconds) if ready > available else None
