"""What wrap and proxy ask before they relay others' requests: who looks on, and how much of them is to be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubetrace.environment import Environment

KEPT = 256 * 1024
"""Bytes of a body that are held for the log, which cuts them at a few thousand."""


def is_watched(environment: Environment) -> bool:
    """Does anybody want to know of the calls?"""
    own = environment.own
    logged = environment.options.v > 0 or bool(environment.options.vmodule)
    return logged or own.why or own.stats or environment.recorder is not None


def kept(environment: Environment) -> int | None:
    """How much of a body anybody wants: as much as the trace keeps, or as the log shows."""
    from kubetrace.trace.record_file import parse_bodies
    from kubetrace.trace.vmodule import Verbosity

    limit = parse_bodies(environment.own.trace_bodies) if environment.recorder is not None else 0
    verbosity = Verbosity(environment.options.v, environment.options.vmodule)
    if limit is None or verbosity.enabled(10, "request.go"):
        return None
    return max(limit, KEPT if environment.own.why or verbosity.enabled(8, "request.go") else 0)
