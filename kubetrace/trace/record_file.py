"""Trace files on disk: written event by event (mode 0600, appended, flushed), read as a stream.

A file may hold several runs, each begun by its header line. What a killed process left half-written is tolerated and
named; anything else that is no trace is refused.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import stat
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Event, Note
from kubetrace.trace.masking import Masker
from kubetrace.trace.record_encoder import DEFAULT_BODIES, Encoder
from kubetrace.trace.records import HEADER_KEY, Decoder, Header, InvalidTrace, Timed

_START = b'{"' + HEADER_KEY.encode()
_LONGEST_START = 1 << 16
_SUFFIXES = (".jsonl", ".jsonl.gz")
_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "ki": 1024, "mi": 1024**2, "gi": 1024**3}


def parse_bodies(text: str) -> int | None:
    """The --trace-bodies limit in bytes: None for "all", 0 for "none". Raises KubetraceError."""
    if text in ("all", "none"):
        return None if text == "all" else 0
    match = re.fullmatch(r"(\d+)\s*(|k|ki|m|mi|g|gi)b?", text.strip().lower(), re.ASCII)
    if match is None:
        raise KubetraceError(f'--trace-bodies must be "none", "all" or a size such as 256KiB, not "{text}"')
    return int(match[1]) * _UNITS[match[2]]


# --- writing ----------------------------------------------------------------------------------------------------------


class Sink(Protocol):
    """Where lines go: written at once."""

    def write(self, line: bytes) -> None: ...
    def close(self) -> None: ...


class _Plain:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._descriptor, line) :]

    def close(self) -> None:
        os.close(self._descriptor)


class _Gzipped:
    """One gzip member a run, flushed after every line, so that a killed process leaves whole lines."""

    def __init__(self, descriptor: int) -> None:
        self._plain = _Plain(descriptor)
        self._packer = zlib.compressobj(6, zlib.DEFLATED, 31)

    def write(self, line: bytes) -> None:
        self._plain.write(self._packer.compress(line) + self._packer.flush(zlib.Z_SYNC_FLUSH))

    def close(self) -> None:
        try:
            self._plain.write(self._packer.flush(zlib.Z_FINISH))
        finally:
            self._plain.close()


def open_sink(path: Path) -> Sink:
    """Opens a file to append a run to; ".gz" by name compresses. Raises KubetraceError where it cannot be written or
    holds something else than a trace."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise KubetraceError(f"cannot write the trace {path}: {error.strerror}") from None
    torn = False
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            if stat.S_IMODE(status.st_mode) & 0o077:
                os.fchmod(descriptor, 0o600)
            torn = status.st_size > 0 and _ends_torn(path)
    except BaseException as error:
        os.close(descriptor)
        if isinstance(error, OSError):
            raise KubetraceError(f"cannot write the trace {path}: {error.strerror}") from None
        raise
    sink: Sink = _Gzipped(descriptor) if path.name.endswith(".gz") else _Plain(descriptor)
    if torn:
        sink.write(b"\n")
    return sink


def _ends_torn(path: Path) -> bool:
    """Whether an existing trace lacks its last newline. Raises KubetraceError for a file that is no trace."""
    if path.name.endswith(".gz"):
        try:
            with gzip.open(path, "rb") as packed:
                start = packed.read(len(_START))
                last = start
                while chunk := packed.read(1 << 20):
                    last = chunk
        except (EOFError, OSError, zlib.error):
            raise KubetraceError(f"{path} exists and cannot be appended to: name another file") from None
    else:
        with path.open("rb") as plain:
            start = plain.read(len(_START))
            plain.seek(-1, os.SEEK_END)
            last = plain.read(1)
    if start != _START:
        raise KubetraceError(f"{path} exists and is no trace: name another file")
    return not last.endswith(b"\n")


class RecordObserver:
    """Writes every event to a sink as one line. `open_file` is called at the first event that is worth a file: with
    `eager` at once, else at the first call or cache hit (notes wait for it). A failure to write is told once through
    `warn`; from then on nothing is written. Safe for several threads."""

    def __init__(
        self,
        open_file: Callable[[], Sink],
        header: Header,
        *,
        masker: Masker,
        limit: int | None = DEFAULT_BODIES,
        warn: Callable[[str], object],
        eager: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._open_file = open_file
        self._header = header
        self._encoder = Encoder(masker, limit)
        self._warn = warn
        self._clock = clock
        self._lock = threading.Lock()
        self._sink: Sink | None = None
        self._waiting: list[bytes] = []
        self._over = False
        if eager:
            self._open()

    def __call__(self, event: Event) -> None:
        self.record(event, self._clock())

    def together(self, events: Sequence[Event]) -> None:
        """Writes what happened at one moment, in one go."""
        at = self._clock()
        with self._lock:
            if not self._over:
                lines = [_line(self._encoder.encode(event, at)) for event in events]
                self._guarded(lambda: self._write(b"".join(lines)))

    def record(self, event: Event, at: float, cut: frozenset[str] = frozenset()) -> None:
        """Writes an event that happened at `at` (seconds since the epoch); `cut` as in `Timed`."""
        with self._lock:
            if self._over:
                return
            line = _line(self._encoder.encode(event, at, cut))
            if self._sink is None and isinstance(event, Note):
                self._waiting.append(line)
                return
            self._guarded(lambda: self._write(line))

    def close(self) -> None:
        with self._lock:
            sink, self._sink, self._over = self._sink, None, True
            if sink is not None:
                self._guarded(sink.close)

    def _open(self) -> None:
        self._sink = self._open_file()
        self._guarded(lambda: self._write(_line(self._header.to_json())))

    def _write(self, line: bytes) -> None:
        if self._sink is None:
            self._open()
            for waiting in self._waiting:
                self._write(waiting)
            self._waiting.clear()
        if self._sink is not None:
            self._sink.write(line)

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (OSError, KubetraceError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self._over = True
            self._warn(f"the trace is not complete: {reason}")
            sink, self._sink = self._sink, None
            if sink is not None:
                _close_quietly(sink)


def _close_quietly(sink: Sink) -> None:
    with contextlib.suppress(OSError):  # it has been said
        sink.close()


def _line(data: object) -> bytes:
    """In ASCII, so that no line commands a terminal. msgspec is fast but writes every character as it is, and takes no
    lone surrogates and no integers of more than 64 bits."""
    with contextlib.suppress(UnicodeEncodeError, OverflowError):
        line = msgspec.json.encode(data)
        if line.isascii():
            return line + b"\n"
    return json.dumps(data, separators=(",", ":")).encode("ascii") + b"\n"


def run_file(folder: Path, command: Sequence[str], started: float, pid: int) -> Path:
    """The name of one run's file in a folder of traces; names sort by time."""
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(started)) + f".{int(started % 1 * 1_000_000):06d}Z"
    words = re.sub(r"[^A-Za-z0-9]+", "-", "-".join(command)).strip("-")[:40] or "run"
    return folder / f"{stamp}-{words}-{pid}.jsonl"


# --- reading ----------------------------------------------------------------------------------------------------------


def trace_files(folder: Path) -> list[Path]:
    """A folder's traces, oldest first (their names begin with the time)."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(_SUFFIXES) and path.is_file())


@contextlib.contextmanager
def open_trace(path: Path) -> Iterator[BinaryIO]:
    """A trace file's lines, unpacked where it is gzip (known by its first bytes)."""
    with path.open("rb") as stream:
        if stream.peek(2)[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=stream, mode="rb") as unpacked:
                yield unpacked  # type: ignore[misc]
        else:
            yield stream


class Reader:
    """The events of one stream of lines. `headers` are the runs met so far; `complain` is told of torn lines."""

    def __init__(self, name: str, complain: Callable[[str], object] = lambda text: None) -> None:
        self.name = name
        self.headers: list[Header] = []
        self._complain = complain
        self._decoder = Decoder()

    def events(self, lines: Iterable[bytes], masker: Masker | None = None) -> Iterator[Timed]:
        """Every event, in order; what a run left unfinished comes at its end. Runs that were written unmasked are
        masked by `masker`. Raises InvalidTrace."""
        torn = 0
        remasked: tuple[Encoder, Decoder] | None = None
        for number, line in _numbered(lines):
            data = _parsed(line)
            if data is None:
                if torn:
                    raise self._garbage(torn)
                torn = number
                continue
            if HEADER_KEY in data:
                yield from self._finish(torn, remasked)
                torn = 0
                remasked = self._begin(data, masker)
                continue
            if torn or not self.headers:
                raise self._garbage(torn or number)
            timed = self._decoded(data, number)
            if timed is not None:
                yield timed if remasked is None else _masked(timed, *remasked)
        if not self.headers:
            raise self._garbage(torn)
        yield from self._finish(torn, remasked)

    def _begin(self, data: dict[str, object], masker: Masker | None) -> tuple[Encoder, Decoder] | None:
        try:
            self.headers.append(Header.from_json(data))
        except InvalidTrace as error:
            raise InvalidTrace(f"{self.name}: {error}") from None
        self._decoder = Decoder()
        if masker is None or masker.unmask or self.headers[-1].masked:
            return None
        return Encoder(masker, None), Decoder()

    def _decoded(self, data: dict[str, object], number: int) -> Timed | None:
        try:
            return self._decoder.decode(data)
        except InvalidTrace as error:
            raise InvalidTrace(f"{self.name}: line {number}: {error}") from None

    def _finish(self, torn: int, remasked: tuple[Encoder, Decoder] | None) -> Iterator[Timed]:
        if torn and self.headers:
            self._complain(f"{self.name}: line {torn} is torn (its writer was stopped) and is left out")
        elif torn:
            raise self._garbage(torn)
        for timed in self._decoder.unfinished():
            yield timed if remasked is None else _masked(timed, *remasked)

    def _garbage(self, number: int) -> InvalidTrace:
        if not self.headers and not number:
            return InvalidTrace(f"{self.name} is empty")
        if not self.headers:
            return InvalidTrace(f"{self.name} is no trace file (logs of kubectl: see 'kubetrace trace import -h')")
        return InvalidTrace(f"{self.name}: line {number} is no line of a trace")


def bounded_lines(stream: BinaryIO) -> Iterator[bytes]:
    """A trace's lines; of a file that begins otherwise only what shows it, as it may be one huge line."""
    start = stream.readline(_LONGEST_START)
    if start and not start.endswith(b"\n") and len(start) == _LONGEST_START and not start.startswith(_START):
        yield start
        return
    yield start + (b"" if start.endswith(b"\n") else stream.readline())
    yield from stream


def _masked(timed: Timed, encoder: Encoder, decoder: Decoder) -> Timed:
    again = decoder.decode(encoder.encode(timed.event, timed.at))
    return timed if again is None else Timed(again.event, timed.at, timed.cut)


def _numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers; a gzip member that stops in the middle ends them as a torn line would."""
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, line
    except (EOFError, zlib.error):
        yield number + 1, b"torn"


def _parsed(line: bytes) -> dict[str, object] | None:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
