"""One client's connection: its requests, one after the other, each sent on to the server as the user it names."""

from __future__ import annotations

import contextlib
import select
import time
from typing import TYPE_CHECKING

from kubetrace.errors import KubetraceError
from kubetrace.recorder.answers import LocalAnswer, refusal
from kubetrace.recorder.framing import Framing, of_request
from kubetrace.recorder.heads import BadMessage, RequestHead, request_head, response_head, split
from kubetrace.recorder.observed import Observed, request_value
from kubetrace.recorder.passage import Broken, NoLink, Passage, Reset
from kubetrace.recorder.policy import Verdict
from kubetrace.recorder.relay import ClientGone
from kubetrace.recorder.upstream import Identity, Upstream
from kubetrace.trace.endpoint import endpoint_of
from kubetrace.trace.exchange import Request
from kubetrace.transport.wire import Wire, wait

if TYPE_CHECKING:
    from kubetrace.recorder.recorder import Recorder

FIRST_HEAD_SECONDS = 30.0
"""How long a stranger may take to say what it wants."""
BODY_SECONDS = 60.0
SEND_SECONDS = 60.0
WHOLE_BODY = 4 << 20
"""Request bodies up to this size are read before they are sent on, so that a log can show them first, as kubectl's
does; an API server takes 3 MiB at most. Larger ones, and those of unknown size, are streamed."""


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
        except (Broken, ClientGone, OSError):
            self._client.close()
        except Reset:
            self._client.reset()

    # --- reading ------------------------------------------------------------------------------------------------------

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
        failure: KubetraceError | None = None
        try:
            identity = upstream.identify()
        except KubetraceError as error:
            identity, failure = Identity(), error
        verdict = self._judge(upstream, head)
        fields = upstream.fields(head, identity)
        if self._recorder.events.active:
            value = request_value(head, upstream.origin, fields, body or None, identity.unlogged, verdict.purpose)
        else:
            value = Request(head.method.decode("latin-1"), upstream.origin)
        observed = Observed(value, self._recorder.events, self._recorder.keep)
        self._recorder.count()
        observed.begin()
        if verdict.answer is not None:
            return self._instead(head, framing, observed, verdict.answer)
        if verdict.reset:
            observed.failed("read: connection reset by peer (a fault that kubetrace was told to make)")
            raise Reset
        if failure is not None:
            observed.failed(str(failure))
            return self._unreachable(head, framing, str(failure))
        passage = Passage(self._client, upstream, identity, head, fields, framing, observed)
        try:
            passage.carry(body, self._buffer, here=self._recorder.origin(self._cluster), pause=verdict.pause)
        except NoLink as error:
            return self._unreachable(head, framing, f"cannot reach {upstream.origin}: {error}")
        return passage.client_stays

    def _judge(self, upstream: Upstream, head: RequestHead) -> Verdict:
        policy = self._recorder.policy
        if policy.latency:
            time.sleep(policy.latency)
        if not policy.judges:
            return Verdict()
        method = head.method.decode("latin-1")
        where = endpoint_of(method, upstream.origin + head.target.decode("latin-1"))
        return policy.judge(method, where, upgrades=head.first(b"upgrade") is not None)

    def _instead(self, head: RequestHead, framing: Framing, observed: Observed, answer: LocalAnswer) -> bool:
        """An answer of ours, told as if the server had given it; the request's purpose says that it has not."""
        observed.answered(response_head(answer.head()))
        if head.method != b"HEAD":
            observed.received(answer.body)
        observed.ended()
        return self._refuse(head, framing, answer)
