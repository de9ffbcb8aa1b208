"""The wrapped command: started as if kubetrace were not there, and waited for.

It shares our process group, so that the terminal's signals and job control reach it as they reach us; ours is then not
to die of Ctrl-C before it does. A signal that somebody sends to kubetrace alone is handed on.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from kubetrace.errors import KubetraceError

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""A shell's exit codes."""
_HANDED_ON = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
_FROM_TERMINAL = frozenset({signal.SIGINT, signal.SIGQUIT, signal.SIGHUP})
_PYTHONS_OWN = (signal.SIGPIPE, signal.SIGXFSZ)
"""Python ignores these for itself, and a child would inherit that."""
_SI_USER = 0


class CannotRun(KubetraceError):
    """There is no such command, or it is none."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class HeldSignals:
    """Within it, signals wait for whoever asks for them with `wait_for_one`, in this thread and those it starts."""

    def __enter__(self) -> HeldSignals:
        # Whoever started us may have SIGCHLD ignored, and some kernels drop an ignored signal even while it is held.
        self._on_child = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, (*_HANDED_ON, signal.SIGCHLD, signal.SIGTTOU))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)
        signal.signal(signal.SIGCHLD, self._on_child)

    @property
    def before(self) -> frozenset[int]:
        """The mask that a child is to have."""
        return frozenset(int(each) for each in self._before)

    def wait_for_one(self) -> tuple[int, bool]:
        """The next signal, and whether it was meant for the whole process group (it came from the terminal)."""
        wanted = (*_HANDED_ON, signal.SIGCHLD)
        if hasattr(signal, "sigwaitinfo"):
            found = signal.sigwaitinfo(wanted)
            return found.si_signo, found.si_code > _SI_USER
        number = signal.sigwait(wanted)
        return int(number), number in _FROM_TERMINAL


def find(command: str, environ: Mapping[str, str]) -> str:
    """The program's path. Raises CannotRun."""
    path = shutil.which(command, path=environ.get("PATH", os.defpath))
    if path is not None:
        return path
    places = [command] if "/" in command else [f"{place}/{command}" for place in _places(environ)]
    if any(Path(place).exists() for place in places):
        raise CannotRun(f"{command}: not an executable program", NOT_EXECUTABLE)
    raise CannotRun(f"{command}: command not found", NOT_FOUND)


def _places(environ: Mapping[str, str]) -> list[str]:
    return [place or "." for place in environ.get("PATH", os.defpath).split(os.pathsep)]


def run(path: str, words: Sequence[str], environ: Mapping[str, str], signals: HeldSignals) -> int:
    """Runs the program to its end: its exit code, or -N where signal N ended it. Raises CannotRun."""
    try:
        child = os.posix_spawn(path, list(words), dict(environ), setsigmask=signals.before, setsigdef=_PYTHONS_OWN)
    except OSError as error:
        code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
        raise CannotRun(f"{words[0]}: {(error.strerror or str(error)).lower()}", code) from None
    while True:
        number, for_all = signals.wait_for_one()
        if number == signal.SIGCHLD:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
        elif not for_all:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)
