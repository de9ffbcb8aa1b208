"""Objects as the JSON of the server's internal types, which messages show.

Internal structs have no tags: their fields have Go's names, and none is left out. The table is generated
(tests/tools/generate_internal_facts.py).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection
from functools import cache
from typing import Any

from kubetrace.playground.catalog import recorded
from kubetrace.wire.go_struct import Kind, encode

Fields = list[tuple[str, str, Kind, str]]
"""Name in JSON, name in the API, kind, flags."""

_OF_SECURITY_CONTEXT = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
"""Fields of a pod's spec that are its security context's inside."""


@cache
def _facts() -> tuple[list[Fields], dict[str, int]]:
    facts = recorded("internal-1.36.json.gz")
    return facts["types"], facts["structs"]


def internal(struct: str, value: Any) -> Any:
    """A value of the API as the JSON of an internal struct ("core.PodSpec"), or of a list of them."""
    if isinstance(value, list):
        return [internal(struct, entry) for entry in value]
    return None if value is None else _struct(_facts()[1][struct], value)


def difference(struct: str, old: Any, new: Any, embedded: Collection[str] = ()) -> str:
    """How two values differ, as apimachinery's util/diff tells it. `embedded`: the API's names of the fields of a
    struct that the other embeds, where only that is compared."""
    before, after = (_lines(_part(struct, internal(struct, value), embedded)) for value in (old, new))
    return "".join(difflib.unified_diff(before, after, n=3))[len("--- \n+++ \n") :]


def _part(struct: str, value: Any, embedded: Collection[str]) -> Any:
    if not embedded:
        return value
    return {name: value[name] for name, inside, *_ in _facts()[0][_facts()[1][struct]] if inside in embedded}


def _lines(value: Any) -> list[str]:
    return [f"{line}\n" for line in json.dumps(value, indent=1, ensure_ascii=False).split("\n")]


def _struct(number: int, value: Any) -> dict[str, Any]:
    found = value if isinstance(value, dict) else {}
    if number == _facts()[1]["core.PodSpec"]:
        host = {name: found[name] for name in _OF_SECURITY_CONTEXT if name in found}
        found = found | {"securityContext": (found.get("securityContext") or {}) | host}
    fields = _facts()[0][number]
    if "metadata" in found and all(inside != "metadata" for _, inside, _, _ in fields):  # embedded in a template
        found = (found["metadata"] or {}) | found
    result: dict[str, Any] = {}
    for name, inside, kind, flags in fields:
        encoded = encode(kind, flags, found.get(inside), _struct)
        if "o" not in flags or not (encoded in (None, "", 0, False) or encoded in ([], {})):
            result[name] = encoded
    return result
