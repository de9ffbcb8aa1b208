"""What a deletion asks for, and what it leaves on an object that stays a while (apiserver registry/rest/delete.go)."""

from __future__ import annotations

import datetime

from kubetrace.playground import status
from kubetrace.playground.catalog import Resource
from kubetrace.playground.objects import Object, moment
from kubetrace.playground.pods import is_done

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
_ORPHANING = {"replicationcontrollers", "jobs.batch"}
"""Whose dependents stay where a deletion does not say how (DefaultGarbageCollectionPolicy of their strategies)."""


def finalizers(resource: Resource, metadata: Object, policy: str | None) -> list[str]:
    """An object's finalizers in its deletion: the policy decides, then those it has, then its kind's habit."""
    given = list(metadata.get("finalizers") or ())
    foreground = policy == "Foreground" if policy else FOREGROUND in given
    orphan = policy == "Orphan" if policy else ORPHAN in given or (not foreground and resource.key in _ORPHANING)
    kept = [name for name in given if name not in (FOREGROUND, ORPHAN)]
    return [*kept, *([ORPHAN] if orphan else []), *([FOREGROUND] if foreground else [])]


def mark(item: Object, grace: int) -> None:
    metadata = item["metadata"]
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=grace)
    if "deletionTimestamp" in metadata:
        end = min(end, moment(metadata["deletionTimestamp"]))
        grace = min(grace, metadata.get("deletionGracePeriodSeconds") or 0)
    metadata["deletionTimestamp"] = end.strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata["deletionGracePeriodSeconds"] = grace
    if "generation" in metadata:
        metadata["generation"] += 1


def check_marks(resource: Resource, before: Object, metadata: Object) -> None:
    """Raises 422 where an update would begin a deletion."""
    if before.get("deletionTimestamp"):
        return
    causes = []
    for name in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        value = metadata.get(name)
        if value is not None:
            shown = f'"{value}"' if isinstance(value, str) else value
            causes.append((f"metadata.{name}", "FieldValueInvalid", f"Invalid value: {shown}: field is immutable"))
    if causes:  # it looks twice
        raise status.invalid(resource.kind, resource.group, before["name"], causes * 2)


def check_preconditions(resource: Resource, metadata: Object, wanted: Object) -> None:
    for name, title, what in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        if wanted.get(name) and wanted[name] != metadata[name]:
            why = f"the {title} in the precondition ({wanted[name]}) does not match the {title} in record "
            why += f"({metadata[name]}). The object might have been {what}"
            raise status.conflict(resource.kind, resource.group, metadata["name"], why)


def grace_of(resource: Resource, item: Object, options: Object) -> int:
    if resource.key != "pods":
        return 0
    spec = item["spec"]
    running = spec.get("nodeName") and not is_done(item)
    wanted = options.get("gracePeriodSeconds")
    if wanted is None:
        wanted = spec.get("terminationGracePeriodSeconds", 30)
    return int(wanted) if running else 0
