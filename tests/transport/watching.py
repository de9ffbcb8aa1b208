"""What tests of the client share: a client with every event kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from kubetrace.kubeconfig.connection import Connection
from kubetrace.trace.events import Events
from kubetrace.trace.exchange import Event, Exchange, ExchangeEnded
from kubetrace.transport.client import Client
from kubetrace.value import replace
from tests.transport.scripted import Authority, ScriptedServer

E = TypeVar("E")


class Watched:
    """A client, the events it emitted, and the pauses it would have slept."""

    def __init__(self, connection: Connection, **options: Any) -> None:
        self.events: list[Event] = []
        self.slept: list[float] = []
        options.setdefault("environ", {})
        self.client = Client(connection, events=Events([self.events.append]), sleep=self.slept.append, **options)

    def seen(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def exchanges(self) -> list[Exchange]:
        return [event.exchange for event in self.seen(ExchangeEnded)]

    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


@contextmanager
def watched(server: ScriptedServer, authority: Authority | None = None, /, **settings: Any) -> Iterator[Watched]:
    """A watched client of a scripted server; settings are the connection's, or the client's where they are named so."""
    own = {
        name: settings.pop(name)
        for name in ("request_timeout", "command_headers", "environ", "http_cache", "manifest_read")
        if name in settings
    }
    connection = replace(Connection(server=server.url), **settings)
    if authority is not None:
        connection = replace(connection, certificate_authority_data=authority.pem)
    one = Watched(connection, **own)
    with one.client:
        yield one
