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


def _range(item: Object) -> tuple[int, int]:
    """(the first ordinal, how many there are)."""
    spec = item["spec"]
    return (spec.get("ordinals") or {}).get("start", 0), spec.get("replicas", 1)


def _available(pod: Object | None, seconds: int) -> bool:
    return pod is not None and is_active(pod) and is_available(pod, seconds)


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
        if item["metadata"].get("deletionTimestamp"):
            return None
        spec, name = item["spec"], item["metadata"]["name"]
        parallel = spec.get("podManagementPolicy") == "Parallel"
        start, wanted = _range(item)
        seconds = spec.get("minReadySeconds", 0)
        replicas = [pods.get(f"{name}-{index}") for index in range(start, start + wanted)]
        for place, pod in enumerate(replicas):
            if pod is not None and is_done(pod):
                if not pod["metadata"].get("deletionTimestamp"):
                    self._delete(item, pod)
                if not parallel:
                    return None
                continue
            if pod is None and not self._make(item, start + place, current, update):
                return 3.0
            if not parallel and not _available(pod, seconds):
                return None if pod is None or not seconds or not is_ready(pod) else float(seconds)
            if pod is not None:
                self._keep_claims(item, pod, told=True)
        extra = [pod for own, pod in pods.items() if not start <= _ordinal(own) < start + wanted]
        extra.sort(key=lambda pod: -_ordinal(pod["metadata"]["name"]))
        for pod in extra:
            self._keep_claims(item, pod)
        unavailable = [pod for pod in (*replicas, *reversed(extra)) if not _available(pod, seconds)]
        for pod in extra:
            leaving = pod["metadata"].get("deletionTimestamp")
            waits = leaving or (not _available(pod, seconds) and pod is not unavailable[0])
            if waits and not parallel:
                return None
            if not leaving:
                self._delete(item, pod)
                if not parallel:
                    return None
        self._roll(item, replicas, update)
        return None

    def _roll(self, item: Object, replicas: list[Object | None], update: Object) -> None:
        """From the last pod to the first, one at a time, down to the partition, which counts from the first ordinal."""
        strategy = item["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return
        mark, seconds = revisions.mark(update), item["spec"].get("minReadySeconds", 0)
        for pod in reversed(replicas[(strategy.get("rollingUpdate") or {}).get("partition", 0) :]):
            if pod is None:
                return
            leaving = pod["metadata"].get("deletionTimestamp")
            if (pod["metadata"].get("labels") or {}).get(revisions.LABEL) != mark and not leaving:
                self._delete(item, pod)
                return
            if not _available(pod, seconds):
                return

    def _keep_claims(self, item: Object, pod: Object, told: bool = False) -> None:
        """The owners that a pod's claims have by persistentVolumeClaimRetentionPolicy (stateful_set_utils.go)."""
        policy = item["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
        scaled, deleted = policy.get("whenScaled") == "Delete", policy.get("whenDeleted") == "Delete"
        place, name = item["metadata"]["namespace"], pod["metadata"]["name"]
        start, wanted = _range(item)
        outside = not start <= _ordinal(name) < start + wanted
        changed = False
        for template in item["spec"].get("volumeClaimTemplates") or ():
            claim = self.store.get(_CLAIMS, place, f"{template['metadata']['name']}-{name}")
            if claim is None:
                continue
            ours = (("StatefulSet", item), ("Pod", pod))
            before = claim["metadata"].get("ownerReferences") or []
            kept = [
                ref
                for ref in before
                if not any(ref["kind"] == kind and ref["name"] == owner["metadata"]["name"] for kind, owner in ours)
            ]
            uids = {owner["metadata"]["uid"] for _, owner in ours}
            foreign = any(ref.get("controller") for ref in kept) or any(
                ref["uid"] not in uids for ref in before if ref not in kept
            )
            owner = pod if scaled and outside else item if deleted else None
            if foreign and (scaled or deleted):
                told_of = f"PersistentVolumeClaim {claim['metadata']['name']} has a conflicting OwnerReference"
                told_of += " that acts as a manging controller, the retention policy is ignored for this claim"
                self.events.warning(item, "ConflictingController", told_of)
                owner = None
            after = [*kept, owner_reference(owner)] if owner is not None else kept
            if after != before:
                claim["metadata"]["ownerReferences"] = after
                if not after:
                    del claim["metadata"]["ownerReferences"]
                self.store.put(_CLAIMS, claim)
                changed = True
        if changed and told:
            text = f"Update Pod {name} in StatefulSet {item['metadata']['name']} successful"
            self.events.normal(item, "SuccessfulUpdate", text)

    def _delete(self, item: Object, pod: Object) -> None:
        if self.delete("pods", pod):
            told = f"Delete Pod {pod['metadata']['name']} in StatefulSet {item['metadata']['name']} successful"
            self.events.normal(item, "SuccessfulDelete", told)

    def _make(self, item: Object, index: int, current: Object, update: Object) -> bool:
        spec, own = item["spec"], f"{item['metadata']['name']}-{index}"
        strategy = spec.get("updateStrategy") or {}
        rolling, start = strategy.get("rollingUpdate"), _range(item)[0]
        if rolling is not None:
            old = index < start + rolling.get("partition", 0)
        else:
            count = (item.get("status") or {}).get("currentReplicas", 0)
            old = strategy.get("type") == "RollingUpdate" and index < start + count
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

        made = self.make_pod(item, revisions.template_of(revision), own, change)
        if made is not None:
            self._keep_claims(item, made)
        return made is not None

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
            where = f"Pod {own} in StatefulSet {item['metadata']['name']}"
            try:
                self.create(_CLAIMS, place, {"metadata": metadata, "spec": copy.deepcopy(template["spec"])})
            except ApiError as error:
                self.events.warning(item, "FailedCreate", f"Create Claim {name} for {where} failed error: {error}")
                return None
            self.events.normal(item, "SuccessfulCreate", f"Create Claim {name} {where} success")
        return volumes

    def _report(self, item: Object, current: Object, update: Object) -> float | None:
        pods = list(self.owned("pods", item))
        live = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
        seconds, wanted = item["spec"].get("minReadySeconds", 0), item["spec"].get("replicas", 1)
        ready = sum(is_ready(pod) for pod in pods)
        available = sum(is_available(pod, seconds) for pod in pods)

        def with_mark(revision: Object) -> int:
            mark = revisions.mark(revision)
            return sum((pod["metadata"].get("labels") or {}).get(revisions.LABEL) == mark for pod in live)

        updated, strategy = with_mark(update), item["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "RollingUpdate" and updated == ready == len(pods) == wanted:
            current = update
        names = current["metadata"]["name"], update["metadata"]["name"]
        status: Object = {"observedGeneration": item["metadata"].get("generation", 1), "replicas": len(pods)}
        counts = {"readyReplicas": ready, "currentReplicas": with_mark(current), "updatedReplicas": updated}
        status |= {name: count for name, count in counts.items() if count}
        status |= {"currentRevision": names[0], "updateRevision": names[1]}
        status |= {"collisionCount": 0, "availableReplicas": available}
        self.put_status(_KEY, item, status)
        return float(seconds) if ready > available else None
