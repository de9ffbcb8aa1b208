"""JSON patches (RFC 6902) applied by the client (`patch --local`, `--overrides`), in the words of
github.com/evanphx/json-patch/v5, which kubectl uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from kubetrace.api.go_words import atoi, json_problem
from kubetrace.api.merge_values import same
from kubetrace.wire import go_json

_MISSING = "missing value"
_KINDS = ("add", "replace", "move", "copy", "remove", "test")
_DECODING = {"add": "value", "replace": "value", "move": "from", "copy": "from"}
"""What an operation must have besides its path."""


class JSONPatchError(ValueError):
    """The text is no patch, or the patch does not fit the object."""


def decode_patch(text: bytes) -> list[dict[str, Any]]:
    """The operations of a patch. Raises JSONPatchError."""

    try:
        value = go_json.loads(text)
    except go_json.InvalidJSON:
        raise JSONPatchError(json_problem(text)) from None
    if not isinstance(value, list):
        if value is None:
            return []
        raise JSONPatchError(f"json: cannot unmarshal {go_json.json_type(value)} into Go value of type jsonpatch.Patch")
    for index, operation in enumerate(value):
        if not isinstance(operation, dict | None):
            kind = go_json.json_type(operation)
            raise JSONPatchError(f"json: cannot unmarshal {kind} into Patch.{index} of type jsonpatch.Operation")
    for operation in value:
        if problem := _operation_problem(operation or {}):
            raise JSONPatchError(f"invalid operation {go_json.dumps(operation).decode()}: {problem}")
    return value


def _operation_problem(operation: dict[str, Any]) -> str:
    kind = operation.get("op")
    if kind not in _KINDS:
        return "unsupported operation"
    wanted = _DECODING.get(kind)
    if wanted == "value" and "value" not in operation:
        return "failed to decode 'value': operation, missing value field: missing value"
    if wanted == "from" and not isinstance(operation.get("from"), str):
        return "failed to decode 'from': operation, missing from field: missing value"
    if not isinstance(operation.get("path"), str):
        return "failed to decode 'path': operation missing path field: missing value"
    return ""


def apply_patch(document: Any, operations: list[dict[str, Any]]) -> Any:
    """A patched copy of the document. Raises JSONPatchError."""
    document = deepcopy(document)
    for operation in operations:
        document = _APPLY[operation["op"]](document, operation)
    return document


def _add(document: Any, operation: dict[str, Any]) -> Any:
    path = operation["path"]
    with _told(f'add operation does not apply: doc is missing path: "{path}"'):
        place, key = _find(document, path)
    with _told(f"error in add for path: '{path}'"):
        _insert(place, key, deepcopy(operation["value"]))
    return document


def _remove(document: Any, operation: dict[str, Any]) -> Any:
    path = operation["path"]
    with _told(f'remove operation does not apply: doc is missing path: "{path}"'):
        place, key = _find(document, path)
    with _told(f"error in remove for path: '{path}'"):
        _take(place, key)
    return document


def _replace(document: Any, operation: dict[str, Any]) -> Any:
    path, value = operation["path"], deepcopy(operation["value"])
    if path == "":
        return value if isinstance(value, dict | list) else document
    with _told(f"replace operation does not apply: doc is missing path: {path}"):
        place, key = _find(document, path)
    try:
        _get(place, key)
    except ValueError:
        raise JSONPatchError(f"replace operation does not apply: doc is missing key: {path}: {_MISSING}") from None
    if isinstance(place, list):
        place[atoi(key)] = value
    else:
        place[key] = value
    return document


def _move(document: Any, operation: dict[str, Any]) -> Any:
    source, path = operation["from"], operation["path"]
    with _told(f"move operation does not apply: doc is missing from path: {source}"):
        place, key = _find(document, source)
    with _told(f"error in move for path: '{key}'"):
        value = _get(place, key)
        _take(place, key)
    with _told(f"move operation does not apply: doc is missing destination path: {path}"):
        place, key = _find(document, path)
    with _told(f"error in move for path: '{path}'"):
        _insert(place, key, value)
    return document


def _copy(document: Any, operation: dict[str, Any]) -> Any:
    source, path = operation["from"], operation["path"]
    with _told(f"copy operation does not apply: doc is missing from path: {source}"):
        place, key = _find(document, source)
    with _told(f"error in copy for from: '{source}'"):
        value = deepcopy(_get(place, key))
    with _told(f"copy operation does not apply: doc is missing destination path: {path}"):
        place, key = _find(document, path)
    with _told("error while adding value during copy"):
        _insert(place, key, value)
    return document


def _test(document: Any, operation: dict[str, Any]) -> Any:
    path, expected = operation["path"], operation.get("value")
    failed = JSONPatchError(f"testing value {path} failed: test failed")
    if path == "":
        if not same(document, expected):
            raise failed
        return document
    with _told(f"test operation does not apply: is missing path: {path}"):
        place, key = _find(document, path)
    try:
        value = _get(place, key)
    except ValueError as error:
        if isinstance(place, list):
            raise JSONPatchError(f"error in test for path: '{path}': {error}") from None
        value = None
    if not same(value, expected):
        raise failed
    return document


@contextmanager
def _told(problem: str) -> Iterator[None]:
    """A ValueError within is a problem of the patch: `problem`, and what it says."""
    try:
        yield
    except ValueError as error:
        raise JSONPatchError(f"{problem}: {error}") from None


_APPLY = {"add": _add, "remove": _remove, "replace": _replace, "move": _move, "copy": _copy, "test": _test}


# --- places in a document --------------------------------------------------------------------------------------------


def _find(document: Any, path: str) -> tuple[Any, str]:
    """The object or array that a JSON pointer's last part is in, and that part. Raises ValueError where there is none,
    and for the whole document."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")]
    if len(parts) < 2:
        raise ValueError(_MISSING)
    place = document
    for part in parts[1:-1]:
        try:
            place = _get(place, part)
        except ValueError:
            raise ValueError(_MISSING) from None
        if not isinstance(place, dict | list):
            raise ValueError(_MISSING)
    return place, parts[-1]


def _get(place: Any, key: str) -> Any:
    if isinstance(place, dict):
        if key not in place:
            raise ValueError(f"unable to get nonexistent key: {key}: {_MISSING}")
        return place[key]
    return place[_index(key, len(place))]


def _index(key: str, length: int) -> int:
    """An index of an array; negative ones count from its end."""
    index = atoi(key)
    if index >= length or index < -length:
        raise ValueError(f"Unable to access invalid index: {index}: invalid index referenced")
    return index


def _insert(place: Any, key: str, value: Any) -> None:
    if isinstance(place, dict):
        place[key] = value
        return
    if key == "-":
        place.append(value)
        return
    try:
        atoi(key)
    except ValueError as error:
        raise ValueError(f"value was not a proper array index: '{key}': {error}") from None
    index = _index(key, len(place) + 1)
    place.insert(index + len(place) + 1 if index < 0 else index, value)


def _take(place: Any, key: str) -> None:
    if isinstance(place, dict):
        if key not in place:
            raise ValueError(f"unable to remove nonexistent key: {key}: {_MISSING}")
        del place[key]
        return
    del place[_index(key, len(place))]
