"""What a server would make of a server-side apply, as far as the live object tells: for --plan, which asks nobody.

The live object's managed fields say who owns what, and with it whether the apply would meet a conflict and whether
client-side apply's fields are still to be handed over. The schema is not at hand, so lists are laid over as a whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from json import loads
from typing import Any

from kubetrace.api import last_applied
from kubetrace.api.managed_fields import APPLY, UPDATE, Entry, FieldSet, entries_of
from kubetrace.api.metadata import metadata
from kubetrace.value import Value

_KUBECTL = "kubectl"
"""The manager for which the server minds the annotation of client-side apply."""
_NOBODYS = frozenset({"apiVersion", "kind"})
_NOBODYS_METADATA = frozenset({"name", "namespace", "managedFields"})
_ABSENT = object()


class Conflict(Value):
    """A field that somebody else owns and that would change: `owner` as the server names it, `path` its place."""

    owner: str
    path: str


def conflicts(live: Mapping[str, Any], sent: Mapping[str, Any], manager: str) -> list[Conflict]:
    """The conflicts that an apply of `sent` by `manager` would meet at the live object. kubectl may change what its
    client-side apply has set and nobody has changed since (lastappliedmanager.go)."""
    last = _last_applied(live) if manager == _KUBECTL else None
    found = []
    for entry in entries_of(live):
        if _is_apply_of(entry, manager):
            continue
        fields = entry.get("fieldsV1")
        if isinstance(fields, dict):
            found += [Conflict(_owner(entry), path) for path in _changed(fields, live, sent, last, "")]
    return found


def conflict_message(found: list[Conflict]) -> str:
    """The server's words for conflicts (managedfields/internal/conflict.go)."""
    if len(found) == 1:
        return f"Apply failed with 1 conflict: conflict with {found[0].owner}: {found[0].path}"
    by_owner: dict[str, list[str]] = defaultdict(list)
    for one in found:
        by_owner[one.owner].append(f"- {one.path}")
    lines = [line for owner in sorted(by_owner) for line in (f"conflicts with {owner}:", *by_owner[owner])]
    return f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)


def applied(live: Mapping[str, Any], merged: dict[str, Any], sent: dict[str, Any], manager: str) -> dict[str, Any]:
    """The object after the apply: `merged` is the live one with what was sent laid over it."""
    entries = [entry for entry in entries_of(live) if not _is_apply_of(entry, manager)]
    entries.append(
        {
            "manager": manager,
            "operation": APPLY,
            "apiVersion": sent.get("apiVersion"),
            "fieldsType": "FieldsV1",
            "fieldsV1": _fields_of(sent),
        }
    )
    merged = {**merged, "metadata": {**metadata(merged), "managedFields": sorted(entries, key=_operation)}}
    annotations = last_applied.annotations_of(merged)
    if manager == _KUBECTL and annotations.get(last_applied.ANNOTATION):  # lastappliedupdater.go
        text = _remembered(sent)
        last_applied.set_annotations(merged, {**annotations, last_applied.ANNOTATION: text})
    return merged


def _last_applied(live: Mapping[str, Any]) -> Any:
    """What client-side apply set last, by its annotation; None where that can't be compared."""
    text = last_applied.annotations_of(dict(live)).get(last_applied.ANNOTATION)
    try:
        last = loads(text or "")
    except ValueError:
        return None
    return last if isinstance(last, dict) and last.get("apiVersion") == live.get("apiVersion") else None


def _remembered(sent: dict[str, Any]) -> str:
    """The object as the server writes it into its own annotation."""
    own = dict(sent)
    annotations = last_applied.annotations_of(sent)
    if last_applied.ANNOTATION in annotations:
        rest = {key: value for key, value in annotations.items() if key != last_applied.ANNOTATION}
        own["metadata"] = {**metadata(sent), "annotations": rest}
    return last_applied.encode(own).decode()


def _is_apply_of(entry: Entry, manager: str) -> bool:
    return entry.get("manager") == manager and entry.get("operation") == APPLY and not entry.get("subresource")


def _operation(entry: Entry) -> str:
    """How the server sorts its entries, before it looks at their times."""
    return str(entry.get("operation") or "")


def _owner(entry: Entry) -> str:
    text = f'"{entry.get("manager") or ""}"'
    if entry.get("subresource"):
        text += f' with subresource "{entry["subresource"]}"'
    return f"{text} using {entry.get('apiVersion')}" if entry.get("operation") == UPDATE else text


# --- fields: what is owned, what is sent ------------------------------------------------------------------------------


def _changed(fields: FieldSet, live: Any, sent: Any, last: Any, path: str) -> Iterator[str]:
    """The paths of owned fields that the sent value would change; not those that are as they were `last` applied."""
    for element, inner in fields.items():
        kind, _, text = element.partition(":")
        if kind == "f":
            ours, theirs, before = (_member(value, text) for value in (sent, live, last))
            place = f"{path}.{text}"
        elif kind == "k":
            key = loads(text)
            ours, theirs, before = (_item(value, key) for value in (sent, live, last))
            place = f"{path}[{_key_text(key)}]"
        else:  # "." is the place itself; an item of a set has no value to change
            continue
        if ours is _ABSENT:
            continue
        if inner:
            yield from _changed(inner, theirs, ours, before, place)
        elif ours != theirs != before and not (_holds_fields(ours) and _holds_fields(theirs)):
            yield place


def _member(value: Any, name: str) -> Any:
    return value.get(name, _ABSENT) if isinstance(value, dict) else _ABSENT


def _item(items: Any, key: dict[str, Any]) -> Any:
    """The item of a list that has this key."""
    found = items if isinstance(items, list) else ()
    return next((one for one in found if isinstance(one, dict) and key.items() <= one.items()), _ABSENT)


def _key_text(key: dict[str, Any]) -> str:
    return ",".join(f'{name}="{value}"' if isinstance(value, str) else f"{name}={value}" for name, value in key.items())


def _holds_fields(value: Any) -> bool:
    """A map or a list: that its place is owned does not say that what is in it is."""
    return isinstance(value, dict | list)


def _fields_of(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that an object sets, as a set of fields; lists count as one."""
    found = {f"f:{name}": _fields(value) for name, value in sent.items() if name not in (*_NOBODYS, "metadata")}
    meta = {f"f:{name}": _fields(value) for name, value in metadata(sent).items() if name not in _NOBODYS_METADATA}
    return {"f:metadata": meta, **found} if meta else found


def _fields(value: Any) -> dict[str, Any]:
    return {f"f:{name}": _fields(inner) for name, inner in value.items()} if isinstance(value, dict) else {}
