"""JSON as Go reads and writes it (encoding/json and k8s.io/apimachinery/pkg/util/json).

Reading: integers that fit int64 stay integers, every other number is a float; invalid UTF-8 becomes U+FFFD, a byte at
a time. Writing: keys sorted, `<`, `>`, `&`, U+2028 and U+2029 escaped, numbers in Go's forms. msgspec does the work at
C speed; only what Go words differently is done here. Most answers are small: before msgspec is even imported, the
standard library has read them.
"""

from __future__ import annotations

import json
import re
from typing import Any

from kubetrace.wire.go_numbers import json_float

_DIGITS_AS_ZEROS = bytes(48 if 48 <= byte < 58 else byte for byte in range(256))
_NINETEEN_DIGITS = b"0" * 19
"""Fewer always fit int64. Found without a regular expression, which takes as long as parsing a large text does."""
_ESCAPES = (
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    (b"\xe2\x80\xa8", b"\\u2028"),
    (b"\xe2\x80\xa9", b"\\u2029"),
)
_LARGE = 1 << 20
"""Bytes from which on it pays to import msgspec for reading."""


class InvalidJSON(ValueError):
    """The text is not JSON; the message is the parser's."""


def loads(data: bytes) -> Any:
    """Parses a JSON text. Raises InvalidJSON."""
    value = _loads_large(data) if len(data) >= _LARGE else _loads_leniently(data)
    return _narrowed(value) if _NINETEEN_DIGITS in data.translate(_DIGITS_AS_ZEROS) else value


def _loads_large(data: bytes) -> Any:
    import msgspec

    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _loads_leniently(data)


def _loads_leniently(data: bytes) -> Any:
    """Reads what Go reads besides JSON: invalid UTF-8 and lone surrogate escapes."""
    text = valid_utf8(data)
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidJSON(str(error)) from None
    return _without_surrogates(value) if "\\ud" in text or "\\uD" in text else value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"invalid character {name[0]!r} looking for beginning of value")


def valid_utf8(data: bytes) -> str:
    """Text with U+FFFD for every byte that is not part of valid UTF-8, as Go's range over a string gives it."""
    parts = []
    while data:
        try:
            parts.append(data.decode())
            break
        except UnicodeDecodeError as error:
            parts.append(data[: error.start].decode() + "\ufffd")
            data = data[error.start + 1 :]
    return "".join(parts)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _narrowed(value: Any) -> Any:
    """Integers beyond int64 become floats, as apimachinery's decoder makes them."""
    if type(value) is int and not -(1 << 63) <= value < 1 << 63:
        return float(value)
    if isinstance(value, list):
        return [_narrowed(item) for item in value]
    if isinstance(value, dict):
        return {key: _narrowed(item) for key, item in value.items()}
    return value


_TYPE_META = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'


def json_type(value: Any) -> str:
    """What encoding/json calls a value's type in its errors."""
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, bool):
        return "bool"
    return "string" if isinstance(value, str) else "number"


def no_object(value: Any) -> str:
    """Why a value that is no JSON object says nothing of its kind, which is read first."""
    return f"json: cannot unmarshal {json_type(value)} into Go value of type {_TYPE_META}"


def dumps(value: Any) -> bytes:
    """One line, no blanks: json.Marshal."""
    import msgspec

    data = msgspec.json.encode(_with_raw_floats(value) if _has_float(value) else value, order="sorted")
    for plain, escaped in _ESCAPES:
        if plain in data:
            data = data.replace(plain, escaped)
    return data


def dumps_in_order(value: Any) -> bytes:
    """The same with keys in the order they have: json.Marshal of a struct."""
    import msgspec

    data = msgspec.json.encode(_with_raw_floats(value))
    for plain, escaped in _ESCAPES:
        if plain in data:
            data = data.replace(plain, escaped)
    return data


def dumps_indented(value: Any, indent: int = 4) -> bytes:
    """json.MarshalIndent with an indent of `indent` blanks and no newline at the end (kubectl's -o json has four)."""
    return indented(dumps(value), indent)


def indented(data: bytes, indent: int = 4) -> bytes:
    """A JSON text with each entry on a line of its own."""
    import msgspec

    return msgspec.json.format(data, indent=indent)


def _has_float(value: Any) -> bool:
    kind = type(value)
    if kind is float:
        return True
    members: Any = value.values() if kind is dict else value if kind is list or kind is tuple else ()
    # any(…) would make a generator for each of many small objects.
    for member in members:  # noqa: SIM110
        if type(member) is not str and _has_float(member):
            return True
    return False


def _with_raw_floats(value: Any) -> Any:
    import msgspec

    if type(value) is float:
        return msgspec.Raw(json_float(value).encode())
    if isinstance(value, list | tuple):
        return [_with_raw_floats(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_raw_floats(item) for key, item in value.items()}
    return value
