"""Paired, interleaved measurements: each round runs every contender once, so that a busy moment hits them all."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of one program: wall time and processor time in seconds, peak resident memory in bytes."""

    seconds: float
    peak: int
    processor: float = 0.0


@dataclass(frozen=True, slots=True)
class Contender:
    """A command line to measure. stdout goes nowhere; `log` is where stderr goes."""

    argv: Sequence[str]
    log: Path | None = None


def measure(contender: Contender, environ: Mapping[str, str]) -> Measured:
    """Runs it once; the peak is the kernel's count for this very process (wait4)."""
    nothing = Path(os.devnull)
    with (contender.log or nothing).open("wb") as log, nothing.open("wb") as nowhere:
        started = time.perf_counter()
        process = subprocess.Popen(contender.argv, stdout=nowhere, stderr=log, stdin=subprocess.DEVNULL, env=environ)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(contender.argv)}: exit code {process.returncode}")
    return Measured(seconds, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime)


def rounds(contenders: Mapping[str, Contender], environ: Mapping[str, str], count: int) -> dict[str, list[Measured]]:
    """`count` rounds after one that is not counted; the order turns from round to round."""
    results: dict[str, list[Measured]] = {name: [] for name in contenders}
    names = list(contenders)
    for index in range(count + 1):
        for name in names if index % 2 else reversed(names):
            measured = measure(contenders[name], environ)
            if index:
                results[name].append(measured)
    return results


def ratio(results: Mapping[str, Sequence[Measured]], ours: str, reference: str) -> float:
    """Median time over median time."""
    return median_seconds(results[ours]) / median_seconds(results[reference])


def peak_ratio(results: Mapping[str, Sequence[Measured]], ours: str, reference: str) -> float:
    peaks = {name: statistics.median(m.peak for m in results[name]) for name in (ours, reference)}
    return peaks[ours] / peaks[reference]


def processor_ratio(results: Mapping[str, Sequence[Measured]], ours: str, reference: str) -> float:
    """Median processor time over median processor time: what a busy machine disturbs least."""
    times = {name: statistics.median(m.processor for m in results[name]) for name in (ours, reference)}
    return times[ours] / times[reference]


def spread(results: Mapping[str, Sequence[Measured]], ours: str, reference: str) -> tuple[float, float]:
    """The quartiles of the ratios within a round: how quiet the machine was."""
    pairs = [a.seconds / b.seconds for a, b in zip(results[ours], results[reference], strict=True)]
    low, _, high = statistics.quantiles(pairs, n=4)
    return low, high


def median_seconds(runs: Sequence[Measured]) -> float:
    return statistics.median(run.seconds for run in runs)
