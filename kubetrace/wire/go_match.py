"""Patterns of names as Go reads them (path/filepath Match)."""

from __future__ import annotations

import re

from kubetrace.errors import KubetraceError

_RANGE_END = re.compile(r"\\.|[^\\\]-]", re.DOTALL)


class BadPattern(KubetraceError):
    """A malformed pattern, in Go's words."""

    def __init__(self) -> None:
        super().__init__("syntax error in pattern")


def matcher(pattern: str) -> re.Pattern[str]:
    """Go's filepath.Match as a regular expression. Raises BadPattern."""
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
                    raise BadPattern
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
        raise BadPattern
    return found[0][-1], found.end()
