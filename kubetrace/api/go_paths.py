"""Paths and patterns of files as Go reads them (path, path/filepath)."""

from __future__ import annotations

import os
import posixpath
import re

from kubetrace.wire.go_match import matcher

_META = re.compile(r"[*?\[\\]")


def clean(path: str) -> str:
    """Go's path.Clean."""
    found = posixpath.normpath(path)
    return found[1:] if found.startswith("//") else found


def join(*parts: str) -> str:
    """Go's path.Join."""
    given = [part for part in parts if part]
    return clean("/".join(given)) if given else ""


def glob(pattern: str) -> list[str]:
    """Go's filepath.Glob: names that exist, where a pattern is one; "*" stands for a leading dot, too. Raises
    BadPattern."""
    matcher(pattern)
    if not _META.search(pattern):
        return [pattern] if os.path.lexists(pattern) else []
    where, _, name = pattern.rpartition("/")
    parent = where or ("/" if pattern.startswith("/") else ".")
    folders = glob(parent) if _META.search(parent) else [parent]
    matches = matcher(name)
    found = []
    for each in folders:
        try:
            names = sorted(os.listdir(each))  # noqa: PTH208 (bytes that are no UTF-8 stay as they are)
        except OSError:
            continue
        found += [join(each, entry) for entry in names if matches.fullmatch(entry)]
    return found
