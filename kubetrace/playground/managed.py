"""metadata.managedFields, and server-side apply over them (apimachinery util/managedfields, structured-merge-diff)."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from kubetrace.playground import fieldsets, parts
from kubetrace.playground.catalog import Resource
from kubetrace.playground.fieldsets import Path, Shape
from kubetrace.playground.objects import Object, now, type_of
from kubetrace.playground.status import ApiError
from kubetrace.wire.go_struct import is_registered, typed

KUBECTL = "kubectl"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Manager:
    name: str
    operation: str = "Update"
    subresource: str = ""


def shape_of(resource: Resource) -> Shape:
    if resource.custom is not None:
        schema = (resource.custom.get("schema") or {}).get("openAPIV3Schema") or {}
        return Shape(schema=schema)
    return Shape(type=type_of(resource))


def _is(entry: Object, manager: Manager, api_version: str) -> bool:
    known = Manager(entry.get("manager", ""), entry.get("operation", ""), entry.get("subresource", ""))
    return known == manager and (manager.operation == "Apply" or entry.get("apiVersion") == api_version)


def _paths(entry: Object) -> set[Path]:
    return set(fieldsets.paths(entry.get("fieldsV1") or {}))


def _entry(manager: Manager, api_version: str, found: set[Path], time: str) -> Object:
    entry: Object = {"manager": manager.name, "operation": manager.operation, "apiVersion": api_version}
    entry |= {"time": time} if time else {}
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": fieldsets.tree_from(found)}
    return entry | ({"subresource": manager.subresource} if manager.subresource else {})


def _owned(
    entries: list[Object], manager: Manager, api_version: str, own: set[Path], taken: set[Path], touched: bool = True
) -> list[Object]:
    """The entries with one manager's paths set to `own`, and `taken` gone from all others.

    `touched`: whether the object changed, too; else the manager's entry keeps the time that it has, if it has one.
    """
    result, found = [], False
    for entry in entries:
        if _is(entry, manager, api_version):
            found = True
            if own:
                time = now() if touched else entry.get("time", "")
                same = _paths(entry) == own
                result.append(entry if same else _entry(manager, api_version, own, time))
            continue
        kept = _paths(entry) - taken
        if kept == _paths(entry):
            result.append(entry)
        elif kept:
            result.append(entry | {"fieldsV1": fieldsets.tree_from(kept)})
    if own and not found:
        result.append(_entry(manager, api_version, own, now() if touched else ""))
    return sorted(result, key=_order)


def _order(entry: Object) -> tuple[str, ...]:
    """sortEncodedManagedFields: RFC 3339 times in UTC sort as they are."""
    return tuple(entry.get(name) or "" for name in ("operation", "time", "manager", "apiVersion", "subresource"))


def known(resource: Resource, old: Object | None, brought: Any) -> list[Object]:
    """The managers that a write starts from: those that it brings, where they can be read, else those that there are
    (decodeLiveOrNew). None for a kind's version that there is not."""
    if brought is not None and (not brought or (len(brought) == 1 and not any(brought[0].values()))):
        return []  # that is how one gets rid of them
    live = ((old or {}).get("metadata") or {}).get("managedFields") or []
    entries = brought if brought and all(map(_is_readable, brought)) else live
    return [entry for entry in entries if _is_version_of(resource, entry["apiVersion"])]


def _is_readable(entry: Object) -> bool:
    read = entry.get("operation") in ("Apply", "Update") and entry.get("fieldsType") == "FieldsV1"
    return bool(read and entry.get("apiVersion")) and fieldsets.is_tree(entry.get("fieldsV1") or {})


def _is_version_of(resource: Resource, api_version: str) -> bool:
    if resource.custom is not None or api_version == resource.api_version:
        return api_version.rpartition("/")[0] == resource.group
    return is_registered(api_version, resource.kind)


def track(
    resource: Resource,
    old: Object | None,
    new: Object,
    manager: Manager,
    entries: Sequence[Object] = (),
    timed: bool = True,
) -> None:
    """After an ordinary write: what it changed is the writer's, what is gone is nobody's. Changes `new` in place.

    `entries` are the managers until now; `timed`: the writer's entry says when.
    """
    shape, metadata = shape_of(resource), new["metadata"]
    before = old or nothing(resource.api_version, resource.kind)
    entries = list(entries)
    present = set(fieldsets.paths(fieldsets.object_tree(new, shape, dots=True)))
    present = _settable(resource, manager, present)
    whole = {path[:-1] for path in present}
    changed = {path for path in present if _changed(fieldsets.value_at(before, path), new, path, path in whole, shape)}
    known = {path for entry in entries for path in _paths(entry)}
    gone = {path for path in known if _lost(before, new, path)}
    mine = next((_paths(entry) for entry in entries if _is(entry, manager, resource.api_version)), set())
    entries = _owned(entries, manager, resource.api_version, (mine | changed) - gone, changed | gone, timed)
    if entries:
        metadata["managedFields"] = entries
    else:
        metadata.pop("managedFields", None)


def _settable(resource: Resource, manager: Manager, found: set[Path]) -> set[Path]:
    """The fields that a write can be about."""
    reset = parts.reset_fields(resource, manager.subresource)
    return {path for path in found if not any(path[: len(start)] == start for start in reset)}


_AGGREGATED = ("apiextensions.k8s.io/v1", "apiregistration.k8s.io/v1")
_STRUCTS: dict[str, Object] = {
    "APIService": {"metadata": {}, "spec": {}, "status": {}},
    "CustomResourceDefinition": {
        "metadata": {},
        "spec": {"names": {}},
        "status": {"acceptedNames": {}, "conditions": [], "storedVersions": []},
    },
}
"""Kinds of other servers' groups that are Go structs, too."""


@cache
def nothing(api_version: str, kind: str) -> Object:
    """What a new object is compared with: an empty Go struct of its kind. Not to be changed."""
    if is_registered(api_version, kind):
        return typed({"apiVersion": api_version, "kind": kind})
    return _STRUCTS.get(kind if api_version in _AGGREGATED else "", {"metadata": {}})


def _changed(before: Any, new: Object, path: Path, has_parts: bool, shape: Shape) -> bool:
    """What has parts changes by coming into being (compareWalker in structured-merge-diff typed/compare.go)."""
    if fieldsets.missing(before):
        return True
    if has_parts or before == fieldsets.value_at(new, path):
        return False
    emptied = isinstance(before, dict) and fieldsets.value_at(new, path) == {}
    return not (emptied and fieldsets.shape_at(shape, path).kind == "map")


def _lost(before: Object, new: Object, path: Path) -> bool:
    """Was there, and is no longer."""
    return fieldsets.missing(fieldsets.value_at(new, path)) and not fieldsets.missing(fieldsets.value_at(before, path))


def apply(resource: Resource, live: Object | None, applied: Object, manager: Manager, force: bool) -> Object:
    """The object after a server-side apply. Raises 409 with every conflict."""
    shape = shape_of(resource)
    current: Object = copy.deepcopy(live) if live else {"metadata": {"name": applied["metadata"].get("name")}}
    entries = list(current["metadata"].get("managedFields") or ())
    if live is not None and not entries:
        entries = _before_first_apply(resource, live)
    wanted = _settable(resource, manager, set(fieldsets.paths(fieldsets.object_tree(applied, shape))))
    others = [entry for entry in entries if not _is(entry, manager, resource.api_version)]
    conflicts = _conflicts(current, applied, wanted, others, shape)
    if not force and (opposed := _opposed(conflicts, current, manager, resource.api_version, shape)):
        raise _conflict_error(opposed)
    merged: Object = fieldsets.merge(current, {k: v for k, v in applied.items() if k != "metadata"}, shape)
    merged["metadata"] = fieldsets.merge(current["metadata"], _own_metadata(applied), shape.child("metadata"))
    before = next((_paths(entry) for entry in entries if _is(entry, manager, resource.api_version)), set())
    shared = {path for entry in others for path in _paths(entry)}
    for path in sorted(before - wanted, key=len):  # an entry of a list goes with all that is in it
        if path not in shared and not any(other[: len(path)] == path for other in shared | wanted):
            fieldsets.remove_at(merged, path)
    taken = {path for path, _ in conflicts}
    touched = live is None or _unmanaged(merged) != _unmanaged(live)
    merged["metadata"]["managedFields"] = _owned(entries, manager, resource.api_version, wanted, taken, touched)
    return merged


def check_owners(live: Object, path: Path, manager: Manager, api_version: str) -> None:
    """Raises 409 where others than the manager own a field."""
    entries = live["metadata"].get("managedFields") or ()
    conflicts = [(path, e) for e in entries if path in _paths(e) and not _is(e, manager, api_version)]
    if conflicts:
        raise _conflict_error(conflicts)


def _before_first_apply(resource: Resource, live: Object) -> list[Object]:
    """Who owns an object that nobody managed (skipnonapplied.go)."""
    whole = {"metadata": dict(live["metadata"])} | live
    track(resource, None, whole, Manager("before-first-apply"))
    return list(whole["metadata"].pop("managedFields", ()))


def _unmanaged(item: Object) -> Object:
    metadata = {name: value for name, value in item["metadata"].items() if name != "managedFields"}
    return item | {"metadata": metadata}


def renew_last_applied(merged: Object, live: Object, applied: Object) -> None:
    """Keeps the annotation of client-side apply up to date, where it is there (lastappliedupdater.go)."""
    if LAST_APPLIED not in (live["metadata"].get("annotations") or {}):
        return
    told = copy.deepcopy(applied)
    annotations = (told.get("metadata") or {}).get("annotations")
    if annotations:
        annotations.pop(LAST_APPLIED, None)
    text = json.dumps(told, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    merged["metadata"].setdefault("annotations", {})[LAST_APPLIED] = text


def _own_metadata(applied: Object) -> Object:
    return {
        name: value for name, value in applied["metadata"].items() if name not in ("managedFields", "resourceVersion")
    }


def _depth(path: Path) -> tuple[tuple[bool, str], ...]:
    """The order of a fieldpath.Set: what a level has itself, then what is below."""
    return tuple((index < len(path) - 1, name) for index, name in enumerate(path))


def _filled(current: Object, path: Path, wanted: set[Path]) -> bool:
    """Would an apply put something into what somebody owns as empty?"""
    value = fieldsets.value_at(current, path)
    empty = value == {} or fieldsets.missing(value)
    return empty and any(other[: len(path)] == path for other in wanted)


def _conflicts(
    current: Object, applied: Object, wanted: set[Path], others: list[Object], shape: Shape
) -> list[tuple[Path, Object]]:
    found = []
    for entry in others:
        owned = _paths(entry)
        found += [(path, entry) for path in sorted(owned - wanted, key=_depth) if _filled(current, path, wanted)]
        for path in sorted(owned & wanted, key=_depth):
            if path[-1][:2] == "k:":
                continue
            is_, wish = fieldsets.value_at(current, path), fieldsets.value_at(applied, path)
            if wish == {} and isinstance(is_, dict) and fieldsets.shape_at(shape, path).kind == "map":
                continue  # merged into what is there, it changes nothing
            if is_ != wish:
                found.append((path, entry))
    return found


def _opposed(
    conflicts: list[tuple[Path, Object]], live: Object, manager: Manager, api_version: str, shape: Shape
) -> list[tuple[Path, Object]]:
    """The conflicts that count: kubectl may change what its client-side apply has set and nobody has changed since
    (lastappliedmanager.go)."""
    if not conflicts or manager.name != KUBECTL:
        return conflicts
    try:
        last = json.loads((live["metadata"].get("annotations") or {}).get(LAST_APPLIED) or "")
    except ValueError:
        return conflicts
    if not isinstance(last, dict) or last.get("apiVersion") != api_version:
        return conflicts
    last = {"metadata": {}, **last}
    set_last = set(fieldsets.paths(fieldsets.object_tree(last, shape)))
    return [
        (path, entry)
        for path, entry in conflicts
        if path not in set_last or fieldsets.value_at(last, path) != fieldsets.value_at(live, path)
    ]


def _manager_text(entry: Object) -> str:
    text = f'"{entry["manager"]}"'
    if entry.get("subresource"):
        text += f' with subresource "{entry["subresource"]}"'
    if entry["operation"] == "Update":
        text += f" using {entry['apiVersion']}"
    return text


def _conflict_error(conflicts: list[tuple[Path, Object]]) -> ApiError:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {_manager_text(entry)}",
            "field": fieldsets.path_text(path),
        }
        for path, entry in conflicts
    ]
    if len(conflicts) == 1:
        path, entry = conflicts[0]
        told = f"Apply failed with 1 conflict: conflict with {_manager_text(entry)}: {fieldsets.path_text(path)}"
    else:
        lines: dict[str, list[str]] = {}
        for path, entry in conflicts:
            lines.setdefault(_manager_text(entry), []).append(f"- {fieldsets.path_text(path)}")
        parts = [line for name in sorted(lines) for line in (f"conflicts with {name}:", *lines[name])]
        told = f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(parts)
    return ApiError(409, told, details={"causes": causes})


def manager_name(field_manager: str, user_agent: str) -> str:
    """The name in the request, else the start of the client's User-Agent."""
    return field_manager or user_agent.partition("/")[0] or "unknown"


def check_apply(field_manager: str) -> None:
    if not field_manager:
        cause: dict[str, Any] = {"reason": "FieldValueRequired", "field": "fieldManager"}
        cause["message"] = "Required value: is required for apply patch"
        told = 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
        details = {"group": "meta.k8s.io", "kind": "PatchOptions", "causes": [cause]}
        raise ApiError(422, told, details=details)
