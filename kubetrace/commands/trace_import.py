"""`trace import`: what others wrote down as a trace: kubectl's verbose logs, HAR files, audit logs."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.trace_source import open_lines, short_lines
from kubetrace.errors import KubetraceError
from kubetrace.trace.records import Timed
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_START = 4096


class _Stdout:
    """The command's output as the place where a trace's lines go."""

    def __init__(self, environment: Environment) -> None:
        self._stdout = environment.stdout

    def write(self, line: bytes) -> None:
        self._stdout.write(line.decode())

    def close(self) -> None:
        self._stdout.flush()


class ImportOptions(Value):
    format: str = flag(
        "auto", help='What the file is: "klog" (kubectl -v=6 …), "har", "audit", or "auto" to see for itself.',
        completion="=auto,klog,har,audit",
    )  # fmt: skip


def run(environment: Environment, options: ImportOptions, arguments: Arguments) -> None:
    from kubetrace import __version__
    from kubetrace.trace.command_line import masked_command
    from kubetrace.trace.record_file import RecordObserver, parse_bodies
    from kubetrace.trace.records import Header

    if len(arguments.words) != 1:
        raise arguments.usage_error("one log is imported: name it, or - for standard input")
    if options.format not in ("auto", *_READERS):
        raise KubetraceError(f'--format must be auto, {", ".join(_READERS)}, not "{options.format}"')
    word, masker = arguments.words[0], environment.masker
    command = masked_command(("kubetrace", *environment.argv), masker)
    header = Header(__version__, command, time.time(), masked=not masker.unmask)
    limit = parse_bodies(environment.own.trace_bodies)
    observer = RecordObserver(
        lambda: _Stdout(environment), header, masker=masker, limit=limit, warn=environment.warn, eager=False
    )
    count = 0
    with open_lines(environment, None if word == "-" else Path(word)) as stream:
        for timed in _events(stream, options.format, word):
            observer.record(timed.event, timed.at, timed.cut)
            count += 1
    observer.close()
    if not count:
        raise KubetraceError(f"{word} holds no calls: is it the log of kubectl -v=6 or more, a HAR, or an audit log?")


def _events(stream: BinaryIO, wanted: str, name: str) -> Iterator[Timed]:
    """The file's events; its first bytes tell what it is where nobody says. Raises KubetraceError for a trace."""
    from kubetrace.trace import import_audit, import_har
    from kubetrace.trace.records import HEADER_KEY

    start = stream.read(_START)
    if start.startswith(f'{{"{HEADER_KEY}"'.encode()):
        raise KubetraceError(f"{name} is a trace already")
    if wanted == "auto":
        wanted = "har" if import_har.looks_like(start) else "audit" if import_audit.looks_like(start) else "klog"
    yield from _READERS[wanted](_Rewound(start, stream))


class _Rewound(io.RawIOBase):
    """A stream whose beginning has been looked at."""

    def __init__(self, start: bytes, stream: BinaryIO) -> None:
        self._start = io.BytesIO(start)
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._start.read(len(buffer)) or self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _from_klog(stream: io.RawIOBase) -> Iterator[Timed]:
    from kubetrace.trace.import_klog import events

    return events(short_lines(io.BufferedReader(stream)), time.time())


def _from_har(stream: io.RawIOBase) -> Iterator[Timed]:
    from kubetrace.trace.import_har import events

    return events(io.BufferedReader(stream))


def _from_audit(stream: io.RawIOBase) -> Iterator[Timed]:
    from kubetrace.trace.import_audit import events

    return events(short_lines(io.BufferedReader(stream)))


_READERS: dict[str, Callable[[io.RawIOBase], Iterator[Timed]]] = {
    "klog": _from_klog,
    "har": _from_har,
    "audit": _from_audit,
}


COMMAND = Command(
    run=run,
    options=ImportOptions,
    usage="trace import FILE|- [--format FORMAT] [options]",
    description="""
    Print as a trace what another program wrote down: the log of kubectl -v=6 or more (any release from 1.19 on), a HAR
    file (from a browser, mitmproxy, or kubetrace), or an API server's audit log.

    Credentials are masked on the way. What the file does not tell (a log has no headers below -v=7 and no bodies below
    -v=8, an audit log only what its policy keeps) the trace does not hold.
    """,
    examples="""
    # From kubectl's log to a picture
    kubectl get pods -v=8 2> pods.log
    kubetrace trace import pods.log > pods.jsonl
    kubetrace trace mermaid pods.jsonl

    # What a browser said to the dashboard's API
    kubetrace trace import dashboard.har | kubetrace trace stats -

    # Least privilege for what a controller did yesterday
    grep system:serviceaccount:ci:bot audit.log | kubetrace trace import - | kubetrace trace rbac -
    """,
)
