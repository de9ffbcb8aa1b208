"""The channels of exec and attach: one face for WebSocket messages and for SPDY streams (remotecommand's protocols)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from kubetrace.playground.containers.pipes import Pipe, Sink
from kubetrace.playground.http import Request, Upgrade
from kubetrace.playground.streams import multiplex, websocket
from kubetrace.playground.streams.multiplex import Multiplex, Stream
from kubetrace.playground.streams.websocket import WebSocket

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
_V1, _V2, _V3, _V4, _V5 = ("channel.k8s.io", *(f"v{n}.channel.k8s.io" for n in (2, 3, 4, 5)))
_SOCKET_PROTOCOLS = (_V5, _V4, "v4.base64.channel.k8s.io", _V1, "base64.channel.k8s.io")
_SPDY_PROTOCOLS = (_V5, _V4, _V3, _V2, _V1)
_STREAM_SECONDS = 30.0
_GOODBYE_SECONDS = 60.0


@dataclass
class Remote:
    """The other end of a command: what the client types and sees."""

    output: Sink
    error: Sink
    input: Pipe = field(default_factory=Pipe)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    resized: Callable[[int, int], None] = lambda columns, rows: None


Work = Callable[[Remote], Awaitable[dict[str, Any]]]
"""Serves a client until it is done; the answer is the Status that the error channel carries."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which channels the client asks for."""

    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


def wanted(request: Request) -> Wanted:
    tty = request.flag("tty")
    return Wanted(request.flag("stdin"), request.flag("stdout"), request.flag("stderr") and not tty, tty)


def upgrade(request: Request, work: Work) -> Upgrade:
    """Answers with 101 and then runs `work`. Raises 400 and 403 where the client's protocols do not fit."""
    channels = wanted(request)
    if websocket.is_websocket(request):
        protocol = websocket.choose(request, _SOCKET_PROTOCOLS)

        async def by_socket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes) -> None:
            socket = WebSocket(request, protocol, reader, writer, rest)
            await _Socketed(socket, channels).serve(work)

        return Upgrade(by_socket)
    protocol = multiplex.choose(request, _SPDY_PROTOCOLS)

    async def by_spdy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes) -> None:
        writer.write(multiplex.handshake(protocol))
        await _Streamed(protocol, channels).serve(reader, writer, rest, work)

    return Upgrade(by_spdy)


class _Channel:
    """A sink: one channel of a WebSocket."""

    def __init__(self, socket: WebSocket, number: int) -> None:
        self._socket, self._number = socket, number

    async def write(self, data: bytes) -> None:
        for start in range(0, max(1, len(data)), 32 * 1024):
            await self._socket.send_to(self._number, data[start : start + 32 * 1024])


class _Unwanted:
    async def write(self, data: bytes) -> None:
        pass


class _Socketed:
    def __init__(self, socket: WebSocket, channels: Wanted) -> None:
        self._socket, self._channels = socket, channels
        self._remote = Remote(
            _Channel(socket, STDOUT) if channels.stdout else _Unwanted(),
            _Channel(socket, STDERR) if channels.stderr else _Unwanted(),
        )
        if not channels.stdin:
            self._remote.input.end()

    async def serve(self, work: Work) -> None:
        listening = asyncio.create_task(self._listen())
        try:
            # Tells the client that the connection stands (apiserver pkg/util/proxy/websocket.go, and the kubelet's).
            first = STDOUT if self._channels.stdout else STDERR if self._channels.stderr else ERROR
            await _Channel(self._socket, first).write(b"")
            status = await work(self._remote)
            await self._finish(status)
        except (BrokenPipeError, ConnectionError):
            pass
        finally:
            await self._socket.close()
            with contextlib.suppress(TimeoutError):  # a client may take its time to read what was sent
                await asyncio.wait_for(listening, _GOODBYE_SECONDS)

    async def _finish(self, status: dict[str, Any]) -> None:
        if self._socket.protocol in ("", _V1, "base64.channel.k8s.io"):
            text = status.get("message", "") if status.get("status") != "Success" else ""
        else:
            text = json.dumps(status, separators=(",", ":"))
        if text:
            await _Channel(self._socket, ERROR).write(text.encode())

    async def _listen(self) -> None:
        remote = self._remote
        async for number, data in self._socket.channels():
            if number == STDIN and self._channels.stdin and data:
                with contextlib.suppress(BrokenPipeError):
                    await remote.input.write(data)
            elif number == RESIZE:
                _resize(remote, data)
            elif number == CLOSE and data[:1] == bytes([STDIN]) and self._socket.protocol == _V5:
                remote.input.end()
        remote.gone.set()
        remote.input.end()


def _resize(remote: Remote, data: bytes) -> None:
    """{"Width": 80, "Height": 24}"""
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        size = json.loads(data)
        remote.resized(int(size.get("Width", 0)), int(size.get("Height", 0)))


class _Streamed:
    def __init__(self, protocol: str, channels: Wanted) -> None:
        self._protocol, self._channels = protocol, channels
        self._streams: dict[str, Stream] = {}
        self._complete = asyncio.Event()
        expected = {"error"} | {name for name in ("stdin", "stdout", "stderr") if getattr(channels, name)}
        if channels.tty and protocol not in (_V1, _V2):
            expected.add("resize")
        self._expected = expected

    async def _opened(self, stream: Stream) -> None:
        self._streams[stream.headers.get("streamtype", "")] = stream
        if self._expected <= set(self._streams):
            self._complete.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes, work: Work) -> None:
        connection = multiplex.over_tls(reader, writer, rest, self._opened)
        running = asyncio.create_task(connection.run())
        sizes: asyncio.Task[None] | None = None
        try:
            await asyncio.wait_for(self._complete.wait(), _STREAM_SECONDS)
            remote = Remote(
                self._streams.get("stdout") or _Unwanted(), self._streams.get("stderr") or _Unwanted(), Pipe()
            )
            remote.gone = connection.gone
            if "stdin" in self._streams:
                remote.input = self._streams["stdin"].input
            else:
                remote.input.end()
            if "resize" in self._streams:
                sizes = asyncio.create_task(_sizes(remote, self._streams["resize"]))
            await self._finish(await work(remote), connection)
        except (BrokenPipeError, ConnectionError, TimeoutError):
            pass
        finally:
            running.cancel()
            if sizes is not None:
                sizes.cancel()

    async def _finish(self, status: dict[str, Any], connection: Multiplex) -> None:
        text = json.dumps(status, separators=(",", ":"))
        if self._protocol not in (_V4, _V5):
            text = status.get("message", "") if status.get("status") != "Success" else ""
        if text:
            await self._streams["error"].write(text.encode())
        for stream in self._streams.values():
            await stream.close()
        with contextlib.suppress(TimeoutError):  # the client closes when it has read all
            await asyncio.wait_for(connection.gone.wait(), _GOODBYE_SECONDS)
        await connection.close()


async def _sizes(remote: Remote, stream: Stream) -> None:
    """A JSON object a line on the resize stream."""
    decoder, text = json.JSONDecoder(), ""
    while data := await stream.input.read():
        text += data.decode("utf-8", "replace")
        while text.strip():
            try:
                _, end = decoder.raw_decode(text.lstrip())
            except ValueError:
                break
            start = len(text) - len(text.lstrip())
            _resize(remote, text[start : start + end].encode())
            text = text[start + end :]
