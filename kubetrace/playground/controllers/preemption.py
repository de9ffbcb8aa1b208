"""Preemption: which pods must go so that a more important one fits (pkg/scheduler/framework/preemption)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kubetrace.playground.objects import Object
from kubetrace.playground.selectors import matches_labels

Fits = Callable[[Object, list[Object]], bool]
"""Takes a node and the pods that are placed; whether the pod at hand would fit on the node."""


def priority(pod: Object) -> int:
    return int(pod["spec"].get("priority") or 0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node, and who must leave it."""

    node: str
    victims: list[Object]
    violations: int
    """How many of them a PodDisruptionBudget would keep."""

    def cost(self) -> tuple[int, int, int, int, str]:
        """The cheapest is taken: budgets first, then the importance of the victims, then their number."""
        weights = [priority(pod) for pod in self.victims]
        return (self.violations, max(weights), sum(weights), len(weights), self.node)


def choose(
    pod: Object, nodes: list[Object], placed: list[Object], budgets: list[Object], fits: Fits
) -> Candidate | None:
    """The best of the nodes that could be helped, None where there is none."""
    found = [_candidate(pod, node, placed, budgets, fits) for node in nodes]
    return min((entry for entry in found if entry is not None), key=Candidate.cost, default=None)


def _candidate(pod: Object, node: Object, placed: list[Object], budgets: list[Object], fits: Fits) -> Candidate | None:
    name, own = node["metadata"]["name"], priority(pod)
    lower = [other for other in placed if other["spec"].get("nodeName") == name and priority(other) < own]
    rest = [other for other in placed if other not in lower]
    if not lower or not fits(node, rest):
        return None
    kept = {id(other) for other in lower if _is_kept(other, budgets)}
    victims: list[Object] = []
    # The important ones come back as long as there is room; those with a budget before the others.
    for other in sorted(lower, key=lambda other: (id(other) not in kept, -priority(other), _begun(other))):
        if fits(node, [*rest, other]):
            rest.append(other)
        else:
            victims.append(other)
    return Candidate(name, victims, sum(id(other) in kept for other in victims)) if victims else None


def _begun(pod: Object) -> str:
    return str((pod.get("status") or {}).get("startTime") or pod["metadata"].get("creationTimestamp") or "")


def _is_kept(pod: Object, budgets: list[Object]) -> bool:
    """Whether a budget of its namespace has no disruption left for it."""
    labels = pod["metadata"].get("labels") or {}
    return any(
        budget["metadata"]["namespace"] == pod["metadata"]["namespace"]
        and matches_labels(budget["spec"].get("selector"), labels)
        and (budget.get("status") or {}).get("disruptionsAllowed", 0) <= 0
        for budget in budgets
    )
