"""What cp's arguments name: files here and files in a container, with Go's rules for their paths (kubectl
pkg/cmd/cp/filespec.go, Go's path and path/filepath)."""

from __future__ import annotations

from kubetrace.api.go_paths import clean
from kubetrace.errors import KubetraceError
from kubetrace.value import Value


class FileSpec(Value):
    """[[namespace/]pod:]path. Without a pod it is a file here."""

    path: str
    pod: str = ""
    namespace: str = ""


def parse_spec(argument: str) -> FileSpec:
    """Raises KubetraceError (extractFileSpec)."""
    wrong = KubetraceError("filespec must match the canonical format: [[namespace/]pod:]file/path")
    before, colon, path = argument.partition(":")
    if colon and not before:
        raise wrong
    if not colon:
        return FileSpec(without_slash(argument))
    namespace, slash, pod = before.partition("/")
    if "/" in pod:
        raise wrong
    return FileSpec(remote(path), pod, namespace) if slash else FileSpec(remote(path), before)


def remote(path: str) -> str:
    """A path in a container: always with slashes."""
    return without_slash(path).replace("\\", "/")


def without_slash(path: str) -> str:
    """A path without the one slash that it may end with."""
    return path[:-1] if path != "/" and path.endswith("/") else path


def folder(path: str) -> str:
    """Go's path.Dir."""
    return clean(path[: path.rfind("/") + 1])


def base(path: str) -> str:
    """Go's path.Base."""
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def without_shortcuts(path: str) -> str:
    """Without the "../" that it begins with (stripPathShortcuts)."""
    while path.startswith("../"):
        path = path[3:]
    path = "" if path in (".", "..") else path
    return path[1:] if path.startswith("/") else path


def stays_within(root: str, path: str) -> bool:
    """Whether a cleaned path is the root or below it (isRelative)."""
    way = _relative(root, path)
    return way is not None and (way == "." or way == without_shortcuts(way))


def _relative(root: str, path: str) -> str | None:
    """Go's filepath.Rel; None for its error."""
    root, path = clean(root), clean(path)
    if root == path:
        return "."
    root = "" if root == "." else root
    if root.startswith("/") != path.startswith("/"):
        return None
    here, there = [part for part in root.split("/") if part], [part for part in path.split("/") if part]
    shared = 0
    while shared < min(len(here), len(there)) and here[shared] == there[shared]:
        shared += 1
    if ".." in here[shared:]:
        return None
    return "/".join([".."] * (len(here) - shared) + there[shared:])
