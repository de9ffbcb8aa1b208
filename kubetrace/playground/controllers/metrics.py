"""Why an autoscaler has no metrics, in the words of its controller (pkg/controller/podautoscaler/horizontal.go): there
is no metrics server here, and no adapter for other metrics."""

from __future__ import annotations

from kubetrace.playground.label_selectors import go_selector
from kubetrace.playground.objects import Object

_MISSING = "the server could not find the requested resource"
_CUSTOM = "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"


def source_of(metric: Object) -> Object:
    """What a metric is taken from: the field that its type names."""
    kind = metric["type"]
    return metric.get(kind[:1].lower() + kind[1:]) or {}


def failure(metric: Object, namespace: str) -> tuple[str, str]:
    """What the autoscaler's condition and event say of a metric, and what a summary says."""
    kind, source = metric["type"], source_of(metric)
    average = (source.get("target") or {}).get("averageValue") is not None
    if kind in ("Resource", "ContainerResource"):
        name = source.get("name", "")
        part = "usage" if average else "utilization"
        told = f"failed to get {name} {part}: unable to get metrics for resource {name}: "
        told += f"unable to fetch metrics from resource metrics API: {_MISSING} (get pods.metrics.k8s.io)"
        whose = f"{name} resource" if kind == "Resource" else f"{source.get('container', '')} container"
        return told, f"failed to get {whose} metric value: {told}"
    name = (source.get("metric") or {}).get("name", "")
    if kind == "Pods":
        told = f"unable to get metric {name}: {_CUSTOM}"
        return told, f"failed to get pods metric value: {told}"
    if kind == "Object":
        owner = source.get("describedObject") or {}
        told = f"unable to get metric {name}: {owner.get('kind')} on {namespace} {owner.get('name')}/{_CUSTOM}"
        inner = f"failed to get {name} object metric: {told}" if average else told
        return told, f"failed to get object metric value: {inner}"
    selector = source["metric"].get("selector")
    chosen = "nil" if selector is None else go_selector(selector)
    told = f"unable to get external metric {namespace}/{name}/{chosen}: "
    told += f"unable to fetch metrics from external metrics API: {_MISSING} (get {name}.external.metrics.k8s.io)"
    inner = f"failed to get {name} external metric" if average else f"failed to get external metric {name}"
    return told, f"failed to get {name} external metric value: {inner}: {told}"
