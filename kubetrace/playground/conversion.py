"""One object in the API versions that serve it: stored in one of them, converted at the door.

Of what is built in, two kinds have a second face: HorizontalPodAutoscalers (autoscaling/v1 beside v2; what v1 has no
field for is in its annotations: pkg/apis/autoscaling/v1/conversion.go) and Events (events.k8s.io/v1 beside the core's:
pkg/apis/events/v1/conversion.go). Everything else differs by its apiVersion only. Custom resources are read with the
defaults of the version that they are kept in, and pruned for the one that is asked for.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from kubetrace.playground import schemas
from kubetrace.playground.catalog import Resource
from kubetrace.playground.objects import Object
from kubetrace.wire.go_struct import typed

_METRICS = "autoscaling.alpha.kubernetes.io/metrics"
_CURRENT = "autoscaling.alpha.kubernetes.io/current-metrics"
_BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior"
_CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
_DEFAULT_CPU = 80

_AVERAGES = (("targetAverageUtilization", "target.averageUtilization"), ("targetAverageValue", "target.averageValue"))
_SOURCES: dict[str, tuple[tuple[str, str], ...]] = {
    "object": (
        ("target", "describedObject"),
        ("metricName", "metric.name"),
        ("targetValue", "target.value"),
        ("selector", "metric.selector"),
        ("averageValue", "target.averageValue"),
    ),
    "pods": (
        ("metricName", "metric.name"),
        ("targetAverageValue", "target.averageValue"),
        ("selector", "metric.selector"),
    ),
    "resource": (("name", "name"), *_AVERAGES),
    "containerResource": (("name", "name"), *_AVERAGES, ("container", "container")),
    "external": (
        ("metricName", "metric.name"),
        ("metricSelector", "metric.selector"),
        ("targetValue", "target.value"),
        ("targetAverageValue", "target.averageValue"),
    ),
}
"""Sources of metrics: v1's fields and where v2 has them."""
_NOW = (("currentAverageUtilization", "current.averageUtilization"), ("currentAverageValue", "current.averageValue"))
_STATUSES: dict[str, tuple[tuple[str, str], ...]] = {
    "object": (
        ("target", "describedObject"),
        ("metricName", "metric.name"),
        ("currentValue", "current.value"),
        ("selector", "metric.selector"),
        ("averageValue", "current.averageValue"),
    ),
    "pods": (
        ("metricName", "metric.name"),
        ("currentAverageValue", "current.averageValue"),
        ("selector", "metric.selector"),
    ),
    "resource": (("name", "name"), *_NOW),
    "containerResource": (("name", "name"), *_NOW, ("container", "container")),
    "external": (
        ("metricName", "metric.name"),
        ("metricSelector", "metric.selector"),
        ("currentValue", "current.value"),
        ("currentAverageValue", "current.averageValue"),
    ),
}
"""The same of what is known of them."""

_EVENT_FIELDS = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
"""The core's names of fields, and those of events.k8s.io."""


def kept(resource: Resource, item: Object) -> Object:
    """The object in the version in which it is kept; the same object where it is in that already."""
    if not resource.versions:
        return stored(item)
    version = next(name for name, entry in resource.versions.items() if entry.get("storage"))
    return item if version == resource.version else _custom(resource, item, version)


def served(resource: Resource, item: Object) -> Object:
    """A kept object as the resource's version has it; the same object where nothing but its apiVersion changes.

    A bookmark's object has no apiVersion, nor anything to default.
    """
    if resource.custom is None:
        return as_version(item, resource.api_version)
    version = item.get("apiVersion", "").rpartition("/")[2]
    known = resource.versions.get(version) if resource.versions else resource.custom
    if not version or known is None or (version == resource.version and not known.get("storage")):
        return item
    whole = copy.deepcopy(item)
    schemas.default(known, whole)
    return whole if version == resource.version else _custom(resource, whole, resource.version)


def _custom(resource: Resource, item: Object, version: str) -> Object:
    """The conversion "None" of custom resources: what the other version's schema does not know is lost."""
    found: Object = schemas.prune(resource.versions[version], item, [])
    return found | {"apiVersion": f"{resource.group}/{version}"}


def stored(item: Object) -> Object:
    """The object in the version in which it is kept; the same object where it is in that already."""
    convert = _STORED.get((item.get("apiVersion", ""), item.get("kind", "")))
    return item if convert is None else typed(convert(item))


def as_version(item: Object, api_version: str) -> Object:
    """The object as that API version has it; the same object where nothing but its apiVersion changes."""
    if item.get("apiVersion") == api_version:
        return item
    kept = stored(item)
    convert = _SHOWN.get((api_version, kept.get("kind", "")))
    return kept if convert is None else typed(convert(kept))


def has_faces(resource: Resource) -> bool:
    """Whether its objects are kept in another form than they are shown in."""
    return resource.custom is not None or (resource.api_version, resource.kind) in _SHOWN


def _annotations(item: Object) -> tuple[Object, Object]:
    """The metadata without v1's annotations of what it has no field for, and those annotations."""
    found = dict(item["metadata"].get("annotations") or {})
    extra = {name: found.pop(name) for name in (_METRICS, _CURRENT, _BEHAVIOR, _CONDITIONS) if name in found}
    metadata = {name: value for name, value in item["metadata"].items() if name != "annotations"}
    return metadata | ({"annotations": found} if found else {}), extra


def _read(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None


def _autoscaler_v2(item: Object) -> Object:
    metadata, extra = _annotations(item)
    spec = dict(item.get("spec") or {})
    share = spec.pop("targetCPUUtilizationPercentage", None)
    others = _read(extra.get(_METRICS))
    metrics = [_metric_v2(metric) for metric in others if isinstance(metric, dict)] if isinstance(others, list) else []
    if share is not None or not metrics:
        metrics.append(_cpu(_DEFAULT_CPU if share is None else share))
    spec["metrics"] = metrics
    behavior = _recased(_read(extra.get(_BEHAVIOR)), str.lower)
    if isinstance(behavior, dict) and behavior:
        spec["behavior"] = behavior
    status = {k: v for k, v in (item.get("status") or {}).items() if k != "currentCPUUtilizationPercentage"}
    conditions = _read(extra.get(_CONDITIONS))
    if isinstance(conditions, list):
        status["conditions"] = conditions
    found = {"apiVersion": "autoscaling/v2", "kind": item["kind"], "metadata": metadata, "spec": spec}
    return found | {"status": status}


def _autoscaler_v1(item: Object) -> Object:
    metadata, _ = _annotations(item)
    spec, status = dict(item.get("spec") or {}), dict(item.get("status") or {})
    metrics, behavior = spec.pop("metrics", None) or [], spec.pop("behavior", None)
    shares = [share for share in map(_cpu_share, metrics) if share is not None]
    if shares:
        spec["targetCPUUtilizationPercentage"] = shares[0]
    others = [_metric_v1(metric) for metric in metrics if _cpu_share(metric) is None]
    conditions = status.pop("conditions", None)
    current = [_status_v1(metric) for metric in status.pop("currentMetrics", None) or ()]
    told = {_METRICS: others, _CURRENT: current, _BEHAVIOR: behavior and _rules(behavior), _CONDITIONS: conditions}
    extra = {name: json.dumps(value, separators=(",", ":")) for name, value in told.items() if value}
    if extra:
        metadata["annotations"] = dict(sorted((dict(metadata.get("annotations") or {}) | extra).items()))
    found = {"apiVersion": "autoscaling/v1", "kind": item["kind"], "metadata": metadata, "spec": spec}
    return found | {"status": status}


def _cpu(share: int) -> Object:
    target = {"type": "Utilization", "averageUtilization": share}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _cpu_share(metric: Object) -> int | None:
    """The target of what v1 has a field for."""
    source = metric.get("resource") or {}
    if metric.get("type") != "Resource" or source.get("name") != "cpu":
        return None
    found: int | None = (source.get("target") or {}).get("averageUtilization")
    return found


def _status_v1(metric: Object) -> Object:
    """What is known of a metric; a controller that could not find it out says only that it is one."""
    found: Object = {"type": metric.get("type", "")}
    for source, fields in _STATUSES.items():
        if source in metric:
            values = {name: _at(metric[source], place) for name, place in fields}
            found[source] = {name: value for name, value in values.items() if value is not None}
    return found


def _metric_v1(metric: Object) -> Object:
    found: Object = {"type": metric.get("type", "")}
    for source, fields in _SOURCES.items():
        if source in metric:
            values = {name: _at(metric[source], place) for name, place in fields}
            if source == "object" and values["targetValue"] is None:
                values["targetValue"] = "0"  # no pointer in v1
            found[source] = {name: value for name, value in values.items() if value is not None}
    return found


def _metric_v2(metric: Object) -> Object:
    found: Object = {"type": metric.get("type", "")}
    for source, fields in _SOURCES.items():
        told = metric.get(source)
        if not isinstance(told, dict):
            continue
        values: Object = {}
        for name, place in fields:
            if told.get(name) is not None:
                _put(values, place, told[name])
        target = values.setdefault("target", {})
        if source == "object" and "averageValue" in target and target.get("value") == "0":
            del target["value"]
        target["type"] = _target_type(source, target)
        found[source] = values
    return found


def _target_type(source: str, target: Object) -> str:
    if "averageUtilization" in target:
        return "Utilization"
    whole = source == "object" and "averageValue" not in target
    return "Value" if whole or (source == "external" and "value" in target) else "AverageValue"


def _at(value: Object, place: str) -> Any:
    for name in place.split("."):
        value = (value or {}).get(name)  # type: ignore[assignment]
    return value


def _put(into: Object, place: str, value: Any) -> None:
    *parents, name = place.split(".")
    for parent in parents:
        into = into.setdefault(parent, {})
    into[name] = value


def _rules(behavior: Object) -> Object:
    """Behavior in the names of Go's fields, which is how the annotation has it."""
    fields = ("stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance")
    whole: Object = {}
    for name in ("scaleUp", "scaleDown"):
        rules = behavior.get(name)
        whole[name] = rules if rules is None else {field: rules.get(field) for field in fields}
    found: Object = _recased(whole, str.upper)
    return found


def _recased(value: Any, case: Callable[[str], str]) -> Any:
    """The value with the first letter of its fields' names in that case, and without what is null."""
    if isinstance(value, list):
        return [_recased(entry, case) for entry in value]
    if not isinstance(value, dict):
        return value
    kept = value.items() if case is str.upper else ((k, v) for k, v in value.items() if v is not None)
    return {case(name[:1]) + name[1:]: _recased(entry, case) for name, entry in kept}


def _renamed(item: Object, api_version: str, names: dict[str, str]) -> Object:
    return {names.get(name, name): value for name, value in item.items()} | {"apiVersion": api_version}


_AUTOSCALER = "HorizontalPodAutoscaler"
_CORE_NAMES = {new: old for old, new in _EVENT_FIELDS.items()}
_STORED: dict[tuple[str, str], Callable[[Object], Object]] = {
    ("autoscaling/v1", _AUTOSCALER): _autoscaler_v2,
    ("events.k8s.io/v1", "Event"): lambda item: _renamed(item, "v1", _CORE_NAMES),
}
_SHOWN: dict[tuple[str, str], Callable[[Object], Object]] = {
    ("autoscaling/v1", _AUTOSCALER): _autoscaler_v1,
    ("events.k8s.io/v1", "Event"): lambda item: _renamed(item, "events.k8s.io/v1", _EVENT_FIELDS),
}
