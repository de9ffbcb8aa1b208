"""Kinds without a description of their own, custom ones above all: every field, under a label made from its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kubetrace.api.related import Related
from kubetrace.printing.describe.events import describe_events
from kubetrace.printing.describe.writer import Writer
from kubetrace.printing.go_values import sprint

Object = Mapping[str, Any]

_SKIPPED = frozenset(
    (".metadata.managedFields", ".metadata.name", ".metadata.namespace", ".metadata.labels", ".metadata.annotations")
)
_ACRONYMS = ("API", "URL", "UID", "GUID")


def anything(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    w.head(value)
    _fields(w, value, 0, "")
    describe_events(w, events)


def _fields(w: Writer, fields: Object, level: int, path: str) -> None:
    for name in sorted(fields):
        here, value = f"{path}.{name}", fields[name]
        if here in _SKIPPED:
            continue
        label = label_for(name)
        if isinstance(value, dict):
            w.line(f"{label}:", level)
            _fields(w, value, level + 1, here)
        elif isinstance(value, list):
            w.line(f"{label}:", level)
            for item in value:
                if isinstance(item, dict):
                    _fields(w, item, level + 1, here)
                else:
                    w.line(sprint(item), level + 1)
        else:
            w.line(f"{label}:\t{sprint(value)}", level)


def label_for(field: str) -> str:
    """ "creationTimestamp" → "Creation Timestamp" (smartLabelFor)."""
    if any(not (char.isalpha() or char == "-") for char in field):
        return field
    parts = _merged(_words(field))
    return " ".join(_titled(part) for part in parts)


def _words(field: str) -> list[str]:
    """A name in camel case, taken apart: runs of capitals lose their last one to the word that follows."""
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[^A-Za-z]+|[A-Z]", field) or [field]


def _merged(words: list[str]) -> list[str]:
    merged: list[str] = []
    skip = False
    for number, word in enumerate(words):
        if skip:
            skip = False
            continue
        following = words[number + 1] if number + 1 < len(words) else ""
        capitals = not any(char.isalpha() and not char.isupper() for char in word)
        if len(word) >= 2 and capitals and following[:1].isupper():
            merged.append(word + following)
            skip = True
        else:
            merged.append(word)
    return merged


def _titled(word: str) -> str:
    if word.upper() in _ACRONYMS:
        return word.upper()
    return word[:1].upper() + word[1:] if word.lower() == word else word
