"""Latency, and a fault's answer in place of, or around, the true one (see kubetrace.serving.faults)."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable

import msgspec

from kubetrace.playground.catalog import Catalog
from kubetrace.playground.encoding import encode
from kubetrace.playground.http import Answer, Handler, Request, Stream, Upgrade
from kubetrace.playground.status import ApiError
from kubetrace.serving.faults import Fault, take


class Injection:
    """The latency and the faults that a server was told to make. `latency`: seconds before each answer. `subject`
    tells a request's resource ("pods/log"; empty for paths that are of none) and whether it is a watch."""

    def __init__(
        self,
        latency: float,
        faults: Iterable[Fault],
        catalog: Catalog,
        subject: Callable[[Request], tuple[str, bool]],
    ) -> None:
        self._latency, self._subject = latency, subject
        self._faults = [dataclasses.replace(fault, resource=_plural(catalog, fault.resource)) for fault in faults]

    async def around(self, request: Request, handler: Handler) -> Answer | Stream | Upgrade:
        """The handler's answer, with what this request meets."""
        if self._latency:
            await asyncio.sleep(self._latency)
        fault, watch = None, False
        if self._faults:
            resource, watch = self._subject(request)
            fault = take(self._faults, request.method, request.path, resource, watch)
        if fault is not None and not fault.slow:
            return _instead(fault, watch)
        answer = await handler(request)
        return answer if fault is None else _slowed(answer, fault.slow)


def _plural(catalog: Catalog, told: str) -> str:
    """A fault's resource in the name that paths have for it: "deploy/scale" and "deployments.apps/scale" are
    "deployments/scale". What nobody knows stays."""
    word, slash, part = told.partition("/")
    for known in catalog.all:
        if word and word in (known.name, known.key, known.singular, known.kind.lower(), *known.short_names):
            return f"{known.name}{slash}{part}"
    return told


def _instead(fault: Fault, watch: bool) -> Answer | Stream | Upgrade:
    """What a fault with a status or a reset answers."""
    if fault.reset:
        return Upgrade(_reset)
    seconds = {"retryAfterSeconds": fault.retry_after} if fault.retry_after else None
    error = ApiError(fault.code, "a fault that the playground was told to make", details=seconds)
    status = error.status()
    if watch and fault.code == 410:
        return Stream(_once(msgspec.json.encode({"type": "ERROR", "object": status}) + b"\n"))
    answer = encode(status, fault.code)
    answer.headers += [("Retry-After", str(fault.retry_after))] if fault.retry_after else []
    return answer


def _slowed(answer: Answer | Stream | Upgrade, seconds: float) -> Answer | Stream | Upgrade:
    """The same answer with a pause in its body; one without a body is left as it is."""
    if isinstance(answer, Answer) and answer.body:
        half = len(answer.body) // 2
        chunks = _paused(answer.body[:half], answer.body[half:], seconds)
        return Stream(chunks, answer.content_type, answer.status, answer.headers)
    if isinstance(answer, Stream):
        return Stream(_late(answer.chunks, seconds), answer.content_type, answer.status, answer.headers)
    return answer


async def _reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: bytes) -> None:
    """Ends the connection by a TCP reset, not by its end."""
    at_once = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    writer.transport.abort()


async def _once(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk


async def _paused(first: bytes, rest: bytes, seconds: float) -> AsyncIterator[bytes]:
    if first:
        yield first
    await asyncio.sleep(seconds)
    yield rest


async def _late(chunks: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    await asyncio.sleep(seconds)
    async for chunk in chunks:
        yield chunk
