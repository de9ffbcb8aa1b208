"""The log's own cost: one command within this process, with -v=8 into a file and without, in turn."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from kubetrace.cli import main
from kubetrace.environment import Environment
from kubetrace.streams import Streams


def measure(argv: Sequence[str], environ: Mapping[str, str], log: Path, count: int) -> tuple[list[float], list[float]]:
    """Seconds with the log and without, `count` each, after one round that is not counted."""
    logged: list[float] = []
    quiet: list[float] = []
    for index in range(count + 1):
        turns = [(logged, [*argv, "-v=8"]), (quiet, list(argv))]
        for times, words in turns if index % 2 else reversed(turns):
            seconds = _once(words, environ, log)
            if index:
                times.append(seconds)
    return logged, quiet


def _once(argv: list[str], environ: Mapping[str, str], log: Path) -> float:
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with log.open("w") as err:
        environment = Environment(Streams(io.BytesIO(), out, err), dict(environ))
        started = time.perf_counter()
        code = main(argv, environment)
        seconds = time.perf_counter() - started
    out.close()
    if code:
        raise RuntimeError(f"{' '.join(argv)}: exit code {code}")
    return seconds
