"""Requests that turn their connection into something else: WebSocket and SPDY, over the same dial, TLS, proxy and
credentials as every other call, as one exchange that goes on while frames pass (client-go's transport/websocket and
transport/spdy, streaming's httpstream/spdy).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import io
import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kubetrace.errors import KubetraceError
from kubetrace.trace.events import Events
from kubetrace.trace.exchange import Headers, Response
from kubetrace.transport.adapter import TracedRequest, authorize, request_value
from kubetrace.transport.connections import FirstByteResponse
from kubetrace.transport.errors import TransportError
from kubetrace.transport.failures import explain
from kubetrace.transport.headers import response_headers
from kubetrace.transport.recording import Recording, current
from kubetrace.transport.wire import wire
from kubetrace.value import Value
from kubetrace.wire.go_quote import quote

if TYPE_CHECKING:
    from kubetrace.transport.dial import Dialer

WEBSOCKET = "websocket"
SPDY = "SPDY/3.1"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_WORDS_LIMIT = 1024
"""How much of a refusal gorilla/websocket hands on."""
_BODY_LIMIT = 1 << 16
_BATCH = 1 << 18
"""Bytes that are read at once."""
_SENT_BELOW_THE_LOG = frozenset({"connection", "upgrade", "sec-websocket-key", "sec-websocket-version"})


class Offer(Value):
    """What a request asks for: a protocol (`WEBSOCKET`, `SPDY`) and, best first, what is to be spoken in it."""

    protocol: str
    subprotocols: tuple[str, ...]

    @property
    def headers(self) -> Headers:
        """The fields that kubectl's log shows of it."""
        name = "Sec-Websocket-Protocol" if self.protocol == WEBSOCKET else "X-Stream-Protocol-Version"
        return tuple((name, subprotocol) for subprotocol in self.subprotocols)


class UpgradeRefused(KubetraceError):
    """The server answered, but not by upgrading (for WebSocket client-go's UpgradeFailureError: try SPDY next)."""

    def __init__(self, protocol: str, response: Response, body: bytes, cause: str = "") -> None:
        self.protocol = protocol
        self.response = response
        self.body = body
        if protocol == WEBSOCKET:
            super().__init__(f"unable to upgrade streaming request: {cause or _bad_handshake(response, body)}")
        else:
            super().__init__(f"unable to upgrade connection: {_message(body)}")


class UpgradeError(TransportError):
    """There was no answer. client-go has no url.Error around it, so kubectl prints the bare reason."""

    def __str__(self) -> str:
        return self.reason

    @property
    def recognized(self) -> bool:
        return False


class UpgradedConnection:
    """A connection that carries frames. Nothing here waits: `read` takes what is there, what can't be written at once
    is kept until `flush`; wait for `descriptor` with poll(2), for output while `unsent`, and not at all while
    `pending`. Every frame that passes is told to the observers."""

    def __init__(self, sock: Any, recording: Recording, protocol: str, subprotocol: str) -> None:
        self._wire = wire(sock)
        self._recording = recording
        self._received = 0
        self._unsent = bytearray()
        self.corked = False
        """Does what is written wait for `flush`? Then much of it goes out in whole records of TLS."""
        self.subprotocol = subprotocol
        self._watch = recording.upgraded(protocol, subprotocol)

    @property
    def descriptor(self) -> int:
        return self._wire.descriptor

    @property
    def pending(self) -> bool:
        """Are there bytes that poll(2) does not see?"""
        return self._wire.pending

    @property
    def unsent(self) -> int:
        """Bytes that the other side has not taken yet."""
        return len(self._unsent)

    def read(self) -> bytes | None:
        """What is there now, up to some limit: b"" at the end, None for nothing yet. Raises OSError."""
        data = self._wire.receive()
        if data:
            data = self._with_more(data)
            self._received += len(data)
            if self._watch is not None:
                self._watch(False, data)
        return data

    def _with_more(self, data: bytes) -> bytes:
        """TLS hands out a record at a time; what has come with it is taken along, so that all above is called less
        often. An end or an error shows again at the next read."""
        pieces, size = [data], len(data)
        with contextlib.suppress(OSError):
            while size < _BATCH and (more := self._wire.receive()):
                pieces.append(more)
                size += len(more)
        return b"".join(pieces)

    def write(self, data: bytes | bytearray) -> None:
        """Sends whole frames, as far as they are taken now. Raises OSError."""
        if self._watch is not None:
            self._watch(True, bytes(data))
        self._recording.passed += len(data)
        self._unsent += data
        if not self.corked:
            self.flush()

    def flush(self) -> None:
        """Sends what is left, as far as it is taken now. Raises OSError."""
        while self._unsent:
            sent = self._wire.send(self._unsent)
            if not sent:
                return
            del self._unsent[:sent]

    def explain(self, error: Exception) -> str:
        """Go's words for what broke the connection."""
        return explain(error, self._recording, reading=True)[0]

    @property
    def closed_words(self) -> str:
        """Go's words for reading from a connection that one has closed oneself."""
        recording = self._recording
        return f"read tcp {recording.local}->{recording.address}: use of closed network connection"

    def close(self, error: str | None = None) -> None:
        """Ends the connection and its exchange; `error` says what cut it off. Harmless when said twice."""
        self._wire.close() if error else self._wire.finish()
        self._recording.ended(None, self._received, error)


def negotiate(
    request: TracedRequest,
    events: Events,
    offer: Offer,
    dialer: Dialer,
    dial: Callable[[Recording], Any],
) -> UpgradedConnection:
    """Sends the request over a connection of its own. Raises UpgradeRefused, UpgradeError, and KubetraceError for
    credentials that can't be had."""
    key = base64.b64encode(os.urandom(16)).decode("ascii")
    _complete(request, offer, key)
    recording = Recording(request_value(request), events, call=request.context.call)
    recording.strict = True
    recording.begin()
    token = current.set(recording)
    sock = None
    try:
        authorize(request, recording)
        sock = dial(recording)
        sock.sendall(_head(request, recording, dialer.wants_absolute_targets))
        recording.written()
        answer = FirstByteResponse(_Frugal(sock), method=request.method)  # type: ignore[arg-type]
        answer.begin()
    except BaseException as error:
        if sock is not None:
            sock.close()
        raise _failed(error, recording) from error
    finally:
        current.reset(token)
    return _upgraded(sock, answer, recording, offer, key)


def _failed(error: BaseException, recording: Recording) -> BaseException:
    if isinstance(error, KubetraceError) or not isinstance(error, Exception):
        recording.failed(str(error) or type(error).__name__)
        return error
    reason, kind = explain(error, recording)
    reason = "unexpected EOF" if reason == "EOF" else reason  # http.ReadResponse, which no transport words anew
    recording.failed(reason)
    return UpgradeError(recording.request.method, recording.request.url, reason, kind)


def _complete(request: TracedRequest, offer: Offer, key: str) -> None:
    """The fields that client-go adds below its log."""
    headers = request.headers
    headers.pop("Accept-Encoding", None)
    headers["Connection"], headers["Upgrade"] = "Upgrade", offer.protocol
    if offer.protocol == WEBSOCKET:
        headers["Sec-WebSocket-Version"], headers["Sec-WebSocket-Key"] = "13", key
    request.context.unlogged |= _SENT_BELOW_THE_LOG


def _head(request: TracedRequest, recording: Recording, absolute: bool) -> bytes:
    parts = urlsplit(recording.request.url)
    target = recording.request.url if absolute else f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in recording.request.headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class _Frugal:
    """A socket for http.client, which would read on into the frames: it gets the answer's head and no byte more."""

    def __init__(self, sock: Any) -> None:
        self._socket = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._socket.makefile(mode, buffering=0), 1)


def _upgraded(
    sock: Any, answer: http.client.HTTPResponse, recording: Recording, offer: Offer, key: str
) -> UpgradedConnection:
    headers = response_headers(answer.headers.items(), decoded=False)
    version = "HTTP/1.0" if answer.version == 10 else "HTTP/1.1"
    response = Response(answer.status, answer.reason, headers, version)
    agreed = _agreed(response, offer, key)
    if agreed is None or (offer.protocol == WEBSOCKET and agreed not in offer.subprotocols):
        _refused(sock, answer, recording, response, offer, agreed)
    answer.close()
    recording.received(response)
    assert agreed is not None
    return UpgradedConnection(sock, recording, offer.protocol, agreed)


def _agreed(response: Response, offer: Offer, key: str) -> str | None:
    """The subprotocol of a server that upgrades; None for one that does not."""
    protocol, connection = response.header("Upgrade") or "", response.header("Connection") or ""
    if response.status != 101 or "upgrade" not in connection.lower():
        return None
    if offer.protocol != WEBSOCKET:
        return (
            response.header("X-Stream-Protocol-Version") or "" if offer.protocol.lower() in protocol.lower() else None
        )
    digest = hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
    if protocol.lower() != WEBSOCKET or response.header("Sec-Websocket-Accept") != base64.b64encode(digest).decode():
        return None
    return response.header("Sec-Websocket-Protocol") or ""


def _refused(
    sock: Any, answer: Any, recording: Recording, response: Response, offer: Offer, agreed: str | None
) -> None:
    """Raises UpgradeRefused. kubectl's log has no answer for a refused WebSocket, only that there was none."""
    body = b""
    try:
        if response.status != 101:
            body = answer.read(_BODY_LIMIT)
    except (OSError, http.client.HTTPException):
        pass  # what came of it will do
    finally:
        answer.close()
        sock.close()
    cause = ""
    if agreed is not None:
        wanted = " ".join(quote(subprotocol) for subprotocol in offer.subprotocols)
        cause = f"invalid protocol, expected one of [{wanted}], got {quote(agreed)}"
    refusal = UpgradeRefused(offer.protocol, response, body, cause)
    if offer.protocol == WEBSOCKET:
        recording.refused(response, body, str(refusal))
    else:
        recording.received(response)
        recording.ended(body, len(body))
    raise refusal


def _bad_handshake(response: Response, body: bytes) -> str:
    """client-go's cause of an upgrade that failed."""
    text = body[:_WORDS_LIMIT].decode("utf-8", "replace").strip()
    status = _status(text)
    if status is not None:
        return str(status.get("message") or "")
    words = f"websocket: bad handshake ({response.status}{'' if response.reason is None else f' {response.reason}'})"
    return f"{words}: {text}" if text else words


def _status(text: str) -> dict[str, Any] | None:
    value = _object(text)
    return value if value.get("kind") == "Status" and value.get("apiVersion") == "v1" else None


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _message(body: bytes) -> str:
    """What a refused SPDY upgrade says (upgradeErrorMessage, httpstream/spdy/roundtripper.go)."""
    text = body.decode("utf-8", "replace").strip()
    value = _object(text)
    said = [value.get(name) for name in ("message", "error")]
    found = next((word.strip() for word in said if isinstance(word, str) and word.strip()), text)
    return found or "empty server response"
