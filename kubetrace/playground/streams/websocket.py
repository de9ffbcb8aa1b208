"""The server's end of a WebSocket; wsproto does the framing."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Sequence

from kubetrace.playground.http import Request
from kubetrace.playground.status import ApiError

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MAX_MESSAGE = 16 * 1024 * 1024


def is_websocket(request: Request) -> bool:
    """As wsstream.IsWebSocketRequest."""
    connection = request.headers.get("connection", "").lower()
    return request.headers.get("upgrade", "").lower() == "websocket" and "upgrade" in connection


def offered(request: Request) -> list[str]:
    header = request.headers.get("sec-websocket-protocol", "")
    return [entry.strip() for entry in header.split(",") if entry.strip()]


def choose(request: Request, served: Sequence[str]) -> str:
    """The first protocol of the client's that is served; "" where it offers none. Raises 400 where none fits."""
    wanted = offered(request)
    if not wanted:
        return ""
    found = next((entry for entry in wanted if entry in served), None)
    if found is None:
        raise ApiError(400, f"unable to upgrade: no protocol of {wanted} is served")
    return found


class WebSocket:
    def __init__(
        self, request: Request, protocol: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes
    ) -> None:
        from wsproto.connection import Connection, ConnectionType

        self.protocol = protocol
        self._reader, self._writer = reader, writer
        self._socket = Connection(ConnectionType.SERVER, trailing_data=rest)
        self._closed = False
        key = request.headers.get("sec-websocket-key", "").encode()
        accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest()).decode()
        head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        head += [f"Sec-WebSocket-Accept: {accept}"]
        head += [f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []
        writer.write("\r\n".join([*head, "", ""]).encode())

    async def messages(self) -> AsyncIterator[bytes]:
        """Whole messages, text or binary, until the client closes."""
        from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage
        from wsproto.utilities import RemoteProtocolError

        message = bytearray()
        while True:
            try:
                for event in self._socket.events():
                    if isinstance(event, CloseConnection):
                        self._answer_close(event)
                        return
                    if isinstance(event, Ping) and not self._closed:
                        self._writer.write(self._socket.send(event.response()))
                    if isinstance(event, BytesMessage | TextMessage):
                        message += event.data.encode() if isinstance(event, TextMessage) else event.data
                        if len(message) > MAX_MESSAGE:
                            await self.close(1009)
                            return
                        if event.message_finished:
                            yield bytes(message)
                            message.clear()
                await self._writer.drain()
                data = await self._reader.read(65536)
                self._socket.receive_data(data or None)
            except (ConnectionError, RemoteProtocolError):
                return
            if not data:
                return

    def _answer_close(self, event: object) -> None:
        from wsproto.events import CloseConnection
        from wsproto.utilities import LocalProtocolError

        assert isinstance(event, CloseConnection)
        if not self._closed:
            self._closed = True
            try:
                self._writer.write(self._socket.send(event.response()))
            except LocalProtocolError:
                return

    async def send(self, data: bytes, text: bool = False) -> None:
        """Raises BrokenPipeError once the connection is closed."""
        from wsproto.events import BytesMessage, TextMessage
        from wsproto.utilities import LocalProtocolError

        if self._closed:
            raise BrokenPipeError
        try:
            event = TextMessage(data=data.decode()) if text else BytesMessage(data=data)
            self._writer.write(self._socket.send(event))
        except LocalProtocolError:
            raise BrokenPipeError from None
        await self._writer.drain()

    async def channels(self) -> AsyncIterator[tuple[int, bytes]]:
        """(channel, data) of each message, in the protocols whose messages begin with a channel's number."""
        async for message in self.messages():
            if not message:
                continue
            number, data = message[0], message[1:]
            if "base64" in self.protocol:
                try:
                    number, data = number - ord("0"), base64.b64decode(data)
                except ValueError:
                    continue
            if number >= 0:
                yield number, data

    async def send_to(self, channel: int, data: bytes) -> None:
        """Raises as `send` does."""
        if "base64" in self.protocol:
            await self.send(str(channel).encode() + base64.b64encode(data), text=True)
        else:
            await self.send(bytes([channel]) + data)

    async def close(self, code: int = 1000) -> None:
        from wsproto.events import CloseConnection
        from wsproto.utilities import LocalProtocolError

        if self._closed:
            return
        self._closed = True
        try:
            self._writer.write(self._socket.send(CloseConnection(code=code)))
            await self._writer.drain()
        except (LocalProtocolError, ConnectionError):
            return
