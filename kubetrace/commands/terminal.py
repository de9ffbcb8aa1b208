"""The user's terminal while a session in a container has it: raw mode, its size, the keys that detach (kubectl
pkg/util/term, moby/term)."""

from __future__ import annotations

import contextlib
import os
import signal
import termios
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from kubetrace.errors import KubetraceError

Size = tuple[int, int]
"""Columns and rows."""


def terminal_size(descriptor: int) -> Size | None:
    """None for what is no terminal."""
    try:
        found = os.get_terminal_size(descriptor)
    except OSError:
        return None
    return found.columns, found.lines


@contextlib.contextmanager
def kept(descriptor: int, *, raw: bool) -> Iterator[None]:
    """While this lasts, a terminal may be raw (as term.MakeRaw makes it); afterwards it is as it was before."""
    before = termios.tcgetattr(descriptor)
    try:
        if raw:
            termios.tcsetattr(descriptor, termios.TCSANOW, _raw(before))
        yield
    finally:
        # A session that runs in the background may not touch the terminal: it would be stopped for it.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(descriptor, termios.TCSANOW, before)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _raw(settings: list[Any]) -> list[Any]:
    """cfmakeraw(3)."""
    iflag, oflag, cflag, lflag, ispeed, ospeed, characters = settings
    iflag &= ~(
        termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP | termios.INLCR | termios.IGNCR
        | termios.ICRNL | termios.IXON
    )  # fmt: skip
    oflag &= ~termios.OPOST
    lflag &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    cflag = cflag & ~(termios.CSIZE | termios.PARENB) | termios.CS8
    characters = list(characters)
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    return [iflag, oflag, cflag, lflag, ispeed, ospeed, characters]


class Sizes:
    """The sizes of a terminal, as a session tells them to the server: `first` ones, then every new one. `descriptor`
    becomes readable when there is something to `take`. A context manager."""

    def __init__(self, terminal: int, first: list[Size]) -> None:
        self._terminal = terminal
        self._waiting = first
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        if first:
            os.write(self._write, b"\0")
        self._before: object = None

    @property
    def descriptor(self) -> int:
        return self._read

    def __enter__(self) -> Sizes:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGWINCH, self._changed)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGWINCH, self._before)  # type: ignore[arg-type]
        os.close(self._read)
        os.close(self._write)

    def _changed(self, number: int, frame: FrameType | None) -> None:
        size = terminal_size(self._terminal)
        if size is not None:
            self._waiting.append(size)
            with contextlib.suppress(BlockingIOError):
                os.write(self._write, b"\0")

    def take(self) -> list[Size]:
        """The sizes since the last time."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._read, 512):
                pass
        found, self._waiting = self._waiting, []
        return found


def detach_keys(text: str) -> bytes:
    """ "ctrl-p,ctrl-q" as bytes (moby/term's ToBytes). Raises KubetraceError."""
    codes = bytearray()
    for key in text.split(","):
        if len(key.encode()) == 1:
            codes += key.encode()
            continue
        word = key.removeprefix("ctrl-")
        if key.startswith("ctrl-") and len(word) == 1 and (word in "@[\\]^_" or "a" <= word <= "z"):
            codes.append(ord(word.upper()) & 0x1F)
            continue
        if key == "DEL":
            codes.append(127)
            continue
        raise KubetraceError(f"could not bind detach keys: Unknown character: '{key}'")
    return bytes(codes)


class Detaching:
    """Finds the detach keys in what is typed, and holds back what may be their beginning (moby/term's escapeProxy: a
    key that breaks the sequence does not begin it anew)."""

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._held = 0

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """What is to be sent, and whether the keys were typed."""
        sent = bytearray()
        for code in data:
            if code == self._keys[self._held]:
                self._held += 1
                if self._held == len(self._keys):
                    return bytes(sent), True
                continue
            sent += self._keys[: self._held]
            sent.append(code)
            self._held = 0
        return bytes(sent), False
