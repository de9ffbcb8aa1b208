"""A file or a folder as a tar stream, as cp sends it to a container (kubectl pkg/cmd/cp, makeTar)."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from tarfile import BLKTYPE, CHRTYPE, DIRTYPE, FIFOTYPE, PAX_FORMAT, REGTYPE, SYMTYPE, TarInfo

from kubetrace.api.go_paths import clean, glob, join
from kubetrace.commands.file_specs import base, folder
from kubetrace.errors import KubetraceError

_BLOCK = 512
_CHUNK = 32 * 1024
_TYPES = {
    stat.S_IFDIR: DIRTYPE,
    stat.S_IFLNK: SYMTYPE,
    stat.S_IFIFO: FIFOTYPE,
    stat.S_IFCHR: CHRTYPE,
    stat.S_IFBLK: BLKTYPE,
}


class TarWriter:
    """The archive of what is at `source` here, under the name that `target` has there; read it like a file."""

    def __init__(self, source: str, target: str) -> None:
        source, target = clean(source), clean(target)
        self._pieces = self._archive(folder(source), base(source), base(target))

    def read(self) -> bytes:
        """The next piece, b"" at the end. Raises KubetraceError."""
        return next(self._pieces, b"")

    def _archive(self, where: str, name: str, target: str) -> Iterator[bytes]:
        yield from self._tree(where, name, target)
        yield bytes(2 * _BLOCK)

    def _tree(self, where: str, name: str, target: str) -> Iterator[bytes]:
        for path in glob(join(where, name)):
            try:
                yield from self._entry(where, name, target, path)
            except OSError as error:
                raise _go_error(error) from error

    def _entry(self, where: str, name: str, target: str, path: str) -> Iterator[bytes]:
        found = os.lstat(path)
        if stat.S_ISDIR(found.st_mode):
            inside = sorted(os.listdir(path))  # noqa: PTH208 (bytes that are no UTF-8 stay as they are)
            if not inside:
                yield _header(found, target)
            for each in inside:
                yield from self._tree(where, join(name, each), join(target, each))
        elif stat.S_ISLNK(found.st_mode):
            yield _header(found, target, os.readlink(path))  # noqa: PTH115
        elif stat.S_ISSOCK(found.st_mode):
            raise KubetraceError("archive/tar: sockets not supported")
        else:
            yield _header(found, target)
            yield from _content(path, found.st_size if stat.S_ISREG(found.st_mode) else 0)


def _content(path: str, size: int) -> Iterator[bytes]:
    """The bytes of a file that had `size` bytes when its header was written."""
    left = size
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (pathlib takes longer to load)
        while data := file.read(_CHUNK):
            if len(data) > left:
                raise KubetraceError("archive/tar: write too long")
            left -= len(data)
            yield data
    if left:
        raise KubetraceError(f"archive/tar: missed writing {left} bytes")
    if size % _BLOCK:
        yield bytes(_BLOCK - size % _BLOCK)


def _header(found: os.stat_result, name: str, link: str = "") -> bytes:
    info = TarInfo(name)
    info.type = _TYPES.get(stat.S_IFMT(found.st_mode), REGTYPE)
    info.mode = stat.S_IMODE(found.st_mode)
    info.uid, info.gid, info.mtime = found.st_uid, found.st_gid, int(found.st_mtime)
    info.size = found.st_size if info.type == REGTYPE else 0
    info.linkname = link
    info.uname, info.gname = _user(found.st_uid), _group(found.st_gid)
    return info.tobuf(PAX_FORMAT, "utf-8", "surrogateescape")


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return ""


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return ""


def _go_error(error: OSError) -> KubetraceError:
    from kubetrace.transport.words import errno_text

    return KubetraceError(f"open {error.filename}: {errno_text(error)}")
