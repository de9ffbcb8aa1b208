"""klog's text form of structured entries: a quoted message and key=value pairs (klog v2 internal/serialize)."""

from __future__ import annotations

from collections.abc import Iterable

from kubetrace.trace.go_text import quote, quote_to_ascii, to_json


class Text(bytes):
    """Bytes of a Go string (or Stringer or error); plain `bytes` stand for a Go byte slice."""


def format_value(value: object) -> bytes:
    """One value with its `=`: strings quoted, or as an indented block where they have several lines; the rest JSON."""
    if isinstance(value, str):
        value = Text(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, Text):
        return _block(value) if value.find(b"\n") >= 0 else b"=" + quote(value)
    if isinstance(value, bytes):
        return b"=" + quote_to_ascii(value)
    return b"=" + to_json(value)


def _block(value: bytes) -> bytes:
    body = value[:-1] if value.endswith(b"\n") else value
    return b"=<\n\t" + body.replace(b"\n", b"\n\t") + b"\n >"


def format_entry(message: str, pairs: Iterable[tuple[str, object]]) -> bytes:
    """The whole message of an entry: `"Response" status="200 OK" milliseconds=5`."""
    return quote(message) + b"".join(b" " + key.encode() + format_value(value) for key, value in pairs)
