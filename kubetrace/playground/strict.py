"""What strict decoding finds in a body beside unknown fields: keys that an object has twice (sigs.k8s.io/json)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from kubetrace.playground.catalog import Resource
from kubetrace.playground.status import ApiError


class NotStrict(ApiError):
    """An object with fields that are unknown or there twice, where these are errors; `told` says which."""

    def __init__(self, resource: Resource, problems: Sequence[str]) -> None:
        self.told = f"strict decoding error: {', '.join(problems)}"
        what = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'
        super().__init__(400, f"{what}: {self.told}")


class _Pairs(list[tuple[str, Any]]):
    """An object's members as they stand in the text."""


def read(body: bytes) -> tuple[Any, list[tuple[int, str]], dict[str, int]] | None:
    """(the value, where keys are there again, places of all fields) of JSON with duplicate keys; None where there are
    none. Objects of the same key become one, of other values the last counts, as Go decodes into maps and structs. A
    place is a field's number in the text."""
    found = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        value = dict(pairs)
        found = found or len(value) != len(pairs)
        return value

    try:
        json.loads(body, object_pairs_hook=members)
    except (ValueError, RecursionError):
        return None  # another encoding, or nested deeper than this decoder goes
    if not found:
        return None
    text = json.loads(body, object_pairs_hook=_Pairs)
    twice: list[tuple[int, str]] = []
    places: dict[str, int] = {}
    for number, (path, again) in enumerate(_fields(text, "")):
        places.setdefault(path, number)
        if again:
            twice.append((number, path))
    return _merged(text), twice, places


def _fields(value: Any, at: str) -> Iterator[tuple[str, bool]]:
    """(path, whether its object has had it before), in the order in which a decoder comes past."""
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for name, inner in value:
            path = f"{at}.{name}" if at else name
            yield path, name in seen
            seen.add(name)
            yield from _fields(inner, path)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _fields(inner, f"{at}[{index}]")


def _merged(value: Any) -> Any:
    if isinstance(value, _Pairs):
        result: dict[str, Any] = {}
        for name, inner in value:
            new, old = _merged(inner), result.get(name)
            result[name] = old | new if isinstance(old, dict) and isinstance(new, dict) else new
        return result
    return [_merged(inner) for inner in value] if isinstance(value, list) else value
