"""Whom the controllers' writes belong to in metadata.managedFields."""

from __future__ import annotations

from typing import Any

from kubetrace.playground.catalog import Catalog
from kubetrace.playground.managed import Manager, track
from kubetrace.playground.objects import Object
from kubetrace.playground.storage import Store

_PROGRAMS = {
    "kubelet": "kubelet",
    "default-scheduler": "kube-scheduler",
    "apiservice-registration-controller": "kube-apiserver",
    "ipallocator.k8s.io": "kube-apiserver",
    "api-priority-and-fairness-config-consumer-v1": "api-priority-and-fairness-config-consumer-v1",
}
_MANAGER = "kube-controller-manager"


def program_of(component: str) -> str:
    """The program that a component of events is part of."""
    return _PROGRAMS.get(component, _MANAGER)


class AttributedStore:
    """The store, as one program writes to it: each `put` notes what it changed as that program's. Objects that nobody
    manages stay without managers. (The deployment controller annotates through the status subresource.)"""

    def __init__(self, store: Store, catalog: Catalog, program: str) -> None:
        self._store, self._catalog, self._program = store, catalog, program

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put(self, key: str, item: Object) -> Object:
        metadata, resource = item["metadata"], self._catalog.preferred(key)
        old = self._store.get(key, metadata.get("namespace", ""), metadata["name"])
        if old is not None and resource is not None and old["metadata"].get("managedFields"):
            entries = metadata.get("managedFields") or old["metadata"]["managedFields"]
            changed = _content(item) != _content(old)
            marked = changed and key == "deployments.apps"
            if marked or item.get("status") != old.get("status"):
                manager = Manager(self._program, subresource="status")
                track(resource, old, item, manager, entries)
                entries = metadata.get("managedFields") or []
            if changed and not marked:
                track(resource, old, item, Manager(self._program), entries)
        elif old is None and resource is not None:
            track(resource, None, item, Manager(self._program))
        return self._store.put(key, item)


def _content(item: Object) -> Object:
    metadata = item["metadata"]
    told = {name: metadata.get(name) or None for name in ("labels", "annotations", "finalizers", "ownerReferences")}
    return {name: value for name, value in item.items() if name not in ("metadata", "status")} | told
