"""Clients that do not read what they asked for: what is meant for them does not pile up. No server, no network but a
socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kubetrace.playground import http, watching
from kubetrace.playground.storage import Store

_PATIENCE = 60.0


def test_a_client_that_takes_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "STALLED_SECONDS", 0.05)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    async def handler(_: http.Request) -> http.Stream:
        return http.Stream(endless())

    async def main() -> None:
        left = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await http.Connection(reader, writer, handler).serve()
            left.set()
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        with socket.create_connection(server.sockets[0].getsockname()) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await asyncio.wait_for(left.wait(), _PATIENCE)
        server.close()
        await server.wait_closed()

    asyncio.run(main())


def test_what_a_watcher_is_sent_at_once_is_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_BATCH_BYTES", 1000)
    store = Store(tmp_path / "state.db")

    def mark(_: int, __: bool) -> dict[str, Any]:
        return {}

    watch = watching.Watch("things", "", lambda item: True, lambda item: item, mark, since=0)

    async def main() -> list[bytes]:
        stream = watching.events(store, watch)
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        for number in range(6):
            store.put("things", {"metadata": {"name": f"t{number}"}, "data": "x" * 400})
        chunks = [await first, await anext(stream)]
        return chunks

    counts = [chunk.count(b'"ADDED"') for chunk in asyncio.run(main())]
    assert counts == [3, 3]
    store.close()
