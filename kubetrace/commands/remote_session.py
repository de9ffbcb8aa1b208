"""A session with a process in a container: the user's streams on one side, the channels of exec or attach on the other,
in one loop that waits for all of them (client-go tools/remotecommand/v2.go, kubectl pkg/cmd/exec)."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Protocol

from kubetrace.errors import KubetraceError
from kubetrace.streams import Write, writer
from kubetrace.value import Mutable

if TYPE_CHECKING:
    from kubetrace.api.remote_command import RemoteCommand
    from kubetrace.commands.terminal import Detaching, Size, Sizes
    from kubetrace.environment import Environment
    from kubetrace.transport.channels import Channels

_CHUNK = 32 * 1024
_HIGH_WATER = 1 << 18
"""Bytes that may wait for the server before stdin is no longer read."""
_READ = select.POLLIN | select.POLLHUP | select.POLLERR | select.POLLNVAL


class TimedOut(KubetraceError):
    """Time was up before the session was over."""

    def __init__(self) -> None:
        super().__init__("context deadline exceeded")


class Source(Protocol):
    """What a session's standard input is read from. `descriptor` is what can be waited for, None for what is always
    there."""

    @property
    def descriptor(self) -> int | None: ...
    @property
    def is_terminal(self) -> bool: ...

    def read(self) -> bytes:
        """The next bytes; b"" at the end."""
        ...


class Input:
    """Where the session's standard input comes from: a descriptor that can be waited for, or whatever else can be
    read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        try:
            self.descriptor: int | None = stream.fileno()
        except (OSError, ValueError):
            self.descriptor = None

    @property
    def is_terminal(self) -> bool:
        return self.descriptor is not None and os.isatty(self.descriptor)

    def read(self) -> bytes:
        """The next bytes; b"" at the end."""
        if self.descriptor is None:
            return self._stream.read(_CHUNK)
        try:
            return os.read(self.descriptor, _CHUNK)
        except OSError:  # a terminal that went away
            return b""


class Session(Mutable):
    """One session. `stdin` None sends nothing; what comes for a stream without a writer is dropped."""

    channels: Channels
    note: Callable[..., object]
    stdin: Source | None = None
    stdout: Write | None = None
    stderr: Write | None = None
    sizes: Sizes | None = None
    detaching: Detaching | None = None
    deadline: float | None = None
    """On time.monotonic's clock."""

    def run(self, names: list[str]) -> bytes:
        """Until every channel that carries output has ended; what the error channel said. Raises KubetraceError where
        the connection broke off, TimedOut, and what reading and writing raise."""
        from kubetrace.transport.channels import StreamsCut

        ended: set[str] = set()
        wanted = {name for name in names if name in ("stdout", "stderr", "error")}
        said = bytearray()
        try:
            while not wanted <= ended:
                self._wait()
                for arrived in self.channels.receive():
                    if arrived.data is None:
                        ended.add(arrived.channel)
                    elif arrived.channel == "error":
                        said += arrived.data
                    else:
                        self._write(arrived.channel, arrived.data)
        except StreamsCut as cut:
            self._tell_cut(names, str(cut))
            raise KubetraceError(f"error reading from error stream: {cut}") from cut
        if self.stdin is not None:
            self.note("stream-close", id=0)
            self.note("stream-close-done", id=0)
        return bytes(said)

    def _tell_cut(self, names: list[str], error: str) -> None:
        notes = {"stderr": "stderr-copy-failed", "stdin": "stdin-wait-failed", "stdout": "stdout-copy-failed"}
        for name, note in notes.items():
            if name in names:
                self.note(note, error=error)

    def _write(self, channel: str, data: bytes) -> None:
        write = {"stdout": self.stdout, "stderr": self.stderr}.get(channel)
        if write is not None:
            write(data)

    def _wait(self) -> None:
        """Returns when the connection has something to say; until then, what the user says is passed on."""
        connection = self.channels.connection
        poll = select.poll()
        poll.register(connection.descriptor, _READ)
        while not connection.pending:
            rest = self.channels.beat()
            if self.deadline is not None:
                left = self.deadline - time.monotonic()
                if left <= 0:
                    raise TimedOut
                rest = min(rest, left)
            poll.modify(connection.descriptor, _READ | (select.POLLOUT if connection.unsent else 0))
            for descriptor, events in self._ready(poll, rest):
                if descriptor == connection.descriptor:
                    if events & select.POLLOUT:
                        self._flush()
                    if events & _READ:
                        return
                elif self.sizes is not None and descriptor == self.sizes.descriptor:
                    self._resize()
                else:
                    self._read_input()

    def _ready(self, poll: select.poll, seconds: float) -> list[tuple[int, int]]:
        watched = [] if self.sizes is None else [self.sizes.descriptor]
        if self.stdin is not None and self.channels.connection.unsent < _HIGH_WATER:
            if self.stdin.descriptor is None:
                self._read_at_once()
                seconds = 0.0
            else:
                watched.append(self.stdin.descriptor)
        for descriptor in watched:
            poll.register(descriptor, _READ)
        try:
            return poll.poll(seconds * 1000)
        finally:
            for descriptor in watched:
                poll.unregister(descriptor)

    def _read_at_once(self) -> None:
        """As much of what is always there as may wait for the server."""
        connection = self.channels.connection
        connection.corked = True
        while self.stdin is not None and connection.unsent < _HIGH_WATER:
            self._read_input()
        connection.corked = False
        self._flush()

    def _flush(self) -> None:
        from kubetrace.transport.channels import StreamsCut

        try:
            self.channels.connection.flush()
        except OSError as error:
            raise StreamsCut(f"next reader: {self.channels.connection.explain(error)}") from error

    def _read_input(self) -> None:
        assert self.stdin is not None
        data = self.stdin.read()
        over = not data
        if self.detaching is not None:
            data, typed = self.detaching.feed(data)
            over = over or typed
        if data:
            self.channels.send("stdin", data)
        if over:
            self.stdin = None
            self.channels.end("stdin")

    def _resize(self) -> None:
        assert self.sizes is not None
        for columns, rows in self.sizes.take():
            self.channels.send("resize", b'{"Width":%d,"Height":%d}\n' % (columns, rows))


class UserStreams(Mutable):
    """The user's side of a session, and what of it is a terminal. None for a stream that is not there."""

    stdin: Source | None
    stdout: Write | None
    stderr: Write | None
    raw: bool = False
    terminal: int | None = None
    """The descriptor of the terminal whose size counts."""
    detaching: Detaching | None = None

    @classmethod
    def of(cls, environment: Environment, stdin: bool, tty: bool, quiet: bool) -> UserStreams:
        """SetupTTY (kubectl pkg/cmd/exec/exec.go): a terminal is only given where there is one."""
        given = Input(environment.stdin) if stdin else None
        made = cls(given, writer(environment.stdout), writer(environment.stderr))
        if given is None or not tty:
            return made
        if not given.is_terminal:
            if not quiet:
                environment.stderr.write("Unable to use a TTY - input is not a terminal or the right kind of file\n")
                environment.stderr.flush()
            return made
        made.raw = True
        with contextlib.suppress(OSError, ValueError):
            made.terminal = environment.stdout.fileno()
        return made


def run_session(
    environment: Environment,
    wanted: RemoteCommand,
    user: UserStreams,
    first_sizes: Callable[[Size], list[Size]],
    deadline: float | None = None,
) -> None:
    """Runs the session with the user's terminal in its hands. `first_sizes` says which sizes the server is told at
    once; `deadline` is on time.monotonic's clock. Raises PlainError with the exit code of a command that failed,
    TimedOut, and KubetraceError."""
    from kubetrace.api.remote_command import check_ending, open_channels
    from kubetrace.transport.channels import StreamsCut

    with contextlib.ExitStack() as stack:
        sizes = _keep_terminal(stack, user, first_sizes)
        watched = environment.logs(4, "websocket.go") or environment.recorder is not None
        channels = open_channels(
            environment.client, wanted, user.stderr is not None, environment.note, tells_writes=watched
        )
        names = wanted.names(user.stderr is not None)
        session = Session(
            channels, environment.note, user.stdin, user.stdout, user.stderr, sizes, user.detaching, deadline
        )
        failure: str | None = "canceled"
        try:
            said = session.run(names)
            failure = None
        except KubetraceError as error:
            failure = str(error.__cause__) if isinstance(error.__cause__, StreamsCut) else str(error)
            raise
        finally:
            channels.connection.close(failure) if failure else channels.close()
        check_ending(channels.connection.subprotocol, said)


def _keep_terminal(
    stack: contextlib.ExitStack, user: UserStreams, first_sizes: Callable[[Size], list[Size]]
) -> Sizes | None:
    """term.TTY.Safe and MonitorSize: signals end the session only after the terminal is as it was."""
    from kubetrace.commands.interrupts import ending_quietly

    if user.stdin is None or not user.stdin.is_terminal:
        return None
    from kubetrace.commands.terminal import Sizes, kept, terminal_size

    assert user.stdin.descriptor is not None
    stack.enter_context(ending_quietly())
    stack.enter_context(kept(user.stdin.descriptor, raw=user.raw))
    size = terminal_size(user.terminal) if user.raw and user.terminal is not None else None
    if size is None or user.terminal is None:
        return None
    return stack.enter_context(Sizes(user.terminal, first_sizes(size)))
