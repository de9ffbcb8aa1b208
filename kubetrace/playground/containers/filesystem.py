"""A simulated container's files: a tree in memory, bounded in size. No file of the host is ever opened."""

from __future__ import annotations

import errno
import fnmatch
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

LIMIT = 32 * 1024 * 1024
"""Bytes of file content that one container may hold."""
_MAX_LINKS = 20


class FileFailure(Exception):
    """What a system call would say; its text is the errno's ("No such file or directory")."""

    def __init__(self, number: int) -> None:
        super().__init__(os.strerror(number))
        self.number = number


@dataclass(slots=True, eq=False)
class Node:
    mode: int = 0o644
    mtime: float = field(default_factory=time.time)
    uid: int = 0
    gid: int = 0
    links: int = 1


@dataclass(slots=True, eq=False)
class File(Node):
    data: bytearray = field(default_factory=bytearray)


@dataclass(slots=True, eq=False)
class Link(Node):
    target: str = ""


@dataclass(slots=True, eq=False)
class Directory(Node):
    entries: dict[str, Node] = field(default_factory=dict)
    read_only: bool = False


def folder(mode: int = 0o755) -> Directory:
    return Directory(mode=mode)


def absolute(path: str, at: str) -> str:
    """Without ".", ".." and double slashes; links are not followed."""
    parts: list[str] = []
    for part in (path if path.startswith("/") else f"{at}/{path}").split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


class FileSystem:
    """Every path that is given must be absolute. Methods raise FileFailure."""

    def __init__(self) -> None:
        self.root = folder()
        self._used = 0
        self.uid = self.gid = 0
        """Who looks and writes here; 0 may do all."""
        self.groups: frozenset[int] = frozenset((0,))
        self.umask = 0o022
        self.read_only = False
        """Whether only volumes can be written to (readOnlyRootFilesystem)."""
        self.mounts: dict[str, bool] = {}
        """Where volumes are; whether they can be read only."""

    def may(self, node: Node, wanted: int) -> bool:
        """Whether the user may read (4), write (2) or enter and run (1)."""
        if self.uid == 0:
            return True
        shift = 6 if node.uid == self.uid else 3 if node.gid in self.groups else 0
        return bool(node.mode >> shift & wanted)

    def _is_read_only(self, path: str) -> bool:
        at = path.rstrip("/")
        while at:
            if at in self.mounts:
                return self.mounts[at]
            at = at.rpartition("/")[0]
        return self.read_only

    def find(self, path: str, follow: bool = True) -> Node | None:
        try:
            return self._walk(path, follow)
        except FileFailure:
            return None

    def get(self, path: str, follow: bool = True) -> Node:
        found = self._walk(path, follow)
        if found is None:
            raise FileFailure(errno.ENOENT)
        return found

    def _walk(self, path: str, follow: bool, links: int = 0) -> Node | None:
        node: Node = self.root
        parts = [part for part in path.split("/") if part]
        for index, part in enumerate(parts):
            if not isinstance(node, Directory):
                raise FileFailure(errno.ENOTDIR)
            inner = node.entries.get(part)
            if inner is None:
                return None
            if isinstance(inner, Link) and (follow or index < len(parts) - 1):
                if links >= _MAX_LINKS:
                    raise FileFailure(errno.ELOOP)
                here = "/" + "/".join(parts[:index])
                rest = "/".join(parts[index + 1 :])
                target = absolute(inner.target, here)
                return self._walk(f"{target}/{rest}" if rest else target, follow, links + 1)
            node = inner
        return node

    def _parent(self, path: str) -> tuple[Directory, str]:
        """(the folder that holds a path, the last name)."""
        place, _, name = path.rstrip("/").rpartition("/")
        parent = self.get(place or "/")
        if not isinstance(parent, Directory):
            raise FileFailure(errno.ENOTDIR)
        if not name:
            raise FileFailure(errno.EEXIST)
        return parent, name

    def _writable(self, path: str) -> tuple[Directory, str]:
        parent, name = self._parent(path)
        if parent.read_only or self._is_read_only(path):
            raise FileFailure(errno.EROFS)
        if not self.may(parent, 2):
            raise FileFailure(errno.EACCES)
        return parent, name

    def _owned(self, node: Node, parent: Directory) -> Node:
        node.uid, node.gid = self.uid, parent.gid if parent.mode & 0o2000 else self.gid
        return node

    def read(self, path: str) -> bytes:
        node = self.get(path)
        if isinstance(node, Directory):
            raise FileFailure(errno.EISDIR)
        if not self.may(node, 4):
            raise FileFailure(errno.EACCES)
        assert isinstance(node, File)
        return bytes(node.data)

    def write(self, path: str, data: bytes, append: bool = False, mode: int | None = None) -> None:
        node = self.find(path)
        if isinstance(node, Directory):
            raise FileFailure(errno.EISDIR)
        if isinstance(node, File):
            if self._is_read_only(path) or self._parent(path)[0].read_only:
                raise FileFailure(errno.EROFS)
            if not self.may(node, 2):
                raise FileFailure(errno.EACCES)
            before = len(node.data)
            self._grow(len(data) - (0 if append else before))
            if not append:
                node.data.clear()
            node.data += data
            node.mtime = time.time()
            node.mode = mode if mode is not None else node.mode
            return
        parent, name = self._writable(path)
        link = parent.entries.get(name)
        if isinstance(link, Link):  # a link to what is not there yet
            parent, name = self._writable(absolute(link.target, path.rpartition("/")[0]))
        self._grow(len(data))
        made = File(0o666 & ~self.umask if mode is None else mode, data=bytearray(data))
        parent.entries[name] = self._owned(made, parent)

    def _grow(self, size: int) -> None:
        if self._used + size > LIMIT:
            raise FileFailure(errno.ENOSPC)
        self._used += size

    def touch(self, path: str) -> None:
        node = self.find(path)
        if node is None:
            self.write(path, b"")
        else:
            self._writable(path)
            node.mtime = time.time()

    def make_folder(self, path: str, parents: bool = False) -> Directory:
        if parents:
            at = ""
            for part in [part for part in path.split("/") if part]:
                at = f"{at}/{part}"
                if self.find(at) is None:
                    self.make_folder(at)
        found = self.find(path)
        if found is not None:
            if parents and isinstance(found, Directory):
                return found
            raise FileFailure(errno.EEXIST)
        parent, name = self._writable(path)
        made = folder(0o777 & ~self.umask)
        parent.entries[name] = self._owned(made, parent)
        return made

    def link(self, path: str, target: str) -> None:
        parent, name = self._writable(path)
        if name in parent.entries:
            raise FileFailure(errno.EEXIST)
        parent.entries[name] = self._owned(Link(0o777, target=target), parent)

    def hard_link(self, path: str, target: str) -> None:
        """Another name for a file."""
        node = self.get(target, follow=False)
        if isinstance(node, Directory):
            raise FileFailure(errno.EPERM)
        parent, name = self._writable(path)
        if name in parent.entries:
            raise FileFailure(errno.EEXIST)
        parent.entries[name] = node
        node.links += 1

    def real_path(self, path: str) -> str:
        """Without links."""
        for _ in range(_MAX_LINKS):
            at = ""
            for part in [part for part in path.split("/") if part]:
                node = self.find(f"{at}/{part}", follow=False)
                if isinstance(node, Link):
                    path = absolute(node.target, at or "/") + path[len(at) + 1 + len(part) :]
                    break
                at = f"{at}/{part}"
            else:
                return at or "/"
        raise FileFailure(errno.ELOOP)

    def mount(self, path: str, node: Node, read_only: bool = False) -> None:
        """Puts a volume's folder or file at a path, over what is there."""
        self.mounts[absolute(path, "/")] = read_only
        self.put(path, node)

    def put(self, path: str, node: Node) -> None:
        """Puts a file or folder at a path, whoever may write there."""
        place = path.rstrip("/").rpartition("/")[0] or "/"
        found = self.find(place)
        if not isinstance(found, Directory):
            found = self.make_folder(place, parents=True)
        found.entries[path.rstrip("/").rpartition("/")[2]] = node

    def remove(self, path: str, recursive: bool = False) -> None:
        parent, name = self._writable(path)
        node = parent.entries.get(name)
        if node is None:
            raise FileFailure(errno.ENOENT)
        if isinstance(node, Directory):
            if not recursive:
                raise FileFailure(errno.EISDIR)
            if node.read_only:
                raise FileFailure(errno.EROFS)
        if absolute(path, "/") in self.mounts:
            raise FileFailure(errno.EBUSY)
        del parent.entries[name]
        node.links -= 1
        self._used = max(0, self._used - (_size(node) if node.links < 1 or isinstance(node, Directory) else 0))

    def remove_folder(self, path: str) -> None:
        node = self.get(path, follow=False)
        if not isinstance(node, Directory):
            raise FileFailure(errno.ENOTDIR)
        if node.entries:
            raise FileFailure(errno.ENOTEMPTY)
        self.remove(path, recursive=True)

    def move(self, source: str, target: str) -> None:
        node = self.get(source, follow=False)
        if f"{target}/".startswith(f"{source}/") and source != target:
            raise FileFailure(errno.EINVAL)
        old, old_name = self._writable(source)
        new, new_name = self._writable(target)
        del old.entries[old_name]
        new.entries[new_name] = node

    def names(self, path: str) -> list[str]:
        node = self.get(path)
        if not isinstance(node, Directory):
            raise FileFailure(errno.ENOTDIR)
        return sorted(node.entries)

    def every(self, path: str) -> Iterator[tuple[str, Node]]:
        """A path and all below it, parents first; links are not followed."""
        node = self.get(path, follow=False)
        yield path, node
        if isinstance(node, Directory):
            for name in sorted(node.entries):
                yield from self.every(f"{path.rstrip('/')}/{name}")

    def matching(self, pattern: str, at: str) -> list[str]:
        """What a shell's pattern stands for, as it was written (relative stays relative)."""
        start = "/" if pattern.startswith("/") else ""
        found = [start]
        for part in [part for part in pattern.split("/") if part]:
            found = [f"{place}{name}/" for place in found for name in self._matches(absolute(place or ".", at), part)]
        if pattern.endswith("/"):
            return sorted(path for path in found if isinstance(self.find(absolute(path, at)), Directory))
        return sorted(path.rstrip("/") for path in found if path.rstrip("/"))

    def _matches(self, place: str, pattern: str) -> list[str]:
        node = self.find(place)
        if not isinstance(node, Directory):
            return []
        if not any(char in pattern for char in "*?["):
            return [pattern] if pattern in node.entries or pattern in (".", "..") else []
        hidden = pattern.startswith(".")
        pattern = pattern.replace("[^", "[!")
        return [n for n in node.entries if fnmatch.fnmatchcase(n, pattern) and (hidden or not n.startswith("."))]


def _size(node: Node) -> int:
    if isinstance(node, File):
        return len(node.data)
    return sum(map(_size, node.entries.values())) if isinstance(node, Directory) else 0
