"""exec over WebSocket (v4 and v5.channel.k8s.io): a simulated shell at the other end of the channels."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator

from kubetrace.playground.http import Answer, Request, Upgrade
from kubetrace.playground.objects import Object
from kubetrace.playground.paths import Target
from kubetrace.playground.shell import Result, Shell
from kubetrace.playground.status import ApiError
from kubetrace.playground.verbs import Verbs

STDIN, STDOUT, STDERR, ERROR, CLOSE = 0, 1, 2, 3, 255
_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def execute(verbs: Verbs, request: Request, target: Target) -> Answer | Upgrade:
    """Raises 400 for requests that are no WebSocket upgrade and for containers that do not run."""
    pod = verbs.read(target.resource, target.namespace, target.name)
    container = _container(pod, request.parameter("container"))
    words = request.query.get("command", [])
    if not words:
        raise ApiError(400, "you must specify at least 1 command for the container")
    if request.headers.get("upgrade", "").lower() != "websocket":
        raise ApiError(400, "Upgrade request required: the playground speaks WebSocket only (kubectl 1.31 and later)")
    offered = [entry.strip() for entry in request.headers.get("sec-websocket-protocol", "").split(",")]
    protocol = next((entry for entry in _PROTOCOLS if entry in offered), None)
    if protocol is None:
        raise ApiError(400, f"unable to upgrade: no protocol of {offered} is supported")
    session = _Session(Shell(pod, container), words, request, protocol)
    return Upgrade(session.run)


def _container(pod: Object, wanted: str) -> Object:
    containers: list[Object] = pod["spec"]["containers"]
    name = wanted or containers[0]["name"]
    found = next((entry for entry in containers if entry["name"] == name), None)
    if found is None:
        raise ApiError(400, f"container {name} is not valid for pod {pod['metadata']['name']}")
    states = {e["name"]: e["state"] for e in (pod.get("status") or {}).get("containerStatuses") or ()}
    if "running" not in states.get(name, {}):
        raise ApiError(500, f'unable to upgrade connection: container not found ("{name}")', "InternalError")
    return found


class _Session:
    def __init__(self, shell: Shell, words: list[str], request: Request, protocol: str) -> None:
        self._shell, self._words, self._protocol = shell, words, protocol
        self._key = request.headers.get("sec-websocket-key", "").encode()
        self._tty, self._stdin = request.flag("tty"), request.flag("stdin")

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes) -> None:
        from wsproto.connection import Connection, ConnectionType

        accept = base64.b64encode(hashlib.sha1(self._key + _ACCEPT).digest()).decode()
        head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        head += [f"Sec-WebSocket-Accept: {accept}", f"Sec-WebSocket-Protocol: {self._protocol}", "", ""]
        writer.write("\r\n".join(head).encode())
        socket = Connection(ConnectionType.SERVER, trailing_data=rest)
        self._writer, self._socket = writer, socket
        result = self._started()
        if result is None:
            result = await self._converse(reader)
        self._tell(result)
        from wsproto.events import CloseConnection

        writer.write(socket.send(CloseConnection(code=1000)))
        await writer.drain()

    def _interactive(self) -> bool:
        name = self._words[0].rpartition("/")[2]
        return name in ("sh", "bash", "ash") and "-c" not in self._words and self._stdin

    def _started(self) -> Result | None:
        if self._interactive() or (
            self._words[0].rpartition("/")[2] == "cat" and len(self._words) == 1 and self._stdin
        ):
            return None
        if not self._shell.knows(self._words[0]):
            why = f'exec: "{self._words[0]}": executable file not found in $PATH: unknown'
            return 127, "", f"OCI runtime exec failed: exec failed: {why}\n"
        return self._shell.run(self._words)

    async def _converse(self, reader: asyncio.StreamReader) -> Result:
        """Lines in, answers out, until stdin ends or `exit`."""
        shell, pending, code = self._interactive(), "", 0
        if shell and self._tty:
            self._send(STDOUT, "/ # ")
        async for text in self._typed(reader):
            if not shell:
                self._send(STDOUT, text)
                continue
            if self._tty:
                self._send(STDOUT, text.replace("\r", "\r\n"))
            pending += text.replace("\r", "\n")
            *lines, pending = pending.split("\n")
            for line in lines:
                if line.split()[:1] == ["exit"]:
                    words = line.split()
                    return (int(words[1]) if len(words) > 1 and words[1].isdigit() else code), "", ""
                code, out, err = self._shell.script(line)
                self._send(STDOUT, out)
                self._send(STDOUT if self._tty else STDERR, err)
                if self._tty:
                    self._send(STDOUT, f"{self._shell.folder} # ")
        return code, "", ""

    async def _typed(self, reader: asyncio.StreamReader) -> AsyncIterator[str]:
        from wsproto.events import BytesMessage, CloseConnection, Ping

        while True:
            for event in self._socket.events():
                if isinstance(event, CloseConnection):
                    return
                if isinstance(event, Ping):
                    self._writer.write(self._socket.send(event.response()))
                if isinstance(event, BytesMessage) and event.data:
                    data = bytes(event.data)
                    if data[0] == CLOSE and data[1:2] == bytes([STDIN]):
                        return
                    if data[0] == STDIN and len(data) > 1:
                        if self._tty and data[1:] == b"\x04":
                            return
                        yield data[1:].decode("utf-8", "replace")
            await self._writer.drain()
            data = await reader.read(65536)
            if not data:
                return
            self._socket.receive_data(data)

    def _send(self, channel: int, text: str) -> None:
        from wsproto.events import Message

        if text:
            text = text.replace("\n", "\r\n") if self._tty and channel == STDOUT else text
            self._writer.write(self._socket.send(Message(data=bytes([channel]) + text.encode())))

    def _tell(self, result: Result) -> None:
        code, out, err = result
        self._send(STDOUT, out)
        self._send(STDOUT if self._tty else STDERR, err)
        status: Object = {"metadata": {}, "status": "Success"}
        if code:
            causes = [{"reason": "ExitCode", "message": str(code)}]
            status = {"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode"}
            status |= {"message": f"command terminated with non-zero exit code: exit status {code}"}
            status["details"] = {"causes": causes}
        self._send(ERROR, json.dumps(status))
