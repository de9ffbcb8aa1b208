"""The folder of one run: its kubeconfig and whatever else must not stay. It goes when the run ends, however it ends.

While kubetrace lives it holds a lock on the folder and the write end of a pipe to a watchdog, a shell that does nothing
but remove the folder when the pipe closes: that catches SIGKILL. Where even the watchdog was killed, the next run finds
the folder unlocked and removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kubetrace.errors import KubetraceError

_LOCK = "lock"
_PREFIX = "wrap-"
_WATCH = 'trap "" HUP INT QUIT TERM TSTP; read -r _; rm -rf -- "$0" "$@"'


class RuntimeFolder:
    """A fresh folder (0700) below $XDG_RUNTIME_DIR, or below the system's folder for temporary files. Raises
    KubetraceError where none can be made. A context manager, which removes it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        try:
            home = _home(environ)
            sweep(home)
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=home))
            self._lock = os.open(self.path / _LOCK, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        except OSError as error:
            raise KubetraceError(f"cannot make a folder for temporary files: {error.strerror}") from None
        self._watchdog: subprocess.Popen[bytes] | None = None

    def watch(self, *others: Path) -> None:
        """Starts the watchdog; `others` are folders that shall go with this one. Raises KubetraceError."""
        try:
            self._watchdog = subprocess.Popen(
                ["/bin/sh", "-c", _WATCH, str(self.path), *map(str, others)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
                env={"PATH": os.defpath},
            )
        except OSError as error:
            raise KubetraceError(f"cannot start /bin/sh: {error.strerror}") from None

    def write(self, name: str, data: bytes) -> Path:
        """A file of mode 0600. Raises KubetraceError."""
        path = self.path / name
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
        except OSError as error:
            raise KubetraceError(f"cannot write {path}: {error.strerror}") from None
        return path

    def __enter__(self) -> RuntimeFolder:
        return self

    def __exit__(self, *exception: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)
        if self._watchdog is not None:
            assert self._watchdog.stdin is not None
            with contextlib.suppress(OSError):
                self._watchdog.stdin.close()
            self._watchdog.wait()


def _home(environ: Mapping[str, str]) -> Path:
    """Where the folders of all runs of this user lie. A folder that somebody else made is not trusted."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if runtime and Path(runtime).is_absolute() and os.access(runtime, os.W_OK | os.X_OK):
        home = Path(runtime) / "kubetrace"
    else:
        home = Path(environ.get("TMPDIR") or tempfile.gettempdir()) / f"kubetrace-{os.getuid()}"
    home.mkdir(mode=0o700, exist_ok=True)
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o022:
        raise KubetraceError(f"{home} belongs to somebody else, or others may write there")
    return home


def sweep(home: Path) -> None:
    """Removes the folders of runs that were killed together with their watchdogs."""
    for folder in home.glob(_PREFIX + "*"):
        try:
            descriptor = os.open(folder / _LOCK, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:  # just being made, or being removed
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            pass
        finally:
            os.close(descriptor)
