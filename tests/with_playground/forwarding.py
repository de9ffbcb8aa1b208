"""port-forward as a process: what it says, what comes through its ports, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(slots=True)
class Forwarding:
    """A port-forward that runs; `code` and `err` are known once it has ended."""

    process: subprocess.Popen[str]
    out: list[str] = field(default_factory=list)
    err: str = ""
    code: int | None = None

    @property
    def port(self) -> int:
        """The first local port."""
        return int(re.search(r":(\d+) ->", self.out[0])[1])  # type: ignore[index]

    def page(self, path: str = "/", host: str = "127.0.0.1", port: int | None = None) -> bytes:
        """What a pod's page answers; b"" where nothing comes, and where the connection is gone before it is asked."""
        with suppress(ConnectionError), socket.create_connection((host, port or self.port), 20) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(1 << 16), b""))
        return b""

    def end(self, number: int | None = signal.SIGINT) -> None:
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        self.out += out.splitlines()
        self.err += err
        self.code = self.process.returncode


@contextmanager
def forwarding(command: Sequence[str], environ: Mapping[str, str], *, lines: int = 1) -> Iterator[Forwarding]:
    """Starts it and waits until it has said so many lines; Ctrl-C ends it where nothing has before."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environ}
    )
    assert process.stdout is not None
    running = Forwarding(process)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        for _ in range(lines):
            running.out.append(process.stdout.readline().rstrip("\n"))
        yield running
        if running.code is None:
            running.end()
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()
