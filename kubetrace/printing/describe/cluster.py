"""Nodes and namespaces, and what limits and orders what runs there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubetrace.api.labels import format_labels
from kubetrace.api.related import Related
from kubetrace.api.status import StatusError, is_forbidden, is_not_found
from kubetrace.api.typed_kinds import LEASES, LIMIT_RANGES, PODS, RESOURCE_QUOTAS, RESOURCE_SLICES
from kubetrace.errors import KubetraceError
from kubetrace.printing.describe.conditions import describe_conditions, describe_watched_conditions
from kubetrace.printing.describe.events import describe_events
from kubetrace.printing.describe.node_resources import describe_pods_on_node
from kubetrace.printing.describe.writer import UNSET, Writer, date, or_none

Object = Mapping[str, Any]

_POOLS_SHOWN = 10
_ROLE_LABEL, _ROLE_PREFIX = "kubernetes.io/role", "node-role.kubernetes.io/"
_SCOPES = {
    "Terminating": "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before "
    "being actively terminated by the system.",
    "NotTerminating": "Matches all pods that do not have an active deadline. These pods usually include long running "
    "pods whose container command is not expected to terminate.",
    "BestEffort": "Matches all pods that do not have resource requirements set. These pods have a best effort quality "
    "of service.",
    "NotBestEffort": "Matches all pods that have at least one resource requirement set. These pods have a burstable or "
    "guaranteed quality of service.",
}
_LIMIT_COLUMNS = ("Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio")
_LIMIT_FIELDS = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")


def namespace(w: Writer, value: Object, related: Related) -> None:
    name = (value.get("metadata") or {}).get("name") or ""
    quotas = _listed(related, RESOURCE_QUOTAS, name)
    limits = _listed(related, LIMIT_RANGES, name)
    w.head(value, namespace=False)
    w.row("Status", (value.get("status") or {}).get("phase"))
    describe_conditions(w, (value.get("status") or {}).get("conditions"))
    if quotas is not None:
        w.line("")
        _namespace_quotas(w, quotas)
    if limits is not None:
        w.line("")
        _namespace_limits(w, limits)


def _listed(related: Related, mapping: Any, namespace: str) -> list[dict[str, Any]] | None:
    """The objects; None where the server has no such kind."""
    try:
        return related.many(mapping, namespace)
    except StatusError as error:
        if is_not_found(error):
            return None
        raise


def _namespace_quotas(w: Writer, quotas: Sequence[Object]) -> None:
    if not quotas:
        w.line("No resource quota.")
        return
    w.line("Resource Quotas")
    for quota in sorted(quotas, key=lambda one: str((one.get("metadata") or {}).get("name"))):
        w.row("Name", (quota.get("metadata") or {}).get("name"), 1)
        _scopes(w, quota, 1, "* ")
        w.line("Resource\tUsed\tHard", 1)
        w.line("--------\t---\t---", 1)
        status = quota.get("status") or {}
        for name, hard in sorted((status.get("hard") or {}).items()):
            w.line(f"{name}\t{(status.get('used') or {}).get(name, '0')}\t{hard}", 1)


def _scopes(w: Writer, quota: Object, level: int, bullet: str) -> None:
    scopes = sorted((quota.get("spec") or {}).get("scopes") or ())
    if scopes:
        w.row("Scopes", ", ".join(scopes), level)
        for scope in scopes:
            if scope in _SCOPES:
                w.line(f"{bullet}{_SCOPES[scope]}", level)


def _namespace_limits(w: Writer, limits: Sequence[Object]) -> None:
    if not limits:
        w.line("No LimitRange resource.")
        return
    w.line("Resource Limits")
    _limit_heading(w, " ")
    for limit in limits:
        _limit_rows(w, limit, " ")


def _limit_heading(w: Writer, indent: str) -> None:
    w.line(indent + "\t".join(_LIMIT_COLUMNS))
    w.line(indent + "\t".join("-" * len(name) for name in _LIMIT_COLUMNS))


def _limit_rows(w: Writer, limit_range: Object, indent: str) -> None:
    for item in (limit_range.get("spec") or {}).get("limits") or ():
        names = {name for field in _LIMIT_FIELDS for name in item.get(field) or ()}
        for name in sorted(names):  # kubectl's order is a Go map's
            cells = [str((item.get(field) or {}).get(name, "-")) for field in _LIMIT_FIELDS]
            w.line(f"{indent}{item.get('type', '')}\t{name}\t" + "\t".join(cells))


def limit_range(w: Writer, value: Object, related: Related) -> None:
    metadata = value.get("metadata") or {}
    w.row("Name", metadata.get("name"))
    w.row("Namespace", metadata.get("namespace"))
    _limit_heading(w, "")
    _limit_rows(w, value, "")


def resource_quota(w: Writer, value: Object, related: Related) -> None:
    metadata, status = value.get("metadata") or {}, value.get("status") or {}
    w.row("Name", metadata.get("name"))
    w.row("Namespace", metadata.get("namespace"))
    _scopes(w, value, 0, " * ")
    w.line("Resource\tUsed\tHard")
    w.line("--------\t----\t----")
    for name, hard in sorted((status.get("hard") or {}).items()):
        w.line(f"{name}\t{_in_the_form_of(hard, (status.get('used') or {}).get(name, '0'))}\t{hard}")


def _in_the_form_of(hard: str, used: str) -> str:
    """What is used, written with the suffixes of the limit (a whole number of units then, rounded up)."""
    import math
    from fractions import Fraction

    from kubetrace.wire.quantity import amount, parse

    limit, found = parse(str(hard)), parse(str(used))
    if limit.format == found.format:
        return found.text
    return amount(Fraction(math.ceil(found.value)), limit.format).text


def priority_class(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    metadata = value.get("metadata") or {}
    w.row("Name", metadata.get("name"))
    w.row("Value", value.get("value") or 0)
    w.row("GlobalDefault", bool(value.get("globalDefault")))
    w.row("PreemptionPolicy", value.get("preemptionPolicy"))
    w.row("Description", value.get("description"))
    w.row("Annotations", format_labels(metadata.get("annotations")))
    describe_events(w, events)


def node(w: Writer, value: Object, related: Related) -> None:
    metadata, spec, status = value.get("metadata") or {}, value.get("spec") or {}, value.get("status") or {}
    name = metadata.get("name") or ""
    pods = _pods_on(name, related)
    events = related.events(value)
    if events is not None:
        events += related.events(value, uid=name) or ()  # kubelets name nodes by name, controllers by uid
    slices = _slices_on(name, related)
    w.row("Name", name)
    w.row("Roles", or_none(",".join(_roles(metadata.get("labels") or {}))))
    w.labels_and_annotations(metadata)
    w.row("CreationTimestamp", date(metadata.get("creationTimestamp")))
    taints = sorted(spec.get("taints") or (), key=lambda one: f"{one.get('effect') or ''},{one.get('key') or ''}")
    w.several("Taints", [taint_text(one) for one in taints])
    w.row("Unschedulable", bool(spec.get("unschedulable")))
    _lease(w, name, related)
    describe_watched_conditions(w, status.get("conditions"), "LastHeartbeatTime")
    w.line("Addresses:")
    for address in status.get("addresses") or ():
        w.row(str(address.get("type", "")), address.get("address"), 1)
    for label in ("capacity", "allocatable"):
        if status.get(label):
            w.line(f"{label.capitalize()}:")
            for resource, amount in sorted(status[label].items()):
                w.row(resource, amount, 1)
    _resource_slices(w, slices)
    _system(w, status.get("nodeInfo") or {})
    if spec.get("podCIDR"):
        w.row("PodCIDR", spec["podCIDR"])
    if spec.get("podCIDRs"):
        w.row("PodCIDRs", ",".join(spec["podCIDRs"]))
    if spec.get("providerID"):
        w.row("ProviderID", spec["providerID"])
    if pods is None:
        w.row("Pods", "not authorized")
    else:
        describe_pods_on_node(w, pods, status)
    describe_events(w, events)


def _pods_on(name: str, related: Related) -> list[dict[str, Any]] | None:
    """The node's pods that have not ended; None where the user may not see them."""
    fields = f"spec.nodeName={name},status.phase!=Succeeded,status.phase!=Failed"
    try:
        return related.many(PODS, "", fields=fields)
    except StatusError as error:
        if is_forbidden(error):
            return None
        raise


def _slices_on(name: str, related: Related) -> list[dict[str, Any]]:
    try:
        return related.many(RESOURCE_SLICES, "", fields=f"spec.nodeName={name}", paged=False)
    except KubetraceError:
        return []


def _roles(labels: Mapping[str, str]) -> list[str]:
    roles = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)}
    return sorted((roles | {labels.get(_ROLE_LABEL, "")}) - {""})


def taint_text(taint: Object) -> str:
    """ "key=value:effect" (Taint.ToString)."""
    key, value, effect = (str(taint.get(field) or "") for field in ("key", "value", "effect"))
    if not effect:
        return f"{key}={value}:" if value else key
    return f"{key}={value}:{effect}" if value else f"{key}:{effect}"


def _lease(w: Writer, name: str, related: Related) -> None:
    try:
        spec = related.one(LEASES, "kube-node-lease", name).get("spec") or {}
    except KubetraceError as error:
        w.row("Lease", f"Failed to get lease: {error}")
        return
    w.line("Lease:")
    w.row("HolderIdentity", spec.get("holderIdentity", UNSET), 1)
    for label, field in (("AcquireTime", "acquireTime"), ("RenewTime", "renewTime")):
        w.row(label, date(spec[field]) if spec.get(field) else UNSET, 1)


def _resource_slices(w: Writer, slices: Sequence[Object]) -> None:
    pools: dict[tuple[str, str], list[int]] = {}
    for one in slices:
        spec = one.get("spec") or {}
        counts = pools.setdefault((spec.get("driver") or "", (spec.get("pool") or {}).get("name") or ""), [0, 0])
        counts[0] += 1
        counts[1] += len(spec.get("devices") or ())
    if not pools:
        return
    w.line("Node-Local ResourceSlices:")
    shown = sorted(pools.items(), key=lambda item: "/".join(item[0]))
    rows = [(driver, pool, str(count), str(devices)) for (driver, pool), (count, devices) in shown[:_POOLS_SHOWN]]
    w.table(("Driver", "Pool", "Slices", "Devices"), rows)
    if len(shown) > _POOLS_SHOWN:
        w.line(f"...and {len(shown) - _POOLS_SHOWN} more pools", 1)


def _system(w: Writer, info: Object) -> None:
    w.line("System Info:")
    for label, field in (
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
    ):
        w.row(label, info.get(field), 1)
