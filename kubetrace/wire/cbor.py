"""CBOR as Kubernetes writes it (apimachinery runtime/serializer/cbor, RFC 8949): items of a known length, each object
behind the tag that says "this is CBOR", strings as byte strings, bytes behind tag 22 (base64 where text is wanted)."""

from __future__ import annotations

import base64
import struct
from typing import Any

_MAX_DEPTH = 200
_BASE64 = 22
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_SIMPLE_VALUES = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}


class InvalidCBOR(ValueError):
    """The bytes are no CBOR, or of a form that Kubernetes does not write."""


class Ends:
    """Finds the end of an item whose bytes come bit by bit; each byte is looked at once."""

    def __init__(self) -> None:
        self._at = 0
        self._left = [1]
        """Of each array, map and tag that is open: how many items it lacks."""

    def find(self, data: bytes | bytearray | memoryview) -> int:
        """Where the first item in `data` ends, 0 while it is not whole; `data` may have grown since the last time. Once
        it is found, the next item is looked for at the beginning of what is given then. Raises InvalidCBOR."""
        while self._left:
            head = _head(data, self._at)
            if head is None:
                return 0
            major, _, argument, after = head
            if major in (_BYTES, _TEXT):
                after += argument
                if after > len(data):
                    return 0
            self._at = after
            self._left[-1] -= 1
            items = {_ARRAY: argument, _MAP: 2 * argument, _TAG: 1}.get(major, 0)
            if items:
                if len(self._left) > 2 * _MAX_DEPTH:
                    raise InvalidCBOR("nested too deeply")
                self._left.append(items)
            while self._left and not self._left[-1]:
                self._left.pop()
        end, self._at, self._left = self._at, 0, [1]
        return end


def decode(data: bytes) -> Any:
    """The first item as a JSON value. Raises InvalidCBOR."""
    try:
        return _item(data, 0, 0)[0]
    except (UnicodeDecodeError, struct.error, OverflowError) as error:
        raise InvalidCBOR(str(error)) from None


def _head(data: bytes | bytearray | memoryview, at: int) -> tuple[int, int, int, int] | None:
    """An item's major type, additional information and argument, and where its head ends; None where it is cut off."""
    if at >= len(data):
        return None
    major, information = data[at] >> 5, data[at] & 31
    if information < 24:
        return major, information, information, at + 1
    if information > 27:
        raise InvalidCBOR("an item without a length")
    after = at + 1 + (1 << information - 24)
    if after > len(data):
        return None
    return major, information, int.from_bytes(data[at + 1 : after], "big"), after


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    head = _head(data, at)
    if head is None or depth > _MAX_DEPTH:
        raise InvalidCBOR("the item is cut off" if head is None else "nested too deeply")
    major, information, argument, at = head
    if major == _UNSIGNED:
        return argument, at
    if major == _NEGATIVE:
        return -1 - argument, at
    if major in (_BYTES, _TEXT):
        end = at + argument
        if end > len(data):
            raise InvalidCBOR("a string is cut off")
        return data[at:end].decode("utf-8"), end
    if major == _TAG:
        if argument == _BASE64:
            return _base64(data, at)
        return _item(data, at, depth + 1)
    if major == _SIMPLE:
        if information in _FLOATS:
            return struct.unpack(_FLOATS[information], data[at - struct.calcsize(_FLOATS[information]) : at])[0], at
        if argument not in _SIMPLE_VALUES:
            raise InvalidCBOR(f"simple value {argument}")
        return _SIMPLE_VALUES[argument], at
    found = []
    for _ in range(argument if major == _ARRAY else 2 * argument):
        value, at = _item(data, at, depth + 1)
        found.append(value)
    if major == _ARRAY:
        return found, at
    return {str(name): value for name, value in zip(found[::2], found[1::2], strict=True)}, at


def _base64(data: bytes, at: int) -> tuple[str, int]:
    head = _head(data, at)
    if head is None or head[0] != _BYTES or head[3] + head[2] > len(data):
        raise InvalidCBOR("no bytes behind the tag of bytes")
    _, _, size, start = head
    return base64.b64encode(data[start : start + size]).decode("ascii"), start + size
