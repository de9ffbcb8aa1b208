"""`python -m kubetrace.playground --state DIR --name NAME --port N`: the server itself, in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO, cast

import msgspec

from kubetrace.errors import KubetraceError
from kubetrace.serving.faults import Fault, parse

if TYPE_CHECKING:
    from kubetrace.playground.control_plane import ControlPlane
    from kubetrace.playground.server import Server

_LOOK_SECONDS = 0.2
"""How often a supervisor looks whether a process has ended by itself."""


class _Log:
    """stderr, which may be a file on a full disk: what can't be written there is lost, and nothing else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
            self._stream.flush()
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


class StartFailure(Exception):
    """Told in one line."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="kubetrace.playground")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--name", default="default")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--assets", type=Path, help="run the envtest engine with these binaries")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--nodes", type=int, default=1, help="how many there are at least")
    return parser.parse_args()


async def _serve(folder: Path, name: str, port: int, latency: float, faults: list[Fault], nodes: int) -> None:
    from kubetrace.playground import credentials
    from kubetrace.playground.server import Server

    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of every piece for a client that has gone
    credentials.prepare(folder)
    server = await _start(Server(folder, latency, faults, nodes), folder, port)
    credentials.write_kubeconfig(folder, name, server.port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    _announce(folder, name, server.port)
    await stop.wait()
    (folder / "running.json").unlink(missing_ok=True)
    await server.stop()


def _announce(folder: Path, name: str, port: int) -> None:
    from kubetrace.playground import credentials

    credentials.write_private(folder / "port", str(port).encode())
    credentials.write_private(folder / "running.json", json.dumps({"pid": os.getpid(), "port": port}).encode())
    print(f"playground {name} listens on https://127.0.0.1:{port}", flush=True)


def _supervise(arguments: argparse.Namespace, faults: list[Fault]) -> None:
    """The envtest engine, until SIGTERM or SIGINT, or until one of its processes ends by itself. Where there is
    something to inject, a front of ours has the port, and kube-apiserver another."""
    from kubetrace.playground import control_plane, credentials

    def quit(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        sys.exit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, quit)
    folder, name = arguments.state, arguments.name
    credentials.prepare(folder)
    port = arguments.port or control_plane.usable_port(_last_port(folder))
    injecting = bool(faults or arguments.latency)
    behind, before = (control_plane.usable_port(0), port) if injecting else (port, 0)
    plane = control_plane.ControlPlane(folder, arguments.assets, behind, before, arguments.nodes)
    try:
        if injecting:
            asyncio.run(_with_front(plane, folder, name, arguments.latency, faults))
        else:
            plane.start(name)
            _announce(folder, name, port)
            while not plane.ended():
                time.sleep(_LOOK_SECONDS)
        raise StartFailure(f"{plane.ended()} of playground {name} ended by itself")
    finally:
        (folder / "running.json").unlink(missing_ok=True)
        plane.stop()


async def _with_front(plane: ControlPlane, folder: Path, name: str, latency: float, faults: list[Fault]) -> None:
    """Returns when one of the control plane's processes has ended."""
    from kubetrace.playground import front

    front.write_keys(folder)
    server = front.Front(folder, plane.port, latency, faults)
    try:
        await server.listen(plane.front_port)
    except OSError as error:
        raise StartFailure(f"cannot listen on port {plane.front_port}: {os.strerror(error.errno or 0)}") from None
    plane.start(name)
    _announce(folder, name, plane.front_port)
    while not plane.ended():
        await asyncio.sleep(_LOOK_SECONDS)


async def _start(server: Server, folder: Path, port: int) -> Server:
    wanted = port or _last_port(folder)
    try:
        await server.start(wanted)
    except OSError as error:
        if port or not wanted:
            raise StartFailure(f"cannot listen on port {wanted}: {os.strerror(error.errno or 0)}") from None
        await server.start(0)
    return server


def _last_port(folder: Path) -> int:
    try:
        found = int((folder / "port").read_text())
    except (OSError, ValueError):
        return 0
    return found if 0 < found < 65536 else 0


def _take(lock: IO[bytes], folder: Path) -> None:
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of the kind that tells who holds it
    except OSError:
        raise StartFailure(f"another process already runs the playground in {folder}") from None


def main() -> int:
    arguments = _arguments()
    folder: Path = arguments.state
    os.umask(0o077)
    sys.stderr = cast(TextIO, _Log(sys.stderr))
    try:
        faults = [parse(text) for text in arguments.fault]
        with (folder / "lock").open("wb") as lock:
            _take(lock, folder)
            (folder / "running.json").unlink(missing_ok=True)
            if arguments.assets:
                _supervise(arguments, faults)
                return 0
            asyncio.run(_serve(folder, arguments.name, arguments.port, arguments.latency, faults, arguments.nodes))
    except (StartFailure, KubetraceError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (sqlite3.DatabaseError, msgspec.MsgspecError) as error:
        print(f"error: the playground's state in {folder / 'state.db'} cannot be used: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: the playground cannot use {error.filename or folder}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
