"""Pods, and the templates that pods are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubetrace.api.controllers import controller_of
from kubetrace.api.related import Related
from kubetrace.printing.describe.containers import describe_containers, describe_resources, describe_seccomp
from kubetrace.printing.describe.events import describe_events
from kubetrace.printing.describe.selectors import shown_selector
from kubetrace.printing.describe.volumes import describe_volumes
from kubetrace.printing.describe.writer import NONE, UNSET, Writer, date

Object = Mapping[str, Any]

_MIRROR = "kubernetes.io/config.mirror"


def controlled_by(w: Writer, value: Object) -> None:
    owner = controller_of(value)
    if owner is not None:
        w.row("Controlled By", f"{owner.get('kind', '')}/{owner.get('name', '')}")


def pod(w: Writer, value: Object, related: Related) -> None:
    metadata = value.get("metadata") or {}
    mirrored = (metadata.get("annotations") or {}).get(_MIRROR)
    events = related.events(value, kind="", uid=mirrored)
    spec, status = value.get("spec") or {}, value.get("status") or {}
    w.row("Name", metadata.get("name"))
    w.row("Namespace", metadata.get("namespace"))
    if spec.get("priority") is not None:
        w.row("Priority", spec["priority"])
    for label, field in (
        ("Priority Class Name", "priorityClassName"),
        ("Runtime Class Name", "runtimeClassName"),
        ("Service Account", "serviceAccountName"),
    ):
        if spec.get(field):
            w.row(label, spec[field])
    w.row("Node", f"{spec['nodeName']}/{status.get('hostIP') or ''}" if spec.get("nodeName") else NONE)
    if status.get("startTime"):
        w.row("Start Time", date(status["startTime"]))
    w.labels_and_annotations(metadata)
    _phase(w, metadata, status)
    for label, field in (("Reason", "reason"), ("Message", "message")):
        if status.get(field):
            w.row(label, status[field])
    describe_seccomp(w, spec.get("securityContext"), 0, 0)
    _addresses(w, status)
    controlled_by(w, value)
    if status.get("nominatedNodeName"):
        w.row("NominatedNodeName", status["nominatedNodeName"])
    if spec.get("resources") is not None:
        w.line("Resources:")
        describe_resources(w, spec["resources"], 1)
    _containers(w, value, spec, status)
    _conditions(w, spec, status)
    describe_volumes(w, spec.get("volumes") or ())
    w.row("QoS Class", status.get("qosClass") or quality_of_service(spec))
    w.pairs("Node-Selectors", spec.get("nodeSelector"))
    describe_tolerations(w, "Tolerations", spec.get("tolerations") or ())
    _spread(w, spec.get("topologySpreadConstraints") or ())
    _scheduling_group(w, spec)
    describe_events(w, events)


def _phase(w: Writer, metadata: Object, status: Object) -> None:
    deleted = metadata.get("deletionTimestamp")
    if deleted and status.get("phase") not in ("Failed", "Succeeded"):
        w.row("Status", f"Terminating (lasts {w.since(deleted)})")
        w.row("Termination Grace Period", f"{metadata.get('deletionGracePeriodSeconds') or 0}s")
    else:
        w.row("Status", status.get("phase"))


def _addresses(w: Writer, status: Object) -> None:
    w.row("IP", status.get("podIP"))
    addresses = status.get("podIPs")
    w.line(f"IPs:{'' if addresses else chr(9) + NONE}")
    for address in addresses or ():
        w.row("IP", address.get("ip"), 1)


def _containers(w: Writer, value: Object, spec: Object, status: Object) -> None:
    if spec.get("initContainers"):
        describe_containers(
            w, "Init Containers", spec["initContainers"], status.get("initContainerStatuses") or (), value
        )
    describe_containers(w, "Containers", spec.get("containers") or (), status.get("containerStatuses") or (), value)
    if spec.get("ephemeralContainers"):
        statuses = status.get("ephemeralContainerStatuses") or ()
        describe_containers(w, "Ephemeral Containers", spec["ephemeralContainers"], statuses, value)


def _conditions(w: Writer, spec: Object, status: Object) -> None:
    conditions = status.get("conditions") or ()
    if spec.get("readinessGates"):
        w.line("Readiness Gates:")
        w.line("Type\tStatus", 1)
        known = {condition.get("type"): condition.get("status") for condition in reversed(conditions)}
        for gate in spec["readinessGates"]:
            kind = gate.get("conditionType", "")
            w.line(f"{kind} \t{known.get(kind, NONE)} ", 1)
    if conditions:
        w.line("Conditions:")
        w.line("Type\tStatus", 1)
        for condition in conditions:
            w.line(f"{condition.get('type', '')} \t{condition.get('status', '')} ", 1)


def describe_tolerations(w: Writer, title: str, tolerations: Sequence[Object]) -> None:
    w.several(title, [_toleration(one) for one in sorted(tolerations, key=lambda one: str(one.get("key") or ""))])


def _toleration(toleration: Object) -> str:
    key, value, effect = (str(toleration.get(field) or "") for field in ("key", "value", "effect"))
    text = key + (f"={value}" if value else "") + (f":{effect}" if effect else "")
    if toleration.get("operator") == "Exists" and not value:
        text += " op=Exists" if key or effect else "op=Exists"
    seconds = toleration.get("tolerationSeconds")
    return text if seconds is None else f"{text} for {seconds}s"


def _spread(w: Writer, constraints: Sequence[Object], indent: str = "") -> None:
    if not constraints:
        return
    w.write(f"{indent}Topology Spread Constraints:\t")
    for number, one in enumerate(sorted(constraints, key=lambda one: str(one.get("topologyKey") or ""))):
        if number:
            w.write(f"{indent}\t")
        text = f"{one.get('topologyKey', '')}:{one.get('whenUnsatisfiable', '')}"
        text += f" when max skew {one.get('maxSkew') or 0} is exceeded"
        if one.get("labelSelector") is not None:
            text += f" for selector {shown_selector(one['labelSelector'])}"
        w.line(text)


def _scheduling_group(w: Writer, spec: Object, indent: str = "") -> None:
    group = spec.get("schedulingGroup")
    if group is not None:
        w.line(f"{indent}SchedulingGroup:")
        w.row("PodGroupName", group.get("podGroupName"), 1)


def quality_of_service(spec: Object) -> str:
    """The class of a pod whose status does not say it (qos.ComputePodQOS)."""
    from kubetrace.wire.quantity import parse

    counted = ("cpu", "memory")

    def positive(amounts: Object | None) -> dict[str, Any]:
        found = {name: parse(str(amount)).value for name, amount in (amounts or {}).items() if name in counted}
        return {name: amount for name, amount in found.items() if amount > 0}

    holders = [spec] if spec.get("resources") is not None else []
    holders = holders or [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    requests: dict[str, Any] = {}
    limits: dict[str, Any] = {}
    guaranteed = True
    for holder in holders:
        resources = holder.get("resources") or {}
        own = positive(resources.get("limits"))
        guaranteed = guaranteed and set(own) == set(counted)
        for total, part in ((requests, positive(resources.get("requests"))), (limits, own)):
            for name, amount in part.items():
                total[name] = total.get(name, 0) + amount
    if not requests and not limits:
        return "BestEffort"
    same = all(limits.get(name) == amount for name, amount in requests.items()) and len(requests) == len(limits)
    return "Guaranteed" if guaranteed and same else "Burstable"


def describe_template(w: Writer, template: Object | None) -> None:
    """What a controller makes its pods from (DescribePodTemplate)."""
    w.line("Pod Template:")
    if template is None:
        w.write(UNSET, 1)
        return
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    w.pairs("  Labels", metadata.get("labels"))
    if metadata.get("annotations"):
        w.annotations(metadata["annotations"], "  Annotations")
    if spec.get("serviceAccountName"):
        w.row("Service Account", spec["serviceAccountName"], 1)
    if spec.get("initContainers"):
        describe_containers(w, "Init Containers", spec["initContainers"], indent="  ")
    describe_containers(w, "Containers", spec.get("containers") or (), indent="  ")
    describe_volumes(w, spec.get("volumes") or (), "  ")
    _spread(w, spec.get("topologySpreadConstraints") or (), "  ")
    if spec.get("priorityClassName"):
        w.row("Priority Class Name", spec["priorityClassName"], 1)
    w.pairs("  Node-Selectors", spec.get("nodeSelector"))
    describe_tolerations(w, "  Tolerations", spec.get("tolerations") or ())
    _scheduling_group(w, spec, "  ")
