"""Kubernetes' protobuf bodies as JSON values (`k8s\\0` + runtime.Unknown, apimachinery runtime/serializer/protobuf).

Field tables of all built-in kinds are generated (tests/tools/generate_protobuf_facts.py); zero values are dropped
where Go's `omitempty` would drop them.
"""

from __future__ import annotations

import base64
import datetime
import gzip
import struct
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from kubetrace.wire import PROTOBUF, watch_spans

_UNKNOWN_TYPE, _UNKNOWN_RAW = 1, 2
_MAX_DEPTH = 200
_NUMBERS = ("int32", "int64", "bool", "float64")


class InvalidProtobuf(ValueError):
    """The bytes are no Kubernetes protobuf, or of a kind that the table does not have."""


class UnknownKind(InvalidProtobuf):
    """The table does not have the kind."""


@cache
def _facts() -> dict[str, Any]:
    packed = (resources.files("kubetrace.wire") / "data" / "protobuf-1.36.json.gz").read_bytes()
    facts: dict[str, Any] = msgspec.json.decode(gzip.decompress(packed))
    return facts


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, value) of each field: an int for varints and fixed numbers, bytes for the rest."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        size = 8 if wire == 1 else 4 if wire == 5 else -1
        if wire == 2:
            size, at = _varint(data, at)
        if size < 0:
            raise InvalidProtobuf(f"proto: illegal wireType {wire}")
        if at + size > len(data):
            raise InvalidProtobuf("unexpected EOF")
        chunk, at = data[at : at + size], at + size
        yield number, chunk if wire == 2 else int.from_bytes(chunk, "little")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise InvalidProtobuf("unexpected EOF" if shift < 70 else "proto: integer overflow")


def decode(body: bytes) -> dict[str, Any]:
    """The object in a body, with its apiVersion and kind. Raises InvalidProtobuf."""
    api_version, kind, raw = envelope(body)
    if raw.lstrip().startswith(b"{"):
        return _json_object(raw)
    message = _facts()["kinds"].get(f"{api_version}/{kind}")
    if message is None:
        raise UnknownKind(f'no kind "{kind}" is registered for version "{api_version}"')
    return {"kind": kind, "apiVersion": api_version, **_message(raw, message, 0)}


def _json_object(raw: bytes) -> dict[str, Any]:
    """An envelope may hold JSON, too (contentType application/json)."""
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidProtobuf("embedded JSON is broken") from error


def watch_frames(data: bytes) -> tuple[list[dict[str, Any]], bytes]:
    """The whole events of a watch stream (type and object), and the bytes of a frame that is not complete yet. Raises
    InvalidProtobuf."""
    events, end = [], 0
    for start, stop in watch_spans(data):
        if stop > len(data):
            break
        type, raw = watch_event(data[start:stop])
        events.append({"type": type, "object": decode(raw)})
        end = stop
    return events, data[end:]


def watch_event(frame: bytes) -> tuple[str, bytes]:
    """The type and the object's body of one event (meta/v1 WatchEvent). Raises InvalidProtobuf."""
    event = dict(fields(frame))
    raw = dict(fields(_bytes(event.get(2, b""))))
    return _bytes(event.get(1, b"")).decode("utf-8", "replace"), _bytes(raw.get(1, b""))


def envelope(body: bytes) -> tuple[str, str, bytes]:
    """The apiVersion and kind of the object in a body, and its own message. Raises InvalidProtobuf."""
    if not body.startswith(PROTOBUF):
        raise InvalidProtobuf("the body does not start with Kubernetes' protobuf mark")
    found = dict(fields(body[len(PROTOBUF) :]))
    type_meta = dict(fields(_bytes(found.get(_UNKNOWN_TYPE, b""))))
    api_version, kind = (_bytes(type_meta.get(number, b"")).decode("utf-8", "replace") for number in (1, 2))
    return api_version, kind, _bytes(found.get(_UNKNOWN_RAW, b""))


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise InvalidProtobuf("a number where bytes belong")
    return value


def _message(data: bytes, message: str, depth: int) -> dict[str, Any]:
    table = _facts()["messages"].get(message)
    if table is None or depth > _MAX_DEPTH:
        raise InvalidProtobuf(f"no message {message} is known" if table is None else "too deeply nested")
    result: dict[str, Any] = {}
    for number, value in fields(data):
        row = table.get(str(number))
        if row is not None and row[0] != "-":
            _set(result, row, value, depth)
    return result


def _set(result: dict[str, Any], row: list[str], value: int | bytes, depth: int) -> None:
    name, type, how = row[0], row[1], row[2] if len(row) > 2 else ""
    is_number = isinstance(value, int)
    if is_number is not (type in _NUMBERS and how != "map") and not (how == "list" and type in _NUMBERS):
        raise InvalidProtobuf(f"proto: wrong wireType = {0 if is_number else 2} for field {_go_name(name)}")
    if how == "map":
        entry = dict(fields(_bytes(value)))
        key = _bytes(entry.get(1, b"")).decode("utf-8", "replace")
        inner = entry.get(2, b"" if type in ("string", "bytes") or "/" in type else 0)
        result.setdefault(name, {})[key] = _value(inner, type, depth)
    elif how == "list":
        result.setdefault(name, []).extend(_entries(value, type, depth))
    else:
        decoded = _value(value, type, depth)
        if name == "":
            result.update(decoded)
        elif how == "pointer" or decoded not in ("", 0, False) or isinstance(decoded, dict):
            result[name] = decoded


def _go_name(name: str) -> str:
    """A Go struct's field, from its name in JSON."""
    return "ObjectMeta" if name == "metadata" else name[:1].upper() + name[1:]


def _entries(value: int | bytes, type: str, depth: int) -> list[Any]:
    if isinstance(value, bytes) and type in ("int32", "int64", "bool"):  # packed
        numbers, at = [], 0
        while at < len(value):
            number, at = _varint(value, at)
            numbers.append(_value(number, type, depth))
        return numbers
    return [_value(value, type, depth)]


def _value(value: int | bytes, type: str, depth: int) -> Any:
    if type == "string":
        return _bytes(value).decode("utf-8", "replace")
    if type == "bytes":
        return base64.b64encode(_bytes(value)).decode()
    if "/" in type:
        special = _SPECIAL.get(type.rpartition(".")[2])
        return special(_bytes(value), type, depth) if special else _message(_bytes(value), type, depth + 1)
    if isinstance(value, bytes):
        raise InvalidProtobuf("bytes where a number belongs")
    if type == "bool":
        return value != 0
    if type == "float64":
        return struct.unpack("<d", value.to_bytes(8, "little"))[0]
    return value - (1 << 64) if value >= 1 << 63 else value


def _time(data: bytes, type: str, depth: int) -> str | None:
    found = dict(fields(data))
    seconds, nanos = found.get(1, 0), found.get(2, 0)
    if not isinstance(seconds, int) or not isinstance(nanos, int) or not found:
        return None
    if seconds >= 1 << 63:
        seconds -= 1 << 64
    if seconds == -62135596800:
        return None
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    fraction = f".{nanos // 1000:06d}" if type.endswith("MicroTime") else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def _duration(data: bytes, type: str, depth: int) -> str:
    nanos = _value(dict(fields(data)).get(1, 0), "int64", depth)
    sign, rest = ("-", -nanos) if nanos < 0 else ("", nanos)
    if rest < 1_000_000_000:
        for unit, size in (("ms", 1_000_000), ("µs", 1000), ("ns", 1)):
            if rest >= size:
                return f"{sign}{rest / size:g}{unit}"
        return "0s"
    minutes, seconds = divmod(rest / 1e9, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"
    return sign + (f"{hours}h{minutes}m{text}" if hours else f"{minutes}m{text}" if minutes else text)


def _text(data: bytes, type: str, depth: int) -> str:
    return _bytes(dict(fields(data)).get(1, b"")).decode("utf-8", "replace") or "0"


def _int_or_string(data: bytes, type: str, depth: int) -> int | str:
    found = dict(fields(data))
    if found.get(1, 0) == 1:
        return _bytes(found.get(3, b"")).decode("utf-8", "replace")
    number = _value(found.get(2, 0), "int32", depth)
    return int(number)


def _raw(data: bytes, type: str, depth: int) -> Any:
    raw = _bytes(dict(fields(data)).get(1, b""))
    try:
        return msgspec.json.decode(raw) if raw else None
    except msgspec.DecodeError as error:
        raise InvalidProtobuf("embedded JSON is broken") from error


def _names(data: bytes, type: str, depth: int) -> list[str]:
    return [_bytes(value).decode("utf-8", "replace") for _, value in fields(data)]


_SCHEMA_PROPS = "apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaProps"


def _schema_or(data: bytes, type: str, depth: int) -> Any:
    """JSONSchemaPropsOrArray, …OrBool, …OrStringArray: whichever side is set."""
    schema: Any = None
    others: list[Any] = []
    allows = False
    for number, value in fields(data):
        if isinstance(value, int):
            allows = value != 0
        elif type.endswith("OrBool") or number == 1:
            schema = _message(value, _SCHEMA_PROPS, depth + 1)
        elif type.endswith("OrStringArray"):
            others.append(value.decode("utf-8", "replace"))
        else:
            others.append(_message(value, _SCHEMA_PROPS, depth + 1))
    if schema is not None:
        return schema
    return allows if type.endswith("OrBool") else others


_SPECIAL: dict[str, Callable[[bytes, str, int], Any]] = {
    "Time": _time,
    "MicroTime": _time,
    "Duration": _duration,
    "Quantity": _text,
    "IntOrString": _int_or_string,
    "FieldsV1": _raw,
    "RawExtension": _raw,
    "JSON": _raw,
    "ExtraValue": _names,
    "Verbs": _names,
    "JSONSchemaPropsOrArray": _schema_or,
    "JSONSchemaPropsOrBool": _schema_or,
    "JSONSchemaPropsOrStringArray": _schema_or,
}
