"""Logs from the server to standard output: one after the other, or several at a time, line by line.

A chunk goes through as it comes. Only its last line waits for its end, as in kubectl (DefaultConsumeRequest), so that
lines of several logs don't mix.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from queue import Queue
from typing import TYPE_CHECKING, Any

from kubetrace.api.status import StatusError
from kubetrace.errors import KubetraceError
from kubetrace.streams import Write, writer
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.pod_logs import LogRequest
    from kubetrace.environment import Environment

_RETRY = 1.0
"""Seconds from one try at a followed log to the next."""
_BACKLOG = 64
"""Pieces that wait for standard output before the logs have to wait, too."""


class LogStreams(Value):
    """How logs are written. `prefix`: where each line comes from stands before it; `ignore_errors`: a log that fails
    says so among the lines; `timeout` (seconds) is how long a followed log is tried for."""

    environment: Environment
    follow: bool
    prefix: bool
    ignore_errors: bool
    timeout: float

    def copy(self, requests: Sequence[LogRequest], most: int) -> None:
        """Writes all of them; followed ones at the same time, `most` at most.

        Raises StatusError, TransportError, KubetraceError."""
        if not self.follow or len(requests) == 1:
            write = writer(self.environment.stdout)
            for request in requests:
                self._consume(request, write)
            return
        if len(requests) > most:
            raise KubetraceError(
                f"you are attempting to follow {len(requests)} log streams, but maximum allowed concurrency is {most}, "
                "use --max-log-requests to increase the limit"
            )
        if requests:
            self._copy_at_once(requests)

    def _copy_at_once(self, requests: Sequence[LogRequest]) -> None:
        """A thread a log; this one writes what they bring, and ends with the first failure."""
        pieces: Queue[bytes | Exception | None] = Queue(_BACKLOG)

        def bring(request: LogRequest) -> None:
            try:
                self._consume(request, pieces.put)
            except Exception as error:
                pieces.put(error)
            else:
                pieces.put(None)

        _ = self.environment.client  # made once, by one thread
        for request in requests:
            threading.Thread(target=bring, args=(request,), daemon=True).start()
        write = writer(self.environment.stdout)
        left = len(requests)
        while left:
            piece = pieces.get()
            if isinstance(piece, Exception):
                raise piece
            if piece is None:
                left -= 1
            else:
                write(piece)

    def _consume(self, request: LogRequest, write: Write) -> None:
        """One log; a followed one is tried again while the server refuses it (consumeWithRetry)."""
        tick = begun = time.monotonic()
        deadline = begun + self.timeout
        while True:
            try:
                return self._copy(request, write, again=tick > begun)
            except KubetraceError as error:
                if self.ignore_errors:
                    write(f"error: {error}\n".encode("utf-8", "surrogateescape"))
                    return
                if not self.follow:
                    raise
                self.environment.stderr.write(f"{error}\n")
                if not isinstance(error, StatusError):
                    raise
            tick += _RETRY
            if tick >= deadline:
                time.sleep(max(deadline - time.monotonic(), 0))
                raise KubetraceError("context deadline exceeded")
            time.sleep(max(tick - time.monotonic(), 0))

    def _copy(self, request: LogRequest, write: Write, again: bool) -> None:
        prefix = f"[pod/{request.pod}/{request.container}] ".encode() if self.prefix else b""
        answer = request.open(self.environment.client, again=again)
        try:
            for lines in whole_lines(answer.chunks()):
                write(_prefixed(lines, prefix) if prefix else lines)
        finally:
            answer.close()


def print_log(environment: Environment, pod: dict[str, Any], container: str) -> None:
    """What a container has written so far. Raises StatusError, TransportError."""
    from kubetrace.api.metadata import text
    from kubetrace.api.pod_logs import LogRequest, PodLogOptions

    request = LogRequest(text(pod, "namespace"), text(pod, "name"), PodLogOptions(container=container))
    LogStreams(environment, follow=False, prefix=False, ignore_errors=False, timeout=0.0).copy([request], 1)


def whole_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that end with a line; the last line may lack its end, and comes before a failure."""
    rest: list[bytes] = []
    try:
        for chunk in chunks:
            end = chunk.rfind(b"\n") + 1
            if not end:
                rest.append(chunk)
                continue
            yield b"".join((*rest, chunk[:end])) if rest else chunk[:end]
            rest = [chunk[end:]] if end < len(chunk) else []
    except KubetraceError:
        if rest:
            yield b"".join(rest)
        raise
    if rest:
        yield b"".join(rest)


def _prefixed(lines: bytes, prefix: bytes) -> bytes:
    end = len(lines) - lines.endswith(b"\n")
    return prefix + lines[:end].replace(b"\n", b"\n" + prefix) + lines[end:]
