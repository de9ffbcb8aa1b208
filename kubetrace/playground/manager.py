"""Starting, finding and stopping playgrounds. Light: it imports nothing heavy, and speaks to no server.

Two engines: `embedded` (kubetrace's own server) and `envtest` (real binaries, see kubetrace.playground.control_plane).
A playground keeps the engine that it was made with.

A playground's folder is $XDG_STATE_HOME/kubetrace/playground/NAME (0700): state.db, keys, kubeconfig, log, and while
it runs `running.json` with process id and port. The server holds a lock on `lock`, so a stale file never fools anyone.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kubetrace.errors import KubetraceError

READY_SECONDS = {"embedded": 15.0, "envtest": 150.0}
STOP_SECONDS = 30.0
DEFAULT_NAME = "default"
EMBEDDED, ENVTEST = ENGINES = ("embedded", "envtest")


@dataclass(frozen=True)
class Playground:
    """One playground as it is now; `pid` and `port` are 0 where it is not running."""

    name: str
    folder: Path
    pid: int = 0
    port: int = 0

    @property
    def running(self) -> bool:
        return self.pid > 0

    @property
    def engine(self) -> str:
        """The engine that its state belongs to; empty for one that was never started."""
        return ENVTEST if (self.folder / "etcd").exists() else EMBEDDED if (self.folder / "state.db").exists() else ""

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.port}"


def home(environ: Mapping[str, str]) -> Path:
    """Where playgrounds live. Raises where neither XDG_STATE_HOME nor HOME is known."""
    state = environ.get("XDG_STATE_HOME", "")
    if Path(state).is_absolute():
        return Path(state) / "kubetrace" / "playground"
    if not environ.get("HOME"):
        raise KubetraceError("the playground needs a place for its state: set HOME or XDG_STATE_HOME")
    return Path(environ["HOME"]) / ".local" / "state" / "kubetrace" / "playground"


def _folder(environ: Mapping[str, str], name: str) -> Path:
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name):
        told = "use at most 63 lower case letters, digits and '-', which stands at no end"
        raise KubetraceError(f"invalid playground name {name!r}: {told}")
    return home(environ) / name


_FLOCK, _TYPE, _PID = ("hhqqi4x", 0, 4) if sys.platform == "linux" else ("qqihh", 3, 2)
"""The system's struct flock, and where in it the kind of the lock and its owner stand."""


def _holder(folder: Path) -> int:
    """The process that holds a folder's lock, as the kernel knows it; 0 where nobody does, -1 where that can't be
    told. It is asked without taking the lock, so that nobody who starts a server finds it held by us."""
    asked = [0] * 5
    asked[_TYPE] = fcntl.F_WRLCK
    try:
        with (folder / "lock").open("rb") as file:
            found = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, struct.pack(_FLOCK, *asked)))
    except FileNotFoundError:
        return 0
    except OSError:
        return -1
    if found[_TYPE] == fcntl.F_UNLCK:
        return 0
    return int(found[_PID]) if found[_PID] > 0 else -1


def find(environ: Mapping[str, str], name: str = DEFAULT_NAME) -> Playground:
    """The playground of that name, running or not."""
    folder = _folder(environ, name)
    try:
        facts = json.loads((folder / "running.json").read_text())
        told, port = int(facts["pid"]), int(facts["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return Playground(name, folder)
    holder = _holder(folder)
    pid = told if holder < 0 else holder
    return Playground(name, folder, pid, port) if pid > 0 else Playground(name, folder)


def every(environ: Mapping[str, str]) -> list[Playground]:
    """All playgrounds that have state, by name."""
    place = home(environ)
    names = sorted(entry.name for entry in place.iterdir() if entry.is_dir()) if place.is_dir() else []
    return [find(environ, name) for name in names if re.fullmatch(r"[-a-z0-9]+", name)]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as error:
        raise KubetraceError(f"cannot use {folder} for the playground's state: {error.strerror}") from None


@dataclass(frozen=True)
class Start:
    """How a playground is to be started. Port 0 means the one it had before where that is free, else any free one.

    Latency (seconds) and faults (see kubetrace.serving.faults) hold until it stops. An empty engine
    means the one it has, `embedded` for a new playground.
    """

    port: int = 0
    latency: float = 0.0
    faults: Sequence[str] = ()
    engine: str = ""
    nodes: int = 1
    """How many nodes there are at least; they stay with the objects."""


def _command(environ: Mapping[str, str], found: Playground, start: Start, engine: str) -> list[str]:
    """The server's own command line."""
    words = [sys.executable, "-m", "kubetrace.playground", "--state", str(found.folder), "--name", found.name]
    words += ["--port", str(start.port)]
    if engine == ENVTEST:
        from kubetrace.playground.control_plane import find_assets

        words += ["--assets", str(find_assets(environ, start.nodes))]
    words += [f"--latency={start.latency}"] if start.latency else []
    words += [f"--nodes={start.nodes}"] if start.nodes > 1 else []
    return words + [f"--fault={fault}" for fault in start.faults]


def _engine(found: Playground, wanted: str) -> str:
    if wanted and wanted not in ENGINES:
        raise KubetraceError(f"unknown engine {wanted!r}; want one of {', '.join(ENGINES)}")
    if wanted and found.engine and wanted != found.engine:
        told = f"playground {found.name!r} has the {found.engine} engine: reset it first, or give another --name"
        raise KubetraceError(told)
    return wanted or found.engine or EMBEDDED


def up(environ: Mapping[str, str], name: str = DEFAULT_NAME, start: Start | None = None) -> Playground:
    """Starts a playground, or finds the running one; returns when it answers."""
    start = start or Start()
    found = find(environ, name)
    if found.running:  # a process that was just killed holds its lock for a moment
        time.sleep(0.05)
        found = find(environ, name)
    engine = _engine(found, start.engine)
    if found.running:
        if start.port and start.port != found.port:
            raise KubetraceError(f"playground {name!r} is already running on port {found.port}")
        if start.nodes > 1:
            raise KubetraceError(f"playground {name!r} is already running; stop it first to give it nodes")
        if start.latency or start.faults:
            raise KubetraceError(f"playground {name!r} is already running; stop it first to give it latency or faults")
        return found
    words = _command(environ, found, start, engine)
    _make_folder(found.folder)
    log = found.folder / "log"
    try:
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as output:
            offset = os.fstat(output.fileno()).st_size
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=dict(environ),
                cwd="/",
            )
    except OSError as error:
        raise KubetraceError(f"cannot start the playground: {error.strerror}: {error.filename or log}") from None
    try:
        return _wait_ready(environ, found, process, READY_SECONDS[engine])
    except _EndedEarly as early:
        if _wait_other(environ, found, READY_SECONDS[engine]):  # somebody else has started it in this moment
            return up(environ, name, start)
        raise KubetraceError(_last_line(log, offset) or _full_disk(found.folder) or str(early)) from None


def run(
    environ: Mapping[str, str],
    name: str = DEFAULT_NAME,
    start: Start | None = None,
    ready: Callable[[Playground], None] = lambda _: None,
) -> None:
    """Runs a playground in the foreground until it is interrupted; its output is the caller's. `ready` is called once
    it answers."""
    start = start or Start()
    found = find(environ, name)
    engine = _engine(found, start.engine)
    words = _command(environ, found, start, engine)
    _make_folder(found.folder)
    with subprocess.Popen(words, env=dict(environ)) as process, _passed_on(process):
        try:
            ready(_wait_ready(environ, found, process, READY_SECONDS[engine], detached=False))
            process.wait()
        except _EndedEarly:
            pass  # it has said why
        except KeyboardInterrupt:  # the terminal tells the server, too
            process.wait()
        except BaseException:
            process.terminate()
            raise
    if process.returncode not in (0, -signal.SIGINT, -signal.SIGTERM):
        raise KubetraceError(f"the playground ended with exit code {process.returncode}")


@contextlib.contextmanager
def _passed_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Who is told to end tells the server, and ends when it has: it must not stay behind."""
    before = {
        number: signal.signal(number, lambda *_: process.terminate()) for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _EndedEarly(Exception):
    pass


def _wait_ready(
    environ: Mapping[str, str],
    before: Playground,
    process: subprocess.Popen[bytes],
    seconds: float,
    detached: bool = True,
) -> Playground:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = process.poll()
        found = find(environ, before.name)
        if found.running and (found.pid == process.pid or status is not None):
            if detached:
                process.returncode = 0  # no ResourceWarning for a child that is meant to stay
            return found
        if status is not None:
            raise _EndedEarly(f"the playground ended with exit code {status}")
        time.sleep(0.01)
    process.terminate()
    process.wait()
    raise KubetraceError(f"the playground did not become ready within {seconds:.0f}s; see {before.folder / 'log'}")


def _wait_other(environ: Mapping[str, str], before: Playground, seconds: float) -> bool:
    """Whether another process that holds the lock becomes ready; False at once where nobody holds it."""
    deadline = time.monotonic() + seconds
    while _holder(before.folder) and time.monotonic() < deadline:
        if find(environ, before.name).running:
            return True
        time.sleep(0.01)
    return False


def _full_disk(folder: Path) -> str:
    """Why a server may have ended without a word in its log."""
    found = os.statvfs(folder)
    room = found.f_bavail * found.f_frsize
    return "" if room else f"cannot use {folder} for the playground's state: {os.strerror(errno.ENOSPC)}"


def _last_line(log: Path, start: int) -> str:
    lines = log.read_bytes()[start:].decode("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("error: ") if lines else ""


def down(environ: Mapping[str, str], name: str = DEFAULT_NAME) -> bool:
    """Stops a playground; its state stays. False where it was not running."""
    found = find(environ, name)
    if not found.running:
        return False
    try:
        os.kill(found.pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    except PermissionError:
        raise KubetraceError(f"cannot stop playground {name!r}: process {found.pid} belongs to somebody else") from None
    deadline = time.monotonic() + STOP_SECONDS
    while _holder(found.folder):
        if time.monotonic() > deadline:
            raise KubetraceError(f"playground {name!r} (process {found.pid}) did not stop within {STOP_SECONDS:.0f}s")
        time.sleep(0.01)
    return True


def reset(environ: Mapping[str, str], name: str = DEFAULT_NAME) -> None:
    """Stops a playground and forgets its objects; keys and kubeconfig stay."""
    down(environ, name)
    folder = _folder(environ, name)
    for suffix in ("", "-wal", "-shm"):
        (folder / f"state.db{suffix}").unlink(missing_ok=True)
    if (folder / "etcd").exists():
        import shutil

        shutil.rmtree(folder / "etcd")


def ensure_running(environ: Mapping[str, str], name: str = DEFAULT_NAME) -> tuple[Path, bool]:
    """(the playground's kubeconfig, whether it had to be started)."""
    found = find(environ, name)
    if found.running:
        return found.kubeconfig, False
    return up(environ, name).kubeconfig, True
