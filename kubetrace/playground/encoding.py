"""JSON as the server writes it: safe inside HTML, and indented for people (apiserver handlers/responsewriters)."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from kubetrace.playground.http import Answer

_UNSAFE = ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026"),
           (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))  # fmt: skip


def html_safe(text: bytes) -> bytes:
    """encoding/json's escapes, in JSON text that has none of them."""
    for char, escape in _UNSAFE:
        if char in text:
            text = text.replace(char, escape)
    return text


def encode(value: Any, status: int = 200, content_type: str = "application/json") -> Answer:
    return Answer(status, html_safe(msgspec.json.encode(value)) + b"\n", content_type)


def indented(text: bytes) -> bytes:
    """The same JSON by two blanks a level, as json.Indent writes it."""
    found = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return html_safe(found.encode())


def raw(value: Any, status: int = 200) -> Answer:
    """JSON that is always for people (WriteRawJSON)."""
    answer = encode(value, status)
    answer.body = indented(answer.body)
    return answer
