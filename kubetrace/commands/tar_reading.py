"""A tar stream from a container, read as it comes (Go's archive/tar), and unpacked where it may be (kubectl pkg/cmd/cp,
untarAll): nothing outside the destination, and no links."""

from __future__ import annotations

import os
from collections.abc import Callable
from tarfile import HeaderError, TarInfo
from typing import BinaryIO, Protocol

from kubetrace.api.go_paths import join
from kubetrace.api.go_words import quoted
from kubetrace.commands.file_specs import folder, remote, stays_within
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

_BLOCK = 512
_HEADER_ONLY = (b"1", b"2", b"3", b"4", b"5", b"6")
"""Links, devices, folders, pipes: whatever size they claim, nothing follows."""
_LONG_NAME, _LONG_LINK, _PAX = b"L", b"K", b"x"
_LIMIT = 1 << 20
"""The longest extended header that is read."""
_FORMAT = 0o170000
_DIRECTORY, _SYMLINK = 0o040000, 0o120000


class Entry(Value):
    """A file of an archive."""

    name: str
    link: str
    size: int
    is_folder: bool
    is_symlink: bool


class Taker(Protocol):
    """Who is told what an archive holds."""

    def begin(self, entry: Entry) -> None: ...
    def data(self, piece: bytes) -> None: ...
    def end(self) -> None: ...


class TarReader:
    """Takes an archive's bytes in pieces of any size. `complete` once its end has been seen."""

    def __init__(self, taker: Taker) -> None:
        self._taker = taker
        self._buffer = bytearray()
        self._left = 0
        self._padding = 0
        self._extended: tuple[bytes, bytearray] | None = None
        self._names: dict[str, str] = {}
        self._zeros = 0
        self.taken = 0
        """Bytes that have been read."""
        self.complete = False

    @property
    def between(self) -> bool:
        """Is this a place where an archive may end without its end mark?"""
        return not self._buffer and not self._left and not self._padding and self._extended is None and not self._zeros

    def feed(self, data: bytes) -> None:
        """Raises KubetraceError for what is no archive, and what the taker raises."""
        self.taken += len(data)
        view = memoryview(data)
        while view and not self.complete:
            if self._left:
                piece, view = view[: self._left], view[self._left :]
                self._left -= len(piece)
                self._take(bytes(piece))
            elif self._padding:
                skipped = min(self._padding, len(view))
                self._padding -= skipped
                view = view[skipped:]
            else:
                missing = _BLOCK - len(self._buffer)
                self._buffer += view[:missing]
                view = view[missing:]
                if len(self._buffer) == _BLOCK:
                    block, self._buffer = bytes(self._buffer), bytearray()
                    self._header(block)

    def _take(self, piece: bytes) -> None:
        if self._extended is None:
            self._taker.data(piece)
            if not self._left:
                self._taker.end()
            return
        kind, held = self._extended
        held += piece
        if not self._left:
            self._extended = None
            self._remember(kind, bytes(held))

    def _header(self, block: bytes) -> None:
        if not any(block):
            self._zeros += 1
            self.complete = self._zeros == 2
            return
        if self._zeros:
            raise _invalid()
        try:
            info = TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except (HeaderError, ValueError):
            raise _invalid() from None
        self._begin(info)

    def _begin(self, info: TarInfo) -> None:
        size = int(self._names.pop("size", info.size)) if info.type not in (_LONG_NAME, _LONG_LINK, _PAX) else info.size
        if size < 0:
            raise _invalid()
        if info.type in (_LONG_NAME, _LONG_LINK, _PAX):
            if size > _LIMIT:
                raise _invalid()
            self._extended = info.type, bytearray()
        else:
            size = 0 if info.type in _HEADER_ONLY else size
            self._taker.begin(self._entry(info, size))
        self._left, self._padding = size, -size % _BLOCK
        if not size:
            self._ended_empty()

    def _ended_empty(self) -> None:
        if self._extended is not None:
            kind, _ = self._extended
            self._extended = None
            self._remember(kind, b"")
        else:
            self._taker.end()

    def _entry(self, info: TarInfo, size: int) -> Entry:
        name, link = self._names.get("path", info.name), self._names.get("linkpath", info.linkname)
        self._names = {}
        # TarInfo takes the slash from an old folder's name, and calls it one.
        is_folder = info.isdir() or info.mode & _FORMAT == _DIRECTORY or (info.isreg() and name.endswith("/"))
        return Entry(name, link, size, is_folder, info.issym() or info.mode & _FORMAT == _SYMLINK)

    def _remember(self, kind: bytes, data: bytes) -> None:
        if kind == _PAX:
            self._names |= _pax_records(data)
        else:
            text = data.partition(b"\0")[0].decode("utf-8", "surrogateescape")
            self._names["path" if kind == _LONG_NAME else "linkpath"] = text


def _pax_records(data: bytes) -> dict[str, str]:
    """ "LENGTH KEY=VALUE\\n", one after the other. Raises KubetraceError."""
    found: dict[str, str] = {}
    while data:
        digits, blank, _ = data.partition(b" ")
        size = int(digits) if blank and digits.isdigit() else 0
        record = data[len(digits) + 1 : size]
        if size <= len(digits) + 2 or size > len(data) or not record.endswith(b"\n") or b"=" not in record:
            raise _invalid()
        key, _, value = record[:-1].partition(b"=")
        found[key.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
        data = data[size:]
    return {key: value for key, value in found.items() if key in ("path", "linkpath") or _is_size(key, value)}


def _is_size(key: str, value: str) -> bool:
    return key == "size" and value.isdecimal()


def _invalid() -> KubetraceError:
    return KubetraceError("archive/tar: invalid tar header")


class Unpacker:
    """Writes an archive's files to `target`, their names without `prefix`. `warn` gets the lines about what is left
    out; `hint` is the command that would copy links, too."""

    def __init__(self, prefix: str, target: str, warn: Callable[[str], object], hint: str) -> None:
        self._prefix = prefix
        self._target = target
        self._warn = warn
        self._hint = hint
        self._file: BinaryIO | None = None
        self._path = ""

    def begin(self, entry: Entry) -> None:
        if not entry.name.startswith(self._prefix):
            raise KubetraceError("tar contents corrupted")
        self._path = path = join(self._target, remote(entry.name[len(self._prefix) :]))
        if not stays_within(self._target, path):
            self._warn(f"warning: file {quoted(path)} is outside target destination, skipping\n")
            return
        make_folders(folder(path))
        if entry.is_folder:
            make_folders(path)
        elif entry.is_symlink:
            hint, self._hint = self._hint, ""
            self._warn(f"warning: skipping symlink: {quoted(path)} -> {quoted(entry.link)}{hint}\n")
        else:
            try:
                self._file = open(path, "wb", buffering=0)  # noqa: PTH123, SIM115 (closed by `end`)
            except OSError as error:
                raise _go_error("open", error, path) from error

    def data(self, piece: bytes) -> None:
        if self._file is None:
            return
        try:
            view = memoryview(piece)
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise _go_error("write", error, self._path) from error

    def end(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            try:
                file.close()
            except OSError as error:
                raise _go_error("close", error, self._path) from error


def make_folders(path: str) -> None:
    """os.MkdirAll. Raises KubetraceError."""
    try:
        os.makedirs(path, 0o755, exist_ok=True)  # noqa: PTH103
    except FileExistsError:
        raise KubetraceError(f"mkdir {path}: not a directory") from None
    except OSError as error:
        raise _go_error("mkdir", error, path) from error


def _go_error(verb: str, error: OSError, path: str) -> KubetraceError:
    from kubetrace.transport.words import errno_text

    return KubetraceError(f"{verb} {error.filename or path}: {errno_text(error)}")
