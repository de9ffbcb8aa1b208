"""Holds kubetrace against the real kubectl.

    KUBEBUILDER_ASSETS=DIR python -m tests.conformance [--only GLOB] [--diff]
    KUBEBUILDER_ASSETS=DIR KUBEBUILDER_ASSETS_OLD=DIR python -m tests.conformance --report docs/parity.md
    KUBEBUILDER_ASSETS=DIR python -m tests.conformance --keep PLANES --only 'label-*' --diff   # and again; --end
    KUBEBUILDER_ASSETS=DIR python -m tests.conformance --playground [--help]

KUBEBUILDER_ASSETS: etcd, kube-apiserver, kubectl-1.36 or kubectl; kube-controller-manager, kube-scheduler and kwok for
running pods. KUBEBUILDER_ASSETS_OLD: the same for a 1.29 server, run with old discovery.
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.conformance.bench import on_kept_planes, two_planes
from tests.conformance.case import Case, load_cases
from tests.conformance.kept import end
from tests.conformance.plane import PlaneError, assets_from
from tests.conformance.report import load_reasons, markdown, reason_for, totals
from tests.conformance.run import Bench, Result


def main(argv: list[str]) -> int:
    if "--playground" in argv:
        from tests.conformance import playground

        return playground.main([word for word in argv if word != "--playground"])
    options = _parser().parse_args(argv)
    if options.earlier:
        return _finish(_merged([run for file in options.earlier for run in json.loads(file.read_text())]), options)
    cases = [case for case in load_cases() if any(fnmatch.fnmatchcase(case.name, glob) for glob in options.only)]
    if options.end:
        for folder in sorted(options.keep.glob("*/")):
            end(folder)
        return 0
    new, old = assets_from(os.environ), assets_from(os.environ, "KUBEBUILDER_ASSETS_OLD")
    wanted = [(new, False)] * (not options.old) + [(old, True)] * bool(options.old or (options.report and old))
    if any(assets is None for assets, _ in wanted):
        print("no kube-apiserver: set KUBEBUILDER_ASSETS (and KUBEBUILDER_ASSETS_OLD for --old)", file=sys.stderr)
        return 2
    try:
        runs = [_run(assets, is_old, cases, options) for assets, is_old in wanted if assets]
    except PlaneError as error:
        print(error, file=sys.stderr)
        return 2
    return _finish(runs, options)


def _merged(runs: list[dict]) -> list[dict]:
    """One run a server; a command's latest row counts."""
    by_title: dict[str, dict] = {}
    for run in runs:
        known = by_title.setdefault(run["title"], {**run, "rows": []})
        rows = {row["name"]: row for row in (*known["rows"], *run["rows"])}
        known["rows"] = list(rows.values())
    return list(by_title.values())


def _finish(runs: list[dict], options: argparse.Namespace) -> int:
    """Writes what was asked for; 1 where a difference has no reason."""
    if options.results:
        options.results.write_text(json.dumps(runs, indent=1))
    if options.report:
        options.report.write_text(markdown(runs))
    reasons = load_reasons()
    return int(any(_unexplained(row, run, reasons) for run in runs for row in run["rows"]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.conformance", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--only", nargs="+", default=["*"], metavar="GLOB", help="cases by name")
    parser.add_argument("--old", action="store_true", help="on KUBEBUILDER_ASSETS_OLD with old discovery")
    parser.add_argument("--itself", action="store_true", help="kubectl on both sides: is the harness sound?")
    parser.add_argument("--diff", action="store_true", help="print each difference")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the parity table")
    parser.add_argument("--results", type=Path, metavar="FILE", help="write every difference as JSON")
    parser.add_argument("--earlier", type=Path, nargs="+", metavar="FILE", help="report on --results of earlier runs")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="use the planes there; leave them up (start if need be)"
    )
    parser.add_argument("--end", action="store_true", help="end the planes that --keep left up")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep servers' and clients' files there")
    return parser


def _run(assets: Path, old: bool, cases: list[Case], options: argparse.Namespace) -> dict:
    with tempfile.TemporaryDirectory(prefix="conformance-") as temporary:
        folder = (options.folder or Path(temporary)) / ("old" if old else "new")
        started = time.monotonic()
        with contextlib.ExitStack() as stack:
            if options.keep:
                kept = (options.keep / ("old" if old else "new")).absolute()
                bench, cases = on_kept_planes(assets, folder.absolute(), kept, cases, old, options.itself)
            else:
                planes = two_planes(assets, folder.absolute(), cases, old, options.itself)
                bench = stack.enter_context(planes)
            print(f"planes ready after {time.monotonic() - started:.0f} s", file=sys.stderr)
            rows = [_row(_run_one(bench, case, options.diff)) for case in cases]
            run = _facts(bench, old) | {"rows": rows}
    counts = ", ".join(f"{name} {count}" for name, count in totals(rows).items())
    print(f"{run['title']}: {len(rows)} commands; equal: {counts} ({time.monotonic() - started:.0f} s)")
    return run


def _run_one(bench: Bench, case: Case, show: bool) -> Result:
    result = bench.run(case)
    marks = " ".join(f"{name}:{'ok' if result.same(name) else 'DIFF'}" for name in result.differences)
    print(f"{'ok  ' if result.equal else 'DIFF'} {case.name:36} {'' if result.equal else marks}", flush=True)
    if show:
        for name, difference in result.differences.items():
            for line in difference:
                print(f"     {name}| {line[:400]}")
    return result


def _row(result: Result) -> dict:
    case = result.case
    return {"name": case.name, "argv": case.argv, "cache": case.cache, "differences": result.differences}


def _facts(bench: Bench, old: bool) -> dict:
    server = bench.reference.plane.version()
    clients = []
    for side in (bench.reference, bench.ours):
        done = subprocess.run([*side.command, "version", "--client", "-o", "json"], capture_output=True, text=True)
        clients.append(f"{side.program} {json.loads(done.stdout)['clientVersion']['gitVersion']}")
    title = f"kube-apiserver {server.removeprefix('v')}" + (", old discovery" if old else "")
    return {"title": title, "server": server, "versions": f"{' against '.join(clients)}, server {server}"}


def _unexplained(row: dict, run: dict, reasons: list) -> bool:
    differences = ((verdict, lines) for verdict, lines in row["differences"].items() if lines)
    return any(not reason_for(reasons, row["name"], verdict, run["server"]) for verdict, _ in differences)


sys.exit(main(sys.argv[1:]))
