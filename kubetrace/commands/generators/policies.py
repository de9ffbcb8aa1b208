"""PodDisruptionBudgets, PriorityClasses and ResourceQuotas (kubectl pkg/cmd/create: create_pdb.go,
create_priorityclass.go, create_quota.go)."""

from __future__ import annotations

from kubetrace.api.labels import label_selector
from kubetrace.commands.generators.metadata import Object, int_or_string, new_object, resource_list
from kubetrace.errors import KubetraceError


def disruption_budget(name: str, namespace: str, selector: str, min_available: str, max_unavailable: str) -> Object:
    """A PodDisruptionBudget with one of the two limits, a number or a percentage. Raises KubetraceError."""
    spec: Object = {"selector": label_selector(selector)}
    if min_available:
        spec["minAvailable"] = int_or_string(min_available)
    else:
        spec["maxUnavailable"] = int_or_string(max_unavailable)
    return {**new_object("policy/v1", "PodDisruptionBudget", name, namespace), "spec": spec}


def priority_class(name: str, value: int, global_default: bool, description: str, preemption: str) -> Object:
    return {
        **new_object("scheduling.k8s.io/v1", "PriorityClass", name),
        "value": value,
        "globalDefault": global_default,
        "description": description,
        "preemptionPolicy": preemption,
    }


def quota(name: str, namespace: str, hard: str, scopes: str) -> Object:
    """A ResourceQuota. Raises KubetraceError for a bad quantity or an empty scope."""
    spec = {"hard": resource_list(hard), "scopes": scopes.split(",") if scopes else None}
    if spec["scopes"] and "" in spec["scopes"]:
        raise KubetraceError('invalid resource quota scope ""')
    return {**new_object("v1", "ResourceQuota", name, namespace), "spec": spec}
