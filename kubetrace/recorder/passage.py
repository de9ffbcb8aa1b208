"""One request's way to the server and its answer's way back, over whichever connection serves."""

from __future__ import annotations

from kubetrace.errors import KubetraceError
from kubetrace.recorder.framing import Framing
from kubetrace.recorder.heads import BadMessage, Fields, RequestHead, written
from kubetrace.recorder.observed import Observed
from kubetrace.recorder.relay import ClientGone, NotUpgraded, Relay, Rewrite, ServerGone, unchanged
from kubetrace.recorder.upstream import Identity, Link, Upstream
from kubetrace.transport.failures import explain
from kubetrace.transport.wire import Wire
from kubetrace.transport.words import CONNECTION_BROKEN

REPEATABLE = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE"})
CANCELED = "context canceled"
"""Go's words for a request whose client has gone."""


class NoLink(Exception):
    """There is no connection to the server; the message is Go's."""


class Broken(Exception):
    """The server, or the client's own request, broke off: the client's connection ends without a word. The message is
    Go's; `answered` says whether anything of an answer had come."""

    def __init__(self, why: str = CANCELED, *, answered: bool = True) -> None:
        super().__init__(why)
        self.answered = answered


class Reset(Broken):
    """The server's connection was reset: so is the client's."""


class Passage:
    """Carries one request whose head is read, as `fields` of the server's, and tells `observed` what comes of it."""

    def __init__(
        self,
        client: Wire,
        upstream: Upstream,
        identity: Identity,
        head: RequestHead,
        fields: Fields,
        framing: Framing,
        observed: Observed,
    ) -> None:
        self._client = client
        self._upstream = upstream
        self._identity = identity
        self._head = head
        self._fields = fields
        self._framing = framing
        self._observed = observed
        self.client_stays = False
        """Afterwards: may the client's connection carry another request?"""

    def carry(
        self,
        body: bytes | None,
        buffer: bytearray,
        *,
        rewrite: Rewrite = unchanged,
        pause: float = 0.0,
        unframed: bool = False,
        must_upgrade: bool = False,
    ) -> None:
        """Returns when the client has its whole answer. `body` is the request's where it has been read, None where it
        is streamed; `buffer` holds what the client has said already, and holds afterwards what it said beyond the
        request. `rewrite`, `pause`, `unframed` and `must_upgrade` as in Relay. Raises NoLink, Broken, Reset,
        ClientGone, NotUpgraded."""
        outgoing = self._outgoing(body, buffer)
        fresh = False
        while True:
            link = self._link(fresh)
            relay = Relay(
                self._client,
                link,
                self._head,
                outgoing,
                self._framing,
                self._observed,
                pause=pause,
                rewrite=rewrite,
                unframed=unframed,
                must_upgrade=must_upgrade,
            )
            if self._relayed(relay, link, repeatable=body is not None and self._head.method in REPEATABLE):
                break
            fresh = True
        self._after(relay, link)
        buffer += relay.left_over

    def _outgoing(self, body: bytes | None, buffer: bytearray) -> bytes:
        """The head for the server, and what is known of the body."""
        head = self._head
        line = b"%s %s HTTP/1.%d" % (head.method, self._upstream.target(head.target), head.minor)
        if body is not None:
            return written(line, self._fields) + body
        data = bytes(buffer)
        try:
            content, used = self._framing.feed(data)
        except BadMessage as error:
            self._observed.ended(CANCELED)
            raise Broken from error
        self._observed.sent(content)
        del buffer[:used]
        return written(line, self._fields) + data[:used]

    def _link(self, fresh: bool) -> Link:
        try:
            return self._upstream.link(self._observed.recording, fresh=fresh)
        except Exception as error:  # whatever urllib3, ssl and socket raise: explained in Go's words
            is_ours = isinstance(error, KubetraceError)
            why = str(error) if is_ours else explain(error, self._observed.recording)[0]
            self._observed.failed(why)
            raise NoLink(why) from error

    def _relayed(self, relay: Relay, link: Link, *, repeatable: bool) -> bool:
        """False where a kept connection had died before the request: then it goes out again over a fresh one, unseen,
        as Go's transport does with requests that may be repeated."""
        try:
            relay.run()
        except ServerGone as gone:
            link.wire.close()
            if link.used and repeatable and not gone.answered:
                self._observed.recording.forget_stale()
                return False
            self._broken(gone)
        except (ClientGone, OSError):
            link.wire.close()
            self._observed.ended(CANCELED)
            raise
        except NotUpgraded as error:
            link.wire.close()
            self._observed.ended(str(error))
            raise
        except BadMessage as error:
            link.wire.close()
            why = f"{CONNECTION_BROKEN}{error}"
            self._observed.ended(why)
            raise Broken(why, answered=self._observed.recording.response is not None) from error
        return True

    def _broken(self, gone: ServerGone) -> None:
        """The server broke off: so does the client's connection, in the same way."""
        recording = self._observed.recording
        answered = recording.response is not None or gone.answered
        if answered:
            why = "unexpected EOF" if gone.error is None else explain(gone.error, recording, reading=True)[0]
            self._observed.ended(why)
        else:
            why = "EOF" if gone.error is None else explain(gone.error, recording)[0]
            self._observed.failed(why)
        raise (Broken if gone.error is None else Reset)(why, answered=answered)

    def _after(self, relay: Relay, link: Link) -> None:
        if relay.reusable:
            self._upstream.keep(link)
        else:
            link.wire.finish()
        plugin = self._identity.plugin
        if relay.response is not None and relay.response.status == 401 and plugin is not None:
            plugin.refused()  # what is wrong with it the next request says
        self.client_stays = relay.reusable and self._head.keeps_alive
