"""--profile: kubectl writes Go profiles; a Python program can only profile its own CPU time (pstats' format)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kubetrace.errors import KubetraceError

_GO_ONLY = ("heap", "goroutine", "threadcreate", "block", "mutex", "trace")


@contextmanager
def profiling(name: str, output: str) -> Iterator[None]:
    """Profiles what runs inside and writes it to `output`. Raises KubetraceError for names kubectl does not know (in
    its words) and for those that only a Go runtime can record."""
    if name in _GO_ONLY:
        raise KubetraceError(f"profile '{name}' needs the Go runtime; kubetrace records 'cpu' only")
    if name != "cpu":
        raise KubetraceError(f"unknown profile '{name}'")
    import cProfile

    profile = cProfile.Profile()
    try:
        with profile:
            yield
    finally:
        profile.dump_stats(output)
