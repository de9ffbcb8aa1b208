"""What follows a deletion: dependents of owners that are gone, finalizers that wait for them."""

from __future__ import annotations

import copy

from kubetrace.playground.deletion import FOREGROUND, ORPHAN, may_go
from kubetrace.playground.objects import Object
from kubetrace.playground.storage import Change
from kubetrace.playground.verbs import Verbs
from kubetrace.playground.write import Write


class Garbage:
    def __init__(self, verbs: Verbs) -> None:
        self._verbs = verbs
        self._store = verbs.store

    def changed(self, change: Change) -> None:
        metadata = change.object["metadata"]
        if change.kind == "DELETED":
            if change.resource not in ("events", "endpoints", "endpointslices.discovery.k8s.io"):
                for resource, item in self._dependents(metadata["uid"]):
                    self._release_or_delete(resource, item, metadata["uid"])
            if change.resource == "customresourcedefinitions.apiextensions.k8s.io":
                for item in list(self._store.select(metadata["name"])):
                    self._store.remove(metadata["name"], item)
            for owner in metadata.get("ownerReferences") or ():
                self._owner_may_go(owner, metadata.get("namespace", ""))
        elif change.kind == "ADDED" and metadata.get("ownerReferences"):
            self._absent_owners(change.resource, change.object)
        elif metadata.get("deletionTimestamp"):
            if change.before is None or not change.before["metadata"].get("deletionTimestamp"):
                for owner in metadata.get("ownerReferences") or ():
                    self._owner_may_go(owner, metadata.get("namespace", ""))
            self._finalize(change.resource, change.object)
        elif metadata.get("ownerReferences") != (change.before or change.object)["metadata"].get("ownerReferences"):
            self._absent_owners(change.resource, change.object)

    def _absent_owners(self, key: str, item: Object) -> None:
        """An object whose owners are all gone goes, too."""
        owners = item["metadata"].get("ownerReferences") or ()
        known = all(self._verbs.catalog.by_kind(owner["apiVersion"], owner["kind"]) for owner in owners)
        if owners and known and not any(self._exists(owner, item) for owner in owners):
            self._release_or_delete(key, item, "")

    def _dependents(self, uid: str) -> list[tuple[str, Object]]:
        return self._store.dependents(uid)

    def _release_or_delete(self, key: str, item: Object, uid: str, waits: bool = False) -> None:
        """A dependent of `uid` loses that owner, or goes where it has no other. An owner that waits for it waits for
        its dependents, too (attemptToDeleteItem in pkg/controller/garbagecollector/garbagecollector.go)."""
        owners = [owner for owner in item["metadata"]["ownerReferences"] if owner.get("uid") != uid]
        if any(self._exists(owner, item) for owner in owners):
            fresh = copy.deepcopy(item)
            fresh["metadata"]["ownerReferences"] = owners
            self._store.put(key, fresh)
            return
        resource = self._verbs.catalog.preferred(key)
        if resource is not None and not item["metadata"].get("deletionTimestamp"):
            metadata = item["metadata"]
            dependents = self._dependents(metadata["uid"]) if waits else []
            given = metadata.get("finalizers") or ()
            policy = "Orphan" if ORPHAN in given else "Foreground" if FOREGROUND in given else "Background"
            if any(_is_waiting(dependent) for _, dependent in dependents):  # in a circle nobody waits
                self._store.put(key, _unblocking(item))
            write, options = Write(), {"propagationPolicy": "Foreground" if dependents else policy}
            with self._verbs.webhooks.answering(write.asked):
                self._verbs.delete(resource, metadata.get("namespace", ""), metadata["name"], options, write)

    def _exists(self, owner: Object, item: Object) -> bool:
        resource = self._verbs.catalog.by_kind(owner["apiVersion"], owner["kind"])
        if resource is None:
            return False
        place = item["metadata"].get("namespace", "") if resource.namespaced else ""
        found = self._store.get(resource.key, place, owner["name"])
        return found is not None and found["metadata"]["uid"] == owner["uid"]

    def _finalize(self, key: str, item: Object) -> None:
        found = self._store.get(key, item["metadata"].get("namespace", ""), item["metadata"]["name"])
        if found is None:
            return
        metadata = found["metadata"]
        finalizers = list(metadata.get("finalizers") or ())
        dependents = self._dependents(metadata["uid"]) if {ORPHAN, FOREGROUND} & set(finalizers) else []
        if ORPHAN in finalizers:
            for dependent_key, dependent in dependents:
                fresh = copy.deepcopy(dependent)
                owners = [o for o in fresh["metadata"]["ownerReferences"] if o.get("uid") != metadata["uid"]]
                fresh["metadata"]["ownerReferences"] = owners
                if not owners:
                    del fresh["metadata"]["ownerReferences"]
                self._store.put(dependent_key, fresh)
            finalizers.remove(ORPHAN)
        elif FOREGROUND in finalizers:
            for dependent_key, dependent in dependents:
                self._release_or_delete(dependent_key, dependent, metadata["uid"], waits=True)
            if not any(_blocks(item, metadata["uid"]) for _, item in self._dependents(metadata["uid"])):
                finalizers.remove(FOREGROUND)
        if finalizers != list(metadata.get("finalizers") or ()):
            self._set_finalizers(key, found, finalizers)

    def _set_finalizers(self, key: str, item: Object, finalizers: list[str]) -> None:
        fresh = copy.deepcopy(item)
        fresh["metadata"]["finalizers"] = finalizers
        if not finalizers:
            del fresh["metadata"]["finalizers"]
        if may_go(key, fresh):
            self._store.remove(key, fresh)
        else:
            self._store.put(key, fresh)

    def _owner_may_go(self, owner: Object, namespace: str) -> None:
        resource = self._verbs.catalog.by_kind(owner["apiVersion"], owner["kind"])
        if resource is None:
            return
        found = self._store.get(resource.key, namespace if resource.namespaced else "", owner["name"])
        if found is not None and found["metadata"].get("deletionTimestamp"):
            self._finalize(resource.key, found)


def _blocks(item: Object, uid: str) -> bool:
    """Whether a dependent holds up the foreground deletion of its owner."""
    return any(o.get("uid") == uid and o.get("blockOwnerDeletion") for o in item["metadata"]["ownerReferences"])


def _is_waiting(item: Object) -> bool:
    """Whether its deletion waits for dependents."""
    metadata = item["metadata"]
    return bool(metadata.get("deletionTimestamp")) and FOREGROUND in (metadata.get("finalizers") or ())


def _unblocking(item: Object) -> Object:
    """`item` so that it holds up no owner."""
    fresh = copy.deepcopy(item)
    for owner in fresh["metadata"]["ownerReferences"]:
        if owner.get("blockOwnerDeletion"):
            owner["blockOwnerDeletion"] = False
    return fresh
