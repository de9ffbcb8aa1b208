"""Which part of an object a write is about: the whole, its status or its approval (GetResetFields and PrepareForUpdate
of pkg/registry/*/strategy.go). All else stays as it was, and belongs to nobody in managedFields through that write.
"""

from __future__ import annotations

import copy

from kubetrace.playground import strategies
from kubetrace.playground.catalog import Resource
from kubetrace.playground.fieldsets import Path
from kubetrace.playground.objects import Object, now

REQUESTS = "certificatesigningrequests.certificates.k8s.io"
_VOLUMES = "persistentvolumes"
# Whose status is written without their metadata.
_OWN_METADATA = frozenset(
    (
        *("servicecidrs.networking.k8s.io", "resourceclaims.resource.k8s.io", "volumeattachments.storage.k8s.io"),
        *("validatingadmissionpolicies.admissionregistration.k8s.io", "flowschemas.flowcontrol.apiserver.k8s.io"),
        *("prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", "apiservices.apiregistration.k8s.io"),
    )
)
_RESET_IN_STATUS: dict[str, tuple[Path, ...]] = {
    "deployments.apps": (("f:metadata", "f:labels"),),
    "pods": (("f:metadata", "f:ownerReferences"),),
    REQUESTS: (("f:status", "f:conditions"),),
    "customresourcedefinitions.apiextensions.k8s.io": (("f:metadata",),),
}
_DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
_KEPT_METADATA = ("labels", "annotations", "finalizers", "ownerReferences")


def is_status(subresource: str) -> bool:
    return subresource in ("status", "approval")


def has_status(resource: Resource) -> bool:
    """Whether writes of the whole object leave the status alone."""
    custom = resource.custom is not None and "status" in (resource.custom.get("subresources") or {})
    return custom or resource.key in strategies.WITH_STATUS


def reset_fields(resource: Resource, subresource: str) -> tuple[Path, ...]:
    """What a write is not about: these fields and all below them."""
    if subresource == "approval":
        return (("f:spec",), ("f:status", "f:certificate"))
    if subresource == "status":
        kept = resource.custom is not None or resource.key in _OWN_METADATA
        return (("f:spec",), *((("f:metadata",),) if kept else _RESET_IN_STATUS.get(resource.key, ())))
    if subresource or not has_status(resource):
        return ()
    return (("f:status",), *((("f:spec",),) if resource.key == REQUESTS else ()))


def with_status(resource: Resource, old: Object, item: Object, subresource: str) -> Object:
    """The old object with the status of a new one, or with its approval, and with its metadata where that counts."""
    if resource.custom is not None:
        return _with_custom_status(old, item)
    before, status = old.get("status") or {}, dict(item.get("status") or {})
    if subresource == "approval":
        status = {**before, "conditions": status.get("conditions")}
    new = copy.deepcopy(old) | {"status": status}
    metadata = item["metadata"]
    kept: tuple[str, ...] = ()
    if resource.key in _OWN_METADATA:
        kept = _KEPT_METADATA
    elif resource.key == "deployments.apps":
        kept = ("labels",)
    elif resource.key == "pods":
        kept = ("ownerReferences",)
    _keep_metadata(old, metadata, kept)
    new["metadata"] = metadata
    if resource.key == "pods":
        _keep_pod(before, status)
    elif resource.key == _DEFINITIONS and not status.get("storedVersions"):
        status["storedVersions"] = before.get("storedVersions") or []
    elif resource.key == "nodes" and not before.get("config"):
        status.pop("config", None)
    return new


def _with_custom_status(old: Object, item: Object) -> Object:
    """As any value that was sent, or without one (apiextensions customresource/status_strategy.go)."""
    _keep_metadata(old, item["metadata"], _KEPT_METADATA)
    new = copy.deepcopy(old) | {name: item[name] for name in ("metadata", "status") if name in item}
    if "status" not in item:
        new.pop("status", None)
    return new


def _keep_metadata(old: Object, metadata: Object, names: tuple[str, ...]) -> None:
    """What a write of a status is not about stays."""
    for name in names:
        metadata.pop(name, None)
        if name in old["metadata"]:
            metadata[name] = copy.deepcopy(old["metadata"][name])


def stamp(resource: Resource, old: Object, item: Object, subresource: str) -> None:
    """What a new status says of its times, which is nobody's in managedFields."""
    before, status = old.get("status") or {}, item.get("status") or {}
    if resource.key == REQUESTS:
        _keep_request(before, status, subresource)
    elif resource.key == _VOLUMES:
        _keep_volume(before, status)


def _keep_pod(before: Object, status: Object) -> None:
    """What a kubelet leaves out stays as it was."""
    for name in ("qosClass", "observedGeneration"):
        if not status.get(name) and before.get(name):
            status[name] = before[name]
    address, addresses = status.get("podIP"), status.get("podIPs") or []
    if address and (not addresses or addresses[0].get("ip") != address):  # pkg/apis/core/v1/conversion.go
        addresses = status["podIPs"] = [{"ip": address}]
    if addresses:
        status["podIP"] = addresses[0].get("ip", "")
    known: dict[str, list[int]] = {}
    for condition in before.get("conditions") or ():
        known.setdefault(condition.get("type", ""), []).append(condition.get("observedGeneration") or 0)
    conditions = []
    for condition in status.get("conditions") or ():
        generations = known.get(condition.get("type", ""))
        generation = generations.pop(0) if generations else 0
        seen = condition.get("observedGeneration") or generation
        conditions.append(condition | ({"observedGeneration": seen} if seen else {}))
    if conditions:
        status["conditions"] = conditions


def _keep_request(before: Object, status: Object, subresource: str) -> None:
    """Decisions stay as they were made, and conditions say since when they are."""
    known = before.get("conditions") or []
    conditions = [dict(entry) for entry in status.get("conditions") or ()]
    for kind in ("Approved", "Denied") if subresource == "status" else ():
        old = [entry for entry in known if entry.get("type") == kind]
        places = [index for index, entry in enumerate(conditions) if entry.get("type") == kind]
        if len(old) == len(places):
            for place, entry in zip(places, old, strict=True):
                conditions[place] = dict(entry)
    for entry in conditions:
        entry["lastUpdateTime"] = entry.get("lastUpdateTime") or now()
        same = (old for old in known if all(old.get(name) == entry.get(name) for name in ("type", "status")))
        since = next((old["lastTransitionTime"] for old in same if old.get("lastTransitionTime")), now())
        entry["lastTransitionTime"] = entry.get("lastTransitionTime") or since
    if conditions:
        status["conditions"] = conditions
    else:
        status.pop("conditions", None)


def _keep_volume(before: Object, status: Object) -> None:
    """When a volume came into its phase."""
    since, own = before.get("lastPhaseTransitionTime"), status.get("lastPhaseTransitionTime")
    if before.get("phase") == status.get("phase"):
        if not own and since:
            status["lastPhaseTransitionTime"] = since
    elif not own or own == since:
        status["lastPhaseTransitionTime"] = now()
