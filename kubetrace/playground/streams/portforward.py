"""port-forward: SPDY streams in pairs (over TLS or in a WebSocket), or a WebSocket channel pair for each port."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import struct

from kubetrace.playground.containers.network import PodNetwork
from kubetrace.playground.containers.pipes import Pipe
from kubetrace.playground.http import Request, Upgrade
from kubetrace.playground.objects import Object
from kubetrace.playground.status import ApiError
from kubetrace.playground.streams import multiplex, websocket
from kubetrace.playground.streams.commands import need_host, need_upgrade
from kubetrace.playground.streams.multiplex import Multiplex, Stream
from kubetrace.playground.streams.websocket import WebSocket

_PROTOCOL = "portforward.k8s.io"
_TUNNEL = f"SPDY/3.1+{_PROTOCOL}"
_CHANNEL_PROTOCOLS = ("v4.channel.k8s.io", "v4.base64.channel.k8s.io")


def forward(network: PodNetwork, request: Request, pod: Object) -> Upgrade:
    """Raises 400 and 403 for requests that are no upgrade, or ask for protocols that are not served."""
    need_host(pod)
    need_upgrade(request)
    if not websocket.is_websocket(request):
        protocol = multiplex.choose(request, (_PROTOCOL,))

        async def by_spdy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes) -> None:
            writer.write(multiplex.handshake(protocol))
            pairs = _Pairs(network, pod)
            await pairs.serve(multiplex.over_tls(reader, writer, rest, pairs.opened))

        return Upgrade(by_spdy)
    chosen = websocket.choose(request, (_TUNNEL, *_CHANNEL_PROTOCOLS))
    ports = [] if chosen == _TUNNEL else _ports(request)

    async def by_socket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes) -> None:
        socket = WebSocket(request, chosen, reader, writer, rest)
        if chosen == _TUNNEL:
            pairs = _Pairs(network, pod)
            await pairs.serve(multiplex.through(socket, pairs.opened))
            await socket.close()
        else:
            await _Channels(network, pod, socket, ports).serve()

    return Upgrade(by_socket)


def _ports(request: Request) -> list[int]:
    texts = [text for entry in request.query.get("ports", []) for text in entry.split(",")]
    if not texts:
        raise ApiError(400, 'query parameter "port" is required')
    for text in texts:
        if not text.isdigit() or not 0 < int(text) < 65536:
            raise ApiError(400, f'unable to parse "{text}" as a port: must be between 1 and 65535')
    return [int(text) for text in texts]


def refusal(pod: Object, port: int) -> str:
    """What a kubelet with containerd says of a port on which nobody listens."""
    sandbox = hashlib.sha256(pod["metadata"]["uid"].encode()).hexdigest()
    dial = f"dial tcp4 127.0.0.1:{port}: connect: connection refused"
    why = f'failed to connect to localhost:{port} inside namespace "{sandbox[:36]}", IPv4: {dial}'
    return f"error forwarding port {port} to pod {sandbox}, uid : failed to execute portforward: {why}"


class _Pairs:
    """The streams of a SPDY connection: an error and a data stream for each request (portforward/httpstream.go)."""

    def __init__(self, network: PodNetwork, pod: Object) -> None:
        self._network, self._pod = network, pod
        self._waiting: dict[str, dict[str, Stream]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._connection: Multiplex | None = None

    async def serve(self, connection: Multiplex) -> None:
        self._connection = connection
        try:
            await connection.run()
        finally:
            for task in self._tasks:
                task.cancel()

    async def opened(self, stream: Stream) -> None:
        kind, number = stream.headers.get("streamtype", ""), stream.headers.get("requestid", "")
        pair = self._waiting.setdefault(number or stream.headers.get("port", ""), {})
        pair[kind] = stream
        if {"error", "data"} <= set(pair):
            self._waiting.pop(number or stream.headers.get("port", ""), None)
            task = asyncio.create_task(self._copy(pair["data"], pair["error"]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _copy(self, data: Stream, error: Stream) -> None:
        text = data.headers.get("port", "")
        try:
            if not text.isdigit():
                await error.write(f'unable to parse "{text}" as a port'.encode())
                return
            with contextlib.suppress(BrokenPipeError):
                await self._network.serve(self._pod, int(text), data.input, data)
        except ConnectionRefusedError:
            with contextlib.suppress(BrokenPipeError):
                await error.write(refusal(self._pod, int(text)).encode())
        finally:
            data.input.refuse()
            with contextlib.suppress(BrokenPipeError):
                await data.close()
                await error.close()
            if self._connection is not None:
                self._connection.release(data)
                self._connection.release(error)


class _Channels:
    """v4.channel.k8s.io: channel 2n carries port n's data, 2n+1 its errors; each begins with the port (2 bytes)."""

    def __init__(self, network: PodNetwork, pod: Object, socket: WebSocket, ports: list[int]) -> None:
        self._network, self._pod, self._socket, self._ports = network, pod, socket, ports
        self._pipes = [Pipe() for _ in ports]

    async def serve(self) -> None:
        tasks: list[asyncio.Task[None]] = []
        try:
            for index, port in enumerate(self._ports):
                await self._socket.send_to(2 * index, struct.pack("<H", port))
                await self._socket.send_to(2 * index + 1, struct.pack("<H", port))
            tasks = [asyncio.create_task(self._copy(index, port)) for index, port in enumerate(self._ports)]
            async for number, data in self._socket.channels():
                if number % 2 == 0 and number // 2 < len(self._pipes):
                    with contextlib.suppress(BrokenPipeError):
                        await self._pipes[number // 2].write(data)
        except (BrokenPipeError, ConnectionError):
            pass
        finally:
            for task in tasks:
                task.cancel()
            await self._socket.close()

    async def _copy(self, index: int, port: int) -> None:
        socket = self._socket

        class Answer:
            async def write(self, data: bytes) -> None:
                await socket.send_to(2 * index, data)

        with contextlib.suppress(BrokenPipeError, ConnectionError):
            try:
                await self._network.serve(self._pod, port, self._pipes[index], Answer())
            except ConnectionRefusedError:
                await self._socket.send_to(2 * index + 1, refusal(self._pod, port).encode())
        self._pipes[index].refuse()
        if len(self._ports) == 1:  # the protocol can't close one channel
            await self._socket.close()
