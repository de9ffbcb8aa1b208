"""exec and attach: a client's channels on one side, a simulated container on the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from kubetrace.playground.containers.container import Container
from kubetrace.playground.containers.pipes import Lines, Pipe
from kubetrace.playground.containers.runtime import Runtime
from kubetrace.playground.containers.terminal import Terminal, TerminalOutput
from kubetrace.playground.containers.volumes import MountFailure
from kubetrace.playground.http import Answer, Request, Upgrade
from kubetrace.playground.objects import Object
from kubetrace.playground.status import ApiError
from kubetrace.playground.streams import channels, multiplex, websocket
from kubetrace.playground.streams.channels import Remote

_KILLED = 128 + 9
_SHELLS = ("sh", "bash", "ash", "dash")


def need_upgrade(request: Request) -> None:
    """Raises 400 for a request that is no upgrade (apimachinery proxy/upgradeaware.go)."""
    if not websocket.is_websocket(request) and not multiplex.is_spdy(request):
        raise ApiError(400, "Upgrade request required")


def container_name(pod: Object, wanted: str) -> str:
    """As pkg/registry/core/pod/strategy.go's validateContainer. Raises 400."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    groups = ("initContainers", "containers", "ephemeralContainers")
    every = [entry["name"] for group in groups for entry in spec.get(group) or ()]
    if wanted:
        if wanted not in every:
            raise ApiError(400, f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(spec["containers"]) == 1:
        return str(spec["containers"][0]["name"])
    raise ApiError(400, f"a container name must be specified for pod {name}, choose one of: [{' '.join(every)}]")


def need_host(pod: Object) -> None:
    if not pod["spec"].get("nodeName"):
        raise ApiError(400, f"pod {pod['metadata']['name']} does not have a host assigned")


def _running(runtime: Runtime, pod: Object, name: str) -> Container | None:
    container = runtime.find(pod, name)
    return container if container is not None and container.running else None


def _not_running(name: str) -> Answer:
    """A kubelet's own words: plain text, which clients quote after "unable to upgrade connection"."""
    return Answer(500, f'container not found ("{name}")'.encode(), "text/plain; charset=utf-8")


def execute(runtime: Runtime, request: Request, pod: Object) -> Upgrade | Answer:
    """Raises 400 for requests that are no upgrade and for containers that are not there."""
    name = container_name(pod, request.parameter("container"))
    need_host(pod)
    need_upgrade(request)
    words = request.query.get("command", [])
    if not words:
        raise ApiError(400, "you must specify at least 1 command for the container")
    container = _running(runtime, pod, name)
    if container is None:
        return _not_running(name)
    with contextlib.suppress(MountFailure):
        runtime.volumes.refresh(container.files, pod, container.spec)

    async def work(remote: Remote) -> Object:
        return await _execute(container, words, remote, request.flag("tty"))

    return channels.upgrade(request, work)


def _absent(container: Container, word: str) -> str:
    """Why a command can't be started, as runc says it; "" where it can."""
    from kubetrace.playground.containers.builtins import BUILTINS
    from kubetrace.playground.containers.filesystem import Directory, absolute
    from kubetrace.playground.containers.programs import PROGRAMS

    name = word.rpartition("/")[2]
    start = f'exec: "{word}": '
    if "/" in word:
        path = absolute(word, container.spec.get("workingDir") or "/")
        node = container.files.find(path)
        if node is None and (name not in _SHELLS or not word.startswith(("/bin/", "/usr/bin/"))):
            return f"{start}stat {path}: no such file or directory"
        if isinstance(node, Directory):
            return f"{start}is a directory"
        if node is not None and not node.mode & 0o111:
            return f"{start}permission denied"
        return ""
    if name in PROGRAMS or name in _SHELLS or (name in BUILTINS and name in ("true", "false", "pwd", "test")):
        return ""
    return f"{start}executable file not found in $PATH"


async def _execute(container: Container, words: list[str], remote: Remote, tty: bool) -> Object:
    from kubetrace.playground.containers.redirections import Streams

    why = _absent(container, words[0])
    if why:
        told = "error executing command in container: failed to exec in container: failed to start exec: "
        told = (
            f"Internal error occurred: {told}OCI runtime exec failed: exec failed: unable to start container process: "
        )
        return _failure(f"{told}{why}: unknown", code=500)
    if not tty:
        streams = Streams(Lines(remote.input), remote.output, remote.error)
        return _ended(await _until_gone(_until_over(container, container.execute(words, streams)), remote))
    terminal = Terminal(remote.output)
    remote.resized = lambda columns, rows: _resized(container, columns, rows)
    feeding = asyncio.create_task(_feed(remote.input, terminal))
    output = TerminalOutput(remote.output)
    streams = Streams(terminal, output, output, True)
    work: asyncio.Task[int] = asyncio.create_task(_until_over(container, container.execute(words, streams)))
    if words[0].rpartition("/")[2] not in _SHELLS:
        terminal.interrupts.append(work)
    try:
        return _ended(await _until_gone(work, remote))
    finally:
        feeding.cancel()


def _resized(container: Container, columns: int, rows: int) -> None:
    container.machine.columns, container.machine.rows = columns, rows


async def _feed(source: Pipe, terminal: Terminal) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionError):
        while data := await source.read():
            await terminal.feed(data)
        terminal.end()


async def _until_gone(work: Any, remote: Remote) -> int:
    """The exit code; 130 where the command was interrupted. Raises BrokenPipeError when the client leaves first."""
    task = asyncio.ensure_future(work)
    gone = asyncio.create_task(remote.gone.wait())
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise BrokenPipeError
        return 130 if task.cancelled() else int(task.result())
    finally:
        task.cancel()
        gone.cancel()


async def _until_over(container: Container, work: Coroutine[Any, Any, int]) -> int:
    """The command's exit code; it is killed where the container ends first."""
    command, over = asyncio.create_task(work), asyncio.create_task(container.over())
    try:
        await asyncio.wait({command, over}, return_when=asyncio.FIRST_COMPLETED)
        return command.result() if command.done() else _KILLED
    finally:
        command.cancel()
        over.cancel()


def _ended(code: int) -> Object:
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    causes = [{"reason": "ExitCode", "message": str(code)}]
    status = {"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode"}
    status["message"] = f"command terminated with non-zero exit code: error executing command, exit code {code}"
    return status | {"details": {"causes": causes}}


def _failure(message: str, code: int) -> Object:
    """What is no exit code of a command."""
    status = {"metadata": {}, "status": "Failure", "message": message, "reason": "InternalError"}
    cause = {"message": message.removeprefix("Internal error occurred: ")}
    return status | {"details": {"causes": [cause]}, "code": code}


def attach(runtime: Runtime, request: Request, pod: Object) -> Upgrade | Answer:
    """To the main process. Raises as `execute` does."""
    name = container_name(pod, request.parameter("container"))
    need_host(pod)
    need_upgrade(request)
    container = _running(runtime, pod, name)
    if container is None:
        return _not_running(name)

    async def work(remote: Remote) -> Object:
        return await _attach(container, remote, request.flag("stdin"))

    return channels.upgrade(request, work)


async def _attach(container: Container, remote: Remote, stdin: bool) -> Object:
    container.output.sinks.append(remote.output)
    container.error.sinks.append(remote.error)
    remote.resized = lambda columns, rows: _resized(container, columns, rows)
    typing = asyncio.create_task(_type(container, remote)) if stdin and container.input is not None else None
    try:
        await _until_gone(container.over(), remote)
    finally:
        for sinks, sink in ((container.output.sinks, remote.output), (container.error.sinks, remote.error)):
            if sink in sinks:
                sinks.remove(sink)
        if typing is not None:
            typing.cancel()
            if container.spec.get("stdinOnce") and container.input is not None:
                container.input.end()
    return {"metadata": {}, "status": "Success"}


async def _type(container: Container, remote: Remote) -> None:
    target = container.input
    with contextlib.suppress(BrokenPipeError, ConnectionError):
        while data := await remote.input.read():
            if isinstance(target, Terminal):
                await target.feed(data)
            elif target is not None:
                await target.write(data)
        if container.spec.get("stdinOnce") and target is not None:
            target.end()
