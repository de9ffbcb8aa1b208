"""A run's recorder: where its trace goes (--trace FILE, or a file of its own in the folder KUBETRACE_TRACE)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kubetrace import __version__
from kubetrace.errors import KubetraceError
from kubetrace.trace.command_line import masked_command
from kubetrace.trace.masking import Masker
from kubetrace.trace.record_file import RecordObserver, Sink, open_sink, parse_bodies, run_file
from kubetrace.trace.records import Header


def recorder(
    path: str,
    folder: str,
    *,
    bodies: str,
    command: Sequence[str],
    name: Sequence[str],
    masker: Masker,
    warn: Callable[[str], object],
) -> RecordObserver:
    """The observer that writes a trace. A file asked for by name is opened now and has to open (KubetraceError); in a
    folder the file is made at the first call, and where that fails the command goes on with a warning."""
    if path == "-":
        raise KubetraceError("--trace - would put the trace among the command's output: name a file, or /dev/stderr")
    started = time.time()
    header = Header(__version__, masked_command(command, masker), started, masked=not masker.unmask)

    def open_in_folder() -> Sink:
        try:
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise KubetraceError(f"cannot use the folder {folder}: {error.strerror}") from None
        return open_sink(run_file(Path(folder), name, started, os.getpid()))

    return RecordObserver(
        (lambda: open_sink(Path(path))) if path else open_in_folder,
        header,
        masker=masker,
        limit=parse_bodies(bodies),
        warn=warn,
        eager=bool(path),
    )
