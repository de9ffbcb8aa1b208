"""One exchange on its way: bytes from a client to its server and back, both ways at once, as they come.

Neither side can make the other's bytes pile up here: what one does not take is not read from the other. Whoever goes
away takes the exchange with it: a client that leaves cancels its request, a server that breaks off does so for the
client, too.
"""

from __future__ import annotations

import contextlib
import select
import time
from collections.abc import Callable

from kubetrace.recorder.framing import Framing, of_response
from kubetrace.recorder.heads import BadMessage, RequestHead, ResponseHead, response_head, split
from kubetrace.recorder.observed import Observed
from kubetrace.recorder.upstream import Link
from kubetrace.transport.wire import READABLE, WRITABLE, Wire

HIGH_WATER = 1 << 18
"""Bytes that may wait for one side before the other is no longer read."""

LAST_WORDS = 5.0
"""Seconds that a server has to take what a client said before it left an upgraded connection."""


class NotUpgraded(Exception):
    """An answer that neither upgrades the connection nor refuses to."""


Rewrite = Callable[[ResponseHead, bytes], bytes]
"""From an answer's head, and its bytes, to the bytes that the client gets."""


def unchanged(head: ResponseHead, raw: bytes) -> bytes:
    return raw


class ClientGone(Exception):
    """The client went away before it had its answer."""


class ServerGone(Exception):
    """The server broke off; `error` is what happened (None: it closed the connection), `answered` whether a byte of
    its answer had come."""

    def __init__(self, error: Exception | None, *, answered: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.answered = answered


class Relay:
    """Carries one exchange over a link. `outgoing` is what is known of the request already; more of its body comes
    from the client while `body` is not complete. `pause` makes the answer's body wait in its middle, that many
    seconds; `rewrite` may change the answer's head, and those of interim answers. `unframed` hands a body to the client
    without its framing, up to the end of the connection. With `must_upgrade` an answer has to be 101 or an error."""

    def __init__(
        self,
        client: Wire,
        link: Link,
        request: RequestHead,
        outgoing: bytes,
        body: Framing,
        observed: Observed,
        *,
        pause: float = 0.0,
        rewrite: Rewrite = unchanged,
        unframed: bool = False,
        must_upgrade: bool = False,
    ) -> None:
        self._client = client
        self._server = link.wire
        self._request = request
        self._body = body
        self._observed = observed
        self._pause = pause
        self._rewrite = rewrite
        self._unframed = unframed
        self._must_upgrade = must_upgrade
        self._to_server = bytearray(outgoing)
        self._to_client = bytearray()
        self._head = bytearray()
        self._answer: Framing | None = None
        self._ended = False
        self._answered = False
        self._excess = False
        self.response: ResponseHead | None = None
        self.upgraded = False
        self.left_over = b""
        """What the client sent behind its request: the next one's beginning."""

    @property
    def reusable(self) -> bool:
        """Whether the server's connection can carry another exchange."""
        whole = self._answer is not None and self._answer.complete and self._body.complete and not self._to_server
        clean = whole and not self.upgraded and not self._excess
        return clean and self.response is not None and self.response.keeps_alive

    def run(self) -> None:
        """Returns when the client has its whole answer. Raises ClientGone, ServerGone, NotUpgraded, BadMessage (the
        server's answer is no HTTP)."""
        poll = select.poll()
        client, server = self._client, self._server
        watched = {client.descriptor: 0, server.descriptor: 0}
        self._flush_to_server()
        self._observed.recording.written()
        while not self._ended or self._to_client:
            wanted = {client.descriptor: self._client_events(), server.descriptor: self._server_events()}
            for descriptor, events in wanted.items():
                if events != watched[descriptor]:
                    poll.register(descriptor, events) if events else poll.unregister(descriptor)
            watched = wanted
            for descriptor, events in self._ready(poll):
                if descriptor == server.descriptor:
                    self._serve_server(events)
                else:
                    self._serve_client(events)

    def _ready(self, poll: select.poll) -> list[tuple[int, int]]:
        """Who can be served: also those whose bytes have been decrypted already, which poll(2) does not see."""
        pending = [
            (wire.descriptor, select.POLLIN)
            for wire, events in ((self._server, self._server_events()), (self._client, self._client_events()))
            if events & select.POLLIN and wire.pending
        ]
        return pending or poll.poll()

    # --- what each side is waited for ---------------------------------------------------------------------------------

    def _server_events(self) -> int:
        events = READABLE if not self._ended and len(self._to_client) < HIGH_WATER else 0
        return events | WRITABLE if self._to_server else events

    def _client_events(self) -> int:
        reads = not self._ended and not self.left_over and len(self._to_server) < HIGH_WATER
        events = READABLE if reads else 0
        return events | WRITABLE if self._to_client else events

    def _serve_server(self, events: int) -> None:
        if self._to_server and events & WRITABLE:
            self._flush_to_server()
        if self._server_events() & select.POLLIN and events & READABLE:
            try:
                data = self._server.receive()
            except OSError as error:
                self._server_ended(error)
                return
            if data:
                self._from_server(data)
            elif data is not None:
                self._server_ended(None)

    def _serve_client(self, events: int) -> None:
        if self._to_client and events & WRITABLE:
            self._flush_to_client()
        if self._client_events() & select.POLLIN and events & READABLE:
            try:
                data = self._client.receive()
            except OSError as error:
                raise ClientGone from error
            if data:
                self._from_client(data)
            elif data is not None:
                self._client_ended()

    # --- from the client ----------------------------------------------------------------------------------------------

    def _from_client(self, data: bytes) -> None:
        if self.upgraded:
            self._observed.passed(True, data)
            self._observed.tell()
            self._send_to_server(data)
            return
        if self._body.complete:
            self.left_over = data
            return
        try:
            content, used = self._body.feed(data)
        except BadMessage as error:  # nobody can tell any more where its request ends
            raise ClientGone from error
        self._observed.sent(content)
        self._send_to_server(data[:used])
        self.left_over = data[used:]

    def _client_ended(self) -> None:
        if not self.upgraded:
            raise ClientGone
        with contextlib.suppress(OSError):
            self._server.send_all(bytes(self._to_server), LAST_WORDS)
        self._end(None)

    # --- from the server ----------------------------------------------------------------------------------------------

    def _from_server(self, data: bytes) -> None:
        if not self._answered:
            self._answered = True
            self._observed.recording.first_byte()
        if self.upgraded:
            self._from_upgraded(data)
        elif self._answer is not None:
            self._from_body(data)
        else:
            self._from_head(data)

    def _from_head(self, data: bytes) -> None:
        self._head += data
        while self._answer is None and (end := split(self._head)):
            raw = bytes(self._head[:end])
            del self._head[:end]
            self._read_head(raw)
        if self._answer is not None:
            rest = bytes(self._head)
            self._head.clear()
            if self.upgraded:
                if rest:
                    self._from_upgraded(rest)
            elif rest or self._answer.complete:
                self._from_body(rest)
            self._observed.tell()

    def _read_head(self, raw: bytes) -> None:
        head = response_head(raw)
        if self._must_upgrade and head.status != 101 and head.status < 400:
            self.response = head
            self._observed.answered(head)
            raise NotUpgraded(f"invalid upgrade response: status code {head.status}")
        if 100 <= head.status < 200 and head.status != 101:
            self._send_to_client(self._rewrite(head, raw))
            return
        self.response = head
        self._answer = of_response(head, self._request.method)
        self._observed.answered(head)
        if head.status == 101:
            self.upgraded = True
        # Not sent yet: head and body go out together where they came together.
        self._to_client += self._rewrite(head, raw)
        if not self._head and not self._answer.complete:
            self._observed.tell()
            self._flush_to_client()

    def _from_body(self, data: bytes) -> None:
        assert self._answer is not None
        content, used = self._answer.feed(data)
        self._excess = used < len(data)
        self._observed.received(content)
        passed = content if self._unframed else data[:used]
        if self._pause and content:
            self._observed.tell()
            half = len(passed) // 2
            self._send_to_client(passed[:half])
            self._wait()
            passed = passed[half:]
        if self._answer.complete:
            self._end(None)
        else:
            self._observed.tell()
        self._send_to_client(passed)

    def _from_upgraded(self, data: bytes) -> None:
        self._observed.passed(False, data)
        self._observed.tell()
        self._send_to_client(data)

    def _server_ended(self, error: OSError | None) -> None:
        if self._answer is None:
            raise ServerGone(error, answered=self._answered)
        if self.upgraded or (error is None and not self._server.ragged and self._answer.closed()):
            self._end(None)
            return
        raise ServerGone(error, answered=True)

    def _end(self, error: str | None) -> None:
        """Nothing more comes. It is told before the client has the last byte, so that a log is ahead of what the client
        does next."""
        self._ended = True
        self._observed.ended(error)

    def _wait(self) -> None:
        seconds, self._pause = self._pause, 0.0
        time.sleep(seconds)

    # --- sending ------------------------------------------------------------------------------------------------------

    def _send_to_client(self, data: bytes) -> None:
        if self._to_client or not data:
            self._to_client += data
        else:
            sent = self._guarded_send(data)
            self._to_client += data[sent:]
        self._flush_to_client()

    def _flush_to_client(self) -> None:
        while self._to_client and (sent := self._guarded_send(self._to_client)):
            del self._to_client[:sent]

    def _guarded_send(self, data: bytes | bytearray) -> int:
        try:
            return self._client.send(data)
        except OSError as error:
            raise ClientGone from error

    def _send_to_server(self, data: bytes) -> None:
        self._to_server += data
        self._flush_to_server()

    def _flush_to_server(self) -> None:
        try:
            while self._to_server and (sent := self._server.send(self._to_server)):
                del self._to_server[:sent]
        except OSError as error:
            # The server may have answered before it closed its ears: that answer is still to be read.
            self._to_server.clear()
            if not self._may_have_answered():
                raise ServerGone(error, answered=self._answered) from error

    def _may_have_answered(self) -> bool:
        try:
            data = self._server.receive()
        except OSError:
            return False
        if data:
            self._from_server(data)
        return bool(data)
