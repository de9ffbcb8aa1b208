"""Signals while a command waits for something to happen (kubectl pkg/util/interrupt)."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from kubetrace.errors import SilentExit

_ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)


@contextlib.contextmanager
def ending_quietly() -> Iterator[None]:
    """While this lasts, a signal that would end the program ends it with exit code 1 and without a word."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt  # no Exception: nothing on the way takes it for a failure of its own

    before = [(number, signal.signal(number, end)) for number in _ENDING]
    try:
        yield
    except KeyboardInterrupt:
        raise SilentExit(1) from None
    finally:
        for number, handler in before:
            signal.signal(number, handler)
