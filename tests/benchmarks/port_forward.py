"""Measures port-forward against the real kubectl: several downloads at once through one forwarded port.

python -m tests.benchmarks.port_forward --kubectl PATH --kubeconfig FILE --namespace NAMESPACE --pod POD
    [--port 80] [--url https://127.0.0.1:LOCAL/openapi/v2] [--token TOKEN] [--downloads 8] [--each 20] [--rounds 3]

The pod's port must lead to something that answers the URL (LOCAL stands for the forwarded port); on the conformance
suite's planes kwok lets every port lead to the API server. Both programs run in turn, in the same minutes: read ratios.
On a busy machine the time says little, as kubectl has several threads in the queue for a processor and kubetrace one;
processor time says more.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Run:
    """Bytes that came, seconds by the clock and of processor time, and the process's peak of memory in bytes."""

    size: int
    seconds: float
    processor: float
    peak: int

    @property
    def rate(self) -> float:
        return self.size / self.seconds


def _processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _peak(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def measure(command: Sequence[str], options: argparse.Namespace, each: int) -> Run:
    """One program, forwarding while the downloads run."""
    words = ["--kubeconfig", options.kubeconfig, "-n", options.namespace, "port-forward", options.pod]
    with subprocess.Popen(
        [*command, *words, f":{options.port}", "--address=127.0.0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as forwarder:
        assert forwarder.stdout is not None
        line = forwarder.stdout.readline()
        local = line.partition("127.0.0.1:")[2].split(" ")[0]
        threading.Thread(target=forwarder.stdout.read, daemon=True).start()
        url = options.url.replace("LOCAL", local)
        head = ["-H", f"Authorization: Bearer {options.token}"] if options.token else []
        targets = [word for _ in range(each) for word in ("-o", os.devnull, url)]
        curl = ["curl", "-sk", "--http1.1", *head, "-w", "%{size_download} ", *targets]
        used, started = _processor(forwarder.pid), time.perf_counter()
        clients = [subprocess.Popen(curl, stdout=subprocess.PIPE, text=True) for _ in range(options.downloads)]
        size = sum(int(number) for client in clients for number in client.communicate()[0].split())
        seconds = time.perf_counter() - started
        found = Run(size, seconds, _processor(forwarder.pid) - used, _peak(forwarder.pid))
        forwarder.send_signal(signal.SIGINT)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("kubectl", "kubeconfig", "namespace", "pod"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--port", type=int, default=80)
    parser.add_argument("--url", default="https://127.0.0.1:LOCAL/openapi/v2")
    parser.add_argument("--token", default="")
    parser.add_argument("--downloads", type=int, default=8)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    programs = {"kubectl": [options.kubectl], "kubetrace": [sys.executable, "-m", "kubetrace"]}
    found: dict[str, list[Run]] = {name: [] for name in programs}
    for _ in range(options.rounds):
        for name, command in programs.items():
            found[name].append(measure(command, options, options.each))
    for name, runs in found.items():
        rate = statistics.median(run.rate for run in runs) / 1e6
        processor = statistics.median(run.size / run.processor for run in runs) / 1e6
        peak = max(run.peak for run in runs) / 1e6
        print(f"{name}: {rate:.0f} MB/s, {processor:.0f} MB a processor second, peak {peak:.0f} MB")
    pairs = list(zip(found["kubetrace"], found["kubectl"], strict=True))
    clock = statistics.median(ours.rate / theirs.rate for ours, theirs in pairs)
    work = statistics.median((ours.size / ours.processor) / (theirs.size / theirs.processor) for ours, theirs in pairs)
    print(f"kubetrace by kubectl: {clock:.2f} x the rate, {work:.2f} x the bytes a processor second")
    long = measure(programs["kubetrace"], options, 4 * options.each)
    print(f"four times as much: peak {long.peak / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
