"""Which traces the words of a `kubetrace trace` command mean, and which of their exchanges its flags take."""

from __future__ import annotations

import contextlib
import gzip
import io
import time
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from kubetrace.cmdline.flags import flag
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchanges import Filter, Recorded, numbered
from kubetrace.trace.record_file import Reader, bounded_lines, open_trace, trace_files
from kubetrace.trace.records import Timed
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_POLL = 0.2
_LONGEST_LINE = 1 << 25
NOWHERE = "name a trace file, a folder of traces, - for standard input, or last (with KUBETRACE_TRACE set)"


class FilterOptions(Value):
    """The flags that every view of a trace takes; -n is kubectl's own."""

    verb: tuple[str, ...] = flag((), help="Only these verbs (get, list, watch, …) or methods (GET, POST, …).")
    resource: tuple[str, ...] = flag((), help="Only these resources (pods, pods/log, deployments.apps).")
    status: tuple[str, ...] = flag(
        (), help='Only these answers: 404, 4xx, "error" for none or half of one, or "failed" for all that went wrong.'
    )
    slower: float = flag(0.0, kind="duration", help="Only exchanges that took at least this long.")
    grep: str = flag("", help="Only exchanges with this regular expression in URL, headers or bodies.")

    def filter(self, environment: Environment) -> Filter:
        return Filter(self.verb, self.resource, environment.options.namespace, self.status, self.slower, self.grep)


def events(environment: Environment, words: Sequence[str], follow: bool = False) -> Iterator[Timed]:
    """The events of the named traces, one after another."""
    if not words:
        if not environment.environ.get("KUBETRACE_TRACE"):
            raise KubetraceError(NOWHERE)
        words = ("last",)
    for word in words:
        for source in _paths(environment, word):
            yield from _events(environment, source, follow)


def exchanges(environment: Environment, options: FilterOptions, words: Sequence[str]) -> Iterator[Recorded]:
    """The exchanges that the filters take. The first has been read when this returns: what is no trace is refused
    before a view has printed a word."""
    wanted = options.filter(environment)
    found = (recorded for recorded in numbered(events(environment, words)) if wanted.takes(recorded))
    return chain(list(islice(found, 1)), found)


def _paths(environment: Environment, word: str) -> list[Path | None]:
    """The files that a word means; None is standard input."""
    if word == "-":
        return [None]
    path = Path(word)
    if word == "last" and not path.exists():
        return [_last(environment)]
    if path.is_dir():
        found: list[Path | None] = []
        for each in trace_files(path):
            if each.stat().st_size:
                found.append(each)
            else:  # its run was stopped before it had written a word
                environment.warn(f"{each} is empty")
        if not found:
            raise KubetraceError(f"no traces in the folder {path}")
        return found
    return [path]


def _last(environment: Environment) -> Path:
    folder = environment.environ.get("KUBETRACE_TRACE", "")
    if not folder:
        raise KubetraceError("last needs KUBETRACE_TRACE to name the folder of traces")
    found = trace_files(Path(folder)) if Path(folder).is_dir() else []
    if not found:
        raise KubetraceError(f"no traces in the folder {folder}")
    return found[-1]


def _events(environment: Environment, path: Path | None, follow: bool) -> Iterator[Timed]:
    reader = Reader("standard input" if path is None else str(path), environment.warn)
    with open_lines(environment, path) as lines:
        if follow and isinstance(lines, gzip.GzipFile):
            raise KubetraceError(f"{reader.name} is packed: only a plain trace can be followed as it grows")
        # What comes from a pipe ends where the pipe ends.
        yield from reader.events(_growing(lines) if follow and path else bounded_lines(lines), environment.masker)


@contextlib.contextmanager
def open_lines(environment: Environment, path: Path | None) -> Iterator[BinaryIO]:
    """A file's lines, or standard input's (None), unpacked where they are gzip."""
    if path is not None:
        with open_trace(path) as stream:
            yield stream
        return
    stream = environment.stdin if hasattr(environment.stdin, "peek") else io.BufferedReader(environment.stdin)  # type: ignore[type-var]
    if stream.peek(2)[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=stream, mode="rb") as unpacked:
            yield unpacked  # type: ignore[misc]
    else:
        yield stream


def short_lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of what somebody else wrote. A huge one, which may be anything, comes in pieces."""
    return iter(lambda: stream.readline(_LONGEST_LINE), b"")


def _growing(lines: BinaryIO) -> Iterator[bytes]:
    """The lines of a file that somebody still writes, until interrupted."""
    begun = b""
    while True:
        line = lines.readline()
        if not line:
            time.sleep(_POLL)
        elif line.endswith(b"\n"):
            yield begun + line
            begun = b""
        else:
            begun += line
