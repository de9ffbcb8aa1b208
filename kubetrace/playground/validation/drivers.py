"""What CSI drivers tell of themselves: CSINodes, CSIDrivers, attachments, capacities (pkg/apis/storage/validation)."""

from __future__ import annotations

from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    amount,
    bad,
    duplicate,
    forbidden,
    label_selector,
    not_negative,
    qualified_name,
    required,
    subdomain,
    supported,
    unchanged,
)
from kubetrace.playground.validation.internal import internal
from kubetrace.playground.validation.volumes import driver_name

_MODES = ["Persistent", "Ephemeral"]
_GROUP_POLICIES = ["File", "None", "ReadWriteOnceWithFSType"]


def csi_node(item: Object) -> list[Cause]:
    causes: list[Cause] = []
    names: set[str] = set()
    for index, driver in enumerate((item.get("spec") or {}).get("drivers") or ()):
        at, name, node = f"spec.drivers[{index}]", driver.get("name", ""), driver.get("nodeID", "")
        causes += driver_name(f"{at}.name", name)
        if not node:
            causes.append(required(f"{at}.nodeID"))
        if len(node) > 256:
            causes.append(bad(f"{at}.nodeID", node, "must be 256 characters or less"))
        causes += not_negative(f"{at}.allocatable.count", (driver.get("allocatable") or {}).get("count"))
        if name in names:
            causes.append(duplicate(f"{at}.name", name))
        names.add(name)
        keys = driver.get("topologyKeys") or []
        for number, key in enumerate(keys):
            if not key:
                causes.append(required(at))
            if key in keys[:number]:
                causes.append(duplicate(at, key))
            causes += qualified_name(at, key)
    return causes


def csi_node_update(old: Object, new: Object) -> list[Cause]:
    """A driver that stays keeps what it said, but for how many volumes it takes."""

    def fixed(driver: Object) -> Object:
        absent = dict.fromkeys(("name", "nodeID", "topologyKeys"))
        return absent | {k: v for k, v in driver.items() if v} | {"allocatable": None}

    before = {entry.get("name"): fixed(entry) for entry in (old.get("spec") or {}).get("drivers") or ()}
    causes = []
    for entry in (new.get("spec") or {}).get("drivers") or ():
        found = before.get(entry.get("name"))
        if found is not None:
            causes += unchanged(
                "spec.drivers", *(internal("storage.CSINodeDriver", each) for each in (found, fixed(entry)))
            )
    return causes


def csi_driver(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    causes = supported("spec.fsGroupPolicy", spec.get("fsGroupPolicy"), _GROUP_POLICIES)
    requests = spec.get("tokenRequests") or []
    audiences: set[str] = set()
    for index, request in enumerate(requests):
        at, audience, seconds = (
            f"spec.tokenRequests[{index}]",
            request.get("audience", ""),
            request.get("expirationSeconds"),
        )
        if audience in audiences:
            causes.append(duplicate(f"{at}.audience", audience))
            continue
        audiences.add(audience)
        if seconds is not None and seconds < 600:
            causes.append(bad(f"{at}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
        if seconds is not None and seconds > 2**32:
            causes.append(
                bad(f"{at}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")
            )
    for mode in spec.get("volumeLifecycleModes") or ():
        causes += supported("spec.volumeLifecycleModes", mode, _MODES)
    seconds = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if seconds is not None and seconds < 10:
        at = "spec.nodeAllocatableUpdatePeriodSeconds"
        causes.append(bad(at, seconds, "must be greater than or equal to 10 seconds"))
    if spec.get("serviceAccountTokenInSecrets") is not None and not requests:
        at, why = (
            "spec.serviceAccountTokenInSecrets",
            "serviceAccountTokenInSecrets is set but no tokenRequests are specified",
        )
        causes.append(bad(at, spec["serviceAccountTokenInSecrets"], why))
    return causes


def csi_driver_update(old: Object, new: Object) -> list[Cause]:
    before, after = old.get("spec") or {}, new.get("spec") or {}
    fields = {"attachRequired": "attachedRequired", "volumeLifecycleModes": "volumeLifecycleModes"}
    return [
        cause for name, told in fields.items() for cause in unchanged(f"spec.{told}", before.get(name), after.get(name))
    ]


def attachment(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    attacher, source = spec.get("attacher", ""), spec.get("source") or {}
    causes = driver_name("spec.attacher", attacher)
    inline, volume = source.get("inlineVolumeSpec"), source.get("persistentVolumeName")
    why = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
    if inline is None and volume is None:
        causes.append(required("spec.source", why))
    elif inline is not None and volume is not None:
        causes.append(forbidden("spec.source", why))
    elif volume == "":
        causes.append(required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName"))
    causes += subdomain("spec.nodeName", spec.get("nodeName", ""))
    return causes + (subdomain("spec.source.persistentVolumeName", volume) if volume is not None else [])


def attachment_update(old: Object, new: Object) -> list[Cause]:
    if old.get("spec") == new.get("spec"):
        return []
    spec = new.get("spec") or {}
    return [bad("spec", internal("storage.VolumeAttachmentSpec", spec), "field is immutable")]


def storage_capacity(item: Object) -> list[Cause]:
    causes = label_selector("nodeTopology", item.get("nodeTopology"))
    causes += subdomain("storageClassName", item.get("storageClassName", ""))
    size = item.get("capacity")
    value = None if size is None else amount(size)
    if value is not None and value < 0:
        causes.append(bad("capacity", str(size), "must be greater than or equal to 0"))
    return causes


def storage_capacity_update(old: Object, new: Object) -> list[Cause]:
    name = "storageClassName"
    return unchanged("nodeTopology", old.get("nodeTopology"), new.get("nodeTopology")) + unchanged(
        name, old.get(name, ""), new.get(name, "")
    )


def attributes_class(item: Object) -> list[Cause]:
    driver = item.get("driverName", "")
    causes = qualified_name("driverName", driver.lower()) if driver else [required("driverName")]
    if not item.get("parameters"):
        causes.append(required("parameters", "must contain at least one key/value pair"))
    return causes


def attributes_class_update(old: Object, new: Object) -> list[Cause]:
    return [
        forbidden(name, f"updates to {name} are forbidden.")
        for name in ("driverName", "parameters")
        if old.get(name) != new.get(name)
    ]
