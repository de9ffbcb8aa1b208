"""One client's connection: its requests, one after the other, each sent on to the server as the user it names."""

from __future__ import annotations

import contextlib
import select
import time
from typing import TYPE_CHECKING

from kubetrace.errors import KubetraceError
from kubetrace.recorder.answers import LocalAnswer, refusal
from kubetrace.recorder.framing import Framing, of_request
from kubetrace.recorder.heads import BadMessage, RequestHead, ResponseHead, request_head, response_head, split, written
from kubetrace.recorder.observed import Observed, request_value
from kubetrace.recorder.policy import Verdict
from kubetrace.recorder.relay import ClientGone, Relay, ServerGone
from kubetrace.recorder.upstream import Identity, Link, Upstream
from kubetrace.recorder.wire import Wire, wait
from kubetrace.trace.endpoint import endpoint
from kubetrace.trace.exchange import UNSTATED, Purpose, Request
from kubetrace.transport.failures import explain

if TYPE_CHECKING:
    from kubetrace.recorder.recorder import Recorder

FIRST_HEAD_SECONDS = 30.0
"""How long a stranger may take to say what it wants."""
BODY_SECONDS = 60.0
SEND_SECONDS = 60.0
WHOLE_BODY = 4 << 20
"""Request bodies up to this size are read before they are sent on, so that a log can show them first, as kubectl's
does; an API server takes 3 MiB at most. Larger ones, and those of unknown size, are streamed."""
REPEATABLE = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE"})
CANCELED = "context canceled"
"""Go's words for a request whose client has gone."""


class Conversation:
    """Serves one connection that has come in for `cluster`, on the calling thread, until either side has had enough."""

    def __init__(self, client: Wire, cluster: str, recorder: Recorder) -> None:
        self._client = client
        self._cluster = cluster
        self._recorder = recorder
        self._buffer = bytearray()
        self._known = False

    def run(self) -> None:
        try:
            while self._next():
                pass
            self._client.finish()
        except (ClientGone, TimeoutError, OSError):
            self._client.close()
        except _Reset:
            self._client.reset()

    # --- one request --------------------------------------------------------------------------------------------------

    def _next(self) -> bool:
        """Serves one request. False where the connection is to be closed after it."""
        try:
            raw = self._read_head()
            if raw is None:
                return False
            head = request_head(raw)
            framing = of_request(head)
            body = self._read_body(head, framing)
        except BadMessage as error:
            self._answer(refusal(400, f"kubetrace: {error}", "BadRequest"), close=True)
            return False
        try:
            upstream = self._recorder.upstream(self._cluster, head.first(b"authorization"))
        except KubetraceError as error:  # the kubeconfig's settings can't be used
            return self._unreachable(head, framing, str(error))
        if upstream is None:
            return self._stranger(head, framing)
        self._known = True
        return self._serve(upstream, head, framing, body)

    def _read_head(self) -> bytes | None:
        seconds = None if self._known else FIRST_HEAD_SECONDS
        while not (end := split(self._buffer)):
            if not self._receive(seconds):
                return None
        head = bytes(self._buffer[:end])
        del self._buffer[:end]
        return head

    def _receive(self, seconds: float | None) -> bool:
        """Takes more of what the client says; False where it has said everything. Raises TimeoutError, OSError."""
        data = self._client.receive()
        while data is None:
            if not wait(self._client.descriptor, select.POLLIN, seconds):
                raise TimeoutError
            data = self._client.receive()
        self._buffer += data
        return bool(data)

    def _read_body(self, head: RequestHead, framing: Framing) -> bytes | None:
        """A body that is read whole before it is sent on (b"" for none); None for one that is streamed."""
        if framing.complete:
            return b""
        length = head.length
        if length is None or length > WHOLE_BODY or head.first(b"expect") is not None:
            return None
        while len(self._buffer) < length:
            if not self._receive(BODY_SECONDS):
                raise ClientGone
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        framing.feed(body)
        return body

    # --- answers of our own -------------------------------------------------------------------------------------------

    def _answer(self, answer: LocalAnswer, method: bytes = b"GET", *, close: bool = False) -> None:
        body = b"" if method == b"HEAD" else answer.body
        answer = LocalAnswer(answer.status, answer.body, answer.fields, close)
        self._client.send_all(answer.head() + body, SEND_SECONDS)

    def _refuse(self, head: RequestHead, framing: Framing, answer: LocalAnswer) -> bool:
        """Answers in the server's place. A body that is still coming in is not waited for."""
        close = not framing.complete or not head.keeps_alive
        self._answer(answer, head.method, close=close)
        if close:
            self._drain(framing)
        return not close

    def _drain(self, framing: Framing) -> None:
        """Lets a client that still sends read its answer: to close a socket that has unread bytes would reset it."""
        until = time.monotonic() + 1.0
        with contextlib.suppress(OSError, BadMessage):
            while not framing.complete and (left := until - time.monotonic()) > 0:
                if not wait(self._client.descriptor, select.POLLIN, left):
                    return
                data = self._client.receive()
                if data == b"":
                    return
                framing.feed(data or b"")

    def _stranger(self, head: RequestHead, framing: Framing) -> bool:
        self._recorder.refused_stranger()
        message = "kubetrace: this client did not bring the token of the kubeconfig that kubetrace made for it"
        fields = [(b"WWW-Authenticate", b'Bearer realm="kubetrace"')]
        self._refuse(head, framing, refusal(401, message, "Unauthorized", fields=fields))
        return False

    def _unreachable(self, head: RequestHead, framing: Framing, why: str) -> bool:
        text = self._recorder.masked(f"kubetrace: {why}")
        self._recorder.complain(text)
        return self._refuse(head, framing, refusal(502, text, "BadGateway"))

    # --- through to the server ----------------------------------------------------------------------------------------

    def _serve(self, upstream: Upstream, head: RequestHead, framing: Framing, body: bytes | None) -> bool:
        try:
            identity = upstream.identify()
        except KubetraceError as error:
            self._observe(upstream, head, Identity(), body).failed(str(error))
            return self._unreachable(head, framing, str(error))
        verdict = self._judge(upstream, head)
        if verdict.answer is not None:
            return self._instead(upstream, head, framing, identity, body, verdict)
        observed = self._observe(upstream, head, identity, body)
        if verdict.reset:
            observed.failed("read: connection reset by peer (a fault that kubetrace was told to make)")
            raise _Reset
        return self._carry(upstream, head, framing, identity, observed, body, verdict.pause)

    def _judge(self, upstream: Upstream, head: RequestHead) -> Verdict:
        policy = self._recorder.policy
        if policy.latency:
            time.sleep(policy.latency)
        method = head.method.decode("latin-1")
        where = endpoint(Request(method, upstream.origin + head.target.decode("latin-1")))
        return policy.judge(method, where, upgrades=head.first(b"upgrade") is not None)

    def _observe(
        self,
        upstream: Upstream,
        head: RequestHead,
        identity: Identity,
        body: bytes | None,
        purpose: Purpose = UNSTATED,
    ) -> Observed:
        value = request_value(
            head,
            upstream.origin,
            upstream.fields(head, identity),
            body=body or None,
            unlogged=identity.unlogged,
            purpose=purpose,
        )
        observed = Observed(value, self._recorder.events, self._recorder.keep)
        self._recorder.count()
        observed.begin()
        return observed

    def _instead(
        self,
        upstream: Upstream,
        head: RequestHead,
        framing: Framing,
        identity: Identity,
        body: bytes | None,
        verdict: Verdict,
    ) -> bool:
        answer = verdict.answer
        assert answer is not None
        observed = self._observe(upstream, head, identity, body, verdict.purpose)
        observed.answered(response_head(answer.head()))
        if head.method != b"HEAD":
            observed.received(answer.body)
        observed.ended()
        return self._refuse(head, framing, answer)

    def _carry(
        self,
        upstream: Upstream,
        head: RequestHead,
        framing: Framing,
        identity: Identity,
        observed: Observed,
        body: bytes | None,
        pause: float,
    ) -> bool:
        try:
            outgoing = self._outgoing(upstream, head, identity) + self._first_of_body(framing, observed, body)
        except BadMessage as error:
            observed.ended(CANCELED)
            raise _Broken from error
        fresh = False
        while True:
            try:
                link = upstream.link(observed.recording, fresh=fresh)
            except Exception as error:  # whatever urllib3, ssl and socket raise: explained in Go's words
                return self._no_link(upstream, head, framing, observed, error)
            relay = Relay(
                self._client,
                link,
                head,
                outgoing,
                framing,
                observed,
                pause=pause,
                rewrite=lambda response, raw: self._rewritten(upstream, response, raw),
            )
            try:
                relay.run()
            except ServerGone as gone:
                link.wire.close()
                if self._may_repeat(link, head, body, gone):
                    observed.recording.forget_stale()
                    fresh = True
                    continue
                self._broken(observed, gone)
            except (ClientGone, OSError):
                link.wire.close()
                observed.ended(CANCELED)
                raise
            except BadMessage as error:
                link.wire.close()
                observed.ended(f"net/http: HTTP/1.x transport connection broken: {error}")
                raise _Broken from error
            return self._after(upstream, identity, head, framing, relay, link)

    def _outgoing(self, upstream: Upstream, head: RequestHead, identity: Identity) -> bytes:
        line = b"%s %s HTTP/1.%d" % (head.method, upstream.target(head.target), head.minor)
        return written(line, upstream.fields(head, identity))

    def _first_of_body(self, framing: Framing, observed: Observed, body: bytes | None) -> bytes:
        """The body where it has been read; of a streamed one, what has come already."""
        if body is not None:
            return body
        data = bytes(self._buffer)
        content, used = framing.feed(data)
        observed.sent(content)
        del self._buffer[:used]
        return data[:used]

    @staticmethod
    def _may_repeat(link: Link, head: RequestHead, body: bytes | None, gone: ServerGone) -> bool:
        """A kept connection that the server had closed in the meantime is replaced unseen, as Go's transport does for
        requests that may be repeated."""
        return link.used and not gone.answered and body is not None and head.method in REPEATABLE

    def _no_link(
        self, upstream: Upstream, head: RequestHead, framing: Framing, observed: Observed, error: Exception
    ) -> bool:
        why = str(error) if isinstance(error, KubetraceError) else explain(error, observed.recording)[0]
        observed.failed(why)
        return self._unreachable(head, framing, f"cannot reach {upstream.origin}: {why}")

    def _broken(self, observed: Observed, gone: ServerGone) -> None:
        """The server broke off: so does the client's connection, in the same way."""
        recording = observed.recording
        if recording.response is None and not gone.answered:
            observed.failed("EOF" if gone.error is None else explain(gone.error, recording)[0])
        else:
            reading = "unexpected EOF" if gone.error is None else explain(gone.error, recording, reading=True)[0]
            observed.ended(reading)
        raise _Broken if gone.error is None else _Reset

    def _after(
        self, upstream: Upstream, identity: Identity, head: RequestHead, framing: Framing, relay: Relay, link: Link
    ) -> bool:
        if relay.reusable:
            upstream.keep(link)
        else:
            link.wire.finish()
        response = relay.response
        assert response is not None
        if response.status == 401:
            with contextlib.suppress(KubetraceError):  # the next request says what is wrong
                upstream.refused(identity)
        self._buffer += relay.left_over
        return relay.reusable and head.keeps_alive

    def _rewritten(self, upstream: Upstream, response: ResponseHead, raw: bytes) -> bytes:
        """A redirect to the server itself leads back here, as the client has no other way in."""
        location = response.first(b"location") if 300 <= response.status < 400 else None
        origin = upstream.origin.encode("latin-1")
        if location is None or (not location.startswith((origin + b"/", origin + b"?")) and location != origin):
            return raw
        here = self._recorder.origin(self._cluster).encode("ascii")
        fields = [
            (name, here + value[len(origin) :] if name.lower() == b"location" else value)
            for name, value in response.fields
        ]
        return written(raw.partition(b"\r\n")[0], fields)


class _Broken(ClientGone):
    """The client's connection ends as the server's did: without a word."""


class _Reset(Exception):
    """The client's connection ends as the server's did: reset."""
