"""Paths and patterns of files as Go reads them (path, path/filepath)."""

from __future__ import annotations

import os
import posixpath
import re

from kubetrace.errors import KubetraceError

_META = re.compile(r"[*?\[\\]")
_RANGE_END = re.compile(r"\\.|[^\\\]-]", re.DOTALL)


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
    KubetraceError for a malformed one."""
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


def matcher(pattern: str) -> re.Pattern[str]:
    """Go's filepath.Match as a regular expression. Raises KubetraceError for a malformed pattern."""
    parts = []
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        at += 1
        if sign == "*":
            parts.append("[^/]*")
        elif sign == "?":
            parts.append("[^/]")
        elif sign == "[":
            at = _class(pattern, at, parts)
        else:
            if sign == "\\":
                if at == len(pattern):
                    raise _bad_pattern()
                sign = pattern[at]
                at += 1
            parts.append(re.escape(sign))
    return re.compile("".join(parts), re.DOTALL)


def _class(pattern: str, at: int, parts: list[str]) -> int:
    """One [class], from behind its bracket; where it ends."""
    negated = pattern.startswith("^", at)
    at += negated
    ranges: list[str] = []
    while not (ranges and pattern.startswith("]", at)):
        low, at = _range_end(pattern, at)
        high = low
        if pattern.startswith("-", at):
            high, at = _range_end(pattern, at + 1)
        ranges.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else "")
    wanted = "".join(ranges)
    if wanted:
        parts.append(f"[{'^' if negated else ''}{wanted}]")
    else:  # a range whose end comes before its begin holds nothing
        parts.append("." if negated else "(?!)")
    return at + 1


def _range_end(pattern: str, at: int) -> tuple[str, int]:
    found = _RANGE_END.match(pattern, at)
    if found is None or found.end() == len(pattern):
        raise _bad_pattern()
    return found[0][-1], found.end()


def _bad_pattern() -> KubetraceError:
    return KubetraceError("syntax error in pattern")
