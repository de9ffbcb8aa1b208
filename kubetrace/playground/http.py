"""HTTP/1.1 over TLS for the playground: h11 does the protocol, asyncio the sockets.

A handler takes a `Request` and gives an `Answer` (whole), a `Stream` (chunks as they come) or an `Upgrade` (the
connection is its own from then on). Bodies are bounded, heads must arrive in time, and a bad client ends only its
own connection.
"""

from __future__ import annotations

import asyncio
import asyncio.sslproto
import contextlib
import gzip
import hashlib
import json
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import h11

from kubetrace.serving.phrases import PHRASES
from kubetrace.serving.status import failure
from kubetrace.wire import go_url

MAX_BODY = 3 * 1024 * 1024
MAX_HEAD = 1024 * 1024
HEAD_SECONDS = 32.0
"""So long a head may take from its first byte on (the real server's ReadHeaderTimeout), and a TLS handshake."""
BODY_SECONDS = 60.0
"""So long a body may take, as any request that ends by itself."""
IDLE_SECONDS = 180.0
STALLED_SECONDS = 30.0
"""So long a client may take nothing of an answer: what is meant for it would pile up."""
PIECE = 64 * 1024
TLS_RECORD = 16 * 1024
GZIP_ABOVE = 128 * 1024
COUNTED_BELOW = 4096
"""So long are answers whose length Go's server tells unasked (http2handlerChunkWriteSize)."""

_BODILESS = (204, 304)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def _head(status: int, headers: list[tuple[str, str]]) -> h11.Response:
    """A status line with its phrase."""
    return h11.Response(status_code=status, headers=headers, reason=PHRASES.get(status, ""))


@dataclass(slots=True)
class Request:
    method: str
    target: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    """By name in lower case; what comes more than once stands in one text, with commas between."""
    body: bytes
    certificate: dict[str, Any] | None = None
    fields: list[tuple[str, str]] = field(default_factory=list)
    """The headers one by one."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What the layers found out: the user, the audit id, warnings to send."""

    def parameter(self, name: str) -> str:
        return self.query.get(name, [""])[0]

    def flag(self, name: str) -> bool:
        """As apimachinery reads booleans: whatever is there is true, but for "0" and "false"."""
        return name in self.query and self.parameter(name).lower() not in ("0", "false")


@dataclass(slots=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)
    counted: bool = False
    """Whether its length is told however long it is."""


def tagged(request: Request, body: bytes, content_type: str) -> Answer:
    """A document with its ETag: 304 for who has it already."""
    etag = f'"{hashlib.sha512(body).hexdigest().upper()}"'
    headers = [("ETag", etag), ("Vary", "Accept")]
    if etag in request.headers.get("if-none-match", ""):
        return Answer(304, b"", content_type, headers)
    return Answer(200, body, content_type, headers)


@dataclass(slots=True)
class Stream:
    chunks: AsyncIterator[bytes]
    content_type: str = "application/json"
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)


Takeover = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]
"""Gets both ends of the connection, and what the client has sent already."""


@dataclass(slots=True)
class Upgrade:
    """Answers 101 itself: from then on the connection belongs to `run`."""

    run: Takeover
    headers: list[tuple[str, str]] = field(default_factory=list)


Handler = Callable[[Request], Awaitable[Answer | Stream | Upgrade]]


_FIRST_COUNTS = ("accept", "authorization", "content-type", "host")
"""Headers that a client may repeat, to no avail."""
_BAD_HEADS = {
    "Missing mandatory Host: header": "400 Bad Request: missing required Host header",
    "illegal header line": "400 Bad Request: invalid header name",
    "Only Transfer-Encoding: chunked": "Unsupported transfer encoding",
    "unsupported protocol version": "505 HTTP Version Not Supported: unsupported protocol version",
}
"""net/http's words for what h11 says, by its beginning."""
_LARGEST_LENGTH = 2**63 - 1
_TARGETS = (b"/", b"*", b"http://", b"https://")


class TooLarge(Exception):
    pass


class BrokenBody(Exception):
    """What a body's framing lacks."""


class Connection:
    """One client: requests one after the other until either side has had enough."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
        self._reader = reader
        self._writer = writer
        self._handler = handler
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)

    async def serve(self) -> None:
        with contextlib.suppress(
            ConnectionError, TimeoutError, asyncio.IncompleteReadError, h11.LocalProtocolError, ssl.SSLError
        ):
            while await self._one():
                self._http.start_next_cycle()

    async def _event(self) -> Any:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self._http.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
            self._http.receive_data(await self._reader.read(65536))

    async def _head(self) -> Any:
        """The next request's head, once it has begun."""
        if not self._http.trailing_data[0]:
            async with asyncio.timeout(IDLE_SECONDS):
                self._http.receive_data(await self._reader.read(65536))
        async with asyncio.timeout(HEAD_SECONDS):
            return await self._event()

    async def _one(self) -> bool:
        try:
            head = await self._head()
            if not isinstance(head, h11.Request):
                return False
            request = await self._request(head)
        except h11.RemoteProtocolError as error:
            await self._refuse_head(error)
            return False
        except BrokenBody as error:
            await self._refuse(500, json.dumps(failure(500, str(error), "", None), separators=(",", ":")).encode())
            return False
        except TooLarge:
            body = b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Request entity too '
            body += b'large: limit is 3145728","reason":"RequestEntityTooLarge","code":413}'
            await self._refuse(413, body)
            await self._drain()
            return False
        answer = await self._handler(request)
        if isinstance(answer, Upgrade):
            await answer.run(self._reader, self._writer, self._http.trailing_data[0])
            return False
        return await self._answer(request, answer)

    async def _request(self, head: h11.Request) -> Request:
        headers: dict[str, str] = {}
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers]
        for key, text in fields:
            if key not in headers:
                headers[key] = text
            elif key not in _FIRST_COUNTS:
                headers[key] = f"{headers[key]}, {text}"
        if not head.http_version.startswith(b"1.") and head.target != b"*":
            raise h11.RemoteProtocolError("unsupported protocol version", error_status_hint=505)
        if headers.get("expect", "100-continue").lower() != "100-continue":
            raise h11.RemoteProtocolError("unsupported expectation", error_status_hint=417)
        if int(headers.get("content-length", 0)) > _LARGEST_LENGTH or not head.target.startswith(_TARGETS):
            raise h11.RemoteProtocolError("no length, or no place on this server")
        async with asyncio.timeout(BODY_SECONDS):
            body = await self._body()
        target = head.target.decode("latin-1")
        place, _, asked = target.partition("?")
        if not place.startswith("/"):  # else even //api is a path
            url = urlsplit(target)
            place, asked = url.path, url.query
        if _BAD_ESCAPE.search(place):
            raise h11.RemoteProtocolError("invalid URL escape")
        query: dict[str, list[str]] = {}
        for key, value in go_url.URL(query=asked).query_pairs():
            query.setdefault(key, []).append(value)
        certificate = self._writer.get_extra_info("peercert")
        if certificate:
            encoded = self._writer.get_extra_info("ssl_object").getpeercert(True)
            certificate = certificate | {"sha256": hashlib.sha256(encoded).hexdigest()}
        method, path = head.method.decode(), unquote(place)
        return Request(method, target, path, query, headers, body, certificate or None, fields)

    async def _body(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            try:
                event = await self._event()
            except h11.RemoteProtocolError:
                raise BrokenBody("invalid byte in chunk length") from None
            if not isinstance(event, h11.Data):
                return b"".join(parts)
            size += len(event.data)
            if size > MAX_BODY:
                raise TooLarge
            parts.append(bytes(event.data))

    async def _drain(self) -> None:
        """Forgets the rest of the body: a client that is still sending would see a reset, not the answer."""
        with contextlib.suppress(h11.RemoteProtocolError):
            async with asyncio.timeout(BODY_SECONDS):
                while isinstance(await self._event(), h11.Data):
                    pass

    async def _refuse_head(self, error: h11.RemoteProtocolError) -> None:
        """As Go's server answers what is no request: with the same words in the status line and below."""
        status = error.error_status_hint or 400
        if status == 417:
            self._writer.write(b"HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            return
        plain = f"{status} {PHRASES.get(status, 'Bad Request')}"
        told = next((words for start, words in _BAD_HEADS.items() if str(error).startswith(start)), plain)
        line = told if told[:3].isdecimal() else plain
        head = f"HTTP/1.1 {line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{told}"
        self._writer.write(head.encode())
        await self._writer.drain()

    async def _refuse(self, status: int, body: bytes) -> None:
        if self._http.our_state is h11.IDLE or self._http.our_state is h11.SEND_RESPONSE:
            headers = [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                ("Connection", "close"),
            ]
            await self._send(_head(status, headers))
            await self._send(h11.Data(data=body))
            await self._send(h11.EndOfMessage())

    async def _answer(self, request: Request, answer: Answer | Stream) -> bool:
        headers = [*answer.headers, ("Date", formatdate(usegmt=True))]
        if answer.status not in _BODILESS and answer.content_type:
            headers.insert(-1, ("Content-Type", answer.content_type))
        chunked = ("Transfer-Encoding", "chunked")
        if isinstance(answer, Stream):
            await self._stream(answer, [*headers, chunked])
        else:
            body = answer.body
            packed = any(name == "Content-Encoding" for name, _ in headers)
            if len(body) > GZIP_ABOVE and not packed and "gzip" in request.headers.get("accept-encoding", ""):
                body = gzip.compress(body, 1)
                headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
            if answer.status not in _BODILESS:  # a client's cache would take a 304's length for the object's
                told = request.method == "HEAD" or (answer.counted and body is answer.body)
                told = told or len(body) <= COUNTED_BELOW
                headers.append(("Content-Length", str(len(body))) if told else chunked)
            await self._send(_head(answer.status, headers))
            if request.method != "HEAD" and answer.status not in _BODILESS:
                await self._send(h11.Data(data=body))
            await self._send(h11.EndOfMessage())
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _stream(self, answer: Stream, headers: list[tuple[str, str]]) -> None:
        await self._send(_head(answer.status, headers))
        gone = asyncio.create_task(self._reader.read(1))
        pump = asyncio.create_task(self._pump(answer.chunks))
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not pump.done() or gone.done():
                raise ConnectionResetError
            pump.result()
        finally:
            for task in (pump, gone):
                task.cancel()
            await asyncio.gather(pump, gone, return_exceptions=True)

    async def _pump(self, chunks: AsyncIterator[bytes]) -> None:
        try:
            async for chunk in chunks:
                whole = memoryview(chunk)
                for start in range(0, len(chunk), PIECE):  # so that a slow client is no copy of all that waits for it
                    await self._send(h11.Data(data=bytes(whole[start : start + PIECE])))
            await self._send(h11.EndOfMessage())
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

    async def _send(self, event: Any) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)
            async with asyncio.timeout(STALLED_SECONDS):
                await self._writer.drain()


def server_tls(folder: Path) -> ssl.SSLContext:
    """With the playground's keys; a client may show a certificate of its authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    context.load_verify_locations(folder / "ca.crt")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    return context


async def listen(handler: Handler, context: ssl.SSLContext, port: int) -> asyncio.Server:
    """Serves on 127.0.0.1; port 0 takes a free one."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Connection(reader, writer, handler).serve()
        except asyncio.CancelledError:
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError, TimeoutError):
                await writer.wait_closed()

    # Each TLS connection has a buffer of that size to read into: asyncio's 256 KiB are most of what an idle one costs.
    asyncio.sslproto.SSLProtocol.max_size = TLS_RECORD
    return await asyncio.start_server(
        client,
        "127.0.0.1",
        port,
        ssl=context,
        ssl_handshake_timeout=HEAD_SECONDS,
        ssl_shutdown_timeout=1,
        backlog=512,
    )
