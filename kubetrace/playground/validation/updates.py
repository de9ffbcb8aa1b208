"""What an update must not change (the Validate…Update functions of pkg/apis/*/validation)."""

from __future__ import annotations

import copy
from collections.abc import Callable

from kubetrace.playground.schemas import at_path
from kubetrace.playground.validation import cluster, devices, drivers, networking, pod_updates, services
from kubetrace.playground.validation.causes import Cause, Object, amount, bad, forbidden, same_text, unchanged
from kubetrace.playground.validation.internal import difference, internal

_SET_WORDS = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_SET_FREE = ("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "minReadySeconds")
_CLAIM_WORDS = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)
_IMMUTABLE = {
    "deployments.apps": ("spec.selector",),
    "replicasets.apps": ("spec.selector",),
    "daemonsets.apps": ("spec.selector",),
    "secrets": ("type",),
    "endpointslices.discovery.k8s.io": ("addressType",),
    "storageclasses.storage.k8s.io": ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"),
    "runtimeclasses.node.k8s.io": ("handler",),
    "controllerrevisions.apps": ("data",),
    "ingressclasses.networking.k8s.io": ("spec.controller",),
}
_TEXTS = ("type", "provisioner", "handler", "spec.controller", "addressType")
"""Which are "" where they are not there."""


def immutable(key: str, old: Object, new: Object, subresource: str = "") -> list[Cause]:
    """Where an update of a resource changes what stays."""
    if subresource == "ephemeralcontainers":
        return pod_updates.ephemeral(old, new)
    if subresource == "resize":
        return pod_updates.resize(old, new)
    causes: list[Cause] = []
    for field in _IMMUTABLE.get(key, ()):
        before, after = at_path(old, f".{field}"), at_path(new, f".{field}")
        if field in _TEXTS:
            causes += same_text(field, before, after)
        elif before is not None or "." not in field:
            causes += unchanged(field, before, after)
    special = _SPECIAL.get(key)
    return causes + (special(old, new) if special else [])


def _frozen_data(old: Object, new: Object) -> list[Cause]:
    if not old.get("immutable"):
        return []
    why = "field is immutable when `immutable` is set"
    fields = ("immutable", "data", "binaryData")
    return [forbidden(field, why) for field in fields if (old.get(field) or None) != (new.get(field) or None)]


def _stateful_set(old: Object, new: Object) -> list[Cause]:
    def fixed(item: Object) -> Object:
        free = (*_SET_FREE, "persistentVolumeClaimRetentionPolicy")
        return {name: value for name, value in item["spec"].items() if name not in free}

    return [forbidden("spec", _SET_WORDS)] if fixed(old) != fixed(new) else []


def _job(old: Object, new: Object) -> list[Cause]:
    causes: list[Cause] = []
    before, after = old["spec"], new["spec"]
    if after.get("completionMode") != "Indexed":
        causes += unchanged("spec.completions", before.get("completions"), after.get("completions"))
    elif after.get("completions") not in (None, before.get("completions"), after.get("parallelism")):
        why = "can only be modified in tandem with spec.parallelism"
        causes.append(bad("spec.completions", after["completions"], why))
    causes += unchanged("spec.selector", before.get("selector"), after.get("selector"))
    causes += _template(before, after)
    for name, struct in _JOB_FIXED.items():
        was, is_ = before.get(name), after.get(name)
        if was != is_:
            causes.append(bad(f"spec.{name}", internal(struct, is_) if struct else is_, "field is immutable"))
    return causes


_JOB_FIXED = {
    "completionMode": "",
    "podFailurePolicy": "batch.PodFailurePolicy",
    "backoffLimitPerIndex": "",
    "managedBy": "",
    "successPolicy": "batch.SuccessPolicy",
}
"""Fields that stay, in the order in which they are looked at, and their internal structs."""


def _template(before: Object, after: Object) -> list[Cause]:
    """While a job is suspended, its pods may be told where to run and what they need."""
    old, new = before.get("template") or {}, after.get("template") or {}
    if not before.get("suspend"):
        same, shown, at = old == new, internal("core.PodTemplateSpec", new), "spec.template"
    else:
        same = _apart_from_placement(old.get("spec") or {}) == _apart_from_placement(new.get("spec") or {})
        shown, at = internal("core.PodSpec", new.get("spec")), "spec.template.spec"
    return [] if same else [bad(at, shown, "field is immutable")]


def _apart_from_placement(spec: Object) -> Object:
    kept = {k: v for k, v in spec.items() if k not in ("nodeSelector", "tolerations", "schedulingGates", "affinity")}
    affinity = {k: v for k, v in (spec.get("affinity") or {}).items() if k != "nodeAffinity"}
    for kind in ("containers", "initContainers"):
        if kind in spec:
            kept[kind] = [{k: v for k, v in each.items() if k != "resources"} for each in spec[kind] or ()]
    return kept | ({"affinity": affinity} if affinity else {})


def _claim(old: Object, new: Object) -> list[Cause]:
    was, is_ = dict(old["spec"]), copy.deepcopy(new["spec"])
    if not was.get("volumeName") and "volumeName" in is_:
        was["volumeName"] = is_["volumeName"]
    if (new.get("status") or {}).get("phase") == "Bound":
        requests = (is_.get("resources") or {}).get("requests")
        if requests is not None:
            requests["storage"] = at_path(old, ".spec.resources.requests.storage")
        is_.pop("volumeAttributesClassName", None)
        if "volumeAttributesClassName" in was:
            is_["volumeAttributesClassName"] = was["volumeAttributesClassName"]
    told = f"{_CLAIM_WORDS}\n{difference('core.PersistentVolumeClaimSpec', was, is_)}"
    causes = [forbidden("spec", told)] if was != is_ else []
    causes += unchanged("volumeMode", old["spec"].get("volumeMode"), new["spec"].get("volumeMode"))
    before, after = (amount(at_path(item, ".spec.resources.requests.storage") or "0") for item in (old, new))
    there = amount(at_path(old, ".status.capacity.storage") or "0")
    if before is not None and after is not None and there is not None and after < before and after <= there:
        why = "field can not be less than status.capacity"
        causes.append(forbidden("spec.resources.requests.storage", why))
    return causes


_VOLUME_SOURCES = (
    *("gcePersistentDisk", "awsElasticBlockStore", "hostPath", "glusterfs", "nfs", "rbd", "quobyte", "iscsi"),
    *("flexVolume", "cinder", "cephfs", "fc", "flocker", "azureFile", "vsphereVolume", "azureDisk"),
    *("photonPersistentDisk", "portworxVolume", "scaleIO", "local", "storageos", "csi"),
)


def _volume(old: Object, new: Object) -> list[Cause]:
    causes: list[Cause] = []
    before, after = old["spec"], new["spec"]
    if any(before.get(kind) != after.get(kind) for kind in _VOLUME_SOURCES):
        told = difference("core.PersistentVolumeSpec", before, after, _VOLUME_SOURCES)
        why = f"spec.persistentvolumesource is immutable after creation\n{told}"
        causes.append(forbidden("spec.persistentvolumesource", why))
    causes += unchanged("volumeMode", before.get("volumeMode"), after.get("volumeMode"))
    if "nodeAffinity" in before and before["nodeAffinity"] != after.get("nodeAffinity"):
        shown = internal("core.VolumeNodeAffinity", after.get("nodeAffinity"))
        why = "field is immutable, except for updating from beta label to GA"
        causes.append(bad("nodeAffinity", shown, why))
    return causes


def _quota(old: Object, new: Object) -> list[Cause]:
    before, after = old["spec"].get("scopes"), new["spec"].get("scopes")
    return [] if set(before or ()) == set(after or ()) else [bad("spec.scopes", after, "field is immutable")]


def _priority_class(old: Object, new: Object) -> list[Cause]:
    why = "may not be changed in an update."
    causes = [forbidden("value", why)] if old.get("value") != new.get("value") else []
    return causes + unchanged("preemptionPolicy", old.get("preemptionPolicy"), new.get("preemptionPolicy"))


def _binding(old: Object, new: Object) -> list[Cause]:
    before, after = old.get("roleRef") or {}, new.get("roleRef") or {}
    if before == after:
        return []
    return [bad("roleRef", internal("rbac.RoleRef", after), "cannot change roleRef")]


def _node(old: Object, new: Object) -> list[Cause]:
    before, after = old.get("spec") or {}, new.get("spec") or {}
    causes: list[Cause] = []
    if before.get("podCIDR") and before["podCIDR"] != after.get("podCIDR"):
        why = 'node updates may not change podCIDR except from "" to valid'
        causes.append(forbidden("spec.podCIDRs", why))
    if before.get("providerID") and before["providerID"] != after.get("providerID"):
        why = 'node updates may not change providerID except from "" to valid'
        causes.append(forbidden("spec.providerID", why))
    return causes


_SPECIAL: dict[str, Callable[[Object, Object], list[Cause]]] = {
    "events": cluster.event_update,
    "configmaps": _frozen_data,
    "secrets": _frozen_data,
    "pods": pod_updates.pod,
    "statefulsets.apps": _stateful_set,
    "jobs.batch": _job,
    "services": services.changed,
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _volume,
    "resourcequotas": _quota,
    "priorityclasses.scheduling.k8s.io": _priority_class,
    "rolebindings.rbac.authorization.k8s.io": _binding,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
    "nodes": _node,
    "csinodes.storage.k8s.io": drivers.csi_node_update,
    "csidrivers.storage.k8s.io": drivers.csi_driver_update,
    "volumeattachments.storage.k8s.io": drivers.attachment_update,
    "csistoragecapacities.storage.k8s.io": drivers.storage_capacity_update,
    "volumeattributesclasses.storage.k8s.io": drivers.attributes_class_update,
    "ipaddresses.networking.k8s.io": networking.ip_address_update,
    "servicecidrs.networking.k8s.io": networking.service_cidr_update,
    "resourceclaims.resource.k8s.io": devices.frozen_spec,
    "resourceclaimtemplates.resource.k8s.io": devices.frozen_spec,
    "resourceslices.resource.k8s.io": devices.resource_slice_update,
}
