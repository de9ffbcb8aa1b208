"""What a deletion asks for, and what it leaves on an object that stays a while (apiserver registry/rest/delete.go)."""

from __future__ import annotations

import datetime

from kubetrace.playground import status
from kubetrace.playground.catalog import Resource
from kubetrace.playground.objects import Object, moment, now
from kubetrace.playground.pods import is_done

NAMESPACES, DEFINITIONS = "namespaces", "customresourcedefinitions.apiextensions.k8s.io"
EVENTS = ("events", "events.events.k8s.io")
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""Holds a CustomResourceDefinition until its objects are gone."""
_ORPHANING = {"replicationcontrollers", "jobs.batch"}
"""Whose dependents stay where a deletion does not say how (DefaultGarbageCollectionPolicy of their strategies)."""


def finalizers(resource: Resource, metadata: Object, policy: str | None) -> list[str]:
    """An object's finalizers in its deletion: the policy decides, then those it has, then its kind's habit."""
    given = list(metadata.get("finalizers") or ())
    if resource.key in EVENTS:  # whose dependents nobody collects
        return [name for name in given if name not in (FOREGROUND, ORPHAN)]
    foreground = policy == "Foreground" if policy else FOREGROUND in given
    orphan = policy == "Orphan" if policy else ORPHAN in given or (not foreground and resource.key in _ORPHANING)
    kept = [name for name in given if name not in (FOREGROUND, ORPHAN)]
    return [*kept, *([ORPHAN] if orphan else []), *([FOREGROUND] if foreground else [])]


def begin(resource: Resource, item: Object, options: Object) -> bool:
    """Marks an object as its deletion leaves it. Whether nothing holds it any more."""
    metadata = item["metadata"]
    deleting = bool(metadata.get("deletionTimestamp"))
    if resource.key == DEFINITIONS and not deleting:
        metadata["deletionTimestamp"] = now()
        metadata["finalizers"] = [*(name for name in metadata.get("finalizers") or () if name != CLEANUP), CLEANUP]
        why = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
        terminating(item, "InstanceDeletionPending", why)
        return False
    if resource.key == NAMESPACES and (item["spec"].get("finalizers") or not deleting):
        if not deleting:
            metadata["deletionTimestamp"] = now()
            _hold(resource, metadata, options.get("propagationPolicy"))
            item["status"] = (item.get("status") or {}) | {"phase": "Terminating"}
        return False
    graceful = resource.key == "pods" and (not deleting or bool(metadata.get("deletionGracePeriodSeconds")))
    if graceful and not deleting:
        _mark(metadata, grace_of(item, options))
    elif graceful and not _shorten(metadata, options.get("gracePeriodSeconds")):
        return False
    if _hold(resource, metadata, options.get("propagationPolicy")) and not graceful:
        _mark(metadata, 0)
    return not metadata.get("finalizers") and not metadata.get("deletionGracePeriodSeconds")


def _hold(resource: Resource, metadata: Object, policy: str | None) -> bool:
    """Whether finalizers hold it: its own, and those that the policy asks for."""
    held = finalizers(resource, metadata, policy)
    if held != list(metadata.get("finalizers") or ()):
        metadata["finalizers"] = held
        if not held:
            del metadata["finalizers"]
    return bool(held)


def _mark(metadata: Object, grace: int) -> None:
    """Notes the end that is `grace` seconds away, or one that was noted and is earlier."""
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=grace)
    if metadata.get("deletionTimestamp"):
        end = min(end, moment(metadata["deletionTimestamp"]))
    elif metadata.get("generation"):
        metadata["generation"] += 1
    metadata["deletionTimestamp"] = end.strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata["deletionGracePeriodSeconds"] = grace


def _shorten(metadata: Object, wanted: int | None) -> bool:
    """Brings the end of a pod forward. False where it is no earlier than before."""
    before = metadata["deletionGracePeriodSeconds"]
    if wanted is None or wanted >= before:
        return False
    wanted, soon = 1 if wanted < 0 else wanted, datetime.datetime.now(datetime.UTC)
    end = moment(metadata["deletionTimestamp"]) - datetime.timedelta(seconds=before - wanted)
    if end < soon:
        end, wanted = soon, min(wanted, 1)
    metadata["deletionTimestamp"] = end.strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata["deletionGracePeriodSeconds"] = wanted
    return True


def terminating(item: Object, reason: str, message: str, state: str = "True") -> None:
    """What a definition tells of its deletion (SetCRDCondition)."""
    found = {"type": "Terminating", "status": state, "reason": reason, "message": message}
    before: list[Object] = (item.get("status") or {}).get("conditions") or []
    old: Object = next((entry for entry in before if entry["type"] == "Terminating"), {})
    since: str = old.get("lastTransitionTime", "") if old.get("status") == state else ""
    found["lastTransitionTime"] = since or now()
    kept = [entry for entry in before if entry["type"] != "Terminating"]
    item["status"] = (item.get("status") or {}) | {"conditions": [*kept, found]}


def may_go(key: str, item: Object) -> bool:
    """Whether an object whose last finalizer was taken goes with that (ShouldDeleteDuringUpdate)."""
    metadata = item["metadata"]
    held = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
    held = held or (key == NAMESPACES and item["spec"].get("finalizers"))
    return bool(metadata.get("deletionTimestamp")) and not held


def check_preconditions(resource: Resource, metadata: Object, wanted: Object) -> None:
    for name, title, what in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        if not wanted.get(name) or wanted[name] == metadata[name]:
            continue
        if resource.key in (NAMESPACES, DEFINITIONS):
            why = f"Precondition failed: {title} in precondition: {wanted[name]}, {title} in object meta: "
            raise status.conflict(resource.name, resource.group, metadata["name"], why + metadata[name])
        why = f"the {title} in the precondition ({wanted[name]}) does not match the {title} in record "
        why += f"({metadata[name]}). The object might have been {what}"
        group = resource.key.partition(".")[2]  # an event is the core's, wherever it is asked for
        raise status.conflict(resource.kind, group, metadata["name"], why)


def grace_of(item: Object, options: Object) -> int:
    """The seconds that a pod has for its end."""
    spec = item["spec"]
    wanted = options.get("gracePeriodSeconds")
    if wanted is None:
        wanted = spec.get("terminationGracePeriodSeconds", 30)
    if not spec.get("nodeName") or is_done(item):
        return 0
    return 1 if wanted < 0 else int(wanted)
