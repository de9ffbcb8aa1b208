"""Kubernetes' encodings."""

from __future__ import annotations

from collections.abc import Iterator

PROTOBUF = b"k8s\x00"
"""What every protobuf body of Kubernetes starts with (apimachinery, serializer/protobuf)."""
CBOR = b"\xd9\xd9\xf7"
"""The tag that every object in CBOR starts with (55799, "this is CBOR")."""


def is_binary(body: bytes) -> bool:
    """Is a body in one of Kubernetes' binary encodings, be it an object or a watch's events?"""
    return body.startswith((PROTOBUF, CBOR)) or is_watch_stream(body)


def is_watch_stream(body: bytes) -> bool:
    """Is it the beginning of a watch's body in protobuf: events, each behind its length in four bytes?"""
    return body[4:5] == b"\n" and PROTOBUF in body[:40]


def watch_spans(body: bytes) -> Iterator[tuple[int, int]]:
    """Where the events of a watch's body lie; the last may end behind the body's end."""
    start = 4
    while start < len(body):
        stop = start + int.from_bytes(body[start - 4 : start], "big")
        yield start, stop
        start = stop + 4
