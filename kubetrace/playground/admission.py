"""Admission: what plugins add to new objects after defaults, and what they refuse (plugin/pkg/admission)."""

from __future__ import annotations

from kubetrace.playground import budgets, limits, service_accounts
from kubetrace.playground.access import User
from kubetrace.playground.catalog import Resource
from kubetrace.playground.defaults import quality_of_service
from kubetrace.playground.objects import Object
from kubetrace.playground.status import forbidden
from kubetrace.playground.storage import Store

STORAGE_CLASSES = "storageclasses.storage.k8s.io"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def mutate(store: Store, resource: Resource, item: Object, user: User | None) -> None:
    """What plugins add to a new object; it belongs to no field manager. Raises 403 as the plugin says that refuses it.

    `user` is who creates it, None for the playground's own controllers.
    """
    if resource.key == "persistentvolumeclaims":
        _default_class(store, item)
        _protect(item, "kubernetes.io/pvc-protection")
    if resource.key == "persistentvolumes":
        _protect(item, "kubernetes.io/pv-protection")
    if resource.key == "certificatesigningrequests.certificates.k8s.io":
        _requestor(item, user)
    if resource.key == "pods":
        _priority(store, resource, item)
        service_accounts.admit(store, item)
        _tolerations(item["spec"])
    limits.admit(store, resource, item)
    if resource.key == "pods":
        item.setdefault("status", {})["qosClass"] = quality_of_service(item["spec"])


def check(store: Store, resource: Resource, item: Object) -> None:
    """Raises 403 where a new object has no room."""
    budgets.admit(store, resource, item)


def _default_class(store: Store, claim: Object) -> None:
    """DefaultStorageClass."""
    if claim["spec"].get("storageClassName") is not None:
        return
    kinds = [
        kind
        for kind in store.select(STORAGE_CLASSES)
        if (kind["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true"
    ]
    if kinds:
        newest = max(kinds, key=lambda kind: (kind["metadata"]["creationTimestamp"], kind["metadata"]["name"]))
        claim["spec"]["storageClassName"] = newest["metadata"]["name"]


def _priority(store: Store, resource: Resource, pod: Object) -> None:
    """Priority: the class's number stands in the pod."""
    name = pod["spec"].get("priorityClassName")
    key = "priorityclasses.scheduling.k8s.io"
    if name:
        found = store.get(key, "", name)
        if found is None:
            why = f"no PriorityClass with name {name} was found"
            raise forbidden(resource.name, resource.group, pod["metadata"].get("name", ""), why)
    else:
        found = next((kind for kind in store.select(key) if kind.get("globalDefault")), None)
    spec = pod["spec"]
    if found is not None:
        spec["priorityClassName"] = found["metadata"]["name"]
    spec["priority"] = (found or {}).get("value", 0)
    spec.setdefault("preemptionPolicy", (found or {}).get("preemptionPolicy", "PreemptLowerPriority"))


def _protect(item: Object, finalizer: str) -> None:
    finalizers = item["metadata"].setdefault("finalizers", [])
    if finalizer not in finalizers:
        finalizers.append(finalizer)


def _tolerations(spec: Object) -> None:
    tolerations = spec.get("tolerations") or []
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(_tolerates(entry, key) for entry in tolerations):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
    spec["tolerations"] = tolerations


def _tolerates(entry: Object, key: str) -> bool:
    return entry.get("key") in (key, None, "") and entry.get("effect") in ("NoExecute", None, "")


def _requestor(item: Object, user: User | None) -> None:
    spec = item.setdefault("spec", {})
    for name in ("username", "uid", "groups", "extra"):
        spec.pop(name, None)
    if user is not None:
        spec["username"], spec["groups"] = user.name, list(user.groups)
        if user.uid:
            spec["uid"] = user.uid
        if user.extra:
            spec["extra"] = user.extra
