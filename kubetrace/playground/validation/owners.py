"""Owner references (apimachinery api/validation/objectmeta.go)."""

from __future__ import annotations

from collections.abc import Sequence

from kubetrace.playground.validation.causes import Cause, Object, bad

_AT = "metadata.ownerReferences"
_ORDER = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")


def owners(references: Sequence[Object]) -> list[Cause]:
    causes: list[Cause] = []
    controller = ""
    shown = [{name: each[name] for name in _ORDER if name in each} for each in references]
    for reference, plain in zip(references, shown, strict=True):
        version, kind, name = (reference.get(field) or "" for field in ("apiVersion", "kind", "name"))
        if not version or version.count("/") > 1:  # what is no group and version is read as none
            causes.append(bad(f"{_AT}.apiVersion", version, "version must not be empty"))
        for field, value in (("kind", kind), ("name", name), ("uid", reference.get("uid") or "")):
            causes += [] if value else [bad(f"{_AT}.{field}", "", "must not be empty")]
        if (version, kind) == ("v1", "Event"):
            causes.append(bad(_AT, plain, "/v1, Kind=Event is disallowed from being an owner"))
        if not reference.get("controller"):
            continue
        if controller:
            why = 'Only one reference can have Controller set to true. Found "true" in references for '
            causes.append(bad(_AT, shown, f"{why}{controller} and {kind}/{name}"))
        controller = controller or f"{kind}/{name}"
    return causes
