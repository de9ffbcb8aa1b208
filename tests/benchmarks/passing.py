"""What a list of 20 MB and 200 watches cost whoever passes them on: memory, threads, and whether all of it arrives.

Used by `tests.benchmarks.relays`; the watchers speak just enough HTTP to find the events in their streams.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

MIB = 1 << 20
PIECES, PIECE = 22, 950_000
WATCHERS, CHANGES = 200, 5
NAMESPACE = "passing"
CONFIGMAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"


class Lost(Exception):
    """Something did not arrive as it should."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What one way took: memory in bytes; of the list, the peak beyond what stood before; of the watches, what stands
    while all are open, and the median and the slowest time from a change to a watcher, in seconds."""

    list_bytes: int
    list_memory: int
    watch_memory: int
    threads: int
    median: float
    slowest: float


class Client:
    """One connection. `url` and `token` as in `relays.Way`, `authority` a CA file or "-"."""

    def __init__(self, url: str, token: str, authority: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        self._socket: socket.socket | None = None
        self._headers = {"Accept": "application/json"} | ({} if token == "-" else {"Authorization": f"Bearer {token}"})
        if parts.scheme == "http":
            self._connection: HTTPConnection = HTTPConnection(parts.hostname, parts.port, timeout=120)
        else:
            context = ssl.create_default_context(cafile=None if authority == "-" else authority)
            if authority == "-":
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self._connection = HTTPSConnection(parts.hostname, parts.port, timeout=120, context=context)

    def open(self, path: str, method: str = "GET", body: object = None) -> HTTPResponse:
        headers = {**self._headers, "Content-Type": "application/json"}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        self._socket = self._connection.sock
        answer = self._connection.getresponse()
        if answer.status >= 400 and answer.status not in (404, 409):
            raise Lost(f"{method} {path}: {answer.status} {answer.read(300)!r}")
        return answer

    def ask(self, path: str, method: str = "GET", body: object = None) -> bytes:
        return self.open(path, method, body).read()

    def drain(self, path: str) -> int:
        """Reads an answer without keeping it: its size."""
        answer, size = self.open(path), 0
        while piece := answer.read(1 << 16):
            size += len(piece)
        return size

    def close(self) -> None:
        """Ends the connection, also under a thread that reads from it."""
        with contextlib.suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)


@dataclass(slots=True)
class Watcher:
    """Reads a watch on a thread of its own: which names came how often, and when."""

    client: Client
    path: str
    seen: Counter[str] = field(default_factory=Counter)
    at: dict[str, float] = field(default_factory=dict)
    failure: str = ""
    is_open: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            answer = self.client.open(self.path)
            self.is_open.set()
            for line in _lines(answer):
                name = json.loads(line)["object"]["metadata"]["name"]
                self.seen[name] += 1
                self.at[name] = time.monotonic()
        except (OSError, ValueError, HTTPException, Lost) as error:  # closed by whoever measures, or worse
            self.failure = f"{type(error).__name__}: {error}"
        self.is_open.set()


def _lines(answer: HTTPResponse) -> Iterator[bytes]:
    rest = b""
    while data := answer.read1(1 << 16):
        *lines, rest = (rest + data).split(b"\n")
        yield from lines


def fill(client: Client) -> None:
    """Puts 20 MB into a namespace."""
    client.ask("/api/v1/namespaces", "POST", {"metadata": {"name": NAMESPACE}})
    for index in range(PIECES):
        data = {"metadata": {"name": f"piece-{index}", "labels": {"large": "1"}}, "data": {"a": "x" * PIECE}}
        client.ask(CONFIGMAPS, "POST", data)


def measure(connect: Callable[[], Client], straight: Callable[[], Client], pid: int) -> Passed:
    """Passes the list and the watches through the process `pid`, which has been asked before. Raises Lost."""
    one = connect()
    one.ask("/version")
    before = memory(pid)
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew
    size = one.drain(f"{CONFIGMAPS}?labelSelector=large")
    peak = memory(pid, "VmHWM") - before
    one.close()
    watch_memory, threads, delays = _watch(connect, straight(), pid)
    return Passed(size, peak, watch_memory, threads, delays[len(delays) // 2], delays[-1])


def _watch(connect: Callable[[], Client], straight: Client, pid: int) -> tuple[int, int, list[float]]:
    before = memory(pid)
    version = json.loads(straight.ask(f"{CONFIGMAPS}?limit=1"))["metadata"]["resourceVersion"]
    path = f"{CONFIGMAPS}?watch=true&labelSelector=small&resourceVersion={version}"
    watchers = [Watcher(connect(), path) for _ in range(WATCHERS)]
    for watcher in watchers:
        threading.Thread(target=watcher.run, daemon=True).start()
    if not all(watcher.is_open.wait(60) for watcher in watchers):
        raise Lost("not every watch was opened")
    made: dict[str, float] = {}
    for index in range(CHANGES):
        name = f"small-{pid}-{index}"
        made[name] = time.monotonic()
        straight.ask(CONFIGMAPS, "POST", {"metadata": {"name": name, "labels": {"small": "1"}}})
        time.sleep(0.5)
    until = time.monotonic() + 60
    while any(len(watcher.seen) < CHANGES and not watcher.failure for watcher in watchers):
        if time.monotonic() > until:
            break
        time.sleep(0.1)
    standing, threads = memory(pid) - before, _status(pid, "Threads")
    wrong = [watcher for watcher in watchers if watcher.failure or watcher.seen != Counter(list(made))]
    if wrong:
        raise Lost(f"{len(wrong)} watchers did not see each change once, as {wrong[0].failure or dict(wrong[0].seen)}")
    for watcher in watchers:
        watcher.client.close()
    return standing, threads, sorted(watcher.at[name] - made[name] for watcher in watchers for name in made)


def memory(pid: int, what: str = "VmRSS") -> int:
    """Bytes of a process' memory."""
    return _status(pid, what) * 1024


def _status(pid: int, what: str) -> int:
    found = re.search(rf"{what}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1])


def table(found: dict[str, Passed | str]) -> list[str]:
    """The lines of a table; a text in a measurement's place says why there is none."""
    lines = [
        "",
        f"## A list of 20 MB, and {WATCHERS} watches",
        "",
        f"Each way passes one list of {PIECES} ConfigMaps (unpaged), then {WATCHERS} watches at once; {CHANGES}",
        "changes are made, and each watcher must see each change once. Memory is that of the process in between: the",
        "peak beyond what stood before the list, and what stands beyond it while all watches are open.",
        "",
        "| | the list | more memory for it | more for the watches | threads | change to watcher: median | slowest |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, one in found.items():
        if isinstance(one, str):
            lines.append(f"| {name} | {one} | | | | | |")
            continue
        sizes = f"{one.list_bytes / MIB:.1f} MiB | {one.list_memory / MIB:.0f} MiB | {one.watch_memory / MIB:.0f} MiB"
        times = f"{one.median * 1000:.0f} ms | {one.slowest * 1000:.0f} ms"
        lines.append(f"| {name} | {sizes} | {one.threads} | {times} |")
    return [*lines, "", "Targets: ≤ 50 MiB more for the list, and every change to every watcher once."]
