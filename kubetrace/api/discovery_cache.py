"""Discovery's files on disk, in the folders and the form that kubectl uses, so that both programs share them
(client-go discovery/cached/disk, cli-runtime genericclioptions/config_flags.go).
"""

from __future__ import annotations

import errno
import os
import random
import re
import time
from collections.abc import Callable
from pathlib import Path

from kubetrace.api.resources import GroupVersion
from kubetrace.errors import KubetraceError
from kubetrace.transport.words import errno_text

LIFETIME = 6 * 60 * 60
"""Seconds for which a file counts, by its modification time."""

_UNSAFE = re.compile(r"[^(\w/.)]", re.ASCII)


def discovery_folder(cache_dir: Path, server: str) -> Path:
    """One server's folder: CACHE_DIR/discovery/HOST_PORT."""
    host = server.replace("https://", "", 1).replace("http://", "", 1)
    return Path(os.path.normpath(f"{cache_dir}/discovery/{_UNSAFE.sub('_', host)}"))


class DiscoveryFiles:
    """Reads and writes one server's files. `fresh` while every file that was used is of our own making; after
    `invalidate` only such files count."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._ours: set[Path] = set()
        self._invalidated = False
        self.fresh = True

    @property
    def groups_file(self) -> Path:
        return self._folder / "servergroups.json"

    def resources_file(self, group_version: GroupVersion) -> Path:
        return self._folder / str(group_version) / "serverresources.json"

    def invalidate(self) -> None:
        """From now on only files count that are written after this."""
        self._ours.clear()
        self._invalidated = True
        self.fresh = True

    def read(self, path: Path) -> bytes | None:
        """A file's text; None where there is none, where it is too old, or where it can't be read."""
        ours = path in self._ours
        if self._invalidated and not ours:
            return None
        try:
            with path.open("rb") as file:
                if self._clock() > os.fstat(file.fileno()).st_mtime + LIFETIME:
                    return None
                data = file.read()
        except OSError:
            return None
        self.fresh = self.fresh and ours
        return data

    def write(self, path: Path, data: bytes) -> None:
        """Puts a file in place at once (a temporary file, renamed). Raises KubetraceError; nothing is left behind."""
        try:
            make_folders(path.parent)
        except OSError as error:
            raise KubetraceError(f"mkdir {error.filename}: {errno_text(error)}") from None
        draft = path.with_name(f"{path.name}.{random.getrandbits(32)}")
        doing = "open"
        try:
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o660), "wb", buffering=0) as file:
                doing = "write"
                file.write(data)
            draft.chmod(0o660)
            draft.replace(path)
        except OSError as error:
            raise KubetraceError(f"{doing} {draft}: {errno_text(error)}") from None
        finally:
            draft.unlink(missing_ok=True)
        self._ours.add(path)


def make_folders(folder: Path) -> None:
    """A folder and those above it, mode 0750 as client-go makes them. Raises OSError."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "", str(folder))
    for one in reversed(missing):
        one.mkdir(mode=0o750, exist_ok=True)
