"""HorizontalPodAutoscalers, in the form of v2 (pkg/apis/autoscaling/validation)."""

from __future__ import annotations

from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    amount,
    bad,
    forbidden,
    label_name,
    path_segment,
    required,
    supported,
    unsupported,
)
from kubetrace.playground.validation.requirements import container_resource

_SOURCES = {"Object": "object", "External": "external", "Pods": "pods", "Resource": "resource",
            "ContainerResource": "containerResource"}  # fmt: skip
_TYPES = ["ContainerResource", "External", "Object", "Pods", "Resource"]
_HOUR, _HALF_HOUR = 3600, 1800


def autoscaler(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    causes: list[Cause] = []
    if least is not None and least < 1:
        causes.append(bad("spec.minReplicas", least, "must be greater than or equal to 1"))
    if most == 0:
        causes.append(required("spec.maxReplicas", "must be set and greater than 0"))
    elif most < 0:
        causes.append(bad("spec.maxReplicas", most, "must be greater than or equal to 1"))
    if least is not None and most < least:
        causes.append(bad("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"))
    causes += _reference(spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef", with_group=True)
    metrics = spec.get("metrics") or []
    for index, metric in enumerate(metrics):
        causes += _metric(metric, f"spec.metrics[{index}]")
    if least == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        why = "must specify at least one Object or External metric to support scaling to zero replicas"
        causes.append(forbidden("spec.metrics", why))
    share = spec.get("targetCPUUtilizationPercentage")  # v1's only metric
    if share is not None and share < 1:
        at = "spec.metrics[0].resource.target.averageUtilization"
        causes.append(bad(at, share, "must be greater than 0"))
    for name in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(name)
        causes += _rules(rules, f"spec.behavior.{name}") if rules is not None else []
    return causes


def _reference(reference: Object, at: str, with_group: bool = False) -> list[Cause]:
    """A CrossVersionObjectReference. `with_group`: what can be scaled is in a group, the core's never is."""
    causes: list[Cause] = []
    for name in ("kind", "name"):
        value, field = reference.get(name, ""), f"{at}.{name}"
        causes += path_segment(field, value) if value else [required(field)]
    version = reference.get("apiVersion", "")
    if version.count("/") > 1:
        causes.append(bad(f"{at}.apiVersion", version, f"unexpected GroupVersion string: {version}"))
    elif with_group and "/" not in version and not (version == "v1" and reference.get("kind") == _CORE):
        causes.append(bad(f"{at}.apiVersion", version, "apiVersion must specify API group"))
    return causes


_CORE = "ReplicationController"


def _metric(metric: Object, at: str) -> list[Cause]:
    kind = metric.get("type", "")
    causes: list[Cause] = []
    if not kind:
        causes.append(required(f"{at}.type", "must specify a metric source type"))
    if kind not in _SOURCES:
        causes.append(unsupported(f"{at}.type", kind, _TYPES))
    found = [name for name in _SOURCES.values() if metric.get(name) is not None]
    for name in found[:1]:
        causes += _source(name, metric[name], f"{at}.{name}")
    wanted = _SOURCES.get(kind)
    if wanted is None:
        causes.append(unsupported(f"{at}.type", kind, _TYPES))
    elif wanted not in found:
        causes.append(required(f"{at}.{wanted}", "must populate information for the given metric source"))
    if len(found) > 1:
        others = [name for name in found if name != wanted]
        causes += [forbidden(f"{at}.{name}", "must populate the given metric source only") for name in others]
    return causes


def _source(kind: str, source: Object, at: str) -> list[Cause]:
    target, where = source.get("target") or {}, f"{at}.target"
    value, average, share = (target.get(name) for name in ("value", "averageValue", "averageUtilization"))
    if kind in ("resource", "containerResource"):
        causes = [] if source.get("name") else [required(f"{at}.name", "must specify a resource name")]
        if kind == "containerResource":
            name, field = source.get("container", ""), f"{at}.container"
            causes += container_resource(f"{at}.name", source["name"]) if source.get("name") else []
            causes += label_name(field, name) if name else [required(field, "must specify a container")]
        causes += _target(target, where)
        if share is None and average is None:
            why = "must set either a target raw value or a target utilization"
            causes.append(required(f"{where}.averageUtilization", why))
        if share is not None and average is not None:
            why = "may not set both a target raw value and a target utilization"
            causes.append(forbidden(f"{where}.averageValue", why))
        return causes
    causes = _reference(source.get("describedObject") or {}, f"{at}.describedObject") if kind == "object" else []
    name, field = (source.get("metric") or {}).get("name", ""), f"{at}.metric.name"
    causes += path_segment(field, name) if name else [required(field, "must specify a metric name")]
    causes += _target(target, where)
    if average is None and (value is None or kind == "pods"):
        words = {"object": "must set either a target value or averageValue",
                 "external": "must set either a target value for metric or a per-pod target",
                 "pods": "must specify a positive target averageValue"}  # fmt: skip
        causes.append(required(f"{where}.averageValue", words[kind]))
    if kind == "external" and value is not None and average is not None:
        why = "may not set both a target value for metric and a per-pod target"
        causes.append(forbidden(f"{where}.value", why))
    return causes


def _target(target: Object, at: str) -> list[Cause]:
    kind, share = target.get("type", ""), target.get("averageUtilization")
    causes = [] if kind else [required(f"{at}.type", "must specify a metric target type")]
    if kind not in ("Utilization", "Value", "AverageValue"):
        causes.append(bad(f"{at}.type", kind, "must be either Utilization, Value, or AverageValue"))
    for name in ("value", "averageValue"):
        found = amount(target[name]) if target.get(name) is not None else None
        if found is not None and found <= 0:
            causes.append(bad(f"{at}.{name}", str(target[name]), "must be positive"))
    if share is not None and share < 1:
        causes.append(bad(f"{at}.averageUtilization", share, "must be greater than 0"))
    return causes


def _rules(rules: Object, at: str) -> list[Cause]:
    causes: list[Cause] = []
    seconds, choice, policies = (rules.get(n) for n in ("stabilizationWindowSeconds", "selectPolicy", "policies"))
    field = f"{at}.stabilizationWindowSeconds"
    if seconds is not None and seconds < 0:
        causes.append(bad(field, seconds, "must be greater than or equal to zero"))
    if seconds is not None and seconds > _HOUR:
        causes.append(bad(field, seconds, f"must be less than or equal to {_HOUR}"))
    causes += supported(f"{at}.selectPolicy", choice, ["Disabled", "Max", "Min"])
    if not policies:
        causes.append(required(f"{at}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(policies or ()):
        where, period, value = f"{at}.policies[{index}]", policy.get("periodSeconds") or 0, policy.get("value") or 0
        if policy.get("type") not in ("Percent", "Pods"):
            causes.append(unsupported(f"{where}.type", policy.get("type", ""), ["Percent", "Pods"]))
        if value <= 0:
            causes.append(bad(f"{where}.value", value, "must be greater than zero"))
        if period <= 0:
            causes.append(bad(f"{where}.periodSeconds", period, "must be greater than zero"))
        if period > _HALF_HOUR:
            causes.append(bad(f"{where}.periodSeconds", period, f"must be less than or equal to {_HALF_HOUR}"))
    tolerance = rules.get("tolerance")
    least = None if tolerance is None else amount(tolerance)
    if least is not None and least < 0:
        causes.append(bad(f"{at}.tolerance", str(tolerance), "must be greater than or equal to 0"))
    return causes
