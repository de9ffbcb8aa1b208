"""Measures kubetrace against the real kubectl on one real plane, and writes ratios.

KUBEBUILDER_ASSETS=DIR python -m tests.benchmarks [--rounds 21] [--write docs/benchmarks.md] [--only TEXT]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.benchmarks import in_process, pods
from tests.benchmarks.paired import Contender, Measured, peak_ratio, processor_ratio, ratio, rounds, spread
from tests.conformance.plane import Plane, PlaneError, assets_from, kubectl_in, running

FEW, MANY, MOST = 5, 1000, 10_000
HEAD = """\
# Benchmarks

Written by `python -m tests.benchmarks --write docs/benchmarks.md`; do not edit. Only ratios: both programs run on one
machine against one real kube-apiserver, in turn, in the same minutes. A ratio below 1 means that kubetrace needs less.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `low` and `high` are the quartiles of the ratios within a round."""

    what: str
    ratio: float
    low: float
    high: float
    target: str = ""
    peak: float | None = None
    processor: float | None = None

    def markdown(self) -> str:
        processor, peak = ("" if one is None else f"{one:.2f}" for one in (self.processor, self.peak))
        spread = f"{self.low:.2f} to {self.high:.2f}"
        return f"| {self.what} | {self.ratio:.2f} | {spread} | {self.target} | {processor} | {peak} |"


@dataclass(frozen=True, slots=True)
class Programs:
    """How the two are called, and with which surroundings."""

    kubectl: str
    kubetrace: str
    environ: Mapping[str, str]
    folder: Path

    def compare(self, what: str, words: str, count: int, target: str = "", memory: bool = False) -> Row:
        """kubetrace against kubectl with the same words."""
        argv = words.split()
        contenders = {"ours": Contender([self.kubetrace, *argv]), "kubectl": Contender([self.kubectl, *argv])}
        results = rounds(contenders, self.environ, count)
        return _row(what, results, "ours", "kubectl", target, memory)

    def logging(self, what: str, words: str, count: int) -> Row:
        """kubetrace with -v=8 into a file against kubetrace without."""
        argv = [self.kubetrace, *words.split()]
        log = self.folder / "log"
        contenders = {"ours": Contender([*argv, "-v=8"], log), "quiet": Contender(argv)}
        results = rounds(contenders, self.environ, count)
        return _row(what, results, "ours", "quiet", "≤ 1.05")


def _row(
    what: str, results: Mapping[str, list[Measured]], ours: str, reference: str, target: str = "", memory: bool = False
) -> Row:
    low, high = spread(results, ours, reference)
    peak = peak_ratio(results, ours, reference) if memory else None
    processor = processor_ratio(results, ours, reference) if memory else None
    return Row(what, ratio(results, ours, reference), low, high, target, peak, processor)


def measure_all(plane: Plane, programs: Programs, count: int, only: str = "") -> list[Row]:
    some = max(5, count // 3)
    jsonpath = "-o jsonpath={.items[*].metadata.name}"
    wanted: list[tuple[str, Callable[[str], Row]]] = [
        ("`version --client`", lambda what: programs.compare(what, "version --client", count, "≤ 1.3")),
        (f"`get pods`, {FEW} pods", lambda what: programs.compare(what, "get pods -n few", count, "≤ 2.5")),
        (
            f"`get pods`, {MANY} pods",
            lambda what: programs.compare(what, "get pods -n many", count, "≤ 2.5", memory=True),
        ),
        (
            "`get pods -n many -v=8` into a file against without, whole process",
            lambda what: programs.logging(what, "get pods -n many", count),
        ),
        ("the same within one process (no start-up)", lambda what: in_process_row(what, programs, count)),
    ]
    for words, target in (
        ("", "≤ 1.2"),
        ("-o wide", "≤ 1.2"),
        ("-o name", "≤ 0.5"),
        ("-o json", "≤ 0.5"),
        ("-o yaml", "≤ 0.8"),
        (jsonpath, "≤ 0.8"),
    ):
        command = f"get pods -n most {words}"
        large = partial(programs.compare, words=command, count=some, target=target, memory=True)
        wanted.append((f"`{command.replace(' -n most', '').strip()}`, {MOST} pods", large))
    chosen = [(what, measured) for what, measured in wanted if only in what]
    for namespace, number in (("few", FEW), ("many", MANY), ("most", MOST)):
        pods.create(plane, namespace, number)
        print(f"{number} pods", file=sys.stderr)
    for program in (programs.kubectl, programs.kubetrace):  # both discovery caches warm
        subprocess.run([program, "get", "pods"], env=programs.environ, check=True, capture_output=True)
    rows = []
    for what, measured in chosen:
        rows.append(measured(what))
        print(rows[-1].markdown(), file=sys.stderr)
    return rows


def in_process_row(what: str, programs: Programs, count: int) -> Row:
    logged, quiet = in_process.measure(["get", "pods", "-n", "many"], programs.environ, programs.folder / "log", count)
    results = {"ours": [Measured(s, 0) for s in logged], "quiet": [Measured(s, 0) for s in quiet]}
    return _row(what, results, "ours", "quiet", "≤ 1.05")


def table(rows: list[Row], count: int, versions: str) -> str:
    lines = [HEAD, f"Median of {count} interleaved rounds ({max(5, count // 3)} for the large lists). {versions}.", ""]
    lines += [
        "| what | time | quartiles within a round | target | processor time | peak memory |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(row.markdown() for row in rows), ""])


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--write", type=Path, metavar="FILE")
    parser.add_argument("--only", default="", metavar="TEXT", help="measure only the rows whose names contain it")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep the server's files there")
    options = parser.parse_args()
    assets = assets_from(os.environ)
    if assets is None:
        print("no kube-apiserver: set KUBEBUILDER_ASSETS", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as temporary:
        folder = (options.folder or Path(temporary)).absolute()
        try:
            with running(assets, folder / "plane", controllers=False) as plane:
                programs = prepare(plane, kubectl_in(assets), folder)
                rows = measure_all(plane, programs, options.rounds, options.only)
                text = table(rows, options.rounds, f"kubectl and kube-apiserver {plane.version()}")
        except PlaneError as error:
            print(error, file=sys.stderr)
            return 2
    print(text)
    if options.write:
        options.write.write_text(text)
    return 0


def prepare(plane: Plane, kubectl: Path, folder: Path) -> Programs:
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    kubeconfig = plane.write_kubeconfig(folder / "kubeconfig")
    environ = {"HOME": str(home), "KUBECONFIG": str(kubeconfig), "PATH": os.environ.get("PATH", "")}
    script = Path(sysconfig.get_path("scripts")) / "kubetrace"
    return Programs(str(kubectl), str(script), environ, folder)


if __name__ == "__main__":
    sys.exit(main())
