"""What an update of a pod must not change (the ValidatePod…Update functions of pkg/apis/core/validation)."""

from __future__ import annotations

from kubetrace.playground.pod_defaults import quality_of_service
from kubetrace.playground.validation import pod_annotations
from kubetrace.playground.validation.causes import Cause, Object, bad, forbidden
from kubetrace.playground.validation.internal import difference, internal

_WORDS = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_KINDS = ("containers", "initContainers")


def pod(old: Object, new: Object) -> list[Cause]:
    before, after = old["spec"], new["spec"]
    found = [each["metadata"].get("annotations") or {} for each in (old, new)]
    causes = pod_annotations.changed(found[0], found[1], after)
    for kind in _KINDS:
        if len(before.get(kind) or ()) != len(after.get(kind) or ()):
            return [*causes, forbidden(f"spec.{kind}", "pod updates may not add or remove containers")]
    wrong = _deadline(before.get("activeDeadlineSeconds"), after.get("activeDeadlineSeconds"))
    causes += wrong
    if wrong and after.get("activeDeadlineSeconds") is not None:
        return causes
    causes += _tolerations(before, after) + _gates(before, after)
    same = _with_loose_fields_of(before, after)
    if before.get("schedulingGates"):
        causes += _placement(before, same)
    if same != before:
        causes.append(forbidden("spec", f"{_WORDS}\n{difference('core.PodSpec', before, same)}"))
    return causes


def ephemeral(old: Object, new: Object) -> list[Cause]:
    """Ephemeral containers come and stay as they are."""
    found = {entry.get("name"): entry for entry in new["spec"].get("ephemeralContainers") or ()}
    causes = []
    for entry in old["spec"].get("ephemeralContainers") or ():
        name = entry.get("name")
        if name not in found:
            why = f'existing ephemeral containers "{name}" may not be removed\n'
        elif found[name] != entry:
            told = difference("core.EphemeralContainer", entry, found[name])
            why = f'existing ephemeral containers "{name}" may not be changed\n{told}'
        else:
            continue
        causes.append(forbidden("spec.ephemeralContainers", why))
    return causes


def resize(old: Object, new: Object) -> list[Cause]:
    before, after = old["spec"], new["spec"]
    causes: list[Cause] = []
    if quality_of_service(before) != quality_of_service(after):
        shown = (old.get("status") or {}).get("qosClass") or quality_of_service(before)
        causes.append(bad("spec", shown, "Pod QOS Class may not change as a result of resizing"))
    moved = [cause for kind in _KINDS for cause in _order(kind, before.get(kind) or [], after.get(kind) or [])]
    if moved:
        return causes + moved
    for kind in _KINDS:
        for index, (was, is_) in enumerate(zip(before.get(kind) or (), after.get(kind) or (), strict=True)):
            causes += _resources(
                f"spec.{kind}[{index}].resources", was.get("resources") or {}, is_.get("resources") or {}
            )
    return causes


def _order(kind: str, before: list[Object], after: list[Object]) -> list[Cause]:
    at, what = f"spec.{kind}", "containers" if kind == "containers" else "initContainers"
    if len(before) != len(after):
        return [forbidden(at, f"{what} may not be added or removed on resize")]
    pairs = enumerate(zip(before, after, strict=True))
    why = f"{what} may not be renamed or reordered on resize"
    return [forbidden(f"{at}[{index}].name", why) for index, (was, is_) in pairs if was["name"] != is_["name"]]


def _resources(at: str, before: Object, after: Object) -> list[Cause]:
    causes = []
    for part in ("requests", "limits"):
        was, is_ = before.get(part) or {}, after.get(part) or {}
        if was.keys() - is_.keys():
            causes.append(forbidden(f"{at}.{part}", f"resource {part} cannot be removed"))
    fixed = ("cpu", "memory")
    parts = [{k: v for k, v in (each.get(part) or {}).items() if k not in fixed}
             for each in (before, after) for part in ("requests", "limits")]  # fmt: skip
    if parts[:2] != parts[2:]:
        causes.append(forbidden("spec", "only cpu and memory resources are mutable"))
    return causes


def _deadline(before: int | None, after: int | None) -> list[Cause]:
    at = "spec.activeDeadlineSeconds"
    if before is not None and after is None:
        return [bad(at, None, "must not update from a positive integer to nil value")]
    if before is not None and after is not None and after > before:
        return [bad(at, after, "must be less than or equal to previous value")]
    return []


def _tolerations(before: Object, after: Object) -> list[Cause]:
    def without_seconds(toleration: Object) -> Object:
        return {name: value for name, value in toleration.items() if name != "tolerationSeconds"}

    kept = [without_seconds(entry) for entry in after.get("tolerations") or ()]
    if all(without_seconds(entry) in kept for entry in before.get("tolerations") or ()):
        return []
    why = "existing toleration can not be modified except its tolerationSeconds"
    return [forbidden("spec.tolerations", why)]


def _gates(before: Object, after: Object) -> list[Cause]:
    known = [entry.get("name") for entry in before.get("schedulingGates") or ()]
    return [
        forbidden(
            f"spec.schedulingGates[{index}].name",
            f"only deletion is allowed, but found new scheduling gate '{entry.get('name')}'",
        )
        for index, entry in enumerate(after.get("schedulingGates") or ())
        if entry.get("name") not in known
    ]


def _with_loose_fields_of(before: Object, after: Object) -> Object:
    """The new spec, with the old one's values of what may change."""
    same = dict(after)
    loose = ["activeDeadlineSeconds", "schedulingGates", "tolerations"]
    if (before.get("terminationGracePeriodSeconds") or 0) < 0 and after.get("terminationGracePeriodSeconds") == 1:
        loose.append("terminationGracePeriodSeconds")
    for name in loose:
        same.pop(name, None)
        if name in before:
            same[name] = before[name]
    for kind in _KINDS:
        if kind in after:
            pairs = zip(before.get(kind) or (), after[kind] or (), strict=True)
            same[kind] = [is_ | {"image": was.get("image", "")} for was, is_ in pairs]
    return same


def _placement(before: Object, same: Object) -> list[Cause]:
    """While a pod is gated, it may be told more closely where it may run; `same` then has what there was before."""
    causes: list[Cause] = []
    was, is_ = before.get("nodeSelector") or {}, same.get("nodeSelector") or {}
    if any(is_.get(name) != value for name, value in was.items()):
        why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        causes.append(bad("spec.nodeSelector", is_ or None, why))
    _restore(same, before, "nodeSelector")
    affinity = dict(same.get("affinity") or {})
    causes += _affinity((before.get("affinity") or {}).get("nodeAffinity"), affinity.get("nodeAffinity"))
    _restore(affinity, before.get("affinity") or {}, "nodeAffinity")
    same.pop("affinity", None)
    if affinity or "affinity" in before:
        same["affinity"] = affinity
    return causes


def _restore(into: Object, source: Object, name: str) -> None:
    into.pop(name, None)
    if name in source:
        into[name] = source[name]


def _affinity(before: Object | None, after: Object | None) -> list[Cause]:
    at = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    field = "requiredDuringSchedulingIgnoredDuringExecution"
    was, is_ = (((each or {}).get(field) or {}).get("nodeSelectorTerms") or [] for each in (before, after))
    if was and len(was) != len(is_):
        why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        return [bad(at, internal("core.NodeSelectorTerm", is_) or None, why)]
    why = "only additions are allowed (no mutations or deletions)"
    return [
        bad(f"{at}[{index}]", internal("core.NodeSelectorTerm", new), why)
        for index, (old, new) in enumerate(zip(was, is_, strict=False))
        if not _has_only_additions(old, new)
    ]


def _has_only_additions(old: Object, new: Object) -> bool:
    parts = [(old.get(name) or [], new.get(name) or []) for name in ("matchExpressions", "matchFields")]
    if not any(was for was, _ in parts):
        return not any(is_ for _, is_ in parts)
    return all(is_[: len(was)] == was for was, is_ in parts)
