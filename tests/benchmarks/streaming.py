"""Measures exec and cp against the real kubectl: 200 MB each way, and a key's way to the container and back.

python -m tests.benchmarks.streaming --kubectl PATH --kubeconfig FILE --namespace NAMESPACE --pod POD
    [--megabytes 200] [--rounds 3 (2 or more)] [--keys 200] [--only TEXT]

The container must be able to read files below the machine's temporary folder and to write there: on the conformance
suite's planes kwok runs commands on this machine. Both programs run in turn, in the same minutes: read ratios. On a
busy machine processor time says more than the clock, as kubectl's threads queue several times for a processor.
"""

from __future__ import annotations

import argparse
import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks.paired import Contender, median_seconds, peak_ratio, processor_ratio, ratio, rounds, spread

_TAR_RECORD = 20 * 512
_AROUND_ONE_FILE = 3 * 512
"""A header before it, and two empty blocks at the archive's end."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("kubectl", "kubeconfig", "namespace", "pod"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--only", default="", metavar="TEXT")
    options = parser.parse_args()
    programs = {"ours": [sys.executable, "-m", "kubetrace"], "kubectl": [options.kubectl]}
    given = ["--kubeconfig", options.kubeconfig, "-n", options.namespace]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "big").open("wb") as big:  # piece by piece: a child's peak counts what its parent held
            for piece in _pieces(options.megabytes):
                big.write(os.urandom(piece))
        (folder / "there").mkdir()
        rows = {
            "exec -- cat": ["exec", options.pod, "--", "cat", f"{folder}/big"],
            "cp out": ["cp", f"{options.pod}:{folder}/big", f"{folder}/out"],
            "cp in": ["cp", f"{folder}/big", f"{options.pod}:{folder}/there/big"],
        }
        for what, words in rows.items():
            if options.only in what:
                _throughput(what, {key: [*argv, *given, *words] for key, argv in programs.items()}, options.rounds)
    if options.only in "keys":
        words = [*given, "exec", "-it", options.pod, "--", "cat"]
        _keys({key: [*argv, *words] for key, argv in programs.items()}, options.keys)


def _pieces(megabytes: int) -> Iterator[int]:
    """Sizes that make a file of about so many megabytes whose archive ends with one of tar's records: kwok never ends a
    command's input, and tar waits for the rest of its last record."""
    left = (megabytes << 20) // _TAR_RECORD * _TAR_RECORD - _AROUND_ONE_FILE
    while left:
        yield min(left, 1 << 20)
        left -= min(left, 1 << 20)


def _throughput(what: str, argv: dict[str, list[str]], count: int) -> None:
    results = rounds({key: Contender(words) for key, words in argv.items()}, os.environ, count)
    low, high = spread(results, "ours", "kubectl")
    peaks = {key: max(run.peak for run in runs) >> 20 for key, runs in results.items()}
    print(
        f"{what}: time {ratio(results, 'ours', 'kubectl'):.2f} ({low:.2f} to {high:.2f}) of kubectl's "
        f"{median_seconds(results['kubectl']):.1f} s, processor {processor_ratio(results, 'ours', 'kubectl'):.2f}, "
        f"peak {peak_ratio(results, 'ours', 'kubectl'):.2f} ({peaks['ours']} MB)",
        flush=True,
    )


def _keys(argv: dict[str, Sequence[str]], count: int) -> None:
    """Sessions of both side by side, a key to each in turn."""
    sessions = {key: _Session(words) for key, words in argv.items()}
    taken: dict[str, list[float]] = {key: [] for key in sessions}
    for _ in range(count):
        for key, session in sessions.items():
            taken[key].append(session.press())
    for session in sessions.values():
        session.end()
    medians = {key: statistics.median(times) * 1000 for key, times in taken.items()}
    more = medians["ours"] - medians["kubectl"]
    print(f"keys: {medians['ours']:.2f} ms, kubectl {medians['kubectl']:.2f} ms: {more:+.2f} ms", flush=True)


class _Session:
    """A command in a pseudo-terminal whose other end echoes."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._ours, theirs = pty.openpty()
        tty.setraw(theirs)
        self._process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        time.sleep(5.0)
        self.press()

    def press(self) -> float:
        """Seconds until a key is seen."""
        started = time.perf_counter()
        os.write(self._ours, b"x")
        while b"x" not in self._seen(20.0):
            pass
        taken = time.perf_counter() - started
        time.sleep(0.01)
        return taken

    def _seen(self, seconds: float) -> bytes:
        if not select.select([self._ours], [], [], seconds)[0]:
            return b""
        return os.read(self._ours, 65536)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)


if __name__ == "__main__":
    main()
