"""All local connections and the one to the server, on one thread: bytes as they come, both ways, until the server's
connection ends or somebody says stop."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from kubetrace.errors import KubetraceError
from kubetrace.forwarding.listening import Listening, Say
from kubetrace.forwarding.pair import LocalFailure, Pair
from kubetrace.serving.spdy_framing import Data, Replied, Reset
from kubetrace.transport.connections import join_host_port
from kubetrace.transport.spdy import Ended, SPDYConnection
from kubetrace.transport.wire import READABLE, WRITABLE, Wire

_TIMED_OUT = "timed out waiting for response"

Note = Callable[..., None]
"""Tells the log something by name, with values."""


class Forwarder:
    """`ping` is how often a word is sent to keep the server's connection open, in seconds; `say` tells of each local
    connection, `note` of what went wrong with one."""

    def __init__(
        self, remote: SPDYConnection, listening: Iterable[Listening], *, ping: float, say: Say, note: Note
    ) -> None:
        self._remote = remote
        self._listening = {one.socket.fileno(): one for one in listening}
        self._period = ping
        self._next_ping = time.monotonic() + ping
        self._say = say
        self._note = note
        self._pairs: dict[int, Pair] = {}
        self._by_stream: dict[int, Pair] = {}
        self._requests = 0
        self._touched: set[Pair] = set()
        self._full: set[Pair] = set()
        self._clogged = False
        self._poll = select.poll()
        self._watched: dict[int, int] = {}
        for descriptor in self._listening:
            self._watch_one(descriptor, READABLE)

    def run(self) -> None:
        """Until the server's connection ends; then KubetraceError is raised. Everything local is closed afterwards."""
        try:
            while True:
                self._turn()
        except Ended as error:
            raise KubetraceError("lost connection to pod") from error
        finally:
            self._close()

    def _turn(self) -> None:
        self._watch()
        for descriptor, events in self._ready():
            if descriptor == self._remote.connection.descriptor:
                self._serve_remote(events)
            elif descriptor in self._listening:
                self._take(self._listening[descriptor])
            elif (pair := self._pairs.get(descriptor)) is not None:
                with self._guarding(pair):
                    pair.serve(events)
        self._look_at_clock()

    # --- waiting ------------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Tells poll(2) what is waited for: the server's connection, and the pairs that something has happened to."""
        if self._clogged != self._remote.clogged:
            self._clogged = self._remote.clogged
            self._touched.update(self._pairs.values())
        for pair in self._touched:
            if pair.stage != "over":
                self._watch_one(pair.wire.descriptor, pair.events())
        self._touched.clear()
        self._watch_one(self._remote.connection.descriptor, self._remote_events())

    def _watch_one(self, descriptor: int, events: int) -> None:
        if events != self._watched.get(descriptor, 0):
            self._poll.register(descriptor, events) if events else self._poll.unregister(descriptor)
            self._watched[descriptor] = events

    def _remote_events(self) -> int:
        """One that does not take its bytes holds up the others, as with kubectl: SPDY's streams share the connection,
        and Kubernetes does not use its windows."""
        return (0 if self._full else READABLE) | (WRITABLE if self._remote.connection.unsent else 0)

    def _ready(self) -> list[tuple[int, int]]:
        connection = self._remote.connection
        if connection.pending and not self._full:
            return [(connection.descriptor, select.POLLIN), *self._poll.poll(0)]
        moments = [pair.deadline for pair in self._pairs.values() if pair.deadline is not None]
        wait = min([self._next_ping, *moments]) - time.monotonic()
        return self._poll.poll(max(0.0, wait) * 1000 + 1)

    def _look_at_clock(self) -> None:
        now = time.monotonic()
        if now >= self._next_ping:
            self._next_ping = now + self._period
            self._remote.ping()
        for pair in tuple(self._pairs.values()):
            if pair.deadline is None or now < pair.deadline:
                continue
            kind = "error" if pair.stage == "opening-errors" else "forwarding"
            self._tell(f"forward-no-{kind}-stream", pair, _TIMED_OUT)
            pair.timed_out()
            self._settle(pair)

    # --- what has come ------------------------------------------------------------------------------------------------

    def _serve_remote(self, events: int) -> None:
        if self._remote.connection.unsent and events & WRITABLE:
            self._remote.flush()
        if not events & READABLE or not self._remote_events() & select.POLLIN:
            return
        try:
            for frame in self._remote.receive():
                pair = self._by_stream.get(frame.stream) if isinstance(frame, Data | Replied | Reset) else None
                if pair is None:
                    continue
                self._touched.add(pair)
                if isinstance(frame, Data):
                    pair.received(frame.stream, frame.data, fin=frame.fin)
                elif isinstance(frame, Replied):
                    pair.replied(frame.stream)
                    self._name_streams(pair)
                elif isinstance(frame, Reset):
                    pair.stream_reset(frame.stream)
        finally:
            for pair in tuple(self._touched):
                with self._guarding(pair):
                    pair.settle()

    def _take(self, listening: Listening) -> None:
        """A local connection comes in."""
        try:
            sock, peer = listening.socket.accept()
        except BlockingIOError:
            return
        except OSError as error:  # no descriptors left: those who are inside may give some back
            self._note("forward-not-accepted", local=listening.forward.local, error=str(error.strerror or error))
            time.sleep(0.1)
            return
        self._say(f"Handling connection for {listening.forward.local}")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        here, there = (join_host_port(str(end[0]), int(end[1])) for end in (sock.getsockname(), peer))
        name = f"{listening.network} {here}->{there}"
        wire = Wire(sock)
        try:
            pair = Pair(wire, name, listening.forward, self._requests, self._remote)
        except Ended:
            wire.close()
            raise
        self._requests += 1
        self._pairs[wire.descriptor] = pair
        self._name_streams(pair)

    def _name_streams(self, pair: Pair) -> None:
        for stream in pair.streams:
            self._by_stream[stream] = pair

    @contextmanager
    def _guarding(self, pair: Pair) -> Iterator[None]:
        """One local connection's misfortune is not the others'."""
        try:
            yield
        except LocalFailure as failure:
            self._tell("forward-read-error" if failure.reading else "forward-write-error", pair, str(failure))
            pair.give_up()
        self._settle(pair)

    def _settle(self, pair: Pair) -> None:
        """Lets a pair go that is over, and the server's connection with it where the pod's side has failed. Raises
        Ended."""
        self._touched.add(pair)
        self._full.discard(pair)
        if pair.stage != "over":
            if pair.full:
                self._full.add(pair)
            return
        if self._pairs.pop(pair.wire.descriptor, None) is None:
            return
        self._watch_one(pair.wire.descriptor, 0)
        self._watched.pop(pair.wire.descriptor, None)
        for stream in pair.streams:
            self._by_stream.pop(stream, None)
        pair.close()
        if pair.error_text:
            self._tell("forward-failed", pair, pair.error_text.decode("utf-8", "replace"))
            raise Ended(pair.error_text.decode("utf-8", "replace"))

    def _tell(self, name: str, pair: Pair, error: str) -> None:
        self._note(name, local=pair.forward.local, remote=pair.forward.remote, error=error)

    def _close(self) -> None:
        for listening in self._listening.values():
            listening.socket.close()
        for pair in self._pairs.values():
            pair.close()
