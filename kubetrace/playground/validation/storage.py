"""Volumes and claims, quotas and limits, StorageClasses (pkg/apis/core/validation, pkg/apis/storage/validation)."""

from __future__ import annotations

from typing import Any

from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    amount,
    bad,
    duplicate,
    forbidden,
    label_selector,
    one_of,
    qualified_name,
    required,
    subdomain,
    unsupported,
)
from kubetrace.playground.validation.containers import is_standard

_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]
_VOLUME_MODES = ["Block", "Filesystem"]
_SOURCES = (
    *("hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "nfs", "rbd", "quobyte", "cephfs", "iscsi"),
    *("cinder", "fc", "flocker", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk"),
    *("scaleIO", "local", "storageos", "csi", "flexVolume"),
)


def _access_modes(modes: list[str], why: str = "") -> list[Cause]:
    causes = [] if modes else [required("spec.accessModes", why)]
    causes += [unsupported("spec.accessModes", mode, _MODES) for mode in modes if mode not in _MODES]
    others = [mode for mode in modes if mode in _MODES and mode != "ReadWriteOncePod"]
    if "ReadWriteOncePod" in modes and others:
        causes.append(forbidden("spec.accessModes", "may not use ReadWriteOncePod with other access modes"))
    return causes


def _positive(field: str, quantity: Any) -> list[Cause]:
    value = amount(quantity)
    return [bad(field, str(quantity), "must be greater than zero")] if value is not None and value <= 0 else []


def claim(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    causes = _access_modes(spec.get("accessModes") or [], "at least 1 access mode is required")
    causes += label_selector("spec.selector", spec.get("selector"))
    requests = (spec.get("resources") or {}).get("requests") or {}
    if "storage" not in requests:
        causes.append(required("spec.resources[storage]"))
    else:
        causes += _positive("spec.resources[storage]", requests["storage"])
    if spec.get("storageClassName"):
        causes += subdomain("spec.storageClassName", spec["storageClassName"])
    if spec.get("volumeMode") not in (None, *_VOLUME_MODES):
        causes.append(unsupported("spec.volumeMode", spec["volumeMode"], _VOLUME_MODES))
    return causes


def volume(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    causes = _access_modes(spec.get("accessModes") or [])
    capacity = spec.get("capacity") or {}
    if not capacity:
        causes.append(required("spec.capacity"))
    if list(capacity) != ["storage"]:
        causes.append(unsupported("spec.capacity", capacity or None, ["storage"]))
    for name, quantity in capacity.items():
        causes += _positive(f"spec.capacity[{name}]", quantity)
    policies = ["Delete", "Recycle", "Retain"]
    policy = spec.get("persistentVolumeReclaimPolicy")
    causes += one_of("spec.persistentVolumeReclaimPolicy", policy, policies, is_required=False)
    kinds = [kind for kind in _SOURCES if spec.get(kind) is not None]
    if not kinds:
        causes.append(required("spec", "must specify a volume type"))
    causes += [forbidden(f"spec.{kind}", "may not specify more than 1 volume type") for kind in kinds[1:]]
    if kinds[:1] == ["hostPath"] and not spec["hostPath"].get("path"):
        causes.append(required("spec.hostPath.path"))
    if kinds[:1] == ["local"] and spec.get("nodeAffinity") is None:
        causes.append(required("spec.nodeAffinity", "Local volume requires node affinity"))
    if spec.get("storageClassName"):
        causes += subdomain("spec.storageClassName", spec["storageClassName"])
    if spec.get("volumeMode") not in (None, *_VOLUME_MODES):
        causes.append(unsupported("spec.volumeMode", spec["volumeMode"], _VOLUME_MODES))
    return causes


def storage_class(item: Object) -> list[Cause]:
    provisioner = item.get("provisioner", "")
    causes = qualified_name("provisioner", provisioner.lower()) if provisioner else [required("provisioner")]
    if item.get("reclaimPolicy") not in ("Delete", "Retain"):
        causes.append(unsupported("reclaimPolicy", item.get("reclaimPolicy"), ["Delete", "Retain"]))
    modes = ["Immediate", "WaitForFirstConsumer"]
    if item.get("volumeBindingMode") not in modes:
        causes.append(unsupported("volumeBindingMode", item.get("volumeBindingMode"), modes))
    return causes


_QUOTA_NAMES = frozenset(
    (
        *("cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage"),
        *("requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods"),
        *("resourcequotas", "services", "replicationcontrollers", "secrets", "persistentvolumeclaims", "configmaps"),
        *("services.nodeports", "services.loadbalancers"),
    )
)


def quota(item: Object) -> list[Cause]:
    causes: list[Cause] = []
    for name, quantity in sorted(((item.get("spec") or {}).get("hard") or {}).items()):
        at = f"spec.hard[{name}]"
        causes += qualified_name(at, name)
        if "/" not in name and not is_standard(name):
            causes.append(bad(at, name, "must be a standard resource type or fully qualified"))
        if "/" not in name and name not in _QUOTA_NAMES and not name.startswith(("hugepages-", "requests.hugepages-")):
            causes.append(bad(at, name, "must be a standard resource for quota"))
        value = amount(quantity)
        if value is not None and value < 0:
            causes.append(bad(at, str(quantity), "must be greater than or equal to 0"))
        if value is not None and name in ("pods", "services", "secrets", "configmaps") and value.denominator != 1:
            causes.append(bad(at, str(quantity), "must be an integer"))
    return causes


def limit_range(item: Object) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, limit in enumerate((item.get("spec") or {}).get("limits") or ()):
        at, kind = f"spec.limits[{index}]", limit.get("type", "")
        causes += qualified_name(f"{at}.type", kind)
        if kind and "/" not in kind and kind not in ("Pod", "Container", "PersistentVolumeClaim"):
            causes.append(bad(f"{at}.type", kind, "must be a standard limit type or fully qualified"))
        if kind in seen:
            causes.append(duplicate(f"{at}.type", kind))
        seen.add(kind)
        if kind == "Pod":
            why = "may not be specified when `type` is 'Pod'"
            causes += [forbidden(f"{at}.{name}", why) for name in ("default", "defaultRequest") if limit.get(name)]
        causes += _bounds(limit, at)
    return causes


def _bounds(limit: Object, at: str) -> list[Cause]:
    causes: list[Cause] = []
    parts = ("min", "max", "default", "defaultRequest")
    for name in sorted({name for part in parts for name in limit.get(part) or ()}):
        least, most, usual, asked = ((limit.get(part) or {}).get(name) for part in parts)
        for low, high, where, words in (
            (least, most, "min", "min value {0} is greater than max value {1}"),
            (least, asked, "defaultRequest", "min value {0} is greater than default request value {1}"),
            (asked, most, "defaultRequest", "default request value {0} is greater than max value {1}"),
            (asked, usual, "defaultRequest", "default request value {0} is greater than default limit value {1}"),
            (least, usual, "default", "min value {0} is greater than default value {1}"),
            (usual, most, "default", "default value {0} is greater than max value {1}"),
        ):
            left, right = amount(low), amount(high)
            if low is not None and high is not None and left is not None and right is not None and left > right:
                shown = low if where == "min" or words.startswith("default") else high
                causes.append(bad(f"{at}.{where}[{name}]", str(shown), words.format(low, high)))
    return causes
