"""PersistentVolumeClaims find volumes, or have them made by the default storage class (pkg/controller/volume)."""

from __future__ import annotations

import copy
from fractions import Fraction

from kubetrace.playground.admission import (
    ATTRIBUTES_PROTECTION,
    CLAIM_PROTECTION,
    STORAGE_CLASSES,
    VOLUME_PROTECTION,
)
from kubetrace.playground.controllers.base import Controller, controller_of, is_active, owner_reference
from kubetrace.playground.objects import Object, now
from kubetrace.playground.pods import claim_name, is_done
from kubetrace.playground.quantities import amount
from kubetrace.playground.selectors import matches_labels
from kubetrace.playground.status import ApiError

CLAIMS, VOLUMES = "persistentvolumeclaims", "persistentvolumes"
_USED_SECONDS = 5.0
ATTRIBUTES = "volumeattributesclasses.storage.k8s.io"
PROVISIONER = "kubetrace.dev/simulated"
_BY_CONTROLLER = {"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"}


def _in_phase(volume: Object, phase: str) -> Object:
    """The status of a volume that is in a phase, since when it is."""
    status: Object = volume.get("status") or {}
    if status.get("phase") == phase and "lastPhaseTransitionTime" in status:
        return status
    return {"phase": phase, "lastPhaseTransitionTime": now()}


def _reference(claim: Object) -> Object:
    """A volume's claimRef."""
    metadata = claim["metadata"]
    found = {"kind": "PersistentVolumeClaim", "namespace": metadata["namespace"], "name": metadata["name"]}
    return found | {"uid": metadata["uid"], "apiVersion": "v1", "resourceVersion": metadata["resourceVersion"]}


def _storage(item: Object) -> Fraction:
    """What a claim asks for, or what a volume has."""
    spec = item["spec"]
    values = (spec.get("resources") or {}).get("requests") or spec.get("capacity") or {}
    return amount(str(values.get("storage", "0")))


class Binder(Controller):
    component = "persistentvolume-controller"

    def claim(self, namespace: str, name: str) -> float | None:
        item = self.store.get(CLAIMS, namespace, name)
        if item is None:
            self._release(namespace, name)
            return None
        if item["metadata"].get("deletionTimestamp"):
            return self._protect(item)
        if item["spec"].get("volumeName"):
            return self._bound(item)
        kind = self.store.get(STORAGE_CLASSES, "", item["spec"].get("storageClassName") or "")
        waits = kind is not None and kind.get("volumeBindingMode") == "WaitForFirstConsumer"
        if waits and not self._consumer(item):
            self.events.normal(item, "WaitForFirstConsumer", "waiting for first consumer to be created before binding")
            return 15.0
        volume = self._match(item)
        if volume is not None:
            self._bind(item, volume)
            return None
        return self._provision(item, kind)

    def volume(self, _: str, name: str) -> float | None:
        """A volume is there, changed, or loses its claim."""
        item = self.store.get(VOLUMES, "", name)
        if item is None:
            return None
        if item["metadata"].get("deletionTimestamp"):
            self._let_go(item)
            return None
        if VOLUME_PROTECTION not in (item["metadata"].get("finalizers") or ()):
            item["metadata"].setdefault("finalizers", []).append(VOLUME_PROTECTION)
            item = self.store.put(VOLUMES, item)
        reference = item["spec"].get("claimRef")
        if reference is None:
            self.put_status(VOLUMES, item, _in_phase(item, "Available"))
            self._retry_claims()
            return None
        claim = self.store.get(CLAIMS, reference.get("namespace", ""), reference.get("name", ""))
        if reference.get("uid") and (claim is None or claim["metadata"]["uid"] != reference["uid"]):
            self._reclaim(item)
        elif claim is not None and not claim["spec"].get("volumeName"):
            self.claim(claim["metadata"]["namespace"], claim["metadata"]["name"])
        return None

    def _retry_claims(self) -> None:
        for claim in self.store.select(CLAIMS):
            if not claim["spec"].get("volumeName") and not claim["metadata"].get("deletionTimestamp"):
                self.claim(claim["metadata"]["namespace"], claim["metadata"]["name"])

    def pod_changed(self, namespace: str, name: str) -> float | None:
        """Claims that wait for their first pod, or for their last one to go."""
        pod = self.store.get("pods", namespace, name)
        if pod is not None and not pod["metadata"].get("deletionTimestamp"):
            self._make_claims(pod)
        claims = self.store.select(CLAIMS, namespace) if pod is None else self._claims_of(pod)
        for claim in list(claims):
            if claim["metadata"].get("deletionTimestamp") or not claim["spec"].get("volumeName"):
                self.claim(namespace, claim["metadata"]["name"])
        return None

    def _make_claims(self, pod: Object) -> None:
        """The claims of a pod's ephemeral volumes, which are its own (pkg/controller/volume/ephemeral)."""
        for volume in pod["spec"].get("volumes") or ():
            template, name = (volume.get("ephemeral") or {}).get("volumeClaimTemplate"), claim_name(pod, volume)
            if template is None:
                continue
            place = pod["metadata"]["namespace"]
            found, why = self.store.get(CLAIMS, place, name), ""
            if found is None:
                kept = {k: v for k, v in (template.get("metadata") or {}).items() if k in ("labels", "annotations")}
                metadata = kept | {"name": name, "ownerReferences": [owner_reference(pod)]}
                try:
                    self.create(CLAIMS, place, {"metadata": metadata, "spec": copy.deepcopy(template["spec"])})
                except ApiError as error:
                    why = f"create PVC {name}: {error}"
            elif (controller_of(found) or {}).get("uid") != pod["metadata"]["uid"]:
                whose = f"pod {place}/{pod['metadata']['name']}"
                why = f"PVC {place}/{name} was not created for {whose} (pod is not owner)"
            if why:
                self.events.warning(pod, "FailedBinding", f"ephemeral volume {volume['name']}: {why}")

    def _claims_of(self, pod: Object) -> list[Object]:
        names = filter(None, (claim_name(pod, volume) for volume in pod["spec"].get("volumes") or ()))
        found = (self.store.get(CLAIMS, pod["metadata"]["namespace"], name) for name in names)
        return [claim for claim in found if claim is not None]

    def _users(self, claim: Object) -> list[Object]:
        name = claim["metadata"]["name"]
        return [
            pod
            for pod in self.store.select("pods", claim["metadata"]["namespace"])
            if any(claim_name(pod, volume) == name for volume in pod["spec"].get("volumes") or ())
        ]

    def _consumer(self, claim: Object) -> bool:
        return any(is_active(pod) for pod in self._users(claim))

    def _protect(self, item: Object) -> float | None:
        """The finalizer holds a claim while pods on a node use it (pvcprotection)."""
        if all(is_done(pod) or not pod["spec"].get("nodeName") for pod in self._users(item)):
            self._unprotect(CLAIMS, item, CLAIM_PROTECTION)
        return None

    def _let_go(self, item: Object) -> None:
        """pvprotection: a volume that is deleted stays while it is bound."""
        if (item.get("status") or {}).get("phase") != "Bound":
            self._unprotect(VOLUMES, item, VOLUME_PROTECTION)

    def attributes_class(self, _: str, name: str) -> float | None:
        """vacprotection: a class that is deleted stays while claims or volumes name it."""
        item = self.store.get(ATTRIBUTES, "", name)
        if item is None or not item["metadata"].get("deletionTimestamp"):
            return None
        users = (found for key in (CLAIMS, VOLUMES) for found in self.store.select(key))
        if any((user.get("spec") or {}).get("volumeAttributesClassName") == name for user in users):
            return _USED_SECONDS
        self._unprotect(ATTRIBUTES, item, ATTRIBUTES_PROTECTION)
        return None

    def _unprotect(self, key: str, item: Object, finalizer: str) -> None:
        """Takes a finalizer off an object that is being deleted; the last one's end is the object's."""
        finalizers = item["metadata"].get("finalizers") or []
        if finalizer not in finalizers:
            return
        finalizers.remove(finalizer)
        if finalizers:
            self.store.put(key, item)
        else:
            self.store.remove(key, item)

    def _match(self, claim: Object) -> Object | None:
        """The smallest volume that fits (pvutil.FindMatchingVolume)."""
        spec, fitting = claim["spec"], []
        for volume in self.store.select(VOLUMES):
            held = volume["spec"].get("claimRef")
            ours = held is not None and (held.get("namespace"), held["name"]) == (
                claim["metadata"]["namespace"],
                claim["metadata"]["name"],
            )
            if held is not None and (not ours or held.get("uid", claim["metadata"]["uid"]) != claim["metadata"]["uid"]):
                continue
            if volume["metadata"].get("deletionTimestamp") or _storage(volume) < _storage(claim):
                continue
            if (volume["spec"].get("storageClassName") or "") != (spec.get("storageClassName") or ""):
                continue
            if not set(spec.get("accessModes") or ()) <= set(volume["spec"].get("accessModes") or ()):
                continue
            if volume["spec"].get("volumeMode", "Filesystem") != spec.get("volumeMode", "Filesystem"):
                continue
            selector = spec.get("selector")
            if selector and not matches_labels(selector, volume["metadata"].get("labels") or {}):
                continue
            fitting.append((not ours, _storage(volume), volume["metadata"]["name"], volume))
        return min(fitting, key=lambda entry: entry[:3])[3] if fitting else None

    def _bind(self, claim: Object, volume: Object) -> None:
        metadata = claim["metadata"]
        if (volume["spec"].get("claimRef") or {}).get("uid") != metadata["uid"]:
            volume["spec"]["claimRef"] = _reference(claim)
            if "pv.kubernetes.io/provisioned-by" not in (volume["metadata"].get("annotations") or {}):
                annotations = volume["metadata"].setdefault("annotations", {})
                annotations["pv.kubernetes.io/bound-by-controller"] = "yes"
        volume["status"] = _in_phase(volume, "Bound")
        self.store.put(VOLUMES, volume)
        claim["spec"]["volumeName"] = volume["metadata"]["name"]
        metadata.setdefault("annotations", {}).update(_BY_CONTROLLER)
        self._settle(claim, volume)

    def _settle(self, claim: Object, volume: Object) -> None:
        spec = volume["spec"]
        capacity = {"storage": (spec.get("capacity") or {}).get("storage", "0")}
        claim["status"] = {"phase": "Bound", "accessModes": spec.get("accessModes") or [], "capacity": capacity}
        self.store.put(CLAIMS, claim)

    def _bound(self, claim: Object) -> float | None:
        """A claim that names its volume."""
        volume = self.store.get(VOLUMES, "", claim["spec"]["volumeName"])
        phase = (claim.get("status") or {}).get("phase")
        if volume is None:
            if phase == "Bound":
                self.put_status(CLAIMS, claim, {"phase": "Lost"})
                self.events.warning(
                    claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
                )
            return None
        held = volume["spec"].get("claimRef") or {}
        if held.get("uid") not in (None, claim["metadata"]["uid"]):
            return None
        if phase != "Bound":
            self._bind(claim, volume)
        elif _storage(claim) > _storage(volume) and self._expandable(claim):
            volume["spec"]["capacity"]["storage"] = claim["spec"]["resources"]["requests"]["storage"]
            self._settle(claim, self.store.put(VOLUMES, volume))
        return None

    def _expandable(self, claim: Object) -> bool:
        kind = self.store.get(STORAGE_CLASSES, "", claim["spec"].get("storageClassName") or "")
        return bool(kind and kind.get("allowVolumeExpansion"))

    def _provision(self, claim: Object, kind: Object | None) -> float | None:
        if kind is None:
            named = claim["spec"].get("storageClassName")
            if named:
                told = f'storageclass.storage.k8s.io "{named}" not found'
                self.events.warning(claim, "ProvisioningFailed", told)
            else:
                told = "no persistent volumes available for this claim and no storage class is set"
                self.events.normal(claim, "FailedBinding", told)
            return 15.0
        if kind["provisioner"] != PROVISIONER:
            told = f"Waiting for a volume to be created either by the external provisioner '{kind['provisioner']}' or "
            told += "manually by the system administrator. If volume creation is delayed, please verify that the "
            told += "provisioner is running and correctly registered."
            if kind["provisioner"] == "kubernetes.io/no-provisioner":
                told = "no persistent volumes available for this claim and no storage class is set"
                self.events.normal(claim, "FailedBinding", told)
            else:
                self.events.normal(claim, "ExternalProvisioning", told)
            return 15.0
        metadata, spec, name = claim["metadata"], claim["spec"], f"pvc-{claim['metadata']['uid']}"
        told = f'External provisioner is provisioning volume for claim "{metadata["namespace"]}/{metadata["name"]}"'
        self.events.normal(claim, "Provisioning", told)
        body: Object = {
            "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
            "spec": {
                "accessModes": spec.get("accessModes") or ["ReadWriteOnce"],
                "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                "claimRef": _reference(claim),
                "hostPath": {"path": f"/var/lib/simulated/{name}", "type": ""},
                "persistentVolumeReclaimPolicy": kind.get("reclaimPolicy", "Delete"),
                "storageClassName": kind["metadata"]["name"],
                "volumeMode": spec.get("volumeMode", "Filesystem"),
            },
        }
        volume = self.store.get(VOLUMES, "", name) or self.create(VOLUMES, "", body)
        self.events.normal(claim, "ProvisioningSucceeded", f"Successfully provisioned volume {name}")
        fresh = self.store.get(CLAIMS, metadata["namespace"], metadata["name"])
        if fresh is not None:
            annotations = fresh["metadata"].setdefault("annotations", {})
            for prefix in ("", "beta."):
                annotations[f"volume.{prefix}kubernetes.io/storage-provisioner"] = PROVISIONER
            self._bind(fresh, volume)
        return None

    def _release(self, namespace: str, name: str) -> None:
        for volume in list(self.store.select(VOLUMES)):
            held = volume["spec"].get("claimRef")
            if held and (held.get("namespace"), held["name"]) == (namespace, name) and held.get("uid"):
                self._reclaim(volume)

    def _reclaim(self, volume: Object) -> None:
        """What becomes of a volume whose claim is gone."""
        policy = volume["spec"].get("persistentVolumeReclaimPolicy", "Retain")
        self.put_status(VOLUMES, volume, _in_phase(volume, "Released"))
        fresh = self.store.get(VOLUMES, "", volume["metadata"]["name"])
        if policy == "Delete" and fresh is not None and "hostPath" in fresh["spec"]:
            provisioned = (fresh["metadata"].get("annotations") or {}).get("pv.kubernetes.io/provisioned-by")
            if provisioned == PROVISIONER:
                self.delete(VOLUMES, fresh)
