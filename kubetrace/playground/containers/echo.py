"""What simulated servers answer: one plain page that shows the request it got. HTTP only; h11 does the protocol."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

import h11

from kubetrace.playground.containers.pipes import Sink, Source

_MAX_BODY = 64 * 1024


async def serve(source: Source, sink: Sink, place: list[tuple[str, str]], log: Callable[[str], None]) -> None:
    """Answers requests until the client is done. `place` is shown as the page's head; `log` gets a line a request."""
    connection = h11.Connection(h11.SERVER)
    while True:
        try:
            head, body = await _request(connection, source)
        except h11.RemoteProtocolError:
            await sink.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        if head is None:
            return
        text = page(head, body, place).encode()
        line = f"{head.method.decode('latin-1')} {head.target.decode('latin-1')} HTTP/{head.http_version.decode()}"
        log(f'"{line}" 200 {len(text)}')
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text)))]
        headers += [("Date", formatdate(usegmt=True)), ("Server", "kubetrace-playground")]
        data = connection.send(h11.Response(status_code=200, headers=headers, reason="OK")) or b""
        if head.method != b"HEAD":
            data += connection.send(h11.Data(data=text)) or b""
        await sink.write(data + (connection.send(h11.EndOfMessage()) or b""))
        if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
            return
        connection.start_next_cycle()


async def _request(connection: h11.Connection, source: Source) -> tuple[h11.Request | None, bytes]:
    head, body = None, b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await source.read())
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body = (body + bytes(event.data))[:_MAX_BODY]
        elif isinstance(event, h11.EndOfMessage):
            return head, body
        else:
            return None, b""


def page(head: h11.Request, body: bytes, place: list[tuple[str, str]]) -> str:
    lines = ["This page comes from a simulated container: it shows the request that arrived.", ""]
    lines += [f"{name + ':':<11}{value}" for name, value in place if value]
    target, version = head.target.decode("latin-1"), head.http_version.decode()
    lines += ["", f"{head.method.decode()} {target} HTTP/{version}"]
    raw = head.headers.raw_items()
    lines += [f"{name.decode('latin-1')}: {value.decode('latin-1')}" for name, value in raw]
    if body:
        lines += ["", body.decode("utf-8", "replace").rstrip("\n")]
    return "\n".join(lines) + "\n"
