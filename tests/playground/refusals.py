"""Manifests with one thing spoilt in each, for a dry run of a creation: is it refused, and in which words?"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubetrace.playground.catalog import Catalog
from kubetrace.wire import yaml_reader

Place = tuple[str | int, ...]
_TEXTS = ("", "Bad Value!", "other")
_NUMBERS = (-1, 0, 70000)
_QUANTITIES = ("0", "-1", "1.5")


def manifests() -> list[Any]:
    text = (Path(__file__).parent / "manifests.yaml").read_text()
    return [yaml_reader.loads(part.encode()) for part in text.split("\n---\n")]


def path_of(item: Any) -> str:
    """Where it is created, in the namespace NS."""
    resource = Catalog().by_kind(item["apiVersion"], item["kind"])
    assert resource is not None
    place = "namespaces/NS/" if resource.namespaced else ""
    return f"{resource.prefix}/{place}{resource.name}?dryRun=All&fieldValidation=Strict"


def _changes(value: Any, place: Place = ()) -> Iterator[tuple[Place, str, Any]]:
    """(where, what is done, with which value)"""
    if isinstance(value, dict):
        for name, entry in value.items():
            if place == () and name in ("apiVersion", "kind", "metadata"):
                continue
            yield (*place, name), "without", None
            yield from _changes(entry, (*place, name))
    elif isinstance(value, list):
        yield place, "as", []
        yield from ((place, "twice", None) for _ in value[:1])
        for index, entry in enumerate(value):
            yield from _changes(entry, (*place, index))
    elif isinstance(value, bool):
        yield place, "as", not value
    elif isinstance(value, int):
        yield from ((place, "as", number) for number in _NUMBERS)
    elif isinstance(value, str):
        texts = (*_TEXTS, *_QUANTITIES) if re.match(r"^\d+(\.\d+)?([a-zA-Z]+)?$", value) else _TEXTS
        yield from ((place, "as", text) for text in texts)


def _spoilt(item: Any, place: Place, how: str, value: Any) -> Any:
    item = copy.deepcopy(item)
    parent = item
    for part in place[:-1]:
        parent = parent[part]
    if how == "without":
        del parent[place[-1]]
    elif how == "twice":
        parent[place[-1]].append(copy.deepcopy(parent[place[-1]][0]))
    else:
        parent[place[-1]] = value
    return item


def cases() -> Iterator[tuple[str, str, Any]]:
    """(a name, the path, the object)"""
    for item in manifests():
        path, name = path_of(item), f"{item['kind']} {item['metadata']['name']}"
        yield name, path, item
        for place, how, value in _changes(item):
            told = "" if how != "as" else f" {value!r}"
            yield f"{name} {'.'.join(map(str, place))} {how}{told}", path, _spoilt(item, place, how, value)


def plain(status: int, answer: Any) -> list[Any]:
    """The status, and the words of a refusal without the examples that stand behind rules for names."""
    if status < 400:
        return [status]
    words = answer.get("message") if isinstance(answer, dict) else None
    return [status, re.sub(r" \(e\.g\. .*?, regex used for validation is '.*?'\)(?=[,\]]|$)", "", words or "")]
