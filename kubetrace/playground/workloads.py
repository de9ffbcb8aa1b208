"""Controllers of workloads: Deployments make ReplicaSets, and those, StatefulSets, DaemonSets and Jobs make pods."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable

from kubetrace.playground.conditions import deployment_conditions, is_ready, job_conditions, share
from kubetrace.playground.events import Recorder
from kubetrace.playground.objects import Object, now, random_suffix
from kubetrace.playground.selectors import matches_labels
from kubetrace.playground.verbs import Verbs, Write

_REVISION = "deployment.kubernetes.io/revision"
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def controller_of(item: Object) -> Object | None:
    return next((o for o in item["metadata"].get("ownerReferences") or () if o.get("controller")), None)


def _owner_reference(owner: Object) -> Object:
    reference = {"apiVersion": owner["apiVersion"], "blockOwnerDeletion": True, "controller": True}
    return reference | {"kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}


def template_hash(template: Object) -> str:
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:10])


class Workloads:
    def __init__(self, verbs: Verbs) -> None:
        self._verbs = verbs
        self._store = verbs.store
        self._events = Recorder(verbs.store)
        self.enqueue: Callable[[str, str, str], None] = lambda resource, namespace, name: None
        self.services_of: Callable[[str, dict[str, str]], list[str]] = lambda namespace, labels: []

    def pod_changed(self, namespace: str, name: str) -> float | None:
        """Services look at their pods again."""
        pod = self._store.get("pods", namespace, name)
        labels = (pod or {"metadata": {}})["metadata"].get("labels") or {}
        names = (
            self.services_of(namespace, labels)
            if pod
            else [item["metadata"]["name"] for item in self._store.select("services", namespace)]
        )
        for service in names:
            self.enqueue("services", namespace, service)
        if pod is None:
            for resource in ("daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch"):
                for item in self._store.select(resource, namespace):
                    self.enqueue(resource, namespace, item["metadata"]["name"])
        return None

    def _owned(self, resource: str, owner: Object) -> list[Object]:
        items = self._store.select(resource, owner["metadata"]["namespace"])
        uid = owner["metadata"]["uid"]
        return [i for i in items if (c := controller_of(i)) is not None and c["uid"] == uid]

    def _live_pods(self, owner: Object) -> list[Object]:
        self._adopt(owner)
        pods = self._owned("pods", owner)
        done = ("Succeeded", "Failed")
        return [p for p in pods if not p["metadata"].get("deletionTimestamp") and p["status"].get("phase") not in done]

    def _adopt(self, owner: Object) -> None:
        selector = owner["spec"].get("selector")
        if not selector or ("matchLabels" not in selector and "matchExpressions" not in selector):
            return
        for pod in self._store.select("pods", owner["metadata"]["namespace"]):
            labels = pod["metadata"].get("labels") or {}
            if (
                controller_of(pod) is None
                and matches_labels(selector, labels)
                and not pod["metadata"].get("deletionTimestamp")
            ):
                fresh = copy.deepcopy(pod)
                fresh["metadata"].setdefault("ownerReferences", []).append(_owner_reference(owner))
                self._store.put("pods", fresh)

    def _make_pod(self, owner: Object, name: str = "", extra: dict[str, str] | None = None, node: str = "") -> None:
        template = copy.deepcopy(owner["spec"]["template"])
        metadata = {
            k: v for k, v in (template.get("metadata") or {}).items() if k in ("labels", "annotations", "finalizers")
        }
        metadata["labels"] = dict(metadata.get("labels") or {}) | (extra or {})
        base = owner["metadata"]["name"]
        metadata |= {"name": name} if name else {"generateName": f"{base}-", "name": f"{base}-{random_suffix()}"}
        metadata["ownerReferences"] = [_owner_reference(owner)]
        if node:
            template["spec"]["nodeSelector"] = dict(template["spec"].get("nodeSelector") or {}) | {
                "kubernetes.io/hostname": node
            }
        resource = self._verbs.catalog.preferred("pods")
        assert resource is not None
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        pod = self._verbs.create(resource, owner["metadata"]["namespace"], body, Write(field_validation="Ignore"))
        told = f"Created pod: {pod['metadata']['name']}"
        source = {"ReplicaSet": "replicaset-controller", "Job": "job-controller", "DaemonSet": "daemonset-controller"}
        self._events.tell(
            owner["kind"], owner["metadata"], "SuccessfulCreate", told, source.get(owner["kind"], "controller")
        )

    def _delete(self, key: str, item: Object) -> None:
        resource = self._verbs.catalog.preferred(key)
        if resource is not None and not item["metadata"].get("deletionTimestamp"):
            self._verbs.delete(resource, item["metadata"]["namespace"], item["metadata"]["name"], {}, Write())

    def _put_status(self, key: str, item: Object, status: Object) -> None:
        if status != (item.get("status") or {}):
            self._store.put(key, copy.deepcopy(item) | {"status": status})

    def _read(self, key: str, namespace: str, name: str) -> Object | None:
        item = self._store.get(key, namespace, name)
        return None if item is None or item["metadata"].get("deletionTimestamp") else item

    def replica_set(self, namespace: str, name: str) -> float | None:
        return self._replicas("replicasets.apps", namespace, name)

    def replication_controller(self, namespace: str, name: str) -> float | None:
        return self._replicas("replicationcontrollers", namespace, name)

    def _replicas(self, key: str, namespace: str, name: str) -> float | None:
        item = self._read(key, namespace, name)
        if item is None:
            return None
        pods, wanted = self._live_pods(item), item["spec"].get("replicas", 1)
        for _ in range(wanted - len(pods)):
            self._make_pod(item)
        for pod in sorted(pods, key=is_ready)[: max(0, len(pods) - wanted)]:
            self._delete("pods", pod)
            told = f"Deleted pod: {pod['metadata']['name']}"
            self._events.tell(item["kind"], item["metadata"], "SuccessfulDelete", told, "replicaset-controller")
        pods = self._live_pods(item)
        ready = sum(map(is_ready, pods))
        counts = {
            "replicas": len(pods),
            "fullyLabeledReplicas": len(pods),
            "readyReplicas": ready,
            "availableReplicas": ready,
        }
        status: Object = {name: count for name, count in counts.items() if count or name == "replicas"}
        self._put_status(key, item, status | {"observedGeneration": item["metadata"].get("generation", 1)})
        return None

    def deployment(self, namespace: str, name: str) -> float | None:
        item = self._read("deployments.apps", namespace, name)
        if item is None:
            return None
        sets = self._owned("replicasets.apps", item)
        current = self._current_set(item, sets)
        others = [entry for entry in sets if entry["metadata"]["uid"] != current["metadata"]["uid"]]
        if not item["spec"].get("paused") or not others:
            self._roll(item, current, others)
        self._deployment_status(namespace, name)
        self._clean_up(item, others)
        return None

    def _current_set(self, item: Object, sets: list[Object]) -> Object:
        template = item["spec"]["template"]
        mark = template_hash(template)
        revision = max([int(s["metadata"].get("annotations", {}).get(_REVISION, 0)) for s in sets], default=0)
        found = next((s for s in sets if s["metadata"]["labels"].get("pod-template-hash") == mark), None)
        if found is not None and int(found["metadata"].get("annotations", {}).get(_REVISION, 0)) == revision:
            self._note_revision(item, revision)
            return found
        number = revision + 1
        if found is not None:
            found = copy.deepcopy(found)
            found["metadata"].setdefault("annotations", {})[_REVISION] = str(number)
            found = self._store.put("replicasets.apps", found)
        else:
            found = self._make_set(item, mark, number)
        self._note_revision(item, number)
        return found

    def _make_set(self, item: Object, mark: str, revision: int) -> Object:
        template = copy.deepcopy(item["spec"]["template"])
        template.setdefault("metadata", {}).setdefault("labels", {})["pod-template-hash"] = mark
        selector = copy.deepcopy(item["spec"]["selector"])
        selector.setdefault("matchLabels", {})["pod-template-hash"] = mark
        annotations = {_REVISION: str(revision)}
        cause = (item["metadata"].get("annotations") or {}).get("kubernetes.io/change-cause")
        if cause:
            annotations["kubernetes.io/change-cause"] = cause
        metadata = {
            "name": f"{item['metadata']['name']}-{mark}",
            "labels": dict(template["metadata"]["labels"]),
            "annotations": annotations,
            "ownerReferences": [_owner_reference(item)],
        }
        spec = {"replicas": 0, "selector": selector, "template": template}
        resource = self._verbs.catalog.preferred("replicasets.apps")
        assert resource is not None
        body = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec}
        return self._verbs.create(resource, item["metadata"]["namespace"], body, Write(field_validation="Ignore"))

    def _note_revision(self, item: Object, revision: int) -> None:
        key, metadata = "deployments.apps", item["metadata"]
        if (metadata.get("annotations") or {}).get(_REVISION) != str(revision):
            fresh = self._store.get(key, metadata["namespace"], metadata["name"])
            if fresh is not None:
                fresh["metadata"].setdefault("annotations", {})[_REVISION] = str(revision)
                self._store.put(key, fresh)

    def _roll(self, item: Object, current: Object, others: list[Object]) -> None:
        wanted, strategy = item["spec"].get("replicas", 1), item["spec"]["strategy"]
        old_total = sum(entry["spec"].get("replicas", 0) for entry in others)
        if strategy["type"] == "Recreate":
            for entry in others:
                self._scale(item, entry, 0)
            gone = not any(self._owned("pods", entry) for entry in others)
            self._scale(item, current, wanted if gone else current["spec"].get("replicas", 0))
            return
        rolling = strategy.get("rollingUpdate") or {}
        surge = share(rolling.get("maxSurge", "25%"), wanted, up=True)
        unavailable = share(rolling.get("maxUnavailable", "25%"), wanted, up=False)
        if not surge and not unavailable:
            unavailable = 1
        room = wanted + surge - old_total
        size = current["spec"].get("replicas", 0)
        if not old_total or size > wanted:
            self._scale(item, current, wanted)
        elif size < wanted:
            self._scale(item, current, min(wanted, max(size, room)))
        ready = sum(is_ready(pod) for entry in [current, *others] for pod in self._live_pods(entry))
        spare = ready - (wanted - unavailable)
        for entry in others:
            for_this = entry["spec"].get("replicas", 0)
            broken = for_this - sum(map(is_ready, self._live_pods(entry)))
            take = min(for_this, max(0, spare) + max(0, broken))
            if take:
                self._scale(item, entry, for_this - take)
                spare -= max(0, take - max(0, broken))

    def _scale(self, item: Object, entry: Object, size: int) -> None:
        metadata = entry["metadata"]
        fresh = self._store.get("replicasets.apps", metadata["namespace"], metadata["name"])
        if fresh is None or fresh["spec"].get("replicas", 0) == size:
            return
        before, wanted = fresh["spec"].get("replicas", 0), item["spec"].get("replicas", 1)
        surge = share((item["spec"]["strategy"].get("rollingUpdate") or {}).get("maxSurge", 0), wanted, up=True)
        fresh["metadata"].setdefault("annotations", {}).update(
            {
                "deployment.kubernetes.io/desired-replicas": str(wanted),
                "deployment.kubernetes.io/max-replicas": str(wanted + surge),
            }
        )
        fresh["spec"]["replicas"] = size
        fresh["metadata"]["generation"] = fresh["metadata"].get("generation", 1) + (1 if before else 0)
        entry["spec"]["replicas"] = size
        self._store.put("replicasets.apps", fresh)
        way = "up" if size > before else "down"
        told = f"Scaled {way} replica set {metadata['name']} from {before} to {size}"
        self._events.tell("Deployment", item["metadata"], "ScalingReplicaSet", told, "deployment-controller")

    def _deployment_status(self, namespace: str, name: str) -> None:
        item = self._read("deployments.apps", namespace, name)
        if item is None:
            return
        sets = self._owned("replicasets.apps", item)
        mark = template_hash(item["spec"]["template"])
        current = [s for s in sets if s["metadata"]["labels"].get("pod-template-hash") == mark]
        pods = [pod for entry in sets for pod in self._live_pods(entry)]
        updated = sum(len(self._live_pods(entry)) for entry in current)
        ready, wanted = sum(map(is_ready, pods)), item["spec"].get("replicas", 1)
        counts = {"replicas": len(pods), "updatedReplicas": updated, "readyReplicas": ready, "availableReplicas": ready}
        status: Object = {key: count for key, count in counts.items() if count}
        if wanted > ready:
            status["unavailableReplicas"] = wanted - ready
        status["observedGeneration"] = item["metadata"].get("generation", 1)
        unavailable = share(
            (item["spec"]["strategy"].get("rollingUpdate") or {}).get("maxUnavailable", 0), wanted, up=False
        )
        set_name = current[0]["metadata"]["name"] if current else ""
        done = updated == wanted == ready == len(pods)
        status["conditions"] = deployment_conditions(item, ready >= wanted - unavailable, done, set_name)
        self._put_status("deployments.apps", item, status)

    def _clean_up(self, item: Object, others: list[Object]) -> None:
        limit = item["spec"].get("revisionHistoryLimit", 10)
        empty = [s for s in others if not s["spec"].get("replicas") and not self._owned("pods", s)]
        empty.sort(key=lambda s: int(s["metadata"].get("annotations", {}).get(_REVISION, 0)))
        for entry in empty[: max(0, len(empty) - limit)]:
            self._delete("replicasets.apps", entry)

    def stateful_set(self, namespace: str, name: str) -> float | None:
        item = self._read("statefulsets.apps", namespace, name)
        if item is None:
            return None
        mark = f"{name}-{template_hash(item['spec']['template'])}"
        pods = {pod["metadata"]["name"]: pod for pod in self._owned("pods", item)}
        wanted = item["spec"].get("replicas", 1)
        self._step_stateful(item, pods, wanted, mark)
        owned = self._live_pods(item)
        ready = sum(map(is_ready, owned))
        updated = sum(pod["metadata"]["labels"].get("controller-revision-hash") == mark for pod in owned)
        status: Object = {"replicas": len(owned), "availableReplicas": ready, "collisionCount": 0}
        status |= {"currentRevision": mark, "updateRevision": mark} | ({"readyReplicas": ready} if ready else {})
        status |= {"currentReplicas": updated, "updatedReplicas": updated} if updated else {}
        self._put_status(
            "statefulsets.apps", item, status | {"observedGeneration": item["metadata"].get("generation", 1)}
        )
        return None

    def _step_stateful(self, item: Object, pods: dict[str, Object], wanted: int, mark: str) -> None:
        name, parallel = item["metadata"]["name"], item["spec"].get("podManagementPolicy") == "Parallel"
        for index in range(wanted):
            own = f"{name}-{index}"
            pod = pods.get(own)
            if pod is None:
                self._claims(item, index)
                extra = {"statefulset.kubernetes.io/pod-name": own, "apps.kubernetes.io/pod-index": str(index)}
                self._make_pod(item, own, extra | {"controller-revision-hash": mark})
            if (pod is None or not is_ready(pod)) and not parallel:
                return
        extra_names = sorted(
            (n for n in pods if int(n.rpartition("-")[2]) >= wanted), key=lambda n: -int(n.rpartition("-")[2])
        )
        if extra_names:
            self._delete("pods", pods[extra_names[0]])
            return
        for index in reversed(range(wanted)):
            pod = pods.get(f"{name}-{index}")
            if pod and pod["metadata"]["labels"].get("controller-revision-hash") != mark:
                self._delete("pods", pod)
                return

    def _claims(self, item: Object, index: int) -> None:
        resource = self._verbs.catalog.preferred("persistentvolumeclaims")
        for template in item["spec"].get("volumeClaimTemplates") or ():
            name = f"{template['metadata']['name']}-{item['metadata']['name']}-{index}"
            place = item["metadata"]["namespace"]
            if resource is not None and self._store.get(resource.key, place, name) is None:
                metadata = {"name": name, "labels": (item["spec"]["selector"].get("matchLabels") or {})}
                body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata}
                self._verbs.create(resource, place, body | {"spec": copy.deepcopy(template["spec"])}, Write())

    def daemon_set(self, namespace: str, name: str) -> float | None:
        item = self._read("daemonsets.apps", namespace, name)
        if item is None:
            return None
        generation = item["metadata"].get("generation", 1)
        mark = template_hash(item["spec"]["template"])
        selector = item["spec"]["template"]["spec"].get("nodeSelector") or {}
        nodes = []
        for node in self._store.select("nodes"):
            labels = node["metadata"].get("labels") or {}
            if all(labels.get(key) == value for key, value in selector.items()):
                nodes.append(node["metadata"]["name"])
        pods = self._owned("pods", item)
        placed = {pod["spec"].get("nodeSelector", {}).get("kubernetes.io/hostname") for pod in pods}
        for node in nodes:
            if node not in placed:
                self._make_pod(
                    item, "", {"controller-revision-hash": mark, "pod-template-generation": str(generation)}, node
                )
        for pod in pods:
            if pod["metadata"]["labels"].get("controller-revision-hash") != mark:
                self._delete("pods", pod)
        owned = self._live_pods(item)
        ready = sum(map(is_ready, owned))
        updated = sum(pod["metadata"]["labels"].get("controller-revision-hash") == mark for pod in owned)
        status: Object = {
            "currentNumberScheduled": len(owned),
            "desiredNumberScheduled": len(nodes),
            "numberMisscheduled": 0,
        }
        status |= {"numberReady": ready, "observedGeneration": generation, "updatedNumberScheduled": updated}
        if ready:
            status["numberAvailable"] = ready
        if len(nodes) > ready:
            status["numberUnavailable"] = len(nodes) - ready
        self._put_status("daemonsets.apps", item, status)
        return None

    def job(self, namespace: str, name: str) -> float | None:
        item = self._read("jobs.batch", namespace, name)
        if item is None or item["spec"].get("suspend"):
            return None
        status = copy.deepcopy(item.get("status") or {})
        if any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in status.get("conditions") or ()):
            return None
        pods = self._owned("pods", item)
        phases = [pod["status"].get("phase") for pod in pods]
        succeeded, failed = phases.count("Succeeded"), phases.count("Failed")
        wanted = item["spec"].get("completions") or 1
        active = len(self._live_pods(item))
        limit = item["spec"].get("backoffLimit", 6)
        if failed <= limit:
            room = min(item["spec"].get("parallelism", 1), wanted - succeeded) - active
            for _ in range(max(0, room)):
                self._make_pod(item)
                active += 1
        status.setdefault("startTime", now())
        counts = {"active": active, "succeeded": succeeded, "failed": failed}
        status = {k: v for k, v in status.items() if k not in counts} | {k: v for k, v in counts.items() if v}
        status |= {"ready": sum(map(is_ready, pods)), "terminating": 0, "uncountedTerminatedPods": {}}
        job_conditions(status, succeeded >= wanted, failed > limit)
        self._put_status("jobs.batch", item, status)
        if status.get("completionTime"):
            self._events.tell("Job", item["metadata"], "Completed", "Job completed", "job-controller")
        return None
