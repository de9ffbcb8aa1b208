"""Objects as the answer that a client asked for: whole, as Table, or as PartialObjectMetadata."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from kubetrace.playground.catalog import Resource, server_facts
from kubetrace.playground.cells import CELLS
from kubetrace.playground.conversion import served, stored
from kubetrace.playground.negotiation import Form
from kubetrace.playground.objects import ordered
from kubetrace.playground.row_values import age, get, since
from kubetrace.playground.status import ApiError

_NAME = {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}
_AGE = {"name": "Age", "type": "date", "format": "", "description": "", "priority": 0}


def columns(resource: Resource) -> list[dict[str, Any]]:
    if resource.custom is not None:
        extra = resource.custom.get("additionalPrinterColumns")
        rest = [_AGE] if extra is None else [_custom_column(entry) for entry in extra]
        return [_NAME, *rest]
    known = server_facts()["columns"].get(f"{resource.group}/{resource.version}/{resource.name}")
    return known or [_NAME, _AGE]


def _custom_column(entry: dict[str, Any]) -> dict[str, Any]:
    described = (
        entry.get("description") or f"Custom resource definition column (in JSONPath format): {entry['jsonPath']}"
    )
    name, kind, form = entry["name"], entry["type"], entry.get("format", "")
    return {"name": name, "type": kind, "format": form, "description": described, "priority": entry.get("priority", 0)}


def cells(resource: Resource, item: dict[str, Any]) -> list[Any]:
    if resource.custom is not None:
        return _custom_cells(resource.custom, served(resource, item))
    known = CELLS.get(resource.key)
    if known is not None:
        return known(stored(item))[: len(columns(resource))]
    return [_plain_cell(entry["name"], item) for entry in columns(resource)]


def _plain_cell(name: str, item: dict[str, Any]) -> Any:
    """A column whose name says where its value is: Name, Age, and fields of the object, its spec or status."""
    if name == "Name":
        return item["metadata"]["name"]
    if name == "Age":
        return age(item)
    if name == "Created At":
        return item["metadata"].get("creationTimestamp")
    field = name.replace(" ", "")
    field = field[:1].lower() + field[1:]
    for place in (item, item.get("spec"), item.get("status")):
        value = get(place, field) if isinstance(place, dict) else None
        if value is not None:
            return len(value) if isinstance(value, list | dict) else value
    lists = item.get(field.removesuffix("s") + "s")
    return len(lists) if isinstance(lists, list) else "<unset>"


def _custom_cells(version: dict[str, Any], item: dict[str, Any]) -> list[Any]:
    row: list[Any] = [item["metadata"]["name"]]
    extra = version.get("additionalPrinterColumns")
    if extra is None:
        return [*row, age(item)]
    return row + [_path_value(item, entry) for entry in extra]


def _path_value(item: dict[str, Any], entry: dict[str, Any]) -> Any:
    found: list[Any] = [item]
    for name, key in _path(entry["jsonPath"]):
        if name:
            found = [value[name] for value in found if isinstance(value, dict) and name in value]
        elif key == "*":
            found = [each for value in found if isinstance(value, list) for each in value]
        else:
            found = [_element(value, key) for value in found if isinstance(value, list)]
    value = found[0] if found else None
    if value is None:
        return None
    if entry["type"] == "date":
        return _ago(value)
    if entry["type"] == "string":
        return _text(value)
    wanted = {"integer": (int, float), "number": (int, float), "boolean": (bool,)}.get(entry["type"], ())
    fits = isinstance(value, wanted) and isinstance(value, bool) == (entry["type"] == "boolean")
    return None if not fits else int(value) if entry["type"] == "integer" else value


def _ago(value: Any) -> str:
    """How long ago a moment is; what is none stays away (cellForJSONValue)."""
    try:
        return since(value) if isinstance(value, str) else "<invalid>"
    except ValueError:
        return "<invalid>"


def _element(values: list[Any], key: str) -> Any:
    if key.startswith("?"):
        import re

        match = re.match(r"\?\(@\.([\w.]+)\s*==\s*[\"'](.*)[\"']\)", key)
        return next((v for v in values if match and str(get(v, match[1])) == match[2]), None)
    try:
        return values[int(key)]
    except (ValueError, IndexError):
        return None


def _path(path: str) -> list[tuple[str, str]]:
    import re

    found = re.findall(r"\.((?:[^.\[\]\\]|\\.)+)|\[(\?\(.*?\)|[^\]]*)\]", path)
    return [(name.replace("\\", ""), key.strip("'\"")) if not key.startswith("?") else ("", key) for name, key in found]


def _text(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def partial(item: dict[str, Any], group_version: str) -> dict[str, Any]:
    metadata = ordered({"metadata": item["metadata"]})["metadata"]
    return {"kind": "PartialObjectMetadata", "apiVersion": group_version, "metadata": metadata}


def _flow_order(item: dict[str, Any]) -> tuple[int, str]:
    """The server shows FlowSchemas in the order in which it tries them."""
    return item["spec"].get("matchingPrecedence", 1000), item["metadata"]["name"]


def one_scale(resource: Resource, scale: dict[str, Any], form: Form, include: str) -> dict[str, Any]:
    """A scale subresource in the form that was asked for; a Table's columns are printScale's."""
    if form.kind == "PartialObjectMetadata":
        return partial(scale, form.group_version)
    if form.kind == "PartialObjectMetadataList":
        struct = "*autoscaling.Scale" if resource.custom is None else "*v1.Scale"
        raise ApiError(406, f"you requested {form.kind}, but the requested object is not a list ({struct})")
    if form.kind != "Table":
        return scale
    amounts = [{"name": name, "type": "integer", "format": "", "description": "", "priority": 0}
               for name in ("Desired", "Available")]  # fmt: skip
    counts = [(scale.get(part) or {}).get("replicas") or 0 for part in ("spec", "status")]
    row: dict[str, Any] = {"cells": [scale["metadata"]["name"], *counts, age(scale)]}
    if include != "None":
        row["object"] = scale if include == "Object" else partial(scale, form.group_version)
    metadata = {"resourceVersion": scale["metadata"].get("resourceVersion", "")}
    answer = {"kind": "Table", "apiVersion": form.group_version, "metadata": metadata}
    return answer | {"columnDefinitions": [_NAME, *amounts, _AGE], "rows": [row]}


def table(
    resource: Resource,
    items: list[dict[str, Any]],
    metadata: dict[str, Any],
    form: Form,
    include: str,
    headers: bool = True,
) -> dict[str, Any]:
    """A Table of objects; `include` is includeObject (None, Metadata, Object)."""
    rows = []
    for item in sorted(items, key=_flow_order) if resource.key.startswith("flowschemas.") else items:
        row: dict[str, Any] = {"cells": cells(resource, item)}
        if include == "Object":
            row["object"] = shown(resource, item)
        else:
            row["object"] = None if include == "None" else partial(item, form.group_version)
        rows.append(row)
    definitions = columns(resource) if headers else None
    answer: dict[str, Any] = {"kind": "Table", "apiVersion": form.group_version, "metadata": metadata}
    return answer | {"columnDefinitions": definitions, "rows": rows}


def shown(resource: Resource, item: dict[str, Any]) -> dict[str, Any]:
    """An object as that version shows it: a built-in one as its struct, a custom one as a map of Go, by its keys."""
    item = served(resource, item)
    found = {"kind": resource.kind, "apiVersion": resource.api_version}
    found |= {name: value for name, value in item.items() if name not in found}
    return ordered(found) if resource.custom is None else _by_keys(found)


def _by_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _by_keys(value[name]) for name in sorted(value)}
    return [_by_keys(each) for each in value] if isinstance(value, list) else value


def one(resource: Resource, item: dict[str, Any], form: Form, include: str) -> dict[str, Any]:
    if form.kind == "Table":
        metadata = {"resourceVersion": item["metadata"].get("resourceVersion", "")}
        return table(resource, [item], metadata, form, include)
    if form.kind == "PartialObjectMetadata":
        return partial(item, form.group_version)
    if form.kind == "PartialObjectMetadataList":
        if resource.custom is not None:
            raise ApiError(500, "content is not a list", "")
        told = f"you requested {form.kind}, but the requested object is not a list ({resource.go_type()})"
        raise ApiError(406, told)
    return shown(resource, item)


def many(
    resource: Resource, items: list[dict[str, Any]], metadata: dict[str, Any], form: Form, include: str
) -> dict[str, Any]:
    if form.kind == "Table":
        return table(resource, items, metadata, form, include)
    if form.kind == "PartialObjectMetadata":
        told = f"you requested {form.kind}, but the requested object is a list ({resource.go_type('List')})"
        raise ApiError(406, told)
    if form.kind == "PartialObjectMetadataList":
        entries = [partial(item, form.group_version) for item in items]
        return {"kind": form.kind, "apiVersion": form.group_version, "metadata": metadata, "items": entries or None}
    kind = f"{resource.kind}List"
    if resource.custom is not None:
        whole = [shown(resource, item) for item in items]
        metadata = _by_keys({"continue": ""} | metadata)
        return {"apiVersion": resource.api_version, "items": whole, "kind": kind, "metadata": metadata}
    bare = [{k: v for k, v in shown(resource, item).items() if k not in ("kind", "apiVersion")} for item in items]
    return {"kind": kind, "apiVersion": resource.api_version, "metadata": metadata, "items": bare}


def entries(resource: Resource, rows: Iterable[tuple[Any, bytes]]) -> Iterator[bytes]:
    """The items of a list in JSON, from stored texts: only those stored as another version are read and written."""
    kind = msgspec.json.encode({"kind": resource.kind, "apiVersion": resource.api_version})[:-1] + b","
    for _, text in rows:
        if not text.startswith(kind):
            item = shown(resource, msgspec.json.decode(text))
            text = msgspec.json.encode(item)
        yield b"{" + text.removeprefix(kind)
