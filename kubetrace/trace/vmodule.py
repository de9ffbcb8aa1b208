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
        from kubetrace.wire.go_match import BadPattern, matcher

        try:
            return matcher(self.pattern).fullmatch(module) is not None
        except BadPattern:  # matches nothing
            return False


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
