"""One client's connection to a gateway: its requests, one after the other, filtered and sent on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.errors import KubetraceError
from kubetrace.gateway import fields as rules
from kubetrace.gateway.admission import host_name
from kubetrace.gateway.files import PLAIN, Part, moved, plain
from kubetrace.gateway.routes import Moved, Proxied, Static, Target, read_target
from kubetrace.recorder.answers import LocalAnswer
from kubetrace.recorder.client import SEND_SECONDS, ClientConnection
from kubetrace.recorder.framing import Framing, of_request
from kubetrace.recorder.heads import BadMessage, RequestHead, ResponseHead, request_head
from kubetrace.recorder.observed import Observed, request_value
from kubetrace.recorder.passage import CANCELED, Broken, NoLink, Passage
from kubetrace.recorder.relay import ClientGone, NotUpgraded
from kubetrace.recorder.upstream import Identity
from kubetrace.trace.exchange import Purpose
from kubetrace.transport.headers import has_body
from kubetrace.transport.wire import Wire
from kubetrace.transport.words import CONNECTION_BROKEN
from kubetrace.value import replace

if TYPE_CHECKING:
    from kubetrace.gateway.gateway import Gateway

PURPOSE = Purpose("proxy", "proxy: a client asked for this")
_PIECE = 1 << 16
_UNLOGGED = frozenset({"host", "content-length", "transfer-encoding"})
"""What Go's transport writes by itself."""


class Visit(ClientConnection):
    """Serves one connection of a gateway's."""

    def __init__(self, client: Wire, gateway: Gateway) -> None:
        super().__init__(client)
        self._gateway = gateway
        self._peer = client.peer
        self._known = True

    def _next(self) -> bool:
        try:
            raw = self._read_head()
            if raw is None:
                return False
            head = request_head(raw, of_origin=False)
            framing = of_request(head)
            if head.target == b"*" and head.method == b"OPTIONS":
                return self._refuse(head, framing, LocalAnswer(200, b"", content_type=b""))
            if head.method == b"CONNECT":
                return self._refuse(head, framing, plain(404, "404 page not found"))
            target = read_target(head.target)
        except BadMessage as error:
            self._client.send_all(_bad_request(error.status), SEND_SECONDS)
            return False
        return self._route(head, framing, target)

    def _route(self, head: RequestHead, framing: Framing, target: Target) -> bool:
        found = self._gateway.routes.find(target)
        if found is None:
            return self._refuse(head, framing, plain(404, "404 page not found"))
        if isinstance(found, Moved):
            return self._refuse(head, framing, _redirect(head, found.location))
        if isinstance(found, Static):
            return self._serve_file(head, framing, found.target)
        assert isinstance(found, Proxied)
        if not self._admitted(head, found.target):
            return self._refuse(head, framing, plain(403, "Forbidden"))
        return self._proxy(head, framing, found.target)

    def _admitted(self, head: RequestHead, target: Target) -> bool:
        if self._gateway.filter is None:
            return True
        host = target.host if target.host is not None else (head.first(b"host") or b"").decode("latin-1")
        method = head.method.decode("latin-1")
        return self._gateway.filter.accepts(method, target.path, host_name(host), self._gateway.note)

    def _serve_file(self, head: RequestHead, framing: Framing, target: Target) -> bool:
        assert self._gateway.files is not None
        found = self._gateway.files.serve(target, head)
        if isinstance(found, LocalAnswer):
            return self._refuse(head, framing, found)
        close = not framing.complete or not head.keeps_alive
        with found.file as file:
            self._client.send_all(replace(found.head, close=close, minor=head.minor).head(found.size), SEND_SECONDS)
            if head.method != b"HEAD":
                self._send_part(found, file.seek(found.start))
        return not close

    def _send_part(self, part: Part, at: int) -> None:
        end = part.start + part.size
        while at < end:
            piece = part.file.read(min(_PIECE, end - at))
            if not piece:
                raise Broken("the file has become shorter")
            self._client.send_all(piece, SEND_SECONDS)
            at += len(piece)

    # --- to the server ------------------------------------------------------------------------------------------------

    def _proxy(self, head: RequestHead, framing: Framing, target: Target) -> bool:
        gateway = self._gateway
        upgrade = rules.upgrades(head)
        forwarded = rules.forwarded(head, self._peer)
        path = gateway.location(target)
        if upgrade:
            gateway.tell_dialing(path + target.query, forwarded)
        else:
            gateway.note("proxy-no-upgrade")
        body = self._read_body(head, framing)
        failure = ""
        try:
            identity = gateway.upstream.identify()
        except KubetraceError as error:
            identity, failure = Identity(), str(error)
        fields = rules.authenticated(forwarded, identity, gateway.upstream.host, gateway.user_agent)
        if upgrade and not head.keeps_alive:
            fields.append((b"Connection", b"close"))
        onward = RequestHead(1, fields, head.method, (path + target.query).encode("latin-1"))
        observed = self._observed(onward, body, identity)
        observed.begin()
        if failure:
            observed.failed(failure)
            return self._failed(head, framing, failure)
        passage = Passage(self._client, gateway.upstream, identity, onward, fields, framing, observed)
        answering = _Answering(gateway, head, upgrade=upgrade)
        try:
            passage.carry(
                body,
                self._buffer,
                rewrite=answering.rewrite,
                unframed=head.minor == 0 and not upgrade,
                must_upgrade=upgrade,
            )
        except NoLink as error:
            return self._no_answer(head, framing, f"error dialing backend: {error}" if upgrade else str(error), upgrade)
        except NotUpgraded as error:
            gateway.note("proxy-upgrade-error", error=str(error))
            return self._failed(head, framing, str(error))
        except Broken as error:
            if error.answered and not upgrade:
                gateway.complain(f"httputil: ReverseProxy read error during body copy: {error}")
            if error.answered:
                raise
            return self._no_answer(head, framing, _unread(str(error)) if upgrade else str(error), upgrade)
        except (ClientGone, OSError):
            if observed.recording.response is None:
                gateway.note("proxy-error", error=CANCELED)
            raise
        if upgrade:
            if answering.status == 101:
                gateway.tell_disconnected(path + target.query, forwarded)
            return False
        return passage.client_stays and not answering.close

    def _observed(self, head: RequestHead, body: bytes | None, identity: Identity) -> Observed:
        gateway = self._gateway
        unlogged = _UNLOGGED | {"authorization"} if identity.plugin is not None else _UNLOGGED
        value = request_value(head, gateway.upstream.origin, head.fields, body or None, unlogged, PURPOSE)
        return Observed(replace(value, operation="stream"), gateway.events, gateway.keep)

    def _no_answer(self, head: RequestHead, framing: Framing, why: str, upgrade: bool) -> bool:
        if upgrade:
            self._gateway.note("proxy-no-connection", error=why)
        return self._failed(head, framing, why)

    def _failed(self, head: RequestHead, framing: Framing, why: str) -> bool:
        self._gateway.note("proxy-error", error=why)
        return self._refuse(head, framing, plain(500, why))


class _Answering:
    """How a server's answer to `head` is told to the client that asked. Afterwards `status` is the answer's, and
    `close` says whether the client's connection ends behind it."""

    def __init__(self, gateway: Gateway, head: RequestHead, *, upgrade: bool) -> None:
        self._gateway = gateway
        self._head = head
        self._upgrade = upgrade
        self.status = 0
        self.close = not head.keeps_alive

    def rewrite(self, response: ResponseHead, raw: bytes) -> bytes:
        if 100 <= response.status < 200 and response.status != 101:
            return rules.interim(raw, minor=self._head.minor)
        self.status = response.status
        if not self._upgrade:
            if self._head.minor == 0 and not _has_end(response, self._head.method):
                self.close = True
            return rules.answered(response, raw, minor=self._head.minor, close=self.close)
        if response.status == 101:
            self._gateway.note("proxy-upgraded", length=len(raw))
            return raw
        self._gateway.note("proxy-upgrade-refused", status=response.status)
        return rules.refused(response, raw)


def _has_end(response: ResponseHead, method: bytes) -> bool:
    """Does a client without chunks see where this answer ends?"""
    return response.length is not None or not has_body(method.decode("latin-1"), response.status)


def _unread(why: str) -> str:
    """http.ReadResponse's own word on an answer to a request for an upgrade, which no transport has read."""
    return "unexpected EOF" if why == "EOF" else why.removeprefix(CONNECTION_BROKEN)


def _bad_request(status: str) -> bytes:
    """net/http's word on what it can't read."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {PLAIN.decode()}\r\nConnection: close\r\n\r\n{status}".encode()


def _redirect(head: RequestHead, location: str) -> LocalAnswer:
    """net/http's Redirect: with a link for those who read it."""
    answer = moved(location)
    if head.method not in (b"GET", b"HEAD"):
        return answer
    link = location.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;")
    body = f'<a href="{link}">Moved Permanently</a>.\n\n'.encode("latin-1")
    return replace(answer, body=body, content_type=b"text/html; charset=utf-8")
