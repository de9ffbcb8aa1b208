"""JSON as the server writes it: safe inside HTML, and indented for people (apiserver handlers/responsewriters)."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from kubetrace.playground.http import Answer, Request

_UNSAFE = ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026"),
           (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))  # fmt: skip
_PEOPLE = ("curl", "Wget", "Mozilla/5.0")


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


def for_people(request: Request, answer: Answer) -> Answer:
    """The answer, indented where `pretty` asks for it, or where nobody asks and the client is curl, Wget or a browser
    (isPrettyPrint in apiserver endpoints/handlers/negotiation)."""
    from kubetrace.playground.negotiation import wants_pretty  # which needs this module

    asked = request.parameter("pretty")
    agent = request.headers.get("user-agent", "")
    wanted = asked.lower() in ("1", "t", "true") if asked else agent.startswith(_PEOPLE)
    wanted = wants_pretty(request.headers.get("accept", "")) or wanted
    tagged = any(name == "ETag" for name, _ in answer.headers)
    if wanted and answer.body.endswith(b"\n") and not tagged and answer.content_type == "application/json":
        answer.body = indented(answer.body)
    return answer
