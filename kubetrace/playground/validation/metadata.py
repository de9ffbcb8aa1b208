"""Labels, annotations, owners, finalizers and managers (apimachinery api/validation/objectmeta.go).

The real server looks at an update's metadata once for all kinds (apiserver registry/rest/update.go) and again for the
kind, some once more as at a new object's: as often its causes are there.
"""

from __future__ import annotations

from kubetrace.playground.validation import cluster
from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    annotation_keys,
    bad,
    forbidden,
    labels,
    not_negative,
    qualified_name,
    too_long,
)
from kubetrace.playground.validation.owners import owners

_MOST_MANAGER = 128
_MOST_ANNOTATIONS = 256 * 1024
_LASTING = ("uid", "deletionTimestamp", "deletionGracePeriodSeconds")
_NEW, _KNOWN, _CHANGED, _KNOWN_CHANGED = "new", "known", "changed", "known changed"
"""ValidateObjectMeta and ValidateObjectMetaUpdate; "known": pkg/apis/core's, which look at finalizers' names, too."""
_ADMISSION, _RBAC, _RESOURCE = "admissionregistration.k8s.io", "rbac.authorization.k8s.io", "resource.k8s.io"
_OTHERS: dict[tuple[str, ...], tuple[str, ...]] = {
    (_KNOWN_CHANGED, _KNOWN): (
        *("pods", "configmaps", "secrets", "serviceaccounts", "persistentvolumeclaims"),
        *("ingresses.networking.k8s.io", "controllerrevisions.apps"),
    ),
    (_KNOWN, _KNOWN_CHANGED): (
        *("jobs.batch", "namespaces", "nodes", f"roles.{_RBAC}", f"clusterroles.{_RBAC}", f"rolebindings.{_RBAC}"),
        *(f"clusterrolebindings.{_RBAC}", "storageclasses.storage.k8s.io", f"resourceclaims.{_RESOURCE}"),
        *("certificatesigningrequests.certificates.k8s.io", f"deviceclasses.{_RESOURCE}"),
    ),
    (_KNOWN, _KNOWN): ("persistentvolumes",),
    (_KNOWN,): (
        *("limitranges", "volumeattachments.storage.k8s.io", "flowschemas.flowcontrol.apiserver.k8s.io"),
        *("prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", "endpointslices.discovery.k8s.io"),
    ),
    (): ("poddisruptionbudgets.policy", "events"),
    (_CHANGED,): ("leases.coordination.k8s.io", "customresourcedefinitions.apiextensions.k8s.io"),
    (_NEW, _CHANGED): ("runtimeclasses.node.k8s.io",),
    (_NEW,): (
        *(f"validatingwebhookconfigurations.{_ADMISSION}", f"mutatingwebhookconfigurations.{_ADMISSION}"),
        *(f"validatingadmissionpolicies.{_ADMISSION}", f"validatingadmissionpolicybindings.{_ADMISSION}"),
        *(f"mutatingadmissionpolicies.{_ADMISSION}", f"mutatingadmissionpolicybindings.{_ADMISSION}"),
    ),
    (_CHANGED, _NEW): ("apiservices.apiregistration.k8s.io",),
}
_ORDER = {key: order for order, keys in _OTHERS.items() for key in keys}


def of_new(key: str, metadata: Object, custom: bool) -> list[Cause]:
    looks = () if custom else _ORDER.get(key, (_KNOWN_CHANGED,))
    causes = not_negative("metadata.generation", metadata.get("generation") or 0)
    return causes + _new(metadata) + (_known(metadata) if {_KNOWN, _KNOWN_CHANGED} & {*looks} else [])


def of_update(key: str, before: Object, metadata: Object, custom: bool, status: bool = False) -> list[Cause]:
    """Causes against the new metadata of an object of a resource ("jobs.batch"), or of a write of its status."""
    looks: tuple[str, ...] = (_CHANGED,) if custom else _ORDER.get(key, (_KNOWN_CHANGED,))
    if status and len(looks) != 1:
        looks = (_KNOWN_CHANGED,)
    causes = _new(metadata) + _changed(before, metadata)
    for look in looks:
        causes += _changed(before, metadata) if look in (_CHANGED, _KNOWN_CHANGED) else _new(metadata)
        causes += _known(metadata) if look in (_KNOWN, _KNOWN_CHANGED) else []
    return causes


def _common(metadata: Object) -> list[Cause]:
    causes = labels("metadata.labels", metadata.get("labels"))
    found = metadata.get("annotations") or {}
    causes += annotation_keys("metadata.annotations", sorted(found))
    if sum(len(key) + len(str(value)) for key, value in found.items()) > _MOST_ANNOTATIONS:
        causes.append(too_long("metadata.annotations", _MOST_ANNOTATIONS))
    return causes + owners(metadata.get("ownerReferences") or ())


def _managers(metadata: Object) -> list[Cause]:
    entries = enumerate(metadata.get("managedFields") or ())
    long = [index for index, entry in entries if len(entry.get("manager", "").encode()) > _MOST_MANAGER]
    return [too_long(f"metadata.managedFields[{index}].manager", _MOST_MANAGER) for index in long]


def _new(metadata: Object) -> list[Cause]:
    causes = _common(metadata)
    for finalizer in metadata.get("finalizers") or ():
        causes += qualified_name("metadata.finalizers", finalizer)
    found = metadata.get("finalizers") or []
    if "orphan" in found and "foregroundDeletion" in found:
        why = "finalizer orphan and foregroundDeletion cannot be both set"
        causes.append(bad("metadata.finalizers", found, why))
    return causes + _managers(metadata)


def _known(metadata: Object) -> list[Cause]:
    found = enumerate(metadata.get("finalizers") or ())
    odd = [(index, name) for index, name in found if not cluster.is_finalizer(name)]
    return [bad(f"metadata.finalizers[{index}]", name, cluster.NO_FINALIZER) for index, name in odd]


def _changed(before: Object, metadata: Object) -> list[Cause]:
    return _added_finalizers(before, metadata) + lasting(before, metadata) + _common(metadata) + _managers(metadata)


def lasting(before: Object, metadata: Object) -> list[Cause]:
    """What the server says of an object, and nobody else."""
    pairs = ((name, before.get(name), metadata.get(name)) for name in _LASTING)
    return [bad(f"metadata.{name}", new, "field is immutable") for name, old, new in pairs if old != new]


def _added_finalizers(before: Object, metadata: Object) -> list[Cause]:
    """What is being deleted gets no more of them."""
    added = sorted(set(metadata.get("finalizers") or ()) - set(before.get("finalizers") or ()))
    if not before.get("deletionTimestamp") or not added:
        return []
    listed = ", ".join(f'"{name}"' for name in added)
    why = "no new finalizers can be added if the object is being deleted, found new finalizers "
    return [forbidden("metadata.finalizers", f"{why}[]string{{{listed}}}")]
