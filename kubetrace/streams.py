"""The three standard streams, also where the caller closed one."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, TextIO

from kubetrace.value import Mutable

Write = Callable[[bytes], object]


class Streams(Mutable):
    """The three standard streams: bytes in, text out (UTF-8, undecodable bytes kept by surrogates)."""

    stdin: BinaryIO
    stdout: TextIO
    stderr: TextIO

    @classmethod
    def standard(cls) -> Streams:
        """The process's own. Go writes UTF-8 whatever the locale, and so do we."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")
        # Python's streams are None where the caller closed the descriptor (`>&-`).
        return cls(sys.stdin.buffer if sys.stdin else io.BytesIO(), sys.stdout or _closed(), sys.stderr or _closed())


class _Nowhere(io.RawIOBase):
    """Takes everything and keeps nothing."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return len(data)


def nowhere() -> TextIO:
    """Takes what nobody wants to read, and keeps nothing."""
    return io.TextIOWrapper(io.BufferedWriter(_Nowhere()), "utf-8", "surrogateescape", "\n")


def _closed() -> TextIO:
    """Takes what nobody can read: Go's writes to a closed descriptor fail unnoticed, too."""
    return io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape", "\n")


def writer(stream: TextIO) -> Write:
    """Writes bytes to a text stream as they come, around its encoder."""
    stream.flush()
    binary = getattr(stream, "buffer", None)
    if binary is None:
        return lambda data: stream.write(data.decode("utf-8", "surrogateescape"))

    def write(data: bytes) -> None:
        binary.write(data)
        binary.flush()

    return write


def silence(descriptor: int) -> None:
    """Nobody takes what we write there any more: point the descriptor elsewhere, so that closing it says nothing."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, descriptor)
    os.close(devnull)
