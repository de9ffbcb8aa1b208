"""What is filled in or refused when an object is created, after defaults and before it is stored."""

from __future__ import annotations

from kubetrace.playground import budgets, limits
from kubetrace.playground.catalog import Resource
from kubetrace.playground.objects import Object
from kubetrace.playground.status import forbidden
from kubetrace.playground.storage import Store

STORAGE_CLASSES = "storageclasses.storage.k8s.io"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def admit(store: Store, resource: Resource, item: Object) -> None:
    """Raises 403 as the plugin says that refuses it."""
    if resource.key == "persistentvolumeclaims":
        _default_class(store, item)
    if resource.key == "pods":
        _priority(store, resource, item)
    limits.admit(store, resource, item)
    if resource.key == "pods":
        from kubetrace.playground.defaults import quality_of_service

        item.setdefault("status", {})["qosClass"] = quality_of_service(item["spec"])
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
    if found is not None:
        pod["spec"]["priorityClassName"] = found["metadata"]["name"]
        pod["spec"]["priority"] = found["value"]
        pod["spec"]["preemptionPolicy"] = found.get("preemptionPolicy", "PreemptLowerPriority")
