"""kubectl's log dialects, 1.19 to 1.37, as data: whose lines to write, not whose calls to make.

Three families: classic (to 1.31, printf-style lines), mixed (1.32, structured bodies) and structured (from 1.33). A
dialect is picked out of the "since" tables of `http` and `notes`; the one writer in `kubetrace.trace.klog` uses it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeVar

from kubetrace.errors import KubetraceError
from kubetrace.trace.dialects import http
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.trace.dialects.lines import Line, NoteSpec

Family = Literal["classic", "mixed", "structured"]
_T = TypeVar("_T")

KNOWN = tuple(f"1.{minor}" for minor in range(19, 38))
DEFAULT_LIKE = "1.31"


class UnknownDialect(KubetraceError):
    """A --like value that names no known kubectl release."""

    def __init__(self, value: str) -> None:
        super().__init__(f'unknown log dialect "{value}": --like takes one of {", ".join(KNOWN)}')


def parse_like(value: str) -> str:
    """The dialect's name for "1.36", "v1.36" or "1.36.4"; raises UnknownDialect, which lists the known ones."""
    match = re.fullmatch(r"v?(\d+\.\d+)(?:\.\d+)?", value.strip(), re.ASCII)
    if match is None or match[1] not in KNOWN:
        raise UnknownDialect(value)
    return match[1]


def _minor(release: str) -> int:
    return int(release.partition(".")[2])


def since(table: Mapping[str, _T], release: str) -> _T | None:
    """The value of a "since" table in a release, None before its first."""
    reached = [known for known in table if _minor(known) <= _minor(release)]
    return table[max(reached, key=_minor)] if reached else None


class Dialect(Value):
    """One kubectl release's way to log."""

    name: str
    family: Family
    sources: Mapping[str, str]
    texts: Mapping[str, str]
    gates: tuple[tuple[str, bool], ...]

    @property
    def structured_http(self) -> bool:
        return self.family == "structured"

    @property
    def structured_bodies(self) -> bool:
        return self.family != "classic"

    @property
    def traces(self) -> bool:
        """Whether level 9 shows HTTP Trace and HTTP Statistics (since 1.23)."""
        return "trace-dns" in self.sources

    @property
    def status_at_9(self) -> bool:
        """1.23 lost the line with URL and status at level 9, and no other release did."""
        return self.name != "1.23"

    @property
    def retry_phase(self) -> Literal["before", "after"]:
        """When the retry line is written: before the pause up to 1.23, after it since 1.24."""
        return "before" if _minor(self.name) < 24 else "after"

    def operation(self, name: str, response: bool = False) -> str:
        """Since 1.32: the reference that a body of this operation is attributed to."""
        table = http.RESPONSES.get(name) if response else None
        table = table or http.OPERATIONS.get(name) or http.OPERATIONS["other"]
        return since(table, self.name) or "helper.go:105"

    def note(self, name: str) -> tuple[NoteSpec, Line] | None:
        """A note's specification and its line in this dialect; None where this release writes nothing of the kind."""
        from kubetrace.trace.dialects.client_notes import CLIENT_NOTES

        spec = CLIENT_NOTES.get(name)
        if spec is None:  # most runs need none but the client's
            from kubetrace.trace.dialects.notes import NOTES

            spec = NOTES.get(name)
        line = since(spec.lines, self.name) if spec else None
        return (spec, line) if spec and line else None


def dialect(like: str = DEFAULT_LIKE) -> Dialect:
    """The dialect of a release; raises UnknownDialect."""
    name = parse_like(like)
    family: Family = "structured" if _minor(name) >= 33 else "mixed" if _minor(name) == 32 else "classic"
    sources = {entry: found for entry, table in http.SOURCES.items() if (found := since(table, name))}
    texts = {entry: found for entry, table in http.TEXTS.items() if (found := since(table, name))}
    return Dialect(name, family, sources, texts, since(http.GATES, name) or ())
