"""Two planes that stay up between runs, so that trying one case again costs seconds.

`folder/plane-a` and `folder/plane-b` hold them; `folder/runs` counts the runs, because each needs namespaces of its
own; `folder/lock` is held for one case at a time, as the audit log is read by position.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import trustme

from tests.conformance.plane import OLD_DISCOVERY, Plane

NAMES = ("plane-a", "plane-b")


class Lock(contextlib.AbstractContextManager["Lock"]):
    """Held by one process at a time; may be entered again after it was left."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> Lock:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def kept_planes(assets: Path, folder: Path, old_discovery: bool) -> tuple[list[Plane], str]:
    """The planes in `folder`, started where they do not run, and a suffix for this run's namespaces."""
    folder.mkdir(parents=True, exist_ok=True)
    with Lock(folder / "lock"):
        planes = [plane for name in NAMES if (plane := _found(assets, folder / name))]
        if len(planes) < len(NAMES):
            end(folder)
            authority = trustme.CA()
            arguments = OLD_DISCOVERY if old_discovery else ()
            planes = [Plane(assets, folder / name, arguments, authority=authority) for name in NAMES]
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(Plane.start, planes))
            for plane in planes:
                _remember(plane)
        counter = folder / "runs"
        number = int(counter.read_text()) + 1 if counter.exists() else 1
        counter.write_text(str(number))
    return planes, f"-r{number}"


def end(folder: Path) -> None:
    """Ends what runs there, and forgets what it held."""
    for name in NAMES:
        for pid in _remembered(folder / name).get("pids", []):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # nothing of theirs is kept, and a polite end takes a minute
    for path in _old_files(folder):
        path.unlink()


def _old_files(folder: Path) -> Iterator[Path]:
    for name in NAMES:
        yield from (path for path in sorted((folder / name / "etcd").rglob("*")) if path.is_file())
        yield from (path for path in (folder / name / "running.json", folder / name / "audit.log") if path.exists())


def _remember(plane: Plane) -> None:
    pids: Sequence[int] = [process.pid for process in plane.processes]
    (plane.folder / "running.json").write_text(json.dumps({"port": plane.port, "pids": pids}))


def _remembered(folder: Path) -> dict[str, Any]:
    path = folder / "running.json"
    return json.loads(path.read_text()) if path.exists() else {}


def _found(assets: Path, folder: Path) -> Plane | None:
    """The plane in this folder when it answers. It is not ours to stop: it has no processes."""
    port = _remembered(folder).get("port")
    if not isinstance(port, int):
        return None
    plane = Plane(assets, folder, port=port)
    try:
        return plane if plane.request("/readyz") == b"ok" else None
    except OSError:
        return None
