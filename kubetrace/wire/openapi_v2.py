"""OpenAPI v2 in protobuf (gnostic's openapi.v2.Document): its definitions, each read when it is asked for."""

from __future__ import annotations

from functools import cache
from typing import Any

from kubetrace.wire.protobuf import fields

Schema = dict[str, Any]
"""A definition with OpenAPI's own keys, as far as `explain` looks at them."""

_DEFINITIONS, _ENTRIES = 9, 1
_TEXTS = {1: "$ref", 2: "format", 4: "description"}
_REQUIRED, _VALUES, _TYPE, _ITEMS, _PROPERTIES, _EXTENSION = 19, 21, 22, 23, 25, 31
_KIND = "x-kubernetes-group-version-kind"


class Definitions:
    """The definitions of one document. Raises InvalidProtobuf."""

    def __init__(self, document: bytes) -> None:
        self._raw: dict[str, bytes] = {}
        for number, value in fields(document):
            if number == _DEFINITIONS:
                self._raw.update(_named(_message(value)))
        self._schema = cache(self._decoded)
        self.name_of_kind = cache(self._name_of_kind)

    def schema(self, name: str) -> Schema:
        """A definition by its name ("io.k8s.api.core.v1.Pod"). Raises KeyError."""
        return self._schema(name)

    def referred(self, reference: str) -> Schema:
        """What "#/definitions/…" stands for. Raises KeyError."""
        return self.schema(reference.removeprefix("#/definitions/"))

    def _name_of_kind(self, group: str, version: str, kind: str) -> str | None:
        """The name of the definition that says it is this kind's (group, version, kind); the last by name, where
        several do."""
        wanted = {"group": group, "version": version, "kind": kind}
        needle = kind.encode()
        for name in sorted(self._raw, reverse=True):
            if needle in self._raw[name] and wanted in _kinds(self._raw[name]):
                return name
        return None

    def of_kind(self, group: str, version: str, kind: str) -> Schema | None:
        """The definition of a kind."""
        name = self.name_of_kind(group, version, kind)
        return None if name is None else self.schema(name)

    def _decoded(self, name: str) -> Schema:
        return _decode(self._raw[name])


def _message(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else b""


def _text(value: int | bytes) -> str:
    return _message(value).decode("utf-8", "replace")


def _named(data: bytes) -> dict[str, bytes]:
    """Entries of a map, which are messages of a name and a value."""
    found = {}
    for number, entry in fields(data):
        if number == _ENTRIES:
            pair = dict(fields(_message(entry)))
            found[_text(pair.get(1, b""))] = _message(pair.get(2, b""))
    return found


def _decode(data: bytes) -> Schema:
    schema: Schema = {}
    for number, value in fields(data):
        if number in _TEXTS:
            schema[_TEXTS[number]] = _text(value)
        elif number == _REQUIRED:
            schema.setdefault("required", []).append(_text(value))
        elif number == _TYPE:
            schema["type"] = [_text(one) for _, one in fields(_message(value))]
        elif number == _PROPERTIES:
            schema["properties"] = {name: _decode(one) for name, one in _named(_message(value)).items()}
        elif number == _ITEMS:
            schema["items"] = [_decode(_message(one)) for _, one in fields(_message(value))]
        elif number == _VALUES:
            for kind, one in fields(_message(value)):
                schema["additionalProperties"] = bool(one) if kind == 2 else _decode(_message(one))
    return schema


def _kinds(data: bytes) -> list[Any]:
    """The kinds that a definition names in its extension, which is YAML in the message."""
    from kubetrace.wire.yaml_reader import loads

    for number, value in fields(data):
        if number != _EXTENSION:
            continue
        pair = dict(fields(_message(value)))
        if _text(pair.get(1, b"")) == _KIND:
            found = loads(_message(dict(fields(_message(pair.get(2, b"")))).get(2, b"")))
            return found if isinstance(found, list) else []
    return []
