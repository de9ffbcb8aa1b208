"""What an update must not change (the Validate…Update functions of pkg/apis/*/validation)."""

from __future__ import annotations

from collections.abc import Callable

from kubetrace.playground.defaults import quality_of_service
from kubetrace.playground.schemas import at_path
from kubetrace.playground.validation import devices, drivers, networking
from kubetrace.playground.validation.causes import Cause, Object, amount, bad, forbidden, unchanged

_POD_WORDS = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
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
    "jobs.batch": ("spec.selector", "spec.completionMode", "spec.backoffLimitPerIndex", "spec.podFailurePolicy"),
    "secrets": ("type",),
    "storageclasses.storage.k8s.io": ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"),
    "runtimeclasses.node.k8s.io": ("handler",),
    "controllerrevisions.apps": ("data",),
    "ingressclasses.networking.k8s.io": ("spec.controller",),
}


def immutable(key: str, old: Object, new: Object, subresource: str = "") -> list[Cause]:
    """Where an update of a resource changes what stays."""
    if subresource == "ephemeralcontainers":
        return _ephemeral(old["spec"].get("ephemeralContainers") or [], new["spec"].get("ephemeralContainers") or [])
    if subresource == "resize":
        return _resize(old, new)
    causes: list[Cause] = []
    for field in _IMMUTABLE.get(key, ()):
        before, after = at_path(old, f".{field}"), at_path(new, f".{field}")
        if before is not None or "." not in field:
            causes += unchanged(field, before, after)
    special = _SPECIAL.get(key)
    return causes + (special(old, new) if special else [])


def _frozen_data(old: Object, new: Object) -> list[Cause]:
    if not old.get("immutable"):
        return []
    why = "field is immutable when `immutable` is set"
    fields = ("immutable", "data", "binaryData")
    return [forbidden(field, why) for field in fields if (old.get(field) or None) != (new.get(field) or None)]


def _resize(old: Object, new: Object) -> list[Cause]:
    if quality_of_service(old["spec"]) == quality_of_service(new["spec"]):
        return []
    before = (old.get("status") or {}).get("qosClass") or quality_of_service(old["spec"])
    return [bad("spec", before, "Pod QOS Class may not change as a result of resizing")]


def _pod(old: Object, new: Object) -> list[Cause]:
    causes: list[Cause] = []
    before, after = (item["spec"].get("activeDeadlineSeconds") for item in (old, new))
    at = "spec.activeDeadlineSeconds"
    if before is not None and after is None:
        causes.append(bad(at, None, "must not update from a positive integer to nil value"))
    elif before is not None and after > before:
        causes.append(bad(at, after, "must be less than or equal to previous value"))
    kept = [_without_seconds(entry) for entry in new["spec"].get("tolerations") or ()]
    if any(_without_seconds(entry) not in kept for entry in old["spec"].get("tolerations") or ()):
        why = "existing toleration can not be modified except its tolerationSeconds"
        causes.append(forbidden("spec.tolerations", why))
    gates = {entry.get("name"): index for index, entry in enumerate(new["spec"].get("schedulingGates") or ())}
    for entry in old["spec"].get("schedulingGates") or ():
        gates.pop(entry.get("name"), None)
    for name, index in gates.items():
        why = f"only deletion is allowed, but found new scheduling gate '{name}'"
        causes.append(forbidden(f"spec.schedulingGates[{index}].name", why))
    if not causes and _fixed(old["spec"]) != _fixed(new["spec"]):
        causes.append(forbidden("spec", _POD_WORDS))
    return causes


def _without_seconds(toleration: Object) -> Object:
    return {name: value for name, value in toleration.items() if name != "tolerationSeconds"}


def _ephemeral(old: list[Object], new: list[Object]) -> list[Cause]:
    """They come and stay as they are."""
    found = {entry.get("name"): entry for entry in new}
    causes = []
    for entry in old:
        name = entry.get("name")
        if name not in found:
            why = f'existing ephemeral containers "{name}" may not be removed\n'
        elif found[name] != entry:
            why = f'existing ephemeral containers "{name}" may not be changed'
        else:
            continue
        causes.append(forbidden("spec.ephemeralContainers", why))
    return causes


def _fixed(spec: Object) -> Object:
    """A pod's spec without what may change. (The node is set by a binding, which is no update.)"""
    loose = ("activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations", "schedulingGates")
    kept = {name: value for name, value in spec.items() if name not in (*loose, "containers", "initContainers")}
    for group in ("containers", "initContainers"):
        kept[group] = [{k: v for k, v in entry.items() if k != "image"} for entry in spec.get(group) or ()]
    return kept


def _stateful_set(old: Object, new: Object) -> list[Cause]:
    def fixed(item: Object) -> Object:
        free = (*_SET_FREE, "persistentVolumeClaimRetentionPolicy")
        return {name: value for name, value in item["spec"].items() if name not in free}

    return [forbidden("spec", _SET_WORDS)] if fixed(old) != fixed(new) else []


def _job(old: Object, new: Object) -> list[Cause]:
    causes: list[Cause] = []
    before, after = old["spec"], new["spec"]
    if before.get("completionMode") != "Indexed":
        causes += unchanged("spec.completions", before.get("completions"), after.get("completions"))
    elif after.get("completions") not in (None, before.get("completions"), after.get("parallelism")):
        why = "can only be modified in tandem with spec.parallelism"
        causes.append(bad("spec.completions", after["completions"], why))
    if not before.get("suspend"):
        causes += unchanged("spec.template", before.get("template"), after.get("template"))
    return causes


def _service(old: Object, new: Object) -> list[Cause]:
    before, after = old["spec"], new["spec"]
    if "ExternalName" in (before.get("type"), after.get("type")):
        return []
    known, wanted = before.get("clusterIPs") or [], after.get("clusterIPs") or []
    if known and known[:1] != wanted[:1]:
        return [bad("spec.clusterIPs[0]", wanted, "may not change once set")]
    return []


def _claim(old: Object, new: Object) -> list[Cause]:
    def fixed(item: Object) -> Object:
        spec = dict(item["spec"])
        if (item.get("status") or {}).get("phase") == "Bound" or spec.get("volumeName"):
            spec.pop("resources", None)
        spec.pop("volumeName", None)
        return spec

    causes = [forbidden("spec", _CLAIM_WORDS)] if fixed(old) != fixed(new) else []
    before, after = (amount(at_path(item, ".spec.resources.requests.storage") or "0") for item in (old, new))
    there = amount(at_path(old, ".status.capacity.storage") or "0")
    if before is not None and after is not None and there is not None and after < before and after <= there:
        why = "field can not be less than status.capacity"
        causes.append(forbidden("spec.resources.requests.storage", why))
    return causes


def _volume(old: Object, new: Object) -> list[Cause]:
    causes: list[Cause] = []
    sources = ("hostPath", "nfs", "local", "csi", "iscsi", "fc", "rbd", "cephfs", "glusterfs", "azureDisk", "azureFile")
    before, after = old["spec"], new["spec"]
    if any(before.get(kind) != after.get(kind) for kind in sources):
        causes.append(
            forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation")
        )
    return causes + unchanged("spec.volumeMode", before.get("volumeMode"), after.get("volumeMode"))


def _priority_class(old: Object, new: Object) -> list[Cause]:
    why = "may not be changed in an update."
    causes = [forbidden("value", why)] if old.get("value") != new.get("value") else []
    return causes + unchanged("preemptionPolicy", old.get("preemptionPolicy"), new.get("preemptionPolicy"))


def _binding(old: Object, new: Object) -> list[Cause]:
    before, after = old.get("roleRef") or {}, new.get("roleRef") or {}
    if before == after:
        return []
    shown = {"APIGroup": after.get("apiGroup", ""), "Kind": after.get("kind", ""), "Name": after.get("name", "")}
    return [bad("roleRef", shown, "cannot change roleRef")]


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
    "configmaps": _frozen_data,
    "secrets": _frozen_data,
    "pods": _pod,
    "statefulsets.apps": _stateful_set,
    "jobs.batch": _job,
    "services": _service,
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _volume,
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
