"""A call as a value: what `api/` wants sent, before any socket is touched, and the answer that came back.

`kubetrace.api` builds `Call`s, `kubetrace.transport.client.Client` sends them; planning is the same walk without the
send.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol
from urllib.parse import quote_plus

from kubetrace.trace.exchange import UNSTATED, Headers, Operation, Purpose
from kubetrace.value import Value

ClientMaker = Literal["builder", "discovery", "factory"]
"""Who makes one of kubectl's clients: a resource builder for the objects that it finds, the cached discovery client, or
the command's factory."""


class Call(Value):
    """One API call. `path` is absolute below the server ("/api/v1/namespaces/default/pods") and already escaped;
    `query` pairs are sorted and form-encoded on sending, as Go's url.Values does. `timeout` (seconds) bounds the whole
    call where the command sets one; a negative one is over before the call is sent. `stream` leaves the body to the
    caller and out of the log (watch, logs, --raw).
    `cached` False keeps discovery away from the HTTP cache, as in kubectl's typed clients. `client` names the one of
    kubectl's clients that makes this call, where it makes many of them ("policy/v1"): they share a rate limit.
    `refusal` says why it can't be made at all: a name that has no place in a URL. `preflight` says why it is not sent
    although it can be made."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Headers = ()
    body: bytes | None = None
    operation: Operation = "other"
    purpose: Purpose = UNSTATED
    timeout: float | None = None
    stream: bool = False
    log_request_body: bool = True
    cached: bool = True
    client: str = ""
    refusal: str = ""
    preflight: str = ""

    def target(self) -> str:
        """Path and query as they stand in the URL (keys sorted, Go's Values.Encode escaping)."""
        if not self.query:
            return self.path
        ordered = sorted(self.query, key=lambda pair: pair[0])
        return self.path + "?" + "&".join(f"{_escaped(key)}={_escaped(value)}" for key, value in ordered)


def _escaped(text: str) -> str:
    """Bytes of argv that are no UTF-8 are escaped as they are."""
    return quote_plus(text, errors="surrogateescape")


class Answer(Protocol):
    """A response, whatever its status: `kubetrace.api.status` decides what is an error."""

    @property
    def status(self) -> int: ...
    @property
    def url(self) -> str: ...
    @property
    def method(self) -> str: ...

    def header(self, name: str) -> str | None: ...

    @property
    def body(self) -> bytes:
        """The whole decoded body (read on first use)."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """The decoded body as it arrives, for calls with `stream=True`."""
        ...

    def close(self) -> None: ...


class Sender(Protocol):
    """What `api/` needs of a transport: the client, or a test's function in its place."""

    @property
    def server(self) -> str: ...

    def send(self, call: Call) -> Answer: ...

    def another(self, maker: ClientMaker) -> Sender:
        """One more of kubectl's clients, where kubectl makes it."""
        ...
