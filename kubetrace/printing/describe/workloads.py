"""What makes pods: replication controllers, replica sets, deployments, stateful sets, daemon sets, jobs, cron jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubetrace.api.controllers import is_controlled_by, same_template
from kubetrace.api.labels import format_labels, selector_text
from kubetrace.api.related import Related
from kubetrace.api.typed_kinds import PODS, REPLICA_SETS
from kubetrace.errors import KubetraceError
from kubetrace.printing.describe.claims import describe_claim_templates
from kubetrace.printing.describe.events import describe_events
from kubetrace.printing.describe.pods import controlled_by, describe_template
from kubetrace.printing.describe.selectors import shown_selector
from kubetrace.printing.describe.writer import NONE, UNSET, Writer, boolean, date, epoch, or_none
from kubetrace.printing.durations import human_duration

Object = Mapping[str, Any]

_PHASES = ("Running", "Pending", "Succeeded", "Failed")
_INDEXES_SHOWN = 50
"""Characters after which a list of indexes is cut at the next comma."""


def _metadata(value: Object) -> Object:
    return value.get("metadata") or {}


def _pods_status(value: Object, selector: str, related: Related) -> str:
    """How many of the controller's pods are in which phase."""
    pods = related.many(PODS, _metadata(value).get("namespace") or "", labels=selector)
    counts = dict.fromkeys(_PHASES, 0)
    for pod in pods:
        phase = (pod.get("status") or {}).get("phase")
        if is_controlled_by(pod, value) and phase in counts:
            counts[phase] += 1
    running, waiting, succeeded, failed = counts.values()
    return f"{running} Running / {waiting} Waiting / {succeeded} Succeeded / {failed} Failed"


def _replicas(value: Object) -> tuple[int, int]:
    """Those that are, and those that should be."""
    status, spec = value.get("status") or {}, value.get("spec") or {}
    return status.get("replicas") or 0, spec.get("replicas") or 0


def _conditions_with_reason(w: Writer, value: Object) -> None:
    conditions = (value.get("status") or {}).get("conditions")
    if conditions:
        w.line("Conditions:")
        w.line("Type\tStatus\tReason", 1)
        w.line("----\t------\t------", 1)
        for one in conditions:
            w.line(f"{one.get('type', '')} \t{one.get('status', '')}\t{one.get('reason', '')}", 1)


def replication_controller(w: Writer, value: Object, related: Related) -> None:
    spec = value.get("spec") or {}
    selector = ",".join(f"{key}={text}" for key, text in sorted((spec.get("selector") or {}).items()))
    pods = _pods_status(value, selector, related)
    events = related.events(value)
    w.row("Name", _metadata(value).get("name"))
    w.row("Namespace", _metadata(value).get("namespace"))
    w.row("Selector", format_labels(spec.get("selector")))
    w.labels_and_annotations(_metadata(value))
    current, desired = _replicas(value)
    w.row("Replicas", f"{current} current / {desired} desired")
    w.row("Pods Status", pods)
    describe_template(w, spec.get("template"))
    _conditions_with_reason(w, value)
    describe_events(w, events)


def replica_set(w: Writer, value: Object, related: Related) -> None:
    spec = value.get("spec") or {}
    try:
        pods = _pods_status(value, selector_text(spec.get("selector")), related)
    except KubetraceError as error:
        pods = f"error in fetching pods: {error}"
    events = related.events(value)
    w.row("Name", _metadata(value).get("name"))
    w.row("Namespace", _metadata(value).get("namespace"))
    w.row("Selector", shown_selector(spec.get("selector")))
    w.labels_and_annotations(_metadata(value))
    controlled_by(w, value)
    current, desired = _replicas(value)
    w.row("Replicas", f"{current} current / {desired} desired")
    w.row("Pods Status", pods)
    describe_template(w, spec.get("template") or {})
    _conditions_with_reason(w, value)
    describe_events(w, events)


def deployment(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    old, new = _replica_sets(value, related)
    metadata, spec, status = _metadata(value), value.get("spec") or {}, value.get("status") or {}
    w.row("Name", metadata.get("name"))
    w.row("Namespace", metadata.get("namespace"))
    w.row("CreationTimestamp", date(metadata.get("creationTimestamp")))
    w.labels_and_annotations(metadata)
    w.row("Selector", selector_text(spec.get("selector")))
    counts = [
        f"{spec.get('replicas') or 0} desired",
        *(
            f"{status.get(field) or 0} {word}"
            for word, field in (
                ("updated", "updatedReplicas"),
                ("total", "replicas"),
                ("available", "availableReplicas"),
                ("unavailable", "unavailableReplicas"),
            )
        ),
    ]
    w.row("Replicas", " | ".join(counts))
    strategy = spec.get("strategy") or {}
    w.row("StrategyType", strategy.get("type"))
    w.row("MinReadySeconds", spec.get("minReadySeconds") or 0)
    rolling = strategy.get("rollingUpdate")
    if rolling is not None:
        unavailable, surge = rolling.get("maxUnavailable", "<nil>"), rolling.get("maxSurge", "<nil>")
        w.row("RollingUpdateStrategy", f"{unavailable} max unavailable, {surge} max surge")
    describe_template(w, spec.get("template") or {})
    _conditions_with_reason(w, value)
    if old or new:
        w.row("OldReplicaSets", _created(old))
        w.row("NewReplicaSet", _created(new))
    describe_events(w, events)


def _replica_sets(value: Object, related: Related) -> tuple[list[Object], list[Object]]:
    """The deployment's old replica sets and its new one, the oldest whose template is the deployment's; none of either
    where the server does not tell."""
    metadata, spec = _metadata(value), value.get("spec") or {}
    try:
        found = related.many(REPLICA_SETS, metadata.get("namespace") or "", labels=selector_text(spec.get("selector")))
    except KubetraceError:
        return [], []
    owned = [one for one in found if is_controlled_by(one, value)]
    owned.sort(key=lambda one: (epoch(_metadata(one).get("creationTimestamp")), str(_metadata(one).get("name"))))
    new = [one for one in owned if same_template((one.get("spec") or {}).get("template"), spec.get("template"))][:1]
    return [one for one in owned if one not in new], [*new]


def _created(replica_sets: Sequence[Object]) -> str:
    texts = []
    for one in replica_sets:
        current, desired = _replicas(one)
        texts.append(f"{_metadata(one).get('name', '')} ({current}/{desired} replicas created)")
    return ", ".join(texts) or NONE


def stateful_set(w: Writer, value: Object, related: Related) -> None:
    metadata, spec = _metadata(value), value.get("spec") or {}
    selector = selector_text(spec.get("selector"))
    pods = _pods_status(value, selector, related)
    events = related.events(value)
    w.row("Name", metadata.get("name"))
    w.row("Namespace", metadata.get("namespace"))
    w.row("CreationTimestamp", date(metadata.get("creationTimestamp")))
    w.row("Selector", selector)
    w.labels_and_annotations(metadata)
    total, desired = _replicas(value)
    w.row("Replicas", f"{desired} desired | {total} total")
    strategy = spec.get("updateStrategy") or {}
    w.row("Update Strategy", strategy.get("type"))
    rolling = strategy.get("rollingUpdate") or {}
    if rolling.get("partition") is not None:
        w.row("Partition", rolling["partition"], 1)
        if rolling.get("maxUnavailable") is not None:
            w.row("MaxUnavailable", rolling["maxUnavailable"], 1)
    w.row("Pods Status", pods)
    describe_template(w, spec.get("template") or {})
    describe_claim_templates(w, spec.get("volumeClaimTemplates") or ())
    describe_events(w, events)


def daemon_set(w: Writer, value: Object, related: Related) -> None:
    metadata, spec, status = _metadata(value), value.get("spec") or {}, value.get("status") or {}
    selector = selector_text(spec.get("selector"))
    pods = _pods_status(value, selector, related)
    events = related.events(value)
    template = spec.get("template") or {}
    w.row("Name", metadata.get("name"))
    w.row("Namespace", metadata.get("namespace"))
    w.row("Selector", selector)
    w.row("Node-Selector", format_labels((template.get("spec") or {}).get("nodeSelector")))
    w.labels_and_annotations(metadata)
    for label, field in (
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ):
        w.line(f"{label}: {status.get(field) or 0}")
    w.row("Pods Status", pods)
    describe_template(w, template)
    describe_events(w, events)


def job(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    metadata, spec, status = _metadata(value), value.get("spec") or {}, value.get("status") or {}
    w.row("Name", metadata.get("name"))
    w.row("Namespace", metadata.get("namespace"))
    w.row("Selector", selector_text(spec.get("selector")))
    w.labels_and_annotations(metadata)
    controlled_by(w, value)
    _how_often(w, spec, always=("completions",))
    for label, field in (
        ("Completion Mode", "completionMode"),
        ("Suspend", "suspend"),
        ("Backoff Limit", "backoffLimit"),
        ("TTL Seconds After Finished", "ttlSecondsAfterFinished"),
    ):
        if spec.get(field) is not None:
            w.row(label, spec[field])
    started, completed = status.get("startTime"), status.get("completionTime")
    if started:
        w.row("Start Time", date(started))
    if completed:
        w.row("Completed At", date(completed))
    if started and completed:
        w.row("Duration", human_duration((epoch(completed) - epoch(started)).total_seconds()))
    if spec.get("activeDeadlineSeconds") is not None:
        w.row("Active Deadline Seconds", f"{spec['activeDeadlineSeconds']}s")
    ready = "" if status.get("ready") is None else f" ({status['ready']} Ready)"
    active, succeeded, failed = (status.get(field) or 0 for field in ("active", "succeeded", "failed"))
    w.row("Pods Statuses", f"{active} Active{ready} / {succeeded} Succeeded / {failed} Failed")
    if spec.get("completionMode") == "Indexed":
        w.row("Completed Indexes", _capped(str(status.get("completedIndexes") or "")))
    describe_template(w, spec.get("template") or {})
    describe_events(w, events)


def _how_often(w: Writer, spec: Object, always: tuple[str, ...]) -> None:
    for label, field in (("Parallelism", "parallelism"), ("Completions", "completions")):
        if spec.get(field) is not None or field in always:
            w.row(label, spec.get(field, UNSET))


def _capped(indexes: str) -> str:
    comma = indexes.find(",", _INDEXES_SHOWN)
    return or_none(indexes if comma < 0 else indexes[: comma + 1] + "...")


def cron_job(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    spec, status = value.get("spec") or {}, value.get("status") or {}
    w.head(value)
    w.row("Schedule", spec.get("schedule"))
    w.row("Concurrency Policy", spec.get("concurrencyPolicy"))
    w.row("Suspend", boolean(spec.get("suspend")))
    w.row("Time Zone", spec.get("timeZone", UNSET))
    w.row("Successful Job History Limit", spec.get("successfulJobsHistoryLimit", UNSET))
    w.row("Failed Job History Limit", spec.get("failedJobsHistoryLimit", UNSET))
    deadline = spec.get("startingDeadlineSeconds")
    w.row("Starting Deadline Seconds", UNSET if deadline is None else f"{deadline}s")
    template = (spec.get("jobTemplate") or {}).get("spec") or {}
    w.row("Selector", UNSET if template.get("selector") is None else selector_text(template["selector"]))
    _how_often(w, template, always=("parallelism", "completions"))
    if template.get("activeDeadlineSeconds") is not None:
        w.row("Active Deadline Seconds", f"{template['activeDeadlineSeconds']}s")
    describe_template(w, template.get("template") or {})
    last = status.get("lastScheduleTime")
    w.row("Last Schedule Time", date(last) if last else UNSET)
    w.row("Active Jobs", or_none(", ".join(str(one.get("name", "")) for one in status.get("active") or ())))
    describe_events(w, events)
