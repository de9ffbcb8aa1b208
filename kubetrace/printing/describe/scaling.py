"""Horizontal pod autoscalers and pod disruption budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubetrace.api.related import Related
from kubetrace.printing.describe.conditions import describe_conditions
from kubetrace.printing.describe.events import describe_events
from kubetrace.printing.describe.selectors import shown_selector
from kubetrace.printing.describe.writer import UNSET, Writer, date, go_value
from kubetrace.wire.go_quote import quote

Object = Mapping[str, Any]

_UNKNOWN = "<unknown>"


def autoscaler(w: Writer, value: Object, related: Related) -> None:
    """autoscaling/v2; what a server of before 1.23 has (v1) lacks metrics and conditions."""
    events = related.events(value)
    spec, status = value.get("spec") or {}, value.get("status") or {}
    target = spec.get("scaleTargetRef") or {}
    w.head(value)
    w.row("CreationTimestamp", date((value.get("metadata") or {}).get("creationTimestamp")))
    w.row("Reference", f"{target.get('kind', '')}/{target.get('name', '')}")
    if value.get("apiVersion") == "autoscaling/v1":
        _cpu_target(w, spec, status)
    else:
        w.row("Metrics", "( current / target )")
        current = status.get("currentMetrics") or ()
        for number, metric in enumerate(spec.get("metrics") or ()):
            _metric(w, metric, current[number] if number < len(current) else {})
    w.row("Min replicas", spec.get("minReplicas", UNSET))
    w.row("Max replicas", spec.get("maxReplicas") or 0)
    behavior = spec.get("behavior")
    if behavior is not None:
        w.line("Behavior:")
        _direction(w, "Scale Up", behavior.get("scaleUp"))
        _direction(w, "Scale Down", behavior.get("scaleDown"))
    replicas = f"{status.get('currentReplicas') or 0} current / {status.get('desiredReplicas') or 0} desired"
    w.row(f"{target.get('kind', '')} pods", replicas)
    describe_conditions(w, status.get("conditions"), ("Type", "Status", "Reason", "Message"))
    describe_events(w, events)


def _cpu_target(w: Writer, spec: Object, status: Object) -> None:
    if spec.get("targetCPUUtilizationPercentage") is not None:
        w.row("Target CPU utilization", f"{spec['targetCPUUtilizationPercentage']}%")
        w.row("Current CPU utilization", f"{status.get('currentCPUUtilizationPercentage', _UNKNOWN)}%")


def _metric(w: Writer, metric: Object, status: Object) -> None:
    kind = metric.get("type") or ""
    field = kind[:1].lower() + kind[1:]
    source, current = metric.get(field) or {}, (status.get(field) or {}).get("current")
    target = source.get("target") or {}
    name = (source.get("metric") or {}).get("name") or ""
    if kind == "External":
        value = "averageValue" if target.get("averageValue") is not None else "value"
        words = "target average value" if value == "averageValue" else "target value"
        shown = _amount(current, value, _UNKNOWN if value == "averageValue" else None)
        w.line(f"{quote(name)} ({words}):\t{shown} / {target.get(value, '<nil>')}", 1)
    elif kind == "Pods":
        w.line(f"{quote(name)} on pods:\t{_amount(current, 'averageValue')} / {target.get('averageValue')}", 1)
    elif kind == "Object":
        value = "averageValue" if target.get("type") == "AverageValue" else "value"
        words = "target average value" if value == "averageValue" else "target value"
        described = source.get("describedObject") or {}
        title = f'"{name}" on {described.get("kind", "")}/{described.get("name", "")} ({words})'
        w.line(f"{title}:\t{_amount(current, value)} / {target.get(value, '<nil>')}", 1)
    elif kind in ("Resource", "ContainerResource"):
        of = f' of container "{source.get("container", "")}"' if kind == "ContainerResource" else ""
        title = f"resource {source.get('name', '')}{of} on pods"
        if target.get("averageValue") is not None:
            w.line(f"{title}:\t{_amount(current, 'averageValue')} / {target['averageValue']}", 1)
        else:
            shown = _UNKNOWN
            if current is not None and current.get("averageUtilization") is not None:
                shown = f"{current['averageUtilization']}% ({current.get('averageValue', '<nil>')})"
            wanted = target.get("averageUtilization")
            goal = "<auto>" if wanted is None else f"{wanted}%"
            w.line(f"{title}  (as a percentage of request):\t{shown} / {goal}", 1)
    else:
        w.line(f"<unknown metric type {quote(kind)}>", 1)


def _amount(current: Object | None, field: str, absent: str | None = None) -> str:
    if current is None:
        return _UNKNOWN
    return str(current.get(field, absent or "<nil>"))


def _direction(w: Writer, title: str, rules: Object | None) -> None:
    if rules is None:
        return
    w.line(f"{title}:", 1)
    if rules.get("stabilizationWindowSeconds") is not None:
        w.line(f"Stabilization Window: {rules['stabilizationWindowSeconds']} seconds", 2)
    if rules.get("policies"):
        w.line(f"Select Policy: {rules.get('selectPolicy', 'Max')}", 2)
        w.line("Policies:", 2)
        for one in rules["policies"]:
            period = f"Period: {one.get('periodSeconds') or 0} seconds"
            w.line(f"- Type: {one.get('type', '')}\tValue: {one.get('value') or 0}\t{period}", 3)


def disruption_budget(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    metadata, spec, status = value.get("metadata") or {}, value.get("spec") or {}, value.get("status") or {}
    w.row("Name", metadata.get("name"))
    w.row("Namespace", metadata.get("namespace"))
    if spec.get("minAvailable") is not None:
        w.row("Min available", go_value(spec["minAvailable"]))
    elif spec.get("maxUnavailable") is not None:
        w.row("Max unavailable", go_value(spec["maxUnavailable"]))
    w.row("Selector", UNSET if spec.get("selector") is None else shown_selector(spec["selector"]))
    w.line("Status:")
    for label, field in (
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ):
        w.row(label, status.get(field) or 0, 2)
    describe_events(w, events)
