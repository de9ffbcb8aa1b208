"""What controllers share: owned objects, adoption, statuses, and pods made from templates."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable
from typing import cast

from kubetrace.playground.controllers.attribution import AttributedStore, program_of
from kubetrace.playground.events import Recorder
from kubetrace.playground.objects import Object, moment, now
from kubetrace.playground.pods import is_done
from kubetrace.playground.selectors import matches_labels
from kubetrace.playground.status import ApiError
from kubetrace.playground.storage import Store
from kubetrace.playground.verbs import Verbs
from kubetrace.playground.write import Write

Enqueue = Callable[[str, str, str], None]
"""Takes resource key, namespace and name."""


def controller_of(item: Object) -> Object | None:
    return next((o for o in item["metadata"].get("ownerReferences") or () if o.get("controller")), None)


def owner_reference(owner: Object) -> Object:
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
    return reference | {"uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}


def ready_since(pod: Object) -> str:
    """When a pod became ready, "" where it is not."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((c["lastTransitionTime"] for c in conditions if c["type"] == "Ready" and c["status"] == "True"), "")


def is_available(pod: Object, seconds: int) -> bool:
    """Ready for at least minReadySeconds (pkg/api/v1/pod)."""
    since = ready_since(pod)
    return bool(since) and (not seconds or age_of(since) >= seconds)


def age_of(time: str) -> float:
    """Seconds since an RFC 3339 time."""
    return (datetime.datetime.now(datetime.UTC) - moment(time)).total_seconds()


def is_active(pod: Object) -> bool:
    return not pod["metadata"].get("deletionTimestamp") and not is_done(pod)


class Controller:
    """The common ground of one controller; `component` is the name that its events carry."""

    component = "controller"
    asks = True
    """Whether webhooks are asked about its updates. Not where it has done by then what it must not do twice: started
    containers, counted pods."""

    def __init__(self, verbs: Verbs) -> None:
        self.verbs = verbs
        self.program = program_of(self.component)
        self.store = cast(Store, AttributedStore(verbs, self.program, self.asks))
        self.events = Recorder(verbs.store, self.component)

    def read(self, key: str, namespace: str, name: str) -> Object | None:
        """An object that is there and not on its way out."""
        item = self.store.get(key, namespace, name)
        return None if item is None or item["metadata"].get("deletionTimestamp") else item

    def owned(self, key: str, owner: Object) -> list[Object]:
        uid = owner["metadata"]["uid"]
        found = (item for resource, item in self.store.dependents(uid) if resource == key)
        return [item for item in found if (c := controller_of(item)) is not None and c["uid"] == uid]

    def claimed_pods(self, owner: Object) -> list[Object]:
        """The pods of an owner, after taking in those without a controller that its selector matches."""
        selector = owner["spec"].get("selector")
        plain = selector if selector and not {"matchLabels", "matchExpressions"} & set(selector) else None
        wanted = {"matchLabels": plain} if plain else selector
        if not wanted:
            return self.owned("pods", owner)
        for pod in self.store.select("pods", owner["metadata"]["namespace"]):
            labels, metadata = pod["metadata"].get("labels") or {}, pod["metadata"]
            controller = controller_of(pod)
            matches = matches_labels(wanted, labels)
            if controller is None and matches and is_active(pod):
                metadata.setdefault("ownerReferences", []).append(owner_reference(owner))
                self.store.put("pods", pod)
            elif controller is not None and controller["uid"] == owner["metadata"]["uid"] and not matches:
                if metadata.get("deletionTimestamp"):
                    continue
                metadata["ownerReferences"] = [
                    entry for entry in metadata["ownerReferences"] if entry["uid"] != controller["uid"]
                ]
                if not metadata["ownerReferences"]:
                    del metadata["ownerReferences"]
                self.store.put("pods", pod)
        return self.owned("pods", owner)

    def create(self, key: str, namespace: str, body: Object) -> Object:
        resource = self.verbs.catalog.preferred(key)
        assert resource is not None
        body = {"apiVersion": resource.api_version, "kind": resource.kind} | body
        write = Write(field_validation="Ignore", manager=self.program)
        with self.verbs.webhooks.answering(write.asked):
            return self.verbs.create(resource, namespace, body, write)

    def make_pod(
        self, owner: Object, template: Object, name: str = "", change: Callable[[Object], None] | None = None
    ) -> Object | None:
        """A pod from a template, told of in the owner's events; None where it was refused."""
        template = copy.deepcopy(template)
        kept = ("labels", "annotations", "finalizers")
        metadata = {k: v for k, v in (template.get("metadata") or {}).items() if k in kept}
        metadata.setdefault("labels", {})
        metadata |= {"name": name} if name else {"generateName": _prefix(owner["metadata"]["name"])}
        metadata["ownerReferences"] = [owner_reference(owner)]
        body: Object = {"metadata": metadata, "spec": template.get("spec") or {}}
        if change is not None:
            change(body)
        try:
            pod = self.create("pods", owner["metadata"]["namespace"], body)
        except ApiError as error:
            self.events.warning(owner, "FailedCreate", self.creation_failure(owner, name, error))
            return None
        self.events.normal(owner, "SuccessfulCreate", self.creation_told(owner, pod["metadata"]["name"]))
        return pod

    def creation_told(self, owner: Object, name: str) -> str:
        return f"Created pod: {name}"

    def creation_failure(self, owner: Object, name: str, error: ApiError) -> str:
        return f"Error creating: {error}"

    def delete(self, key: str, item: Object) -> bool:
        """False where it is on its way out already."""
        resource = self.verbs.catalog.preferred(key)
        if resource is None or item["metadata"].get("deletionTimestamp"):
            return False
        metadata = item["metadata"]
        if self.store.get(key, metadata.get("namespace", ""), metadata["name"]) is None:
            return False
        write = Write()
        with self.verbs.webhooks.answering(write.asked):
            self.verbs.delete(
                resource, metadata.get("namespace", ""), metadata["name"], {"propagationPolicy": "Background"}, write
            )
        return True

    def delete_pod(self, owner: Object, pod: Object) -> None:
        try:
            deleted = self.delete("pods", pod)
        except ApiError as error:
            self.events.warning(owner, "FailedDelete", f"Error deleting: {error}")
            raise
        if deleted:
            self.events.normal(owner, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")

    def apply_status(self, key: str, item: Object, status: Object, manager: str) -> None:
        """Applies a part of a status, as `manager`, where it differs."""
        resource, before = self.verbs.catalog.preferred(key), item.get("status") or {}
        if resource is None or before | status == before:
            return
        place, name = item["metadata"].get("namespace", ""), item["metadata"]["name"]
        body: Object = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": name}}
        write = Write(manager=manager)
        self.verbs.apply(resource, place, name, body | {"status": status}, write, force=True, subresource="status")

    def put_status(self, key: str, item: Object, status: Object) -> None:
        """Writes a status where it differs, on the newest state of the object."""
        metadata = item["metadata"]
        fresh = self.store.get(key, metadata.get("namespace", ""), metadata["name"])
        if fresh is not None and fresh["metadata"]["uid"] == metadata["uid"] and status != (fresh.get("status") or {}):
            self.store.put(key, fresh | {"status": status})


def _prefix(name: str) -> str:
    """Of the names of an owner's pods, with a dash where it has room (getPodsPrefix in controller_utils.go)."""
    return f"{name}-" if len(name) < 253 else name


def condition(before: list[Object], kind: str, status: str, reason: str, message: str, updated: bool = False) -> Object:
    """A condition that keeps its lastTransitionTime while its status stays."""
    old: Object = next((entry for entry in before if entry["type"] == kind), {})
    since = old.get("lastTransitionTime") if old.get("status") == status else None
    if since and (old.get("reason", ""), old.get("message", "")) == (reason, message):
        return old
    found = {"type": kind, "status": status} | ({"lastUpdateTime": now()} if updated else {})
    return found | {"lastTransitionTime": since or now(), "reason": reason, "message": message}
