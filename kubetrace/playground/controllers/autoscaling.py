"""HorizontalPodAutoscalers: their bounds hold; metrics they have none, as on a cluster without a metrics server."""

from __future__ import annotations

import copy
import time

from kubetrace.playground.controllers.base import Controller
from kubetrace.playground.controllers.metrics import failure
from kubetrace.playground.objects import Object, now
from kubetrace.playground.row_values import selector_text
from kubetrace.playground.selectors import matches_labels
from kubetrace.playground.verbs import Verbs

_KEY = "horizontalpodautoscalers.autoscaling"
_SYNC_SECONDS = 15.0


class Autoscalers(Controller):
    component = "horizontal-pod-autoscaler"

    def __init__(self, verbs: Verbs) -> None:
        super().__init__(verbs)
        self._due: dict[tuple[str, str], float] = {}
        self._selectors: dict[tuple[str, str], Object] = {}

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Whatever happens to an autoscaler, it is looked at every 15 seconds, and 15 seconds after it was made for the
        first time (enqueueHPA in pkg/controller/podautoscaler/horizontal.go)."""
        item = self.read(_KEY, namespace, name)
        if item is None:
            self._due.pop((namespace, name), None)
            self._selectors.pop((namespace, name), None)
            return None
        now_seconds = time.monotonic()
        left = self._due.setdefault((namespace, name), now_seconds + _SYNC_SECONDS) - now_seconds
        if left > 0:
            return left
        self._due[namespace, name] = now_seconds + _SYNC_SECONDS
        status: Object = copy.deepcopy(item.get("status") or {})
        conditions: list[Object] = list(status.get("conditions") or ())
        target = self._target(item)
        if target is None:
            reference = item["spec"]["scaleTargetRef"]
            kind = f"{reference['kind'].lower()}s"
            group = reference.get("apiVersion", "").rpartition("/")[0]
            named = f"{kind}.{group}" if group else kind
            told = f'the HPA controller was unable to get the target\'s current scale: {named} "{reference["name"]}" '
            told += "not found"
            _set(conditions, "AbleToScale", "False", "FailedGetScale", told)
            self.events.warning(item, "FailedGetScale", told.partition(": ")[2])
            status |= {"conditions": conditions, "currentMetrics": None, "desiredReplicas": 0}
        else:
            self._scale(item, status, conditions, *target)
        self.put_status(_KEY, item, status)
        return _SYNC_SECONDS

    def _target(self, item: Object) -> tuple[str, Object] | None:
        reference = item["spec"]["scaleTargetRef"]
        resource = self.verbs.catalog.by_kind(reference.get("apiVersion") or "v1", reference["kind"])
        if resource is None:
            return None
        found = self.read(resource.key, item["metadata"]["namespace"], reference["name"])
        return None if found is None else (resource.key, found)

    def _scale(self, item: Object, status: Object, conditions: list[Object], key: str, target: Object) -> None:
        spec = item["spec"]
        current = int((target.get("spec") or {}).get("replicas", 1))
        told = "the HPA controller was able to get the target's current scale"
        _set(conditions, "AbleToScale", "True", "SucceededGetScale", told)
        wanted, least, most = current, spec.get("minReplicas", 1), spec["maxReplicas"]
        if current == 0 and least != 0:
            told = "scaling is disabled since the replica count of the target is zero"
            _set(conditions, "ScalingActive", "False", "ScalingDisabled", told)
        elif current > most:
            wanted, why = most, "Current number of replicas above Spec.MaxReplicas"
        elif current < least:
            wanted, why = least, "Current number of replicas below Spec.MinReplicas"
        else:
            self._no_metrics(item, conditions, target)
        if wanted != current:
            target["spec"]["replicas"] = wanted
            if "generation" in target["metadata"]:
                target["metadata"]["generation"] += 1
            self.store.put(key, target)
            self.events.normal(item, "SuccessfulRescale", f"New size: {wanted}; reason: {why}")
            told = f"the HPA controller was able to update the target scale to {wanted}"
            _set(conditions, "AbleToScale", "True", "SucceededRescale", told)
            status["lastScaleTime"] = now()
        status |= {"currentReplicas": (target.get("status") or {}).get("replicas", 0), "conditions": conditions}
        known = status.get("desiredReplicas", 0)
        status |= {"currentMetrics": [{"type": ""} for _ in spec.get("metrics") or ()] or None}
        status["desiredReplicas"] = wanted if wanted != current else known

    def _no_metrics(self, item: Object, conditions: list[Object], target: Object) -> None:
        """Without metrics the replica count stays, and the HPA says why."""
        metrics, namespace = item["spec"].get("metrics") or (), item["metadata"]["namespace"]
        told = self._ambiguity(item, target)
        if told:
            _set(conditions, "ScalingActive", "False", "AmbiguousSelector", told)
            self.events.warning(item, "AmbiguousSelector", told)
            self.events.warning(item, "FailedComputeMetricsReplicas", told)
            return
        reasons = [(f"FailedGet{metric['type']}Metric", *failure(metric, namespace)) for metric in metrics]
        if not reasons:
            return
        reason, told, first = reasons[0]
        _set(conditions, "ScalingActive", "False", reason, f"the HPA was unable to compute the replica count: {told}")
        for reason, told, _ in reasons:
            self.events.warning(item, reason, told)
        summary = f"invalid metrics ({len(reasons)} invalid out of {len(metrics)}), first error is: {first}"
        self.events.warning(item, "FailedComputeMetricsReplicas", summary)

    def _ambiguity(self, item: Object, target: Object) -> str:
        """Says which other autoscalers, of those that have been looked at, are about the same pods."""
        namespace, selector = item["metadata"]["namespace"], (target.get("spec") or {}).get("selector")
        if not isinstance(selector, dict):
            return ""
        plain = not {"matchLabels", "matchExpressions"} & set(selector)
        wanted = {"matchLabels": selector} if plain else selector
        self._selectors[namespace, item["metadata"]["name"]] = wanted
        labels = [pod["metadata"].get("labels") or {} for pod in self.store.select("pods", namespace)]
        labels = [each for each in labels if matches_labels(wanted, each)]
        found = sorted(
            f"{place}/{name}"
            for (place, name), other in self._selectors.items()
            if place == namespace and any(matches_labels(other, each) for each in labels)
        )
        if len(found) < 2:
            return ""
        return f"pods by selector {selector_text(wanted)} are controlled by multiple HPAs: [{' '.join(found)}]"


def _set(conditions: list[Object], kind: str, status: str, reason: str, message: str) -> None:
    old = next((entry for entry in conditions if entry["type"] == kind), None)
    since = old["lastTransitionTime"] if old is not None and old["status"] == status else now()
    entry = {"type": kind, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}
    if old is None:
        conditions.append(entry)
    else:
        conditions[conditions.index(old)] = entry
