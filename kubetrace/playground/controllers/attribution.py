"""Whose the controllers' writes are: in metadata.managedFields, and to the webhooks that are asked about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.playground.access import User
from kubetrace.playground.catalog import Resource
from kubetrace.playground.managed import Manager, track
from kubetrace.playground.objects import Object
from kubetrace.playground.webhooks import CONTROLLERS
from kubetrace.playground.write import Write

if TYPE_CHECKING:
    from kubetrace.playground.verbs import Verbs

_PROGRAMS = {
    "kubelet": "kubelet",
    "default-scheduler": "kube-scheduler",
    "apiservice-registration-controller": "kube-apiserver",
    "ipallocator.k8s.io": "kube-apiserver",
    "api-priority-and-fairness-config-consumer-v1": "api-priority-and-fairness-config-consumer-v1",
}
_MANAGER = "kube-controller-manager"
_SERVER = User("system:apiserver", ("system:masters", "system:authenticated"))
_USERS = {
    "kube-scheduler": User("system:kube-scheduler", ("system:authenticated",)),
    "kube-apiserver": _SERVER,
    "api-priority-and-fairness-config-consumer-v1": _SERVER,
}


def program_of(component: str) -> str:
    """The program that a component of events is part of."""
    return _PROGRAMS.get(component, _MANAGER)


class AttributedStore:
    """The store, as one program writes to it: each `put` notes what it changed as that program's, and webhooks are
    asked about it where the controller bears to begin anew with their answers (`asks`). Objects that nobody manages
    stay without managers. (The deployment controller annotates through the status subresource.)"""

    def __init__(self, verbs: Verbs, program: str, asks: bool) -> None:
        self._asks = asks
        self._verbs, self._store, self._catalog, self._program = verbs, verbs.store, verbs.catalog, program

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put(self, key: str, item: Object) -> Object:
        """Raises Unasked where a webhook's word is missing, ApiError where one is against it."""
        metadata, resource = item["metadata"], self._catalog.preferred(key)
        old = self._store.get(key, metadata.get("namespace", ""), metadata["name"])
        changed = old is None or _content(item) != _content(old)
        status = old is not None and item.get("status") != old.get("status")
        marked = old is not None and changed and key == "deployments.apps"
        if old is not None and resource is not None and old["metadata"].get("managedFields"):
            entries = metadata.get("managedFields") or old["metadata"]["managedFields"]
            if marked or status:
                track(resource, old, item, Manager(self._program, subresource="status"), entries)
                entries = metadata.get("managedFields") or []
            if changed and not marked:
                track(resource, old, item, Manager(self._program), entries)
        elif old is None and resource is not None:
            track(resource, None, item, Manager(self._program))
        if resource is not None and self._asks and self._verbs.webhooks.are_there:
            parts = [*(("",) if changed and not marked else ()), *(("status",) if status or marked else ())]
            item = self._admitted(resource, item, old, parts)
        return self._store.put(key, item)

    def _admitted(self, resource: Resource, item: Object, old: Object | None, parts: list[str]) -> Object:
        """The object as the webhooks leave it that are asked about each part of the write."""
        write = Write(user=_USERS.get(self._program, CONTROLLERS))
        with self._verbs.webhooks.answering(write.asked):
            for part in parts:
                item = self._verbs.hooked(resource, item, old, write, part)
                self._verbs.webhooks.validate(self._verbs.about(resource, item, old, write, part))
        return item


def _content(item: Object) -> Object:
    metadata = item["metadata"]
    told = {name: metadata.get(name) or None for name in ("labels", "annotations", "finalizers", "ownerReferences")}
    return {name: value for name, value in item.items() if name not in ("metadata", "status")} | told
