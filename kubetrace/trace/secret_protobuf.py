"""Masks the credentials in a protobuf body byte for byte: the hexdump keeps its shape, the values are gone.

Only the messages that hold credentials are known, by field number (core/v1 Secret and SecretList,
authentication/v1 TokenRequest and TokenReview, from their generated.proto). Whatever can't be read is masked whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kubetrace.wire import PROTOBUF, watch_spans

_TREES: dict[bytes, object] = {
    # message field numbers on the way to a credential; True is the credential itself
    b"Secret": {2: {2: True}, 4: {2: True}},
    b"SecretList": {2: {2: {2: True}, 4: {2: True}}},
    b"TokenRequest": {3: {1: True}},
    b"TokenReview": {2: {1: True}},
}
_COPIED = re.compile(rb'"(?:data|stringData)":\{[^}]*\}?')
_COPIED_VALUE = re.compile(rb':"((?:[^"\\]|\\.)*)')

Placeholder = Callable[[bytes], bytes]


def mask(body: bytes, in_secret: bool, placeholder: Placeholder) -> bytes:
    """The body with every credential overwritten by its placeholder, cut or filled up with `*` to the same length."""
    target = bytearray(body)
    kind = b""
    try:
        envelope = dict(_fields(body, len(PROTOBUF), len(body)))
        kind = _kind(body, envelope)
        tree = _TREES.get(kind) or (_TREES[b"Secret"] if in_secret and not kind else None)
        if tree is not None and 2 in envelope:
            _mask_message(body, target, *envelope[2], tree, placeholder)
    except ValueError:
        if in_secret or kind in _TREES or b"Secret" in body[:64]:
            target[len(PROTOBUF) :] = b"*" * (len(body) - len(PROTOBUF))
    _mask_copies(body, target, placeholder)
    return bytes(target)


def mask_watch(body: bytes, in_secret: bool, placeholder: Placeholder) -> bytes:
    """The same for a watch's body: events, each behind its length. One that is cut off, or can't be read, is masked
    whole where it may be a Secret's."""
    target = bytearray(body)
    for start, stop in watch_spans(body):
        try:
            if stop > len(body):
                raise ValueError("cut off")
            raw = _only(body, 1, _only(body, 2, (start, stop)))
            target[slice(*raw)] = mask(body[slice(*raw)], in_secret, placeholder)
        except ValueError:
            if in_secret or b"Secret" in body[start : start + 128]:
                target[start:stop] = b"*" * (min(stop, len(body)) - start)
    return bytes(target)


def _only(body: bytes, number: int, span: tuple[int, int]) -> tuple[int, int]:
    """Where a message's field lies. Raises ValueError."""
    found = dict(_fields(body, *span))
    if number not in found:
        raise ValueError(f"no field {number}")
    return found[number]


def _kind(body: bytes, envelope: dict[int, tuple[int, int]]) -> bytes:
    if 1 not in envelope:
        return b""
    type_meta = dict(_fields(body, *envelope[1]))
    return body[slice(*type_meta[2])] if 2 in type_meta else b""


def _fields(body: bytes, start: int, stop: int) -> list[tuple[int, tuple[int, int]]]:
    """Number and span of each field of a message; raises ValueError where the bytes are no message."""
    found = []
    while start < stop:
        tag, start = _varint(body, start, stop)
        wire = tag & 7
        if wire == 0:
            end = _varint(body, start, stop)[1]
        elif wire == 2:
            size, start = _varint(body, start, stop)
            end = start + size
        elif wire in (1, 5):
            end = start + (8 if wire == 1 else 4)
        else:
            raise ValueError("no protobuf")
        if end > stop or not tag >> 3:
            raise ValueError("cut off")
        found.append((tag >> 3, (start, end)))
        start = end
    return found


def _varint(body: bytes, start: int, stop: int) -> tuple[int, int]:
    value = shift = 0
    while start < stop and shift < 64:
        byte = body[start]
        start += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, start
        shift += 7
    raise ValueError("cut off")


def _mask_message(
    body: bytes, target: bytearray, start: int, stop: int, tree: object, placeholder: Placeholder
) -> None:
    if not isinstance(tree, dict):
        if stop > start:
            target[start:stop] = _filled(body[start:stop], placeholder)
        return
    for number, (first, last) in _fields(body, start, stop):
        if number in tree:
            _mask_message(body, target, first, last, tree[number], placeholder)


def _filled(secret: bytes, placeholder: Placeholder) -> bytes:
    stand_in = placeholder(secret)
    return stand_in.ljust(len(secret), b"*") if len(stand_in) <= len(secret) else b"*" * len(secret)


def _mask_copies(body: bytes, target: bytearray, placeholder: Placeholder) -> None:
    """Copies of a Secret as JSON in an annotation."""
    if b'"Secret' not in body:
        return
    for block in _COPIED.finditer(body):
        for value in _COPIED_VALUE.finditer(body, *block.span()):
            if value[1]:
                target[slice(*value.span(1))] = _filled(value[1], placeholder)
