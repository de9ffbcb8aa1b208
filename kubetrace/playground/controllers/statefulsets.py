"""StatefulSets: pods with names and claims of their own, one after the other (pkg/controller/statefulset)."""

from __future__ import annotations

import copy

from kubetrace.playground.controllers import revisions
from kubetrace.playground.controllers.base import Controller, is_active, is_available, owner_reference
from kubetrace.playground.objects import Object
from kubetrace.playground.pods import is_done, is_ready
from kubetrace.playground.status import ApiError

_KEY, _CLAIMS = "statefulsets.apps", "persistentvolumeclaims"


def _ordinal(name: str) -> int:
    text = name.rpartition("-")[2]
    return int(text) if text.isdigit() else -1


class StatefulSets(Controller):
    component = "statefulset-controller"

    def creation_told(self, owner: Object, name: str) -> str:
        return f"Create Pod {name} in StatefulSet {owner['metadata']['name']} successful"

    def creation_failure(self, owner: Object, name: str, error: ApiError) -> str:
        return f"Create Pod {name} in StatefulSet {owner['metadata']['name']} failed error: {error}"

    def reconcile(self, namespace: str, name: str) -> float | None:
        item = self.read(_KEY, namespace, name)
        if item is None:
            return None
        update, every = revisions.current(self, item)
        known = (item.get("status") or {}).get("currentRevision")
        current = next((entry for entry in every if entry["metadata"]["name"] == known), update)
        pods = {
            pod["metadata"]["name"]: pod for pod in self.claimed_pods(item) if _ordinal(pod["metadata"]["name"]) >= 0
        }
        again = self._step(item, pods, current, update)
        later = self._report(item, current, update)
        pods_now = self.owned("pods", item)
        live = {str((pod["metadata"].get("labels") or {}).get(revisions.LABEL)) for pod in pods_now}
        live |= {current["metadata"]["name"], update["metadata"]["name"]}
        revisions.clean_up(self, item, every, live)
        return again if later is None else later

    def _step(self, item: Object, pods: dict[str, Object], current: Object, update: Object) -> float | None:
        """One round; the answer is when to come again where something has failed."""
        spec, name = item["spec"], item["metadata"]["name"]
        parallel = spec.get("podManagementPolicy") == "Parallel"
        start, wanted = (spec.get("ordinals") or {}).get("start", 0), spec.get("replicas", 1)
        seconds = spec.get("minReadySeconds", 0)
        for index in range(start, start + wanted):
            own = f"{name}-{index}"
            pod = pods.get(own)
            if pod is not None and is_done(pod):
                self._delete(item, pod, "recreating")
                return None
            if pod is None and not self._make(item, index, current, update):
                return 3.0
            healthy = pod is not None and is_active(pod) and is_available(pod, seconds)
            if not healthy and not parallel:
                return None if pod is None or not seconds or not is_ready(pod) else float(seconds)
        extra = [pod for own, pod in pods.items() if not start <= _ordinal(own) < start + wanted]
        for pod in sorted(extra, key=lambda pod: -_ordinal(pod["metadata"]["name"])):
            self._delete(item, pod, "")
            if not parallel:
                return None
        self._roll(item, pods, update, start, wanted)
        return None

    def _roll(self, item: Object, pods: dict[str, Object], update: Object, start: int, wanted: int) -> None:
        """From the last pod to the first, one at a time, down to the partition."""
        strategy = item["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        mark = revisions.mark(update)
        for index in reversed(range(max(start, partition), start + wanted)):
            pod = pods.get(f"{item['metadata']['name']}-{index}")
            if pod is None:
                return
            if (pod["metadata"].get("labels") or {}).get(revisions.LABEL) != mark:
                self._delete(item, pod, "")
                return
            if not is_ready(pod) or pod["metadata"].get("deletionTimestamp"):
                return

    def _delete(self, item: Object, pod: Object, why: str) -> None:
        if self.delete("pods", pod):
            name = pod["metadata"]["name"]
            if why:
                told = f"StatefulSet {item['metadata']['namespace']}/{item['metadata']['name']} is recreating "
                phase = pod["status"].get("phase", "").lower()
                self.events.warning(item, f"Recreating{phase.capitalize()}Pod", f"{told}{phase} Pod {name}")
            told = f"Delete Pod {name} in StatefulSet {item['metadata']['name']} successful"
            self.events.normal(item, "SuccessfulDelete", told)

    def _make(self, item: Object, index: int, current: Object, update: Object) -> bool:
        spec, own = item["spec"], f"{item['metadata']['name']}-{index}"
        strategy = spec.get("updateStrategy") or {}
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        old = strategy.get("type") != "OnDelete" and index < partition
        revision = current if old else update
        volumes = self._claims(item, index)
        if volumes is None:
            return False

        def change(body: Object) -> None:
            body["metadata"]["generateName"] = f"{item['metadata']['name']}-"
            body["metadata"]["labels"] = dict(body["metadata"]["labels"]) | {
                "apps.kubernetes.io/pod-index": str(index),
                revisions.LABEL: revisions.mark(revision),
                "statefulset.kubernetes.io/pod-name": own,
            }
            body["spec"]["hostname"] = own
            if spec.get("serviceName"):
                body["spec"]["subdomain"] = spec["serviceName"]
            names = {volume["name"] for volume in volumes}
            others = [v for v in body["spec"].get("volumes") or () if v["name"] not in names]
            if volumes or others:
                body["spec"]["volumes"] = [*volumes, *others]

        return self.make_pod(item, revisions.template_of(revision), own, change) is not None

    def _claims(self, item: Object, index: int) -> list[Object] | None:
        """The volumes of the pod's claims, which are made where they are not there; None where that failed."""
        volumes = []
        place, own = item["metadata"]["namespace"], f"{item['metadata']['name']}-{index}"
        for template in item["spec"].get("volumeClaimTemplates") or ():
            name = f"{template['metadata']['name']}-{own}"
            volumes.append({"name": template["metadata"]["name"], "persistentVolumeClaim": {"claimName": name}})
            if self.store.get(_CLAIMS, place, name) is not None:
                continue
            labels = dict(template["metadata"].get("labels") or {})
            labels |= item["spec"]["selector"].get("matchLabels") or {}
            metadata: Object = {"name": name, "labels": labels}
            if template["metadata"].get("annotations"):
                metadata["annotations"] = template["metadata"]["annotations"]
            policy = item["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
            if policy.get("whenDeleted") == "Delete":
                metadata["ownerReferences"] = [owner_reference(item)]
            where = f"Pod {own} in StatefulSet {item['metadata']['name']}"
            try:
                self.create(_CLAIMS, place, {"metadata": metadata, "spec": copy.deepcopy(template["spec"])})
            except ApiError as error:
                self.events.warning(item, "FailedCreate", f"Create Claim {name} for {where} failed error: {error}")
                return None
            self.events.normal(item, "SuccessfulCreate", f"Create Claim {name} {where} success")
        return volumes

    def _report(self, item: Object, current: Object, update: Object) -> float | None:
        pods = [pod for pod in self.owned("pods", item) if not is_done(pod)]
        live = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
        seconds, wanted = item["spec"].get("minReadySeconds", 0), item["spec"].get("replicas", 1)
        ready = sum(is_ready(pod) for pod in pods)
        available = sum(is_available(pod, seconds) for pod in pods)

        def with_mark(revision: Object) -> int:
            mark = revisions.mark(revision)
            return sum((pod["metadata"].get("labels") or {}).get(revisions.LABEL) == mark for pod in live)

        updated, strategy = with_mark(update), item["spec"].get("updateStrategy") or {}
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        if updated == wanted == ready and len(live) == wanted and not partition:
            current = update
        names = current["metadata"]["name"], update["metadata"]["name"]
        status: Object = {"observedGeneration": item["metadata"].get("generation", 1), "replicas": len(pods)}
        counts = {"readyReplicas": ready, "currentReplicas": with_mark(current), "updatedReplicas": updated}
        status |= {name: count for name, count in counts.items() if count}
        status |= {"currentRevision": names[0], "updateRevision": names[1]}
        status |= {"collisionCount": 0, "availableReplicas": available}
        self.put_status(_KEY, item, status)
        return float(seconds) if ready > available else None
