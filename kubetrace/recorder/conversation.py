"""One client's connection: its requests, one after the other, each sent on to the server as the user it names."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kubetrace.errors import KubetraceError
from kubetrace.recorder.answers import LocalAnswer, refusal
from kubetrace.recorder.client import ClientConnection
from kubetrace.recorder.framing import Framing, of_request
from kubetrace.recorder.heads import BadMessage, RequestHead, ResponseHead, request_head, response_head, written
from kubetrace.recorder.observed import Observed, request_value
from kubetrace.recorder.passage import NoLink, Passage, Reset
from kubetrace.recorder.policy import Verdict
from kubetrace.recorder.relay import Rewrite
from kubetrace.recorder.upstream import Identity, Upstream
from kubetrace.trace.endpoint import endpoint_of
from kubetrace.trace.exchange import Request
from kubetrace.trace.traceparent import new_span
from kubetrace.transport.wire import Wire

if TYPE_CHECKING:
    from kubetrace.recorder.recorder import Recorder


class Conversation(ClientConnection):
    """Serves one connection that has come in for `cluster`."""

    def __init__(self, client: Wire, cluster: str, recorder: Recorder) -> None:
        super().__init__(client)
        self._cluster = cluster
        self._recorder = recorder

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
        fields, unlogged = upstream.fields(head, identity), identity.unlogged
        if self._recorder.trace_id and head.first(b"traceparent") is None:
            fields.append((b"Traceparent", new_span(self._recorder.trace_id).encode("ascii")))
            unlogged |= {"traceparent"}
        if self._recorder.events.active:
            value = request_value(head, upstream.origin, fields, body or None, unlogged, verdict.purpose)
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
            passage.carry(body, self._buffer, rewrite=self._led_back(upstream.origin), pause=verdict.pause)
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

    def _led_back(self, origin: str) -> Rewrite:
        """A redirect to the server itself leads back to us, as the client has no other way in."""
        theirs, ours = origin.encode("latin-1"), self._recorder.origin(self._cluster).encode("ascii")

        def rewrite(response: ResponseHead, raw: bytes) -> bytes:
            location = response.first(b"location") if 300 <= response.status < 400 else None
            if location is None or not (location + b"/").startswith((theirs + b"/", theirs + b"?")):
                return raw
            fields = [
                (name, ours + value[len(theirs) :] if name.lower() == b"location" else value)
                for name, value in response.fields
            ]
            return written(raw.partition(b"\r\n")[0], fields)

        return rewrite
