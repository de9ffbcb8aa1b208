"""What a status must be, where somebody writes it (the Validate…StatusUpdate functions of pkg/apis/*/validation)."""

from __future__ import annotations

import re
from collections.abc import Callable

from kubetrace.playground.validation import claim_statuses, job_statuses, nodes, pod_statuses, request_statuses, storage
from kubetrace.playground.validation.causes import (
    CONDITION_STATUSES,
    Cause,
    Object,
    amount,
    bad,
    duplicate,
    forbidden,
    label_1035,
    label_key,
    legacy_address,
    loose_address,
    not_negative,
    qualified_name,
    required,
    subdomain,
    too_long,
    unsupported,
)

_DEPLOYED: tuple[str, ...] = ("observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
_DEPLOYED += ("unavailableReplicas", "terminatingReplicas", "collisionCount")
_REPLICATED = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration")
_STATEFUL: tuple[str, ...] = ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
_STATEFUL += ("observedGeneration", "collisionCount")
_ON_NODES: tuple[str, ...] = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
_ON_NODES += ("observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount")
_BUDGETED = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
_REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_REASON_WORDS = (
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
    "characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or "
    f"'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '{_REASON}')"
)
_RESIZES: tuple[str, ...] = (
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
)
_RESIZES += ("NodeResizePending",)
_MOST_MESSAGE, _TOLD_MESSAGE = 1024, 256 * 1024  # the real server says another number than it means


def check(key: str, old: Object, new: Object) -> list[Cause]:
    """Causes against the new status of a resource ("deployments.apps")."""
    special = _CHECKS.get(key)
    return special(old, new) if special else []


def _counts(status: Object, *names: str) -> list[Cause]:
    return [cause for name in names for cause in not_negative(f"status.{name}", status.get(name))]


def _at_most(status: Object, names: tuple[str, ...], most: str, shown: str) -> list[Cause]:
    found = ((name, status.get(name) or 0) for name in names)
    why = f"cannot be greater than {shown}"
    return [bad(f"status.{name}", value, why) for name, value in found if value > (status.get(most) or 0)]


def _kept(old: Object, new: Object) -> list[Cause]:
    """Collisions are only ever counted up."""
    before, after = (item["status"].get("collisionCount") if item.get("status") else None for item in (old, new))
    lost = before is not None and (after is None or after < before)
    return [bad("status.collisionCount", after or 0, "cannot be decremented")] if lost else []


def _deployment(old: Object, new: Object) -> list[Cause]:
    status = new.get("status") or {}
    causes = _counts(status, *_DEPLOYED)
    parts = ("updatedReplicas", "readyReplicas", "availableReplicas")
    causes += _at_most(status, parts, "replicas", "status.replicas")
    return causes + _at_most(status, ("availableReplicas",), "readyReplicas", "readyReplicas") + _kept(old, new)


def _replicated(*more: str) -> Callable[[Object, Object], list[Cause]]:
    def checked(old: Object, new: Object) -> list[Cause]:
        status = new.get("status") or {}
        causes = _counts(status, *_REPLICATED, *more)
        parts = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
        causes += _at_most(status, parts, "replicas", "status.replicas")
        return causes + _at_most(status, ("availableReplicas",), "readyReplicas", "readyReplicas")

    return checked


def _stateful_set(old: Object, new: Object) -> list[Cause]:
    status = new.get("status") or {}
    causes = _counts(status, *_STATEFUL)
    parts = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
    causes += _at_most(status, parts, "replicas", "status.replicas")
    return causes + _at_most(status, ("availableReplicas",), "readyReplicas", "status.readyReplicas") + _kept(old, new)


def _daemon_set(old: Object, new: Object) -> list[Cause]:
    return _counts(new.get("status") or {}, *_ON_NODES) + _kept(old, new)


def conditions(found: list[Object] | None, at: str = "status.conditions") -> list[Cause]:
    """metav1.Conditions (apimachinery apis/meta/v1/validation ValidateConditions)."""
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, condition in enumerate(found or ()):
        where, title, reason = f"{at}[{index}]", condition.get("type", ""), condition.get("reason", "")
        if title in seen:
            causes.append(duplicate(f"{where}.type", title))
        seen.add(title)
        causes += label_key(f"{where}.type", title)
        if condition.get("status") not in CONDITION_STATUSES:
            causes.append(unsupported(f"{where}.status", condition.get("status", ""), CONDITION_STATUSES))
        if (condition.get("observedGeneration") or 0) < 0:
            value = condition["observedGeneration"]
            causes.append(bad(f"{where}.observedGeneration", value, "must be greater than or equal to zero"))
        if not condition.get("lastTransitionTime"):
            causes.append(required(f"{where}.lastTransitionTime"))
        if not reason:
            causes.append(required(f"{where}.reason"))
        elif not re.fullmatch(_REASON, reason):
            causes.append(bad(f"{where}.reason", reason, _REASON_WORDS))
        for name, most in (("reason", 1024), ("message", 32 * 1024)):
            if len(condition.get(name, "").encode()) > most:
                causes.append(too_long(f"{where}.{name}", most))
    return causes


def _only_conditions(old: Object, new: Object) -> list[Cause]:
    return conditions((new.get("status") or {}).get("conditions"))


def _policy(old: Object, new: Object) -> list[Cause]:
    """What checking a policy's expressions has found, and its conditions."""
    causes: list[Cause] = []
    found = ((new.get("status") or {}).get("typeChecking") or {}).get("expressionWarnings") or ()
    for index, entry in enumerate(found):
        at = f"status.typeChecking.expressionWarnings[{index}]"
        causes += [] if entry.get("warning") else [required(f"{at}.warning")]
        causes += [] if entry.get("fieldRef") else [required(f"{at}.fieldRef")]
    return causes + _only_conditions(old, new)


def _attachment(old: Object, new: Object) -> list[Cause]:
    status = new.get("status") or {}
    causes = []
    for name in ("attachError", "detachError"):
        size = len(((status.get(name) or {}).get("message") or "").encode())
        if size > _MOST_MESSAGE:
            causes.append(too_long(f"status.{name}.message", _TOLD_MESSAGE))
    return causes


def _disruption_budget(old: Object, new: Object) -> list[Cause]:
    return _only_conditions(old, new) + _counts(new.get("status") or {}, *_BUDGETED)


def _named_conditions(old: Object, new: Object) -> list[Cause]:
    """Those of flow control: each has a type, and each type is there once."""
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, condition in enumerate((new.get("status") or {}).get("conditions") or ()):
        at, title = f"status.conditions[{index}].type", condition.get("type", "")
        if title in seen:
            causes.append(duplicate(at, title))
        seen.add(title)
        causes += [] if title else [required(at)]
    return causes


def _api_service(old: Object, new: Object) -> list[Cause]:
    found = enumerate((new.get("status") or {}).get("conditions") or ())
    known = ("True", "False", "Unknown")
    wrong = ((index, entry.get("status", "")) for index, entry in found if entry.get("status", "") not in known)
    return [unsupported(f"status.conditions[{index}].status", value, known) for index, value in wrong]


def _namespace(old: Object, new: Object) -> list[Cause]:
    phase = (new.get("status") or {}).get("phase", "")
    going = bool(new["metadata"].get("deletionTimestamp"))
    wanted = "Terminating" if going else "Active"
    why = f"may only be '{wanted}' if `deletionTimestamp` is {'not ' if going else ''}empty"
    return [] if phase == wanted else [bad("status.Phase", phase, why)]


def _balancer(old: Object, new: Object, of_service: bool) -> list[Cause]:
    """Where a load balancer is: a Service's, or an Ingress's."""
    before, after = (((item.get("status") or {}).get("loadBalancer") or {}).get("ingress") or [] for item in (old, new))
    at = "status.loadBalancer.ingress"
    if of_service and after and new["spec"].get("type") != "LoadBalancer":
        return [forbidden(at, "may only be used when `spec.type` is 'LoadBalancer'")]
    known = [entry.get("ip") for entry in before]
    causes: list[Cause] = []
    for index, entry in enumerate(after):
        where, ip, host = f"{at}[{index}]", entry.get("ip"), entry.get("hostname")
        causes += legacy_address(f"{where}.ip", ip, known) if ip else []
        causes += _ip_mode(where, ip, entry.get("ipMode")) if of_service else []
        if host:
            causes += subdomain(f"{where}.hostname", host)
            if loose_address(host) is not None:
                causes.append(bad(f"{where}.hostname", host, "must be a DNS name, not an IP address"))
    return causes


def _ip_mode(where: str, ip: str | None, mode: str | None) -> list[Cause]:
    at = f"{where}.ipMode"
    if mode is None:
        return [required(at, "must be specified when `ip` is set")] if ip else []
    if not ip:
        return [forbidden(at, "may not be specified when `ip` is not set")]
    return [] if mode in ("Proxy", "VIP") else [unsupported(at, mode, ("Proxy", "VIP"))]


def _service(old: Object, new: Object) -> list[Cause]:
    return _balancer(old, new, of_service=True)


def _ingress(old: Object, new: Object) -> list[Cause]:
    return _balancer(old, new, of_service=False)


def _claim(old: Object, new: Object) -> list[Cause]:
    status = new.get("status") or {}
    causes: list[Cause] = []
    for name, quantity in sorted((status.get("capacity") or {}).items()):
        causes += _not_below_zero(f"status.capacity[{name}]", quantity)
    at = "status.allocatedResourceStatuses"
    for name, value in sorted((status.get("allocatedResourceStatuses") or {}).items()):
        causes += _claim_resource(at, name)
        if value not in _RESIZES:
            causes.append(unsupported(at, name, sorted(_RESIZES)))
    at = "status.allocatedResources"
    for name, quantity in sorted((status.get("allocatedResources") or {}).items()):
        causes += _claim_resource(at, name) or _not_below_zero(f"{at}[{name}]", quantity)
    return causes


def _not_below_zero(at: str, quantity: str) -> list[Cause]:
    value = amount(quantity)
    if value is None or value >= 0:
        return []
    return [bad(at, int(value), "must be a valid resource quantity")]


def _claim_resource(at: str, name: str) -> list[Cause]:
    causes = qualified_name(at, name)
    if causes or ("/" in name and "kubernetes.io/" not in name) or name == "storage":
        return causes
    return [unsupported(at, name, ("storage",))]


def _quota(old: Object, new: Object) -> list[Cause]:
    status = new.get("status") or {}
    return [cause for part in ("hard", "used") for cause in storage.quota_amounts(status.get(part), f"status.{part}")]


def _node(old: Object, new: Object) -> list[Cause]:
    return nodes.node_status(new.get("status") or {})


def _definition(old: Object, new: Object) -> list[Cause]:
    """The names that a CustomResourceDefinition has got."""
    names, at = (new.get("status") or {}).get("acceptedNames") or {}, "status.acceptedNames"
    causes: list[Cause] = []
    for name in ("plural", "singular"):
        causes += label_1035(f"{at}.{name}", names[name]) if names.get(name) else []
    for name in ("kind", "listKind"):
        for _, _, why in label_1035("", names[name].lower()) if names.get(name) else ():
            told = "may have mixed case, but should otherwise match: " + why.partition(": ")[2].partition(": ")[2]
            causes.append(bad(f"{at}.{name}", names[name], told))
    for index, name in enumerate(names.get("shortNames") or ()):
        causes += label_1035(f"{at}.shortNames[{index}]", name)
    if names.get("kind") and names["kind"] == names.get("listKind"):
        causes.append(bad(f"{at}.listKind", names["kind"], "kind and listKind may not be the same"))
    for index, name in enumerate(names.get("categories") or ()):
        causes += label_1035(f"{at}.categories[{index}]", name)
    return causes


def _autoscaler(old: Object, new: Object) -> list[Cause]:
    return _counts(new.get("status") or {}, "currentReplicas", "desiredReplicas")


_CHECKS: dict[str, Callable[[Object, Object], list[Cause]]] = {
    "pods": pod_statuses.check,
    "deployments.apps": _deployment,
    "replicasets.apps": _replicated("terminatingReplicas"),
    "replicationcontrollers": _replicated(),
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "jobs.batch": job_statuses.check,
    "horizontalpodautoscalers.autoscaling": _autoscaler,
    "poddisruptionbudgets.policy": _disruption_budget,
    "namespaces": _namespace,
    "nodes": _node,
    "persistentvolumeclaims": _claim,
    "resourcequotas": _quota,
    "services": _service,
    "ingresses.networking.k8s.io": _ingress,
    "certificatesigningrequests.certificates.k8s.io": request_statuses.check,
    "flowschemas.flowcontrol.apiserver.k8s.io": _named_conditions,
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": _named_conditions,
    "apiservices.apiregistration.k8s.io": _api_service,
    "validatingadmissionpolicies.admissionregistration.k8s.io": _policy,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
    "volumeattachments.storage.k8s.io": _attachment,
    "resourceclaims.resource.k8s.io": claim_statuses.check,
}
