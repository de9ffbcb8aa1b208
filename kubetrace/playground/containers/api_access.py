"""The API server as a container reaches it: in this process, without a connection."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import parse_qsl, unquote

import h11

from kubetrace.playground.http import Answer, Handler, Request, Stream, Upgrade
from kubetrace.serving.phrases import PHRASES

_WATCH_SECONDS = 3.0
"""So long what is streamed is listened to; a container gets no endless answer."""
_MOST = 8 * 1024 * 1024
_PLAIN = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


async def exchange(handler: Handler, raw: bytes, tls: bool) -> bytes:
    """An HTTP exchange: a whole request, the whole answer."""
    if not tls:
        return _PLAIN
    request = _request(raw)
    if request is None:
        return b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request"
    answer = await handler(request)
    if isinstance(answer, Upgrade):
        return b"HTTP/1.1 501 Not Implemented\r\nConnection: close\r\n\r\n"
    body = answer.body if isinstance(answer, Answer) else await _listened(answer)
    headers = [*answer.headers, ("Content-Type", answer.content_type)] if answer.content_type else answer.headers
    lines = [
        f"HTTP/1.1 {answer.status} {PHRASES.get(answer.status, '')}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + (b"" if request.method == "HEAD" else body)


def _request(raw: bytes) -> Request | None:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(raw)
    body = b""
    try:
        head = connection.next_event()
        if not isinstance(head, h11.Request):
            return None
        while isinstance(event := connection.next_event(), h11.Data):
            body += bytes(event.data)
    except h11.RemoteProtocolError:
        return None
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers]
    headers = dict(reversed(fields)) | {"host": "localhost"}  # names that only pods know are no foreign ones
    target = head.target.decode("latin-1")
    place, _, asked = target.partition("?")
    query: dict[str, list[str]] = {}
    for key, value in parse_qsl(asked, keep_blank_values=True):
        query.setdefault(key, []).append(value)
    return Request(head.method.decode(), target, unquote(place), query, headers, body, fields=fields)


async def _listened(answer: Stream) -> bytes:
    body = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_WATCH_SECONDS):
            async for chunk in answer.chunks:
                body += chunk
                if len(body) > _MOST:
                    break
    close = getattr(answer.chunks, "aclose", None)
    if close is not None:
        await close()
    return body
