"""The patches that the server applies: JSON (RFC 6902), merge (RFC 7386), strategic merge by the kinds' merge keys."""

from __future__ import annotations

import copy
from typing import Any

from kubetrace.playground.objects import decode_json
from kubetrace.playground.status import ApiError
from kubetrace.wire.go_json import json_type
from kubetrace.wire.go_numbers import general_float
from kubetrace.wire.schema import Field, Type

KINDS = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
_DIRECTIVES = ("$patch", "$retainKeys")


def merge_patch(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict) or not isinstance(target, dict):
        return patch if isinstance(target, dict) else _without_nulls(patch)
    result = dict(target)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


def _without_nulls(value: Any) -> Any:
    """What a merge patch puts in a new place: fields that are null are none, in lists' entries, too."""
    if isinstance(value, list):
        return [_without_nulls(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {name: _without_nulls(entry) for name, entry in value.items() if entry is not None}


def decode(body: bytes, kind: str) -> Any:
    """A patch in JSON, of the shape that its content type wants. Raises 400."""
    strategic = kind == "application/strategic-merge-patch+json"
    start = "" if strategic else "error decoding patch: "
    patch = decode_json(body, lambda problem: ApiError(400, f"{start}{problem}"))
    if strategic and patch is None:
        return {}
    wanted: type = list if kind == "application/json-patch+json" else dict
    if not isinstance(patch, wanted):
        found = "null" if patch is None else json_type(patch)
        into = "[]handlers.jsonPatchOp" if wanted is list else "map[string]interface {}"
        if found == "null" and wanted is dict:
            raise ApiError(400, "Invalid JSON Patch")
        raise ApiError(400, f"{start}json: cannot unmarshal {found} into Go value of type {into}")
    if isinstance(patch, list):
        _check_operations(patch)
    return patch


MOST_OPERATIONS = 10_000


def _check_operations(patch: list[Any]) -> None:
    """Raises 400 for what is no operation, 413 for too many of them."""
    if len(patch) > MOST_OPERATIONS:
        why = f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {len(patch)}"
        raise ApiError(413, f"Request entity too large: {why}")
    for operation in patch:
        if operation is not None and not isinstance(operation, dict):
            into = "Go value of type handlers.jsonPatchOp"
            raise ApiError(400, f"error decoding patch: json: cannot unmarshal {json_type(operation)} into {into}")


def go_value(value: Any) -> str:
    """A decoded JSON value as Go's %+v prints it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_value(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(go_value, value)) + "]"
    if value is None:
        return "<nil>"
    if isinstance(value, float) or (isinstance(value, int) and not -(1 << 63) <= value < 1 << 63):
        return general_float(float(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def json_patch(target: Any, operations: list[Any]) -> Any:
    """Raises 422 for a patch that does not fit the object."""
    document = copy.deepcopy(target)
    for operation in operations:
        try:
            document = _operate(document, operation)
            if not isinstance(document, dict):
                raise TypeError(document)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise Unfit(operation) from error
    return document


_PROBLEMS = {
    "add": 'doc is missing path: "{}"',
    "remove": 'doc is missing path: "{}"',
    "replace": "doc is missing path: {}",
    "move": "doc is missing from path: {}",
    "copy": "doc is missing from path: {}",
    "test": "is missing path: {}",
}


class Unfit(ApiError):
    """An operation of a JSON patch does not fit the object; `why` are evanphx/json-patch's words."""

    def __init__(self, operation: Any) -> None:
        super().__init__(422, "the server rejected our request due to an error in our request", "Invalid", {})
        found = operation if isinstance(operation, dict) else {}
        name, path = str(found.get("op", "")), found.get("path", "")
        problem = _PROBLEMS.get(name)
        self.why = f"unexpected kind: {name}"
        if problem is not None:
            self.why = f"{name} operation does not apply: {problem.format(path)}: missing value"


def _pointer(text: str) -> list[str]:
    if text == "":
        return []
    # evanphx/json-patch drops what stands before the first slash.
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _at(document: Any, path: list[str]) -> Any:
    for part in path:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def _copied(document: Any, source: list[str]) -> Any:
    """A field that an object lacks is copied as null."""
    parent = _at(document, source[:-1])
    return parent.get(source[-1]) if source and isinstance(parent, dict) else _at(document, source)


def _operate(document: Any, operation: dict[str, Any]) -> Any:
    path, name = _pointer(operation["path"]), operation["op"]
    if name == "test":
        if _at(document, path) != operation.get("value"):
            raise ValueError("test failed")
        return document
    if name in ("move", "copy"):
        source = _pointer(operation["from"])
        value = copy.deepcopy(_copied(document, source) if name == "copy" else _at(document, source))
        if name == "move":
            _remove(document, source)
        return _add(document, path, value)
    if name == "remove":
        _remove(document, path)
        return document
    if name == "replace":  # evanphx/json-patch v4 takes a missing key, too
        if path and isinstance(_at(document, path[:-1]), list):
            _at(document, path[:-1])[int(path[-1])] = operation["value"]
            return document
        return _add(document, path, operation["value"])
    if name == "add":
        return _add(document, path, operation["value"])
    raise ValueError(name)


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        raise ValueError("the whole document")
    parent, last = _at(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        index = len(parent) if last == "-" else int(last)
        if not 0 <= index <= len(parent):
            raise IndexError(last)
        parent.insert(index, value)
    elif isinstance(parent, dict):
        parent[last] = value
    else:
        raise TypeError(last)
    return document


def _remove(document: Any, path: list[str]) -> None:
    parent = _at(document, path[:-1])
    if isinstance(parent, list):
        parent.pop(int(path[-1]))
    else:
        del parent[path[-1]]


def whole(value: Any) -> Any:
    """A strategic merge patch whose numbers are whole where they can be: 2.0 fits an int32 there, not elsewhere."""
    if isinstance(value, dict):
        return {name: whole(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [whole(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def strategic_merge(target: Any, patch: Any, type: Type | None) -> Any:
    """A strategic merge patch (apimachinery strategicpatch/patch.go). Without a type it merges as RFC 7386 does."""
    if not isinstance(patch, dict) or not isinstance(target, dict | None):
        raise ApiError(400, "invalid patch: expected an object")
    return _merge_map(target or {}, patch, type)


def _merge_map(target: dict[str, Any], patch: dict[str, Any], type: Type | None) -> dict[str, Any]:
    directive = patch.get("$patch")
    if directive == "replace":
        return {name: value for name, value in patch.items() if name not in _DIRECTIVES}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise ApiError(500, f"unknown patch type: {directive} in map: {go_value(patch)}", "")
    result = dict(target)
    retained = patch.get("$retainKeys")
    if retained is not None:
        given = [name for name, value in patch.items() if value is not None and not name.startswith("$")]
        if not isinstance(retained, list) or any(name not in retained for name in given):
            raise ApiError(400, "invalid patch format of retainKeys")
        result = {name: value for name, value in result.items() if name in retained}
    for name, value in patch.items():
        if name in _DIRECTIVES:
            continue
        if name.startswith("$deleteFromPrimitiveList/"):
            gone = name.partition("/")[2]
            result[gone] = [entry for entry in result.get(gone) or () if entry not in value]
        elif name.startswith("$setElementOrder/"):
            continue
        elif value is None:
            result.pop(name, None)
        elif name not in target:
            taken = _without_directives(value)
            result |= {} if taken is None else {name: taken}
        else:
            field = type.field(name) if type else None
            result[name] = _merge_value(result.get(name), value, field, type.descend(name) if type else None)
    for name, order in patch.items():
        field = type.field(name.partition("/")[2]) if type else None
        if name.startswith("$setElementOrder/") and field is not None and isinstance(result.get(field.name), list):
            old = target.get(field.name) or []
            result[field.name] = _in_order(result[field.name], order, old, field.merge_key)
    return result


def _without_directives(value: Any) -> Any:
    """What a patch brings where nothing was: without nulls and what carries a directive; None: nothing at all."""
    if isinstance(value, dict):
        if "$patch" in value:
            return None
        found = {name: _without_directives(inner) for name, inner in value.items()}
        return {name: inner for name, inner in found.items() if inner is not None}
    if isinstance(value, list):
        return [inner for inner in map(_without_directives, value) if inner is not None]
    return value


def _merge_value(old: Any, new: Any, field: Field | None, type: Type | None) -> Any:
    if isinstance(new, dict):
        if field is not None and field.map:
            return _merge_values_of_map(old if isinstance(old, dict) else {}, new, type)
        if field is not None and "replace" in field.merge_strategies:
            return new
        return _merge_map(old if isinstance(old, dict) else {}, new, type)
    if isinstance(new, list) and field is not None and "merge" in field.merge_strategies:
        old_list = old if isinstance(old, list) else []
        if field.merge_key:
            return _merge_list(old_list, new, field.merge_key, type)
        return _in_order([*old_list, *(entry for entry in new if entry not in old_list)], new, old_list, "")
    return new


def _merge_values_of_map(old: dict[str, Any], new: dict[str, Any], type: Type | None) -> dict[str, Any]:
    if new.get("$patch") == "replace":
        return {name: value for name, value in new.items() if name != "$patch"}
    if new.get("$patch") == "delete":
        return {}
    result = dict(old)
    for name, value in new.items():
        if name == "$patch":
            continue
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            before = result.get(name)
            result[name] = _merge_map(before if isinstance(before, dict) else {}, value, type)
        else:
            result[name] = value
    return result


def _merge_list(old: list[Any], new: list[Any], key: str, type: Type | None) -> list[Any]:
    if any(isinstance(entry, dict) and entry.get("$patch") == "replace" for entry in new):
        return [entry for entry in new if "$patch" not in entry]
    result = list(old)
    for entry in new:
        if not isinstance(entry, dict) and old:
            raise ApiError(500, f"list element types are not identical: {go_value([old, new])}", "")
        if not isinstance(entry, dict):  # which is for the decoder to refuse
            return new
        if entry.get("$patch") == "delete":
            result = [item for item in result if item.get(key) != entry.get(key)]
            continue
        if key not in entry:
            raise ApiError(500, f"map: {go_value(entry)} does not contain declared merge key: {key}", "")
        index = next((i for i, item in enumerate(result) if item.get(key) == entry[key]), None)
        if index is None:
            result.append(_merge_map({}, entry, type))
        else:
            result[index] = _merge_map(result[index], entry, type)
    plain = [entry for entry in new if "$patch" not in entry]
    return _in_order(result, plain, old, key)


def _in_order(items: list[Any], order: list[Any], server: list[Any], key: str) -> list[Any]:
    """A merged list as normalizeElementOrder leaves it: entries that `order` names stand as there, others as they stood
    on the server, and of two the one that came first there comes first; what the server did not know comes as soon as
    it can."""

    def identity(item: Any) -> str:
        return repr(item.get(key) if key and isinstance(item, dict) else item)

    def places(entries: list[Any]) -> dict[str, int]:
        found: dict[str, int] = {}
        for place, entry in enumerate(entries):
            found.setdefault(identity(entry), place)
        return found

    wanted, known = places(order), places(server)
    named = sorted((item for item in items if identity(item) in wanted), key=lambda item: wanted[identity(item)])
    others = [item for item in items if identity(item) not in wanted]
    others.sort(key=lambda item: known.get(identity(item), len(known)))
    result: list[Any] = []
    while named and others:
        left, right = known.get(identity(others[0])), known.get(identity(named[0]))
        first = left is not None and right is not None and left < right
        result.append((others if first else named).pop(0))
    return result + named + others
