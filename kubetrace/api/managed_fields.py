"""Who owns which fields, and client-side apply's share handed to server-side apply (client-go/util/csaupgrade)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from json import loads
from typing import Any

from kubetrace.api.last_applied import ANNOTATION
from kubetrace.api.metadata import metadata
from kubetrace.wire.go_json import dumps

Entry = dict[str, Any]
FieldSet = Mapping[str, Any]

APPLY = "Apply"
UPDATE = "Update"

_ENTRY_FIELDS = ("manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource")
_ANNOTATION_PATH = ("f:metadata", "f:annotations", f"f:{ANNOTATION}")
_SELF = "."


def entries_of(value: Mapping[str, Any]) -> list[Entry]:
    found = metadata(value).get("managedFields")
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def annotation_owners(entries: Iterable[Entry], operation: str) -> list[str]:
    """The managers that own the last-applied annotation by this operation (FindFieldsOwners)."""
    return [
        str(entry.get("manager") or "")
        for entry in entries
        if entry.get("operation") == operation and _has(_fields(entry), _ANNOTATION_PATH)
    ]


def migration_patch(value: Mapping[str, Any], old_managers: Iterable[str], manager: str) -> bytes | None:
    """The JSON patch that makes `manager` the applier of what `old_managers` updated, or None (nothing to do)."""
    before = entries_of(value)
    after = before
    for old in sorted(set(old_managers)):
        after = _migrated(after, old, manager)
    if after == before:
        return None
    version = str(value["metadata"].get("resourceVersion") or "")
    written = b"[" + b",".join(map(_encode, after)) + b"]" if after else b"null"
    return (
        b'[{"op":"replace","path":"/metadata/managedFields","value":' + written + b"},"
        b'{"op":"replace","path":"/metadata/resourceVersion","value":' + dumps(version) + b"}]"
    )


def _migrated(entries: list[Entry], old: str, manager: str) -> list[Entry]:
    entries = list(entries)
    index = _find(entries, manager, APPLY)
    if index is None:
        index = _find(entries, old, UPDATE)
        if index is None:
            return entries
        entries[index] = {**entries[index], "operation": APPLY, "manager": manager}
    target = entries[index]
    fields = _fields(target)
    other = _find(entries, old, UPDATE, target.get("apiVersion"))
    if other is not None:
        fields = union(fields, _fields(entries[other]))
    entries[index] = {**target, "fieldsV1": fields}
    return [entry for entry in entries if not _is(entry, old, UPDATE)]


def _is(entry: Entry, manager: str, operation: str) -> bool:
    return (
        entry.get("manager") == manager and entry.get("operation") == operation and not entry.get("subresource")
    )  # fmt: skip


def _find(entries: list[Entry], manager: str, operation: str, version: str | None = None) -> int | None:
    for index, entry in enumerate(entries):
        if _is(entry, manager, operation) and version in (None, entry.get("apiVersion")):
            return index
    return None


# --- sets of fields (structured-merge-diff's fieldpath.Set as JSON) ---------------------------------------------------


def union(one: FieldSet, other: FieldSet) -> dict[str, Any]:
    """All fields of both; `{}` is a field by itself, "." says so of a field that has others in it."""
    result = dict(one)
    for key, theirs in other.items():
        result[key] = _joined(result[key], theirs) if key in result else theirs
    return result


def _joined(ours: FieldSet, theirs: FieldSet) -> dict[str, Any]:
    if not ours and not theirs:
        return {}
    joined = union(ours, theirs)
    if not ours or not theirs:
        joined[_SELF] = {}
    return joined if set(joined) != {_SELF} else {}


def _fields(entry: Entry) -> FieldSet:
    fields = entry.get("fieldsV1")
    return fields if isinstance(fields, dict) else {}


def _has(fields: FieldSet, path: tuple[str, ...]) -> bool:
    found: Any = fields
    for key in path:
        if not isinstance(found, dict) or key not in found:
            return False
        found = found[key]
    return not found or _SELF in found


# --- as Go writes them ------------------------------------------------------------------------------------------------


def _encode(entry: Entry) -> bytes:
    return b"{" + b",".join(_pairs(entry)) + b"}"


def _pairs(entry: Entry) -> Iterator[bytes]:
    for name in _ENTRY_FIELDS:
        if entry.get(name):
            value = _encode_fields(entry[name]) if name == "fieldsV1" else dumps(entry[name])
            yield dumps(name) + b":" + value


def _encode_fields(fields: FieldSet) -> bytes:
    ordered = sorted(fields.items(), key=lambda pair: _place(pair[0]))
    return b"{" + b",".join(dumps(key) + b":" + _encode_fields(value) for key, value in ordered) + b"}"


def _place(element: str) -> tuple[Any, ...]:
    """Where a path element stands among its siblings (fieldpath.PathElement.Less): names, keys, values, indexes."""
    kind, _, text = element.partition(":")
    if kind in ("k", "v", "i"):
        value = loads(text)
        parts = sorted(value.items()) if isinstance(value, dict) else [("", value)]
        return ("kvi".index(kind) + 2, [(name, *_rank(part)) for name, part in parts])
    return (0 if element == _SELF else 1, text)


def _rank(value: Any) -> tuple[int, Any]:
    """A value's place among values: numbers, texts, booleans (value.Compare)."""
    if isinstance(value, bool):
        return (2, value)
    if isinstance(value, (int, float)):
        return (0, value)
    return (1, value) if isinstance(value, str) else (3, dumps(value))
