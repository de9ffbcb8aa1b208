"""PodDisruptionBudgets' status: how many pods may go now (pkg/controller/disruption), and ResourceQuotas' use."""

from __future__ import annotations

from kubetrace.playground import budgets
from kubetrace.playground.controllers.base import Controller, condition, controller_of
from kubetrace.playground.controllers.rollouts import share
from kubetrace.playground.label_selectors import go_selector
from kubetrace.playground.objects import Object
from kubetrace.playground.pods import is_done, is_ready
from kubetrace.playground.selectors import matches_labels

KEY = "poddisruptionbudgets.policy"
_UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the status of "
    "the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please "
    'set ".spec.minAvailable" field of the PDB to an integer value.'
)


class Disruption(Controller):
    component = "controllermanager"

    def reconcile(self, namespace: str, name: str) -> float | None:
        item = self.read(KEY, namespace, name)
        if item is None:
            return None
        spec, pods = item["spec"], self._matching(namespace, item["spec"].get("selector"))
        expected, unmanaged = self._expected(pods)
        healthy = sum(is_ready(pod) and not pod["metadata"].get("deletionTimestamp") for pod in pods)
        if "maxUnavailable" in spec:
            wanted = max(0, expected - share(spec["maxUnavailable"], expected, up=True))
        else:
            least = spec.get("minAvailable", 0)
            if not isinstance(least, str):
                expected, unmanaged = len(pods), False
            wanted = share(least, expected, up=True)
        allowed = max(0, healthy - wanted) if expected else 0
        before: Object = item.get("status") or {}
        reason = "SufficientPods" if allowed else "InsufficientPods"
        told = [condition(before.get("conditions") or [], "DisruptionAllowed", str(allowed > 0), reason, "")]
        told[0] |= {"observedGeneration": item["metadata"].get("generation", 1)}
        found = {
            "conditions": told,
            "currentHealthy": healthy,
            "desiredHealthy": wanted,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": item["metadata"].get("generation", 1),
        }
        if found != before:
            self._tell(item, pods, unmanaged)
        self.put_status(KEY, item, found)
        return None

    def _tell(self, item: Object, pods: list[Object], unmanaged: bool) -> None:
        """Events of a budget that nothing or not enough is known for."""
        if not pods:
            self.events.normal(item, "NoPods", "No matching pods found")
        if unmanaged:
            selector = go_selector(item["spec"].get("selector") or {})
            self.events.warning(item, "UnmanagedPods", _UNMANAGED.format(selector))

    def _matching(self, namespace: str, selector: Object | None) -> list[Object]:
        return [
            pod
            for pod in self.store.select("pods", namespace)
            if matches_labels(selector, pod["metadata"].get("labels") or {}) and not is_done(pod)
        ]

    def _expected(self, pods: list[Object]) -> tuple[int, bool]:
        """(the scale of the controllers that the pods have, whether there are pods without one)"""
        total, seen, unmanaged = 0, set(), False
        for pod in pods:
            owner = controller_of(pod)
            resource = owner and self.verbs.catalog.by_kind(owner["apiVersion"], owner["kind"])
            found = resource and self.store.get(resource.key, pod["metadata"]["namespace"], owner["name"])  # type: ignore[index]
            if not found:
                unmanaged = True
            elif found["metadata"]["uid"] not in seen:
                seen.add(found["metadata"]["uid"])
                total += int((found.get("spec") or {}).get("replicas", 1))
        return total, unmanaged

    def pod_changed(self, namespace: str, name: str) -> float | None:
        for budget in self.store.select(KEY, namespace):
            self.reconcile(namespace, budget["metadata"]["name"])
        return None


class Quotas(Controller):
    component = "resourcequota-controller"

    def reconcile(self, namespace: str, name: str) -> float | None:
        item = self.read(budgets.KEY, namespace, name)
        if item is not None:
            found = {"hard": item["spec"].get("hard"), "used": budgets.used(self.store, item)}
            self.put_status(budgets.KEY, item, {name: amounts for name, amounts in found.items() if amounts})
        return None
