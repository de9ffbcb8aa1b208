"""Where faults and latency meet a real kube-apiserver: a server before it that passes on what it is not told to break.

A client's certificate can't be passed on, so its user goes along in the headers of Kubernetes' authenticating proxy
(X-Remote-User, X-Remote-Group), which kube-apiserver believes of the front's own certificate alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ssl
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import h11

from kubetrace.playground import http
from kubetrace.playground.catalog import Catalog
from kubetrace.playground.credentials import write_private
from kubetrace.playground.encoding import encode
from kubetrace.playground.http import Answer, Request, Stream, Upgrade
from kubetrace.playground.injection import Injection
from kubetrace.playground.paths import attributes_of
from kubetrace.playground.status import ApiError
from kubetrace.serving.authority import Authority
from kubetrace.serving.faults import Fault
from kubetrace.serving.phrases import PHRASES

USER, GROUP, EXTRA = "X-Remote-User", "X-Remote-Group", "X-Remote-Extra-"
_CA, _CERTIFICATE, _KEY = "front-ca.crt", "front.crt", "front.key"
_LIFETIME = datetime.timedelta(days=3650)
_OURS = ("connection", "transfer-encoding", "content-length", "expect")
"""Headers of one connection; the front's has its own."""


def write_keys(folder: Path) -> None:
    """The front's certificate and the authority that kube-apiserver knows it by, anew for each start."""
    authority = Authority("kubetrace-playground-front-ca", _LIFETIME)
    certificate, key = authority.issue("kubetrace-playground-front")
    for name, data in ((_CA, authority.pem), (_CERTIFICATE, certificate), (_KEY, key)):
        write_private(folder / name, data)


def api_server_flags() -> list[str]:
    """What kube-apiserver needs to believe the front."""
    headers = ("--requestheader-username-headers", USER, "--requestheader-group-headers", GROUP)
    return ["--requestheader-client-ca-file", _CA, *headers, "--requestheader-extra-headers-prefix", EXTRA]


class Front:
    """Serves on one port of 127.0.0.1 what kube-apiserver serves on another."""

    def __init__(self, folder: Path, behind: int, latency: float, faults: Iterable[Fault]) -> None:
        """`behind`: kube-apiserver's port. `latency`: seconds before each answer."""
        self._folder, self._behind = folder, behind
        self._injection = Injection(latency, faults, Catalog(), _subject)
        authority = str(folder / "ca.crt")
        self._plain = ssl.create_default_context(cafile=authority)
        self._trusted = ssl.create_default_context(cafile=authority)
        self._trusted.load_cert_chain(folder / _CERTIFICATE, folder / _KEY)

    async def listen(self, port: int) -> asyncio.Server:
        """Raises OSError where the port is taken."""
        return await http.listen(self._handle, http.server_tls(self._folder), port)

    async def _handle(self, request: Request) -> Answer | Stream | Upgrade:
        try:
            return await self._injection.around(request, self._pass_on)
        except OSError:
            return encode(ApiError(503, "the playground's kube-apiserver does not answer").status(), 503)

    async def _pass_on(self, request: Request) -> Answer | Stream | Upgrade:
        fields = [
            (name, value) for name, value in request.fields if name not in _OURS and not name.startswith("x-remote-")
        ]
        fields += _person(request.certificate)
        upgraded = "upgrade" in request.headers.get("connection", "").lower()
        fields.append(("Connection", "Upgrade" if upgraded else "close"))
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            fields.append(("Content-Length", str(len(request.body))))
        tls = self._trusted if request.certificate else self._plain
        reader, writer = await asyncio.open_connection("127.0.0.1", self._behind, ssl=tls, ssl_shutdown_timeout=1)
        conversation = _Conversation(reader, writer)
        try:
            await conversation.ask(request, fields)
            head = await conversation.event()
            if isinstance(head, h11.InformationalResponse):  # 101: nothing else comes unasked
                return Upgrade(conversation.tunnel(head))
            return await conversation.answer(head)
        except BaseException:
            conversation.close()
            raise


def _subject(request: Request) -> tuple[str, bool]:
    asked = attributes_of(request)
    return "/".join(filter(None, (asked.resource, asked.subresource))), asked.verb == "watch"


def _person(certificate: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Who a client's certificate is for (apiserver pkg/authentication/request/x509: CommonNameUserConversion)."""
    fields = []
    for (name, value), *_ in (certificate or {}).get("subject", ()):
        if name in ("commonName", "organizationName"):
            fields.append((USER if name == "commonName" else GROUP, value))
    return fields


class _Conversation:
    """One request to kube-apiserver, on a connection of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=http.MAX_HEAD)

    def close(self) -> None:
        """At once: what was wanted of it has been read, or nobody wants it any more."""
        self._writer.transport.abort()

    async def ask(self, request: Request, fields: list[tuple[str, str]]) -> None:
        head = h11.Request(method=request.method, target=request.target, headers=fields)
        events: list[Any] = [head, h11.EndOfMessage()]
        if request.body:
            events.insert(1, h11.Data(data=request.body))
        for event in events:
            self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()

    async def event(self) -> Any:
        """What comes next. Raises ConnectionResetError where nothing more can."""
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(http.PIECE))
        except h11.RemoteProtocolError as error:
            raise ConnectionResetError(str(error)) from None
        if isinstance(event, h11.ConnectionClosed):
            raise ConnectionResetError
        return event

    async def answer(self, head: h11.Response) -> Answer | Stream:
        """Whole where kube-apiserver says how long it is."""
        headers = _fields(head)
        kind = next((value for name, value in headers if name.lower() == "content-type"), "")
        kept = [(name, value) for name, value in headers if name.lower() not in (*_OURS, "content-type", "date")]
        chunks = self._chunks()
        if "content-length" not in {name.lower() for name, _ in headers}:
            return Stream(chunks, kind, head.status_code, kept)
        return Answer(head.status_code, b"".join([chunk async for chunk in chunks]), kind, kept)

    async def _chunks(self) -> AsyncIterator[bytes]:
        try:
            while isinstance(event := await self.event(), h11.Data):
                yield bytes(event.data)
        finally:
            self.close()

    def tunnel(self, head: h11.InformationalResponse) -> http.Takeover:
        lines = [f"HTTP/1.1 101 {PHRASES[101]}", *(f"{name}: {value}" for name, value in _fields(head)), "", ""]
        opening = "\r\n".join(lines).encode("latin-1") + self._http.trailing_data[0]

        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, early: bytes) -> None:
            writer.write(opening)
            self._writer.write(early)
            ways = [
                asyncio.create_task(_copy(reader, self._writer)),
                asyncio.create_task(_copy(self._reader, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
                self._writer.close()
                with contextlib.suppress(ConnectionError, ssl.SSLError):
                    await self._writer.wait_closed()

        return run


def _fields(head: h11.Response | h11.InformationalResponse) -> list[tuple[str, str]]:
    """The headers as they were written."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.raw_items()]


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(http.PIECE):
            writer.write(data)
            await writer.drain()
