"""Regular expressions as grep, sed and awk write them, for Python's engine."""

from __future__ import annotations

import re

from kubetrace.playground.containers.arguments import UsageFailure


def basic(pattern: str) -> str:
    """A basic regular expression as Python writes it."""
    swapped = re.sub(r"\\([(){}|+?])|([(){}|+?])", lambda match: match.group(1) or "\\" + match.group(2), pattern)
    return classes(swapped)


def classes(pattern: str) -> str:
    known = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "space": r"\s", "upper": "A-Z", "lower": "a-z"}
    return re.sub(r"\[:(\w+):\]", lambda match: known.get(match.group(1), match.group(1)), pattern)


def compiled(pattern: str, extended: bool, fixed: bool = False, flags: int = 0) -> re.Pattern[str]:
    source = re.escape(pattern) if fixed else classes(pattern) if extended else basic(pattern)
    try:
        return re.compile(source, flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageFailure(f"bad regex '{pattern}': {error}") from None
