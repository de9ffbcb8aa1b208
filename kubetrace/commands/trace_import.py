"""`trace import`: kubectl's own verbose logs as a trace."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from kubetrace.cmdline.command import Arguments, Command, NoOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class _Stdout:
    """The command's output as the place where a trace's lines go."""

    def __init__(self, environment: Environment) -> None:
        self._stdout = environment.stdout

    def write(self, line: bytes) -> None:
        self._stdout.write(line.decode("ascii"))

    def close(self) -> None:
        self._stdout.flush()


def run(environment: Environment, options: NoOptions, arguments: Arguments) -> None:
    from kubetrace import __version__
    from kubetrace.trace.command_line import masked_command
    from kubetrace.trace.import_klog import events
    from kubetrace.trace.record_file import RecordObserver, parse_bodies
    from kubetrace.trace.records import Header

    if len(arguments.words) != 1:
        raise arguments.usage_error("one log is imported: name it, or - for standard input")
    now, masker = time.time(), environment.masker
    command = masked_command(("kubetrace", *environment.argv), masker)
    header = Header(__version__, command, now, masked=not masker.unmask)
    limit = parse_bodies(environment.own.trace_bodies)
    observer = RecordObserver(
        lambda: _Stdout(environment), header, masker=masker, limit=limit, warn=environment.warn, eager=False
    )
    count = 0
    with _opened(environment, arguments.words[0]) as lines:
        for timed in events(lines, now):
            observer.record(timed.event, timed.at, timed.cut)
            count += 1
    observer.close()
    if not count:
        raise KubetraceError(f"{arguments.words[0]} holds no calls: is it the log of kubectl -v=6 or more?")


@contextlib.contextmanager
def _opened(environment: Environment, word: str) -> Iterator[BinaryIO]:
    if word == "-":
        yield environment.stdin
        return
    with Path(word).open("rb") as stream:
        yield stream


COMMAND = Command(
    run=run,
    usage="trace import FILE|- [options]",
    description="""
    Read a log that kubectl wrote with -v=6 or more (any release from 1.19 on) and print it as a trace.

    Credentials are masked on the way. What the log does not tell (headers below -v=7, bodies below -v=8, the rest of
    long bodies) the trace does not hold.
    """,
    examples="""
    # From kubectl's log to a picture
    kubectl get pods -v=8 2> pods.log
    kubetrace trace import pods.log > pods.jsonl
    kubetrace trace mermaid pods.jsonl
    """,
)
