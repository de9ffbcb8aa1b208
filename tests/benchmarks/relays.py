"""Measures what lies between a client and its server: kubetrace wrap, kubectl proxy, mitmproxy in reverse mode.

KUBEBUILDER_ASSETS=DIR python -m tests.benchmarks.relays --mitmdump PATH [--rounds 7] [--write FILE]

Then a list of 20 MB and 200 watches pass through those that stream (`tests.benchmarks.passing`).

All of them run at once, idle but for the one that is measured; each round asks each of them in turn, so that a busy
moment hits them all. Install mitmproxy in an environment of its own (it pins what kubetrace uses).
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.benchmarks import passing
from tests.benchmarks.__main__ import Programs, prepare
from tests.conformance.plane import TOKENS, Plane, PlaneError, assets_from, free_port, kubectl_in, running

PATH = "/api/v1/namespaces/default"
MANY = 4
STRAIGHT, TRACED, SILENT, KUBECTL, MITM = "straight", "wrap --trace", "wrap", "kubectl proxy", "mitmproxy"
HEAD = """\
# What wrap costs

Written by `python -m tests.benchmarks.relays --write docs/wrap-cost.md`; do not edit. One run on one machine against
one real kube-apiserver, in turn, in the same minutes: read ratios. A small GET (one namespace) over kept-alive
connections; mitmproxy writes its flows to a file, as kubetrace does; kubectl proxy records nothing and speaks plain
HTTP to its clients.
"""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the server: where it begins, and with what one gets in. "-" as in `asking`."""

    url: str
    token: str
    authority: str
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One measurement: requests a second over several connections, and over one the median time in microseconds."""

    rate: float
    median: float


# --- the contenders ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _process(words: Sequence[str], environ: dict[str, str], **options: object) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(words, env=environ, text=True, stdin=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_port(port: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise PlaneError(f"nobody listens on port {port}")


@contextlib.contextmanager
def wrapped(programs: Programs, name: str, *flags: str) -> Iterator[Way]:
    words = [programs.kubetrace, "wrap", *flags]
    devnull = subprocess.DEVNULL
    with _process(words, dict(programs.environ), stdout=subprocess.PIPE, stderr=devnull) as process:
        assert process.stdout is not None
        text = Path(process.stdout.readline().partition("=")[2].strip()).read_text()
        authority = programs.folder / f"{name}.crt"
        data = re.search(r"certificate-authority-data: (\S+)", text)
        server, token = re.search(r"server: (\S+)", text), re.search(r"name: admin\n  user:\n    token: (\S+)", text)
        assert data and server and token
        authority.write_bytes(base64.b64decode(data[1]))
        yield Way(server[1], token[1], str(authority), process.pid)
        process.stdout.close()


@contextlib.contextmanager
def kubectl_proxy(programs: Programs) -> Iterator[Way]:
    port, devnull = free_port(), subprocess.DEVNULL
    with _process(
        [programs.kubectl, "proxy", f"--port={port}"], dict(programs.environ), stdout=devnull, stderr=devnull
    ) as process:
        _await_port(port)
        yield Way(f"http://127.0.0.1:{port}", "-", "-", process.pid)


@contextlib.contextmanager
def mitmproxy(programs: Programs, mitmdump: str, plane: Plane) -> Iterator[Way]:
    port, devnull = free_port(), subprocess.DEVNULL
    words = [mitmdump, "--quiet", "--mode", f"reverse:{plane.server}", "--listen-host", "127.0.0.1", "-p", str(port)]
    words += ["--ssl-insecure", "--set", f"confdir={programs.folder / 'mitm'}", "-w", str(programs.folder / "flows")]
    with _process(words, dict(programs.environ), stdout=devnull, stderr=devnull):
        _await_port(port)
        yield Way(f"https://127.0.0.1:{port}", TOKENS["admin"][0], "-")


# --- measuring --------------------------------------------------------------------------------------------------------


def load(way: Way, connections: int, seconds: float) -> dict[str, float]:
    words = [sys.executable, "-m", "tests.benchmarks.asking", way.url, way.token, way.authority]
    done = subprocess.run([*words, str(connections), str(seconds), PATH], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PlaneError(f"{way.url}: {done.stderr}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def rounds(ways: dict[str, Way], count: int, seconds: float) -> dict[str, list[Found]]:
    results: dict[str, list[Found]] = {name: [] for name in ways}
    for index in range(count + 1):
        for name in ways if index % 2 else reversed(ways):
            rate = load(ways[name], MANY, seconds)["rate"]
            median = load(ways[name], 1, seconds / 2)["median"]
            if index:
                results[name].append(Found(rate, median))
                print(f"round {index}: {name}: {rate:.0f}/s, {median:.0f} us", file=sys.stderr)
    return results


def table(results: dict[str, list[Found]], count: int, versions: str) -> str:
    """Ratios within a round, their median; the times added to a request are medians of differences within a round."""
    lines = [HEAD, f"Median of {count} rounds. {versions}.", ""]
    lines += [
        f"| | requests a second, {MANY} connections | of straight | of kubectl proxy | of mitmproxy | added to each |",
        "|---|---|---|---|---|---|",
    ]
    for name, runs in results.items():
        rate = statistics.median(run.rate for run in runs)
        ratios = [_ratio(runs, results[other]) for other in (STRAIGHT, KUBECTL, MITM)]
        added = statistics.median(a.median - b.median for a, b in zip(runs, results[STRAIGHT], strict=True)) / 1000
        shares = " | ".join(f"{ratio:.2f} ×" for ratio in ratios)
        lines.append(f"| {name} | {rate:.0f} | {shares} | {added:.2f} ms |")
    lines += ["", "Targets: wrap ≥ 2 × mitmproxy's requests a second; ≤ 2 ms added at the median."]
    return "\n".join(lines) + "\n"


def _ratio(ours: list[Found], reference: list[Found]) -> float:
    return statistics.median(a.rate / b.rate for a, b in zip(ours, reference, strict=True))


def passed(ways: dict[str, Way]) -> list[str]:
    """What a long list and many watches take of those that stream; mitmproxy collects an answer before it passes it."""
    straight = partial(passing.Client, ways[STRAIGHT].url, ways[STRAIGHT].token, ways[STRAIGHT].authority)
    passing.fill(straight())
    found: dict[str, passing.Passed | str] = {}
    for name in (TRACED, SILENT, KUBECTL):
        way = ways[name]
        client = partial(passing.Client, way.url, way.token, way.authority)
        try:
            found[name] = passing.measure(client, straight, way.pid)
        except (passing.Lost, OSError) as error:
            found[name] = str(error)
    return passing.table(found)


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.relays", description=__doc__)
    parser.add_argument("--mitmdump", required=True, metavar="PATH")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each contender is asked in a round")
    parser.add_argument("--write", type=Path, metavar="FILE")
    options = parser.parse_args()
    assets = assets_from(os.environ)
    if assets is None:
        print("no kube-apiserver: set KUBEBUILDER_ASSETS", file=sys.stderr)
        return 2
    mitmdump = options.mitmdump
    version = subprocess.run([mitmdump, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as temporary, contextlib.ExitStack() as stack:
        folder = Path(temporary)
        try:
            plane = stack.enter_context(running(assets, folder / "plane", controllers=False))
            programs = prepare(plane, kubectl_in(assets), folder)
            ways = {
                STRAIGHT: Way(plane.server, TOKENS["admin"][0], str(plane.folder / "ca.crt")),
                TRACED: stack.enter_context(wrapped(programs, "traced", "--trace", str(folder / "calls.jsonl"))),
                SILENT: stack.enter_context(wrapped(programs, "silent")),
                KUBECTL: stack.enter_context(kubectl_proxy(programs)),
                MITM: stack.enter_context(mitmproxy(programs, mitmdump, plane)),
            }
            results = rounds(ways, options.rounds, options.seconds)
            versions = f"kubectl and kube-apiserver {plane.version()}, mitmproxy {version}"
            text = table(results, options.rounds, versions) + "\n".join(passed(ways)) + "\n"
        except PlaneError as error:
            print(error, file=sys.stderr)
            return 2
    print(text)
    if options.write:
        options.write.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
