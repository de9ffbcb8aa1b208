"""A SPDY connection that serves: streams that the client opens, over TLS or through a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from kubetrace.playground.containers.pipes import Pipe
from kubetrace.playground.http import Request
from kubetrace.playground.status import ApiError
from kubetrace.playground.streams.websocket import WebSocket
from kubetrace.serving.spdy_framing import Data, Framer, GoAway, Opened, Ping, Reset, SpdyError

UPGRADE = "SPDY/3.1"
_CHUNK = 32 * 1024
_REFUSED = 3
_MAX_STREAMS = 1000


def is_spdy(request: Request) -> bool:
    return request.headers.get("upgrade", "").upper() == UPGRADE


def choose(request: Request, served: Sequence[str]) -> str:
    """The first protocol of the client's that is served (httpstream.Handshake). Raises 403 where none fits."""
    header = request.headers.get("x-stream-protocol-version", "")
    wanted = [entry.strip() for entry in header.split(",") if entry.strip()]
    if not wanted:
        return served[-1]
    found = next((entry for entry in wanted if entry in served), None)
    if found is None:
        told = f"unable to upgrade: unable to negotiate protocol: client supports {wanted}, server accepts {served}"
        raise ApiError(403, told.replace("'", "").replace(",", ""))
    return found


def handshake(protocol: str) -> bytes:
    lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", f"Upgrade: {UPGRADE}"]
    return "\r\n".join([*lines, f"X-Stream-Protocol-Version: {protocol}", "", ""]).encode()


class Stream:
    """One stream: what the client sends is read from `input`; it is a Sink for what goes to the client."""

    def __init__(self, connection: Multiplex, number: int, headers: dict[str, str]) -> None:
        self._connection, self.number = connection, number
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.input = Pipe()
        self.closed = False

    async def write(self, data: bytes) -> None:
        if self.closed:
            raise BrokenPipeError
        for start in range(0, len(data), _CHUNK):
            await self._connection.send_data(self.number, data[start : start + _CHUNK], fin=False)

    async def close(self) -> None:
        """Nothing more to say on this stream."""
        if not self.closed:
            self.closed = True
            await self._connection.send_data(self.number, b"", fin=True)


class Multiplex:
    """`opened` is called for each stream, after the client has been told that it stands."""

    def __init__(
        self,
        receive: AsyncIterator[bytes],
        send: Callable[[bytes], Awaitable[None]],
        opened: Callable[[Stream], Awaitable[None]],
    ) -> None:
        self._receive, self._send, self._opened = receive, send, opened
        self._framer = Framer()
        self._streams: dict[int, Stream] = {}
        self._last = 0
        self.gone = asyncio.Event()

    async def send_data(self, number: int, data: bytes, fin: bool) -> None:
        if self.gone.is_set():
            raise BrokenPipeError
        await self._write(self._framer.data(number, data, fin))

    async def _write(self, frame: bytes) -> None:
        try:
            await self._send(frame)
        except (ConnectionError, BrokenPipeError):
            self.gone.set()
            raise BrokenPipeError from None

    async def run(self) -> None:
        """Until the client is gone."""
        try:
            async for data in self._receive:
                for frame in self._framer.feed(data):
                    if isinstance(frame, GoAway):
                        return
                    await self._take(frame)
        except (SpdyError, ConnectionError, BrokenPipeError):
            return
        finally:
            self.gone.set()
            for stream in self._streams.values():
                stream.input.end()

    async def _take(self, frame: object) -> None:
        if isinstance(frame, Opened):
            if len(self._streams) >= _MAX_STREAMS:
                await self._write(self._framer.reset(frame.stream, _REFUSED))
                return
            stream = Stream(self, frame.stream, frame.headers)
            self._streams[frame.stream] = stream
            self._last = frame.stream
            await self._write(self._framer.reply(frame.stream))
            if frame.fin:
                stream.input.end()
            await self._opened(stream)
        elif isinstance(frame, Data):
            found = self._streams.get(frame.stream)
            if found is not None:
                if frame.data:
                    await _keep(found.input, frame.data)
                if frame.fin:
                    found.input.end()
        elif isinstance(frame, Reset):
            found = self._streams.pop(frame.stream, None)
            if found is not None:
                found.closed = True
                found.input.end()
        elif isinstance(frame, Ping):
            await self._write(self._framer.ping(frame.number))

    def release(self, stream: Stream) -> None:
        """A stream that is over in both directions."""
        self._streams.pop(stream.number, None)

    async def close(self) -> None:
        if not self.gone.is_set():
            try:
                await self._write(self._framer.go_away(self._last))
            except BrokenPipeError:
                return


async def _keep(pipe: Pipe, data: bytes) -> None:
    try:
        await pipe.write(data)
    except BrokenPipeError:
        return  # nobody reads this stream any more


async def raw(reader: asyncio.StreamReader, rest: bytes) -> AsyncIterator[bytes]:
    """What comes over the connection itself."""
    if rest:
        yield rest
    while True:
        try:
            data = await reader.read(65536)
        except ConnectionError:
            return
        if not data:
            return
        yield data


def over_tls(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes, opened: Callable[[Stream], Awaitable[None]]
) -> Multiplex:
    async def send(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    return Multiplex(raw(reader, rest), send, opened)


def through(socket: WebSocket, opened: Callable[[Stream], Awaitable[None]]) -> Multiplex:
    """SPDY in a WebSocket's binary messages (client-go tools/portforward/tunneling_connection.go)."""
    return Multiplex(socket.messages(), socket.send, opened)
