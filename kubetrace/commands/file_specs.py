"""What cp's arguments name: files here and files in a container, with Go's rules for their paths (kubectl
pkg/cmd/cp/filespec.go, Go's path and path/filepath)."""

from __future__ import annotations

import os
import posixpath
import re

from kubetrace.errors import KubetraceError
from kubetrace.value import Value

_META = re.compile(r"[*?\[\\]")


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


def clean(path: str) -> str:
    """Go's path.Clean."""
    found = posixpath.normpath(path)
    return found[1:] if found.startswith("//") else found


def join(*parts: str) -> str:
    """Go's path.Join."""
    given = [part for part in parts if part]
    return clean("/".join(given)) if given else ""


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


def glob(pattern: str) -> list[str]:
    """Go's filepath.Glob: names that exist, where a pattern is one. Raises KubetraceError for a malformed one."""
    if not _META.search(pattern):
        return [pattern] if os.path.lexists(pattern) else []
    where, _, name = pattern.rpartition("/")
    parent = where or ("/" if pattern.startswith("/") else ".")
    if parent == pattern:
        raise KubetraceError("syntax error in pattern")
    folders = glob(parent) if _META.search(parent) else [parent]
    matches = _matcher(name)
    found = []
    for each in folders:
        try:
            names = sorted(os.listdir(each))  # noqa: PTH208 (bytes that are no UTF-8 stay as they are)
        except OSError:
            continue
        found += [join(each, entry) for entry in names if matches.fullmatch(entry)]
    return found


def _matcher(pattern: str) -> re.Pattern[str]:
    """Go's filepath.Match as a regular expression."""
    parts = []
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        if sign == "*":
            parts.append("[^/]*")
        elif sign == "?":
            parts.append("[^/]")
        elif sign == "\\" and at + 1 < len(pattern):
            at += 1
            parts.append(re.escape(pattern[at]))
        elif sign == "[":
            end = pattern.find("]", at + 2 if pattern[at + 1 : at + 2] != "^" else at + 3)
            if end < 0:
                raise KubetraceError("syntax error in pattern")
            parts.append(f"[{pattern[at + 1 : end]}]")
            at = end
        else:
            parts.append(re.escape(sign))
        at += 1
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error:
        raise KubetraceError("syntax error in pattern") from None
