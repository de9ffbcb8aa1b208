"""A quiet line on a terminal that says that a long run is still at it: "get: 12 calls, 8.4 MB received, 3 s".

It stands on standard error, comes only after a while, and is gone before anything else is written there or at the end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TextIO, cast

from kubetrace.trace.body_text import counted, size
from kubetrace.trace.exchange import ENDLESS, Event, ExchangeEnded, RequestSent
from kubetrace.trace.terminal import columns, in_foreground

_AFTER = 1.0
"""Seconds of a run until the line first shows."""
_EVERY = 0.25
_ERASE = "\r\x1b[K"
_DIM, _RESET = "\x1b[2m", "\x1b[0m"


class Progress:
    """Observes a run and keeps its line up to date from a thread of its own, which begins with the first request.

    `write` writes to the terminal at once; `columns` is its width; `may_draw` says whether the terminal is ours at the
    moment (a job in the background has no business there); `elapsed` gives the seconds since the run began.
    """

    follows_frames = False

    def __init__(
        self,
        command: str,
        write: Callable[[str], object],
        elapsed: Callable[[], float],
        columns: Callable[[], int],
        may_draw: Callable[[], bool],
        color: bool = False,
    ) -> None:
        self._command = command
        self._write = write
        self._elapsed = elapsed
        self._columns = columns
        self._may_draw = may_draw
        self._color = color
        self._calls = 0
        self._received = 0
        self._drawn = False
        self._line_open = False
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, RequestSent):
            if event.request.operation in ENDLESS:
                self.close()
            elif self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(target=self._keep_up, name="progress", daemon=True)
                self._thread.start()
        elif isinstance(event, ExchangeEnded):
            self._calls += 1
            self._received += event.exchange.body_size or 0
            response = event.exchange.response
            if response is not None and response.status == 401:
                self.close()  # a credential plugin may ask for something on this terminal now

    def close(self) -> None:
        """Takes the line away for good."""
        self._ended.set()
        self._hide()

    def shared(self, stream: TextIO) -> TextIO:
        """The stream for everybody else who writes to the terminal: the line makes way for them."""
        return cast(TextIO, _Shared(stream, self))

    def pause(self, write: Callable[[], Any], line_open: bool | None = None) -> Any:
        """Lets `write` write without the line; `line_open` says whether the cursor stays behind some text, where the
        line would cover it."""
        with self._lock:
            self._hide()
            if line_open is not None:
                self._line_open = line_open
            return write()

    def _keep_up(self) -> None:
        self._ended.wait(max(0.0, _AFTER - self._elapsed()))
        while not self._ended.is_set():
            self._draw()
            self._ended.wait(_EVERY)

    def _draw(self) -> None:
        with self._lock:
            if self._ended.is_set() or self._line_open or not self._may_draw():
                return
            text = f"{self._command}: {counted(self._calls, 'call')}, {size(self._received)} received"
            text = f"{text}, {self._elapsed():.0f} s"[: max(0, self._columns() - 1)]
            self._write(_ERASE + (f"{_DIM}{text}{_RESET}" if self._color else text))
            self._drawn = True

    def _hide(self) -> None:
        with self._lock:
            if self._drawn:
                self._drawn = False
                self._write(_ERASE)


def progress_on(terminal: TextIO, command: str, elapsed: Callable[[], float], color: bool) -> Progress:
    """The line of `command` on a terminal; `elapsed` gives the seconds since the run began."""

    def write(text: str) -> None:
        terminal.write(text)
        terminal.flush()

    return Progress(
        command,
        write,
        elapsed,
        columns=lambda: columns(terminal),
        may_draw=lambda: in_foreground(terminal),
        color=color,
    )


class _Shared:
    """A stream to the same terminal: whoever writes to it takes the line away first. It takes text only."""

    buffer = None

    def __init__(self, stream: TextIO, progress: Progress) -> None:
        self._stream = stream
        self._progress = progress

    def write(self, text: str) -> int:
        line_open = not text.endswith("\n") if text else None
        written: int = self._progress.pause(lambda: self._stream.write(text), line_open)
        return written

    def flush(self) -> None:
        self._progress.pause(self._stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
