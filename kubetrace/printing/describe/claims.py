"""Persistent volumes, the claims on them, and what provisions them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubetrace.api.labels import format_labels
from kubetrace.api.related import Related
from kubetrace.api.typed_kinds import PODS
from kubetrace.printing.describe.conditions import describe_watched_conditions
from kubetrace.printing.describe.events import describe_events
from kubetrace.printing.describe.volumes import describe_persistent_source
from kubetrace.printing.describe.writer import NONE, Writer, boolean, date, go_value

Object = Mapping[str, Any]

_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_DEFAULT_ANNOTATIONS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def storage_class(value: Object) -> str:
    """The class's name; the old annotation comes first."""
    annotations = (value.get("metadata") or {}).get("annotations") or {}
    if _CLASS_ANNOTATION in annotations:
        return str(annotations[_CLASS_ANNOTATION])
    return str((value.get("spec") or {}).get("storageClassName") or "")


def access_modes(modes: Sequence[str] | None) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in (modes or ()))


def _status(w: Writer, value: Object) -> None:
    deleted = (value.get("metadata") or {}).get("deletionTimestamp")
    if deleted:
        w.row("Status", f"Terminating (lasts {w.since(deleted)})")
    else:
        w.row("Status", (value.get("status") or {}).get("phase"))


def persistent_volume(w: Writer, volume: Object, related: Related) -> None:
    events = related.events(volume)
    spec, status, metadata = volume.get("spec") or {}, volume.get("status") or {}, volume.get("metadata") or {}
    w.head(volume, namespace=False)
    w.row("Finalizers", metadata.get("finalizers") or [])
    w.row("StorageClass", storage_class(volume))
    _status(w, volume)
    claim = spec.get("claimRef")
    w.row("Claim", f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "")
    w.row("Reclaim Policy", spec.get("persistentVolumeReclaimPolicy"))
    w.row("Access Modes", access_modes(spec.get("accessModes")))
    if spec.get("volumeMode"):
        w.row("VolumeMode", spec["volumeMode"])
    w.row("Capacity", (spec.get("capacity") or {}).get("storage", "0"))
    _node_affinity(w, spec.get("nodeAffinity"))
    w.row("Message", status.get("message"))
    w.line("Source:")
    describe_persistent_source(w, spec)
    describe_events(w, events)


def _node_affinity(w: Writer, affinity: Object | None) -> None:
    required = (affinity or {}).get("required")
    if required is None:
        w.line(f"Node Affinity:\t{NONE}")
        return
    w.line("Node Affinity:\t")
    terms = required.get("nodeSelectorTerms") or ()
    w.line(f"Required Terms:\t{'' if terms else NONE}", 1)
    for number, term in enumerate(terms):
        requirements = [_requirement(one) for one in term.get("matchExpressions") or ()]
        w.several(f"Term {number}", requirements, level=2)


def _requirement(requirement: Object) -> str:
    text = f"{requirement.get('key', '')} {str(requirement.get('operator') or '').lower()}"
    values = requirement.get("values")
    return f"{text} [{', '.join(values)}]" if values else text


def persistent_volume_claim(w: Writer, claim: Object, related: Related) -> None:
    pods = _users(claim, related)
    events = related.events(claim)
    describe_claim(w, claim, whole=True)
    w.several("Used By", sorted(str((pod.get("metadata") or {}).get("name", "")) for pod in pods))
    describe_watched_conditions(w, (claim.get("status") or {}).get("conditions"), "LastProbeTime")
    describe_events(w, events)


def _users(claim: Object, related: Related) -> list[dict[str, Any]]:
    """The pods that mount the claim, and those that own it."""
    metadata = claim.get("metadata") or {}
    pods = related.many(PODS, metadata.get("namespace") or "")
    found = [
        pod for pod in pods for volume in (pod.get("spec") or {}).get("volumes") or () if _mounts(volume, metadata)
    ]
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("kind") == "Pod":
            owners = [pod for pod in pods if (pod.get("metadata") or {}).get("uid") == owner.get("uid")]
            found += [pod for pod in owners[:1] if pod not in found]
    return found


def _mounts(volume: Object, claim: Object) -> bool:
    source = volume.get("persistentVolumeClaim")
    return source is not None and source.get("claimName") == claim.get("name")


def describe_claim(w: Writer, claim: Object, *, whole: bool) -> None:
    """A claim, or (not `whole`) the template of one."""
    spec, status, metadata = claim.get("spec") or {}, claim.get("status") or {}, claim.get("metadata") or {}
    if whole:
        w.row("Name", metadata.get("name"))
        w.row("Namespace", metadata.get("namespace"))
    w.row("StorageClass", storage_class(claim))
    if whole:
        _status(w, claim)
    w.row("Volume", spec.get("volumeName"))
    w.labels_and_annotations(metadata)
    if whole:
        w.row("Finalizers", metadata.get("finalizers") or [])
    bound = bool(spec.get("volumeName"))
    w.row("Capacity", (status.get("capacity") or {}).get("storage", "0") if bound else "")
    w.row("Access Modes", access_modes(status.get("accessModes")) if bound else "")
    if spec.get("volumeMode"):
        w.row("VolumeMode", spec["volumeMode"])
    source = spec.get("dataSource")
    if source is not None:
        w.line("DataSource:")
        if source.get("apiGroup") is not None:
            w.row("APIGroup", source["apiGroup"], 1)
        w.row("Kind", source.get("kind"), 1)
        w.row("Name", source.get("name"), 1)


def describe_claim_templates(w: Writer, templates: Sequence[Object]) -> None:
    """A stateful set's claims."""
    if not templates:
        w.line(f"Volume Claims:\t{NONE}")
        return
    w.line("Volume Claims:")
    for claim in templates:
        spec, metadata = claim.get("spec") or {}, claim.get("metadata") or {}
        w.row("Name", metadata.get("name"), 1)
        w.row("StorageClass", storage_class(claim), 1)
        w.pairs("Labels", metadata.get("labels"), "  ")
        w.pairs("Annotations", metadata.get("annotations"), "  ")
        w.row("Capacity", ((spec.get("resources") or {}).get("requests") or {}).get("storage", "<default>"), 1)
        w.row("Access Modes", spec.get("accessModes") or [], 1)


def storage_class_(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    metadata = value.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    w.row("Name", metadata.get("name"))
    w.row("IsDefaultClass", "Yes" if any(annotations.get(key) == "true" for key in _DEFAULT_ANNOTATIONS) else "No")
    w.row("Annotations", format_labels(annotations))
    w.row("Provisioner", value.get("provisioner"))
    w.row("Parameters", format_labels(value.get("parameters")))
    w.row("AllowVolumeExpansion", boolean(value.get("allowVolumeExpansion")))
    options = value.get("mountOptions")
    w.line(f"MountOptions:{'' if options else chr(9) + NONE}")
    for option in options or ():
        w.line(option, 1)
    for label, field in (("ReclaimPolicy", "reclaimPolicy"), ("VolumeBindingMode", "volumeBindingMode")):
        if value.get(field) is not None:
            w.row(label, value[field])
    if value.get("allowedTopologies") is not None:
        _topologies(w, value["allowedTopologies"])
    describe_events(w, events)


def _topologies(w: Writer, topologies: Sequence[Object]) -> None:
    w.line(f"AllowedTopologies:\t{'' if topologies else NONE}")
    for number, term in enumerate(topologies):
        requirements = [_requirement({**one, "operator": "in"}) for one in term.get("matchLabelExpressions") or ()]
        w.several(f"Term {number}", requirements, level=1)


def volume_attributes_class(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    metadata = value.get("metadata") or {}
    w.row("Name", metadata.get("name"))
    w.row("Annotations", format_labels(metadata.get("annotations")))
    w.row("DriverName", value.get("driverName"))
    w.row("Parameters", format_labels(value.get("parameters")))
    describe_events(w, events)


def csi_node(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    w.head(value, namespace=False)
    w.row("CreationTimestamp", date((value.get("metadata") or {}).get("creationTimestamp")))
    w.line("Spec:")
    drivers = (value.get("spec") or {}).get("drivers")
    if drivers is not None:
        w.line("Drivers:", 1)
        for driver in drivers:
            w.line(f"{driver.get('name', '')}:", 2)
            w.row("Node ID", driver.get("nodeID"), 3)
            count = (driver.get("allocatable") or {}).get("count")
            if count is not None:
                w.line("Allocatables:", 3)
                w.row("Count", count, 4)
            if driver.get("topologyKeys") is not None:
                w.row("Topology Keys", go_value(driver["topologyKeys"]), 3)
    describe_events(w, events)
