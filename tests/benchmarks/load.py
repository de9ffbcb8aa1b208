"""The load that the playground is held to: clients that write, clients that watch, lists in pages.

Only sockets and bytes on the client's side, so that it is the server that is measured. A watcher checks what it sees as
it comes: each object once, in the order of their versions.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_NAME = re.compile(rb'"name":"(c-\d+-\d+)"')
_VERSION = re.compile(rb'"resourceVersion":"(\d+)"')


@dataclass(frozen=True)
class Server:
    """Where requests go, and as whom."""

    port: int
    token: str
    ca: Path

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))

    def connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls(), timeout=60)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "User-Agent": "load"}

    def call(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        connection = self.connect()
        try:
            connection.request(method, path, None if body is None else json.dumps(body), self.headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@dataclass
class Written:
    """What one client wrote: the names that the server said it had stored."""

    names: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def write(
    server: Callable[[], Server], namespace: str, client: int, count: int, written: Written, patience: float = 0.0
) -> None:
    """Creates configmaps, one after the other over one connection.

    With `patience` (seconds without an answer) a broken connection is made anew, and a name that was perhaps stored
    is tried again.
    """
    path, connection = f"/api/v1/namespaces/{namespace}/configmaps", None
    end = 0.0
    for number in range(count):
        name = f"c-{client}-{number}"
        body = json.dumps({"metadata": {"name": name}, "data": {"key": "value" * 10}})
        while True:
            try:
                if connection is None:
                    connection = server().connect()
                connection.request("POST", path, body, server().headers)
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException) as error:
                if connection is not None:
                    connection.close()
                connection = None
                end = end or time.monotonic() + patience
                if time.monotonic() > end:
                    written.failures.append(f"{name}: {error}")
                    break
                time.sleep(0.05)
                continue
            end = 0.0
            if answer.status in (201, 409):  # 409: stored just before the connection broke
                written.names.append(name)
            else:
                written.failures.append(f"{name}: {answer.status} {text[:200]!r}")
            break
    if connection is not None:
        connection.close()


@dataclass
class Seen:
    """What one watcher saw: names in order, versions, and what was wrong with them."""

    names: list[bytes] = field(default_factory=list)
    last: int = 0
    wrong: list[str] = field(default_factory=list)
    breaks: int = 0
    """How often the server ended the watch, which was then taken up again."""

    def take(self, line: bytes) -> None:
        name, version = _NAME.search(line), _VERSION.search(line)
        if b'"type":"ADDED"' not in line[:40] or name is None or version is None:
            self.wrong.append(f"unexpected event: {line[:200]!r}")
            return
        number = int(version.group(1))
        if number <= self.last:
            self.wrong.append(f"version {number} after {self.last}")
        self.last = number
        self.names.append(name.group(1))


class _Ended(Exception):
    """The stream is over before all was seen."""


async def _stream(server: Server, namespace: str, seen: Seen, wanted: int, ready: Callable[[], None]) -> None:
    """One watch, from what was seen last on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=server.tls(), limit=1 << 20)
    try:
        query = f"watch=true&resourceVersion={seen.last}&timeoutSeconds=600"
        path = f"/api/v1/namespaces/{namespace}/configmaps?{query}"
        head = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {server.token}", "", ""]
        writer.write("\r\n".join(head).encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer
        ready()
        rest = b""
        while len(seen.names) < wanted and not seen.wrong:
            size = int(await reader.readuntil(b"\r\n"), 16)
            if size == 0:
                raise _Ended
            rest += (await reader.readexactly(size + 2))[:-2]
            *lines, rest = rest.split(b"\n")
            for line in lines:
                seen.take(line)
    finally:
        writer.transport.abort()


async def _watch(
    server: Callable[[], Server], namespace: str, seen: Seen, wanted: int, ready: Callable[[], None], patience: float
) -> None:
    end, before = 0.0, 0
    while len(seen.names) < wanted and not seen.wrong:
        try:
            await _stream(server(), namespace, seen, wanted, ready)
        except (OSError, asyncio.IncompleteReadError, _Ended) as error:
            seen.breaks += 1
            if len(seen.names) > before or not end:
                end, before = time.monotonic() + patience, len(seen.names)
            if time.monotonic() > end or not patience:
                seen.wrong.append(f"the watch broke: {error!r}")
            await asyncio.sleep(0.05)


def watch(
    server: Callable[[], Server],
    namespace: str,
    since: int,
    wanted: int,
    watchers: int,
    ready: Callable[[], None],
    patience: float = 0.0,
) -> list[Seen]:
    """Runs that many watchers until each has seen `wanted` objects; `ready` is called when all of them watch.

    With `patience` (seconds) a watch that breaks is taken up again behind what was seen last.
    """
    found = [Seen(last=since) for _ in range(watchers)]
    waiting = watchers

    def one_more() -> None:
        nonlocal waiting
        waiting -= 1
        if waiting == 0:
            ready()

    async def main() -> None:
        await asyncio.gather(*(_watch(server, namespace, seen, wanted, one_more, patience) for seen in found))

    asyncio.run(main())
    return found


def new_namespace(server: Server, name: str) -> int:
    """A new namespace, its certificate authority's configmap already in it; the answer is the version from which to
    watch it."""
    status, text = server.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    assert status == 201, text
    while server.call("GET", f"/api/v1/namespaces/{name}/configmaps/kube-root-ca.crt")[0] != 200:
        time.sleep(0.05)
    _, text = server.call("GET", f"/api/v1/namespaces/{name}/configmaps?limit=1")
    return int(json.loads(text)["metadata"]["resourceVersion"])


def pages(server: Server, namespace: str, limit: int) -> list[str]:
    """The names of all configmaps, listed in pages."""
    connection, token, names = server.connect(), "", []
    while True:
        path = f"/api/v1/namespaces/{namespace}/configmaps?limit={limit}&continue={token}"
        connection.request("GET", path, headers=server.headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        page = json.loads(answer.read())
        names += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            connection.close()
            return [name for name in names if name.startswith("c-")]
