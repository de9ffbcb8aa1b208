"""Parts of an OpenAPI v2 document in protobuf (gnostic-models openapiv2/OpenAPIv2.proto), made from their JSON.

A message that is written after another joins it: what is encoded here is appended to a document as it is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import msgspec

Encode = Callable[[Any], bytes]

_PATHS, _DEFINITIONS = 8, 9


def document_parts(paths: dict[str, Any], definitions: dict[str, Any]) -> bytes:
    """`paths` and `definitions` as fields of a Document."""
    places = b"".join(_field(2, _named(path, _path_item(item))) for path, item in paths.items())
    return _field(_PATHS, places) + _field(_DEFINITIONS, _map(definitions, _schema))


def without_definitions(document: bytes) -> bytes:
    """A Document without its definitions."""
    from kubetrace.wire.protobuf import fields

    kept = [(number, value) for number, value in fields(document) if number != _DEFINITIONS]
    return b"".join(_field(number, value) for number, value in kept if isinstance(value, bytes))


def _varint(number: int) -> bytes:
    number &= 0xFFFFFFFFFFFFFFFF  # a negative number is its two's complement
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _text(number: int) -> Encode:
    return lambda value: _field(number, str(value).encode())


def _integer(number: int) -> Encode:
    """An integer or a bool; like every scalar, left out where it is zero."""
    return lambda value: _varint(number << 3) + _varint(int(value)) if value else b""


def _double(number: int) -> Encode:
    return lambda value: _varint(number << 3 | 1) + struct.pack("<d", float(value)) if value else b""


def _any(value: Any) -> bytes:
    """A value in YAML, which JSON is, too."""
    return _field(2, msgspec.json.encode(value))


def _one(number: int, encode: Encode) -> Encode:
    return lambda value: _field(number, encode(value))


def _each(number: int, encode: Encode) -> Encode:
    return lambda values: b"".join(_field(number, encode(value)) for value in values)


def _texts(number: int) -> Encode:
    return _each(number, lambda value: str(value).encode())


def _named(name: str, value: bytes) -> bytes:
    return _field(1, name.encode()) + _field(2, value)


def _map(values: dict[str, Any], encode: Encode) -> bytes:
    return b"".join(_field(1, _named(name, encode(value))) for name, value in values.items())


def _message(value: dict[str, Any], table: dict[str, Encode], extensions: int) -> bytes:
    """`value` by the table of its keys; keys that begin with x- are vendor extensions."""
    out = [table[name](part) for name, part in value.items() if name in table]
    more = [_field(extensions, _named(name, _any(part))) for name, part in value.items() if name.startswith("x-")]
    return b"".join(out + more)


def _schema(value: dict[str, Any]) -> bytes:
    return _message(value, _SCHEMA, 31)


def _types(value: Any) -> bytes:
    return _texts(1)(value if isinstance(value, list) else [value])


def _values(value: Any) -> bytes:
    """additionalProperties: a schema, or whether there may be any."""
    return _field(1, _schema(value)) if isinstance(value, dict) else _varint(2 << 3) + _varint(int(value))


def _parameter(value: dict[str, Any]) -> bytes:
    if "$ref" in value:
        return _field(2, _text(1)(value["$ref"]))
    if value["in"] == "body":
        return _field(1, _field(1, _message(value, _BODY, 6)))
    number, table, extensions = (4, _IN_PATH, 22) if value["in"] == "path" else (3, _IN_QUERY, 23)
    return _field(1, _field(2, _field(number, _message(value, table, extensions))))


def _response(value: dict[str, Any]) -> bytes:
    return _field(1, _message(value, _RESPONSE, 5))


def _path_item(value: dict[str, Any]) -> bytes:
    return _message(value, _PATH_ITEM, 10)


_SCHEMA: dict[str, Encode] = {
    "$ref": _text(1),
    "format": _text(2),
    "title": _text(3),
    "description": _text(4),
    "default": _one(5, _any),
    "multipleOf": _double(6),
    "maximum": _double(7),
    "exclusiveMaximum": _integer(8),
    "minimum": _double(9),
    "exclusiveMinimum": _integer(10),
    "maxLength": _integer(11),
    "minLength": _integer(12),
    "pattern": _text(13),
    "maxItems": _integer(14),
    "minItems": _integer(15),
    "uniqueItems": _integer(16),
    "maxProperties": _integer(17),
    "minProperties": _integer(18),
    "required": _texts(19),
    "enum": _each(20, _any),
    "additionalProperties": _one(21, _values),
    "type": _one(22, _types),
    "items": _one(23, _one(1, _schema)),
    "allOf": _each(24, _schema),
    "properties": _one(25, lambda value: _map(value, _schema)),
}
_BODY: dict[str, Encode] = {
    "description": _text(1),
    "name": _text(2),
    "in": _text(3),
    "required": _integer(4),
    "schema": _one(5, _schema),
}
_PLAIN: dict[str, Encode] = {"required": _integer(1), "in": _text(2), "description": _text(3), "name": _text(4)}
_IN_PATH = _PLAIN | {"type": _text(5), "format": _text(6), "uniqueItems": _integer(19)}
_IN_QUERY = _PLAIN | {"type": _text(6), "format": _text(7), "uniqueItems": _integer(20)}
_RESPONSE: dict[str, Encode] = {"description": _text(1), "schema": _one(2, _one(1, _schema))}
_OPERATION: dict[str, Encode] = {
    "tags": _texts(1),
    "description": _text(3),
    "operationId": _text(5),
    "produces": _texts(6),
    "consumes": _texts(7),
    "parameters": _each(8, _parameter),
    "responses": _one(9, lambda value: _map(value, _response)),
    "schemes": _texts(10),
    "deprecated": _integer(11),
}
_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "options": 6, "head": 7, "patch": 8}
_PATH_ITEM = {name: _one(number, lambda value: _message(value, _OPERATION, 13)) for name, number in _METHODS.items()}
_PATH_ITEM["parameters"] = _each(9, _parameter)
