"""`python -m kubetrace`, and the console script."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal without its enumerations, which take their time
import gc
import sys

_COLLECT_AFTER = 50_000
"""New containers until the collector looks for cycles: a parsed list of objects has many, and none of them in one."""


def main() -> None:
    # Start-up allocates much and frees next to nothing: the collector would only look in vain.
    gc.disable()
    # What is to be said of Ctrl-C is a command's to say; before there is one, it ends the program without a word.
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    from kubetrace.deferred import defer

    defer()
    from kubetrace.cli import main as run

    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)
    gc.enable()
    code = run(sys.argv[1:])
    gc.freeze()  # what is left goes with the process
    if code < 0:
        _die(-code)
    sys.exit(code)


def _die(number: int) -> None:
    """Ends as kubectl does, by the signal itself: a shell's loop goes on after an exit code, and stops after Ctrl-C."""
    import contextlib
    import os
    import resource
    import signal

    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # it is somebody else's crash, where it is one
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


if __name__ == "__main__":
    main()
