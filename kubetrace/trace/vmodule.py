"""Verbosity, per source file: klog's -v and --vmodule (klog.go)."""

from __future__ import annotations

import re

from kubetrace.errors import KubetraceError
from kubetrace.value import Value

SYNTAX_ERROR = "syntax error: expect comma-separated list of filename=N"
NEGATIVE_ERROR = "negative value for vmodule level"


class VModuleError(KubetraceError):
    """A --vmodule value that klog refuses; the message is klog's own, to be put behind 'invalid argument "…" for …'."""


class ModulePattern(Value):
    """One `PATTERN=LEVEL`: a file's base name without ".go", or a glob over it."""

    pattern: str
    level: int

    def matches(self, module: str) -> bool:
        if not any(char in self.pattern for char in "\\*?[]"):
            return module == self.pattern
        expression = glob_expression(self.pattern)
        return expression is not None and re.fullmatch(expression, module, re.DOTALL) is not None


def parse_vmodule(value: str) -> tuple[ModulePattern, ...]:
    """Reads "recordio=2,file=1,gfs*=3" (empty parts are skipped, level 0 has no effect); raises VModuleError."""
    patterns = []
    for part in value.split(","):
        if not part:
            continue
        name, equals, level = part.partition("=")
        if not (name and equals and level) or not re.fullmatch(r"[+-]?[0-9]+", level, re.ASCII):
            raise VModuleError(SYNTAX_ERROR)
        number = int(level)
        if not -(2**31) <= number < 2**31:
            raise VModuleError(SYNTAX_ERROR)
        if number < 0:
            raise VModuleError(NEGATIVE_ERROR)
        if number:
            patterns.append(ModulePattern(name, number))
    return tuple(patterns)


def glob_expression(pattern: str) -> str | None:
    """Go's filepath.Match pattern as a regular expression; None for a malformed pattern, which matches nothing."""
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "*":
            parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "[":
            read = _read_class(pattern, position)
            if read is None:
                return None
            expression, position = read
            parts.append(expression)
        elif char == "\\":
            if position == len(pattern):
                return None
            parts.append(re.escape(pattern[position]))
            position += 1
        else:
            parts.append(re.escape(char))
    return "".join(parts)


def _read_class(pattern: str, position: int) -> tuple[str, int] | None:
    """A character class from behind its `[`: its expression and where it ends."""
    negated = pattern[position : position + 1] == "^"
    position += negated
    ranges = ""
    while True:
        if ranges and pattern[position : position + 1] == "]":
            return f"[{'^' if negated else ''}{ranges}]", position + 1
        low = _read_class_char(pattern, position)
        if low is None:
            return None
        char, position = low
        high = char
        if pattern[position : position + 1] == "-":
            end = _read_class_char(pattern, position + 1)
            if end is None:
                return None
            high, position = end
        if high < char:  # an empty range matches nothing
            ranges += "" if ranges else r"\b"
            continue
        ranges += f"{re.escape(char)}-{re.escape(high)}"


def _read_class_char(pattern: str, position: int) -> tuple[str, int] | None:
    char = pattern[position : position + 1]
    if char in ("", "-", "]"):
        return None
    if char == "\\":
        position += 1
        char = pattern[position : position + 1]
    # A class can't end the pattern: its closing bracket must follow.
    return (char, position + 1) if char and position + 1 < len(pattern) else None


class Verbosity:
    """Answers "is level N on in this file?" as klog's V() does: -v counts everywhere, --vmodule in its files."""

    def __init__(self, level: int = 0, vmodule: str = "") -> None:
        self.level = level
        self._patterns = parse_vmodule(vmodule)
        self._modules: dict[str, int] = {}

    def enabled(self, level: int, source: str) -> bool:
        """`source` is a reference such as "loader.go:395" or a module's name such as "loader"."""
        if level <= self.level:
            return True
        return bool(self._patterns) and level <= self._module_level(source)

    def _module_level(self, source: str) -> int:
        known = self._modules.get(source)
        if known is None:
            module = source.partition(":")[0].rpartition("/")[2].removesuffix(".go")
            known = next((item.level for item in self._patterns if item.matches(module)), 0)
            self._modules[source] = known
        return known
