"""kubetrace (or another program) in a pseudo-terminal of its own: what a person at a keyboard does and sees."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from typing import Any

PATIENCE = 40.0
KUBETRACE = (sys.executable, "-m", "kubetrace")


class Screen:
    """The keyboard and the screen of a program. `settings` are the terminal's as they are now."""

    def __init__(self, process: subprocess.Popen[bytes], ours: int, theirs: int) -> None:
        self.process = process
        self._ours, self._theirs = ours, theirs
        self.seen = b""

    @property
    def settings(self) -> list[Any]:
        return termios.tcgetattr(self._theirs)

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)

    def until(self, text: bytes) -> None:
        """Reads until the screen has shown the text since the last time it was asked."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            self._read(0.2)
        self.seen = self.seen.partition(text)[2]

    def ends(self) -> int:
        """The exit code (a signal's number negative); what was shown until then is in `seen`."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.seen
            self._read(0.2)
        while self._read(0.0):
            pass
        return self.process.returncode

    def _read(self, seconds: float) -> bool:
        if not select.select([self._ours], [], [], seconds)[0]:
            return False
        self.seen += os.read(self._ours, 65536)
        return True


@contextlib.contextmanager
def screen(*argv: str, environ: dict[str, str], columns: int = 100, rows: int = 30) -> Iterator[Screen]:
    """Runs a program with the terminal for all of its streams."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        argv, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **environ}, start_new_session=True,
        preexec_fn=_take_terminal,
    )  # fmt: skip
    try:
        yield Screen(process, ours, theirs)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


def _take_terminal() -> None:
    """Makes it the controlling terminal: then keys are signals."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def kubetrace(*argv: str) -> Sequence[str]:
    return (*KUBETRACE, *argv)
