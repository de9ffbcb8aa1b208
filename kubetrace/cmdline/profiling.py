"""--profile (kubectl pkg/cmd/profiling.go): kubectl writes Go's profiles, kubetrace what Python's own tools read.

cpu             functions and their times         python -m pstats FILE
heap, allocs    what is allocated, and where      tracemalloc.Snapshot.load(FILE)
goroutine       the stack of every thread         text
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from kubetrace.errors import KubetraceError, os_words

_GO_ONLY = ("threadcreate", "block", "mutex", "trace")


@contextmanager
def profiling(name: str, output: str) -> Iterator[None]:
    """Profiles what runs inside and writes it to `output`, also where that ends in an error. Raises KubetraceError for
    names kubectl does not know (in its words), for those that only a Go runtime can record, and for a file that can't
    be made."""
    if name in _GO_ONLY:
        raise KubetraceError(
            f"profile '{name}' needs the Go runtime: kubetrace records 'cpu', 'heap', 'allocs' and 'goroutine'"
        )
    profile = {"cpu": _cpu, "heap": _heap, "allocs": _heap, "goroutine": _threads}.get(name)
    if profile is None:
        raise KubetraceError(f"unknown profile '{name}'")
    try:
        file = open(output, "wb")  # noqa: PTH123, SIM115
    except OSError as error:
        raise KubetraceError(os_words("open", output, error)) from None
    with file, profile(file):
        yield


@contextmanager
def _cpu(file: BinaryIO) -> Iterator[None]:
    import cProfile
    import marshal

    profile = cProfile.Profile()
    try:
        with profile:
            yield
    finally:
        profile.create_stats()
        marshal.dump(profile.stats, file)


@contextmanager
def _heap(file: BinaryIO) -> Iterator[None]:
    import pickle
    import tracemalloc

    tracemalloc.start(25)
    try:
        yield
    finally:
        snapshot = tracemalloc.take_snapshot()
        tracemalloc.stop()
        pickle.dump(snapshot, file, pickle.HIGHEST_PROTOCOL)


@contextmanager
def _threads(file: BinaryIO) -> Iterator[None]:
    import faulthandler

    try:
        yield
    finally:
        faulthandler.dump_traceback(file, all_threads=True)
