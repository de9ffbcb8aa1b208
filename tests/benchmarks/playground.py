"""Loads the playground's own engine and a real etcd and kube-apiserver with the same clients, and writes ratios.

KUBEBUILDER_ASSETS=DIR python -m tests.benchmarks.playground [--objects 10000] [--watchers 100] [--write FILE]

8 clients create configmaps while the watchers look on; then all are listed in pages; then, on the playground only, the
server is killed (SIGKILL) while 8 clients write. Each watcher checks that it sees each object once and in order.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kubetrace.playground import manager
from tests.benchmarks.load import Server, Written, new_namespace, pages, watch, write

CLIENTS, PAGE = 8, 500
_PATIENCE = 120.0
HEAD = """\
# The playground under load

Written by `python -m tests.benchmarks.playground --write docs/playground-load.md`; do not edit. Only ratios: the same
clients load the playground's own engine and a real etcd and kube-apiserver, one after the other, on one machine in the
same run. A ratio below 1 means that the playground needs less. Processor time is that of the server's processes; the
clients are the same on both sides.
"""


@dataclass(frozen=True)
class Cost:
    """Seconds of wall time, and of the server's processor time."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Outcome:
    written: Cost
    seen: Cost
    listed: Cost
    memory: int
    """Peak resident bytes of the server's processes, together."""
    idle: int
    breaks: int
    """Watches that the server ended before all was seen."""


def _children(pid: int) -> list[int]:
    """The server's processes: the playground itself, or the etcd and kube-apiserver that it started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            name = (path.parent / "comm").read_text().strip()
        except OSError:
            continue
        if int(fields[1]) == pid and name in ("etcd", "kube-apiserver"):
            found.append(int(path.parent.name))
    return found or [pid]


def _cpu(pids: list[int]) -> float:
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory(pids: list[int], field: str) -> int:
    total = 0
    for pid in pids:
        line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(field))
        total += int(line.split()[1]) * 1024
    return total


def _server(folder: Path) -> Server:
    """Where the playground of a folder answers now."""
    users = {user["context"]: user for user in json.loads((folder / "users.json").read_text())}
    running = json.loads((folder / "running.json").read_text())
    return Server(int(running["port"]), users["admin"]["token"], folder / "ca.crt")


def _write(server: Server, namespace: str, client: int, count: int, patience: float, queue: object) -> None:
    written = Written()
    write(lambda: server, namespace, client, count, written, patience)
    queue.put((written.names, written.failures))  # type: ignore[attr-defined]


def _watch(
    server: Server, namespace: str, since: int, wanted: int, watchers: int, ready: object, queue: object
) -> None:
    found = watch(lambda: server, namespace, since, wanted, watchers, ready.set, _PATIENCE)  # type: ignore[attr-defined]
    wrong = [text for seen in found for text in seen.wrong]
    wrong += [f"{len(seen.names)} events" for seen in found if len(set(seen.names)) != wanted]
    wrong += ["another order" for seen in found if seen.names != found[0].names]
    queue.put((wrong, sum(seen.breaks for seen in found)))  # type: ignore[attr-defined]


def _writers(server: Server, namespace: str, objects: int, patience: float) -> Callable[[], list[str]]:
    """Starts the clients; what is given back waits for them and gives the names that were acknowledged."""
    queue: multiprocessing.Queue[tuple[list[str], list[str]]] = multiprocessing.Queue()
    each = objects // CLIENTS
    processes = [
        multiprocessing.Process(target=_write, args=(server, namespace, client, each, patience, queue))
        for client in range(CLIENTS)
    ]
    for process in processes:
        process.start()

    def finish() -> list[str]:
        results = [queue.get() for _ in processes]
        for process in processes:
            process.join()
        failures = [text for _, failed in results for text in failed]
        assert not failures, failures[:3]
        return [name for names, _ in results for name in names]

    return finish


def load(found: manager.Playground, objects: int, watchers: int) -> Outcome:
    server, pids = _server(found.folder), _children(found.pid)
    idle = _memory(pids, "VmRSS")
    since = new_namespace(server, "load")
    ready: object = multiprocessing.Event()
    queue: multiprocessing.Queue[tuple[list[str], int]] = multiprocessing.Queue()
    arguments = (server, "load", since, objects, watchers, ready, queue)
    looking = multiprocessing.Process(target=_watch, args=arguments)
    looking.start()
    assert ready.wait(_PATIENCE)  # type: ignore[attr-defined]
    start, cpu = time.monotonic(), _cpu(pids)
    names = _writers(server, "load", objects, 0.0)()
    written = Cost(time.monotonic() - start, _cpu(pids) - cpu)
    wrong, breaks = queue.get()
    looking.join()
    seen = Cost(time.monotonic() - start, _cpu(pids) - cpu)
    assert not wrong, wrong[:3]
    start, cpu = time.monotonic(), _cpu(pids)
    listed = pages(server, "load", PAGE)
    assert sorted(listed) == sorted(names) and len(set(listed)) == objects
    return Outcome(
        written, seen, Cost(time.monotonic() - start, _cpu(pids) - cpu), _memory(pids, "VmHWM"), idle, breaks
    )


def kill(environ: dict[str, str], name: str, found: manager.Playground, objects: int) -> int:
    """Kills the server while clients write; the answer is how many acknowledged objects there are afterwards."""
    server = _server(found.folder)
    new_namespace(server, "killed")
    finish = _writers(server, "killed", objects, _PATIENCE)
    while len(pages(server, "killed", PAGE)) < objects // 3:
        time.sleep(0.05)
    os.kill(found.pid, signal.SIGKILL)
    while manager.find(environ, name).running:
        time.sleep(0.01)
    manager.up(environ, name)
    names = finish()
    listed = pages(_server(found.folder), "killed", PAGE)
    assert sorted(listed) == sorted(names), "an acknowledged object is lost, or one is there twice"
    return len(names)


def report(objects: int, watchers: int, ours: Outcome, real: Outcome | None, killed: int | None) -> str:
    lines = [HEAD, f"{objects:,} configmaps by {CLIENTS} clients, {watchers} watchers, pages of {PAGE}.", ""]
    lines += [f"- Each of the {watchers} watchers saw each of the {objects:,} events exactly once and in order."]
    lines += [f"- The list in pages held each of the {objects:,} objects exactly once."]
    if killed is not None:
        told = f"all of the {killed:,} acknowledged objects were there, each once"
        lines += [f"- Killed with SIGKILL while {CLIENTS} clients wrote, and started again: {told}."]
    ends = f"the playground {ours.breaks} times" + (f", the real server {real.breaks} times" if real else "")
    lines += [f"- Watches that the server ended early, and that went on where they had been: {ends}."]
    idle = ours.idle / 2**20
    lines += [f"- Idle, the playground holds {idle:.0f} MB of memory (target: at most 120 MB).", ""]
    if real is None:
        return "\n".join([*lines, "No real server was at hand: no ratios."]) + "\n"
    lines += ["| playground / real server | wall time | processor time |", "|---|---:|---:|"]
    for what, one, other in (
        ("create all, while they are watched", ours.written, real.written),
        ("until every watcher has seen all", ours.seen, real.seen),
        ("list all in pages", ours.listed, real.listed),
    ):
        lines.append(f"| {what} | {one.wall / other.wall:.2f} | {one.cpu / max(other.cpu, 0.01):.2f} |")
    lines += ["", f"Peak memory under that load: {ours.memory / real.memory:.2f} × that of etcd and kube-apiserver."]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.playground")
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--watchers", type=int, default=100)
    parser.add_argument("--write", type=Path, metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        environ = {"XDG_STATE_HOME": place, "PATH": os.environ.get("PATH", "")}

        def tell(killed: int | None) -> None:
            text = report(options.objects, options.watchers, mine, real, killed)
            if options.write:
                options.write.write_text(text)
            if killed is not None:
                sys.stdout.write(text)

        real: Outcome | None = None
        try:
            ours = manager.up(environ, "ours")
            mine = load(ours, options.objects, options.watchers)
        finally:
            manager.down(environ, "ours")
        if os.environ.get("KUBEBUILDER_ASSETS"):
            environ["KUBEBUILDER_ASSETS"] = os.environ["KUBEBUILDER_ASSETS"]
            plane = manager.up(environ, "real", manager.Start(engine=manager.ENVTEST))
            try:
                real = load(plane, options.objects, options.watchers)
            finally:
                manager.down(environ, "real")
        tell(None)
        try:
            tell(kill(environ, "ours", manager.up(environ, "ours"), options.objects))
        finally:
            manager.down(environ, "ours")
    return 0


if __name__ == "__main__":
    sys.exit(main())
