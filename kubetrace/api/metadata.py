"""What an object's metadata says, read as apimachinery's unstructured accessors read it: a value of a wrong type counts
as none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NONE: Mapping[str, Any] = {}


def is_object(value: Mapping[str, Any]) -> bool:
    """Whether this is a single object with metadata of its own: no list, and no Status (meta.Accessor)."""
    return not isinstance(value.get("items"), list) and not is_status(value)


def is_status(value: Mapping[str, Any]) -> bool:
    return value.get("kind") == "Status" and value.get("apiVersion") == "v1"


def metadata(value: object) -> Mapping[str, Any]:
    """An object's metadata; empty where it has none, and where it is no object."""
    found = value.get("metadata") if isinstance(value, dict) else None
    return found if isinstance(found, dict) else _NONE


def text(value: object, field: str) -> str:
    """A field of the metadata ("name", "resourceVersion" …); "" where it is no text."""
    found = metadata(value).get(field)
    return found if isinstance(found, str) else ""


def set_field(value: dict[str, Any], field: str, content: object) -> None:
    """Sets a field of the metadata as unstructured's setters do: metadata that is null in a manifest stays null."""
    found = value.setdefault("metadata", {})
    if isinstance(found, dict):
        found[field] = content


def string_map(value: object, field: str) -> dict[str, str]:
    """Labels or annotations. Null is "", and one value that is neither text nor null makes all of them none
    (NestedNullCoercingStringMap)."""
    found = metadata(value).get(field)
    if not isinstance(found, dict):
        return {}
    if not all(item is None or isinstance(item, str) for item in found.values()):
        return {}
    return {key: item or "" for key, item in found.items()}
