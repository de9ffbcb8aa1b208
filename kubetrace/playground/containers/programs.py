"""The simulated programs by name; each module holds those of one kind."""

from __future__ import annotations

from kubetrace.playground.containers import (
    archives,
    columns,
    comparing,
    dumping,
    file_programs,
    filters,
    network_programs,
    permissions,
    running,
    system_programs,
    text_programs,
)
from kubetrace.playground.containers.machine import Program

PROGRAMS: dict[str, Program] = (
    text_programs.PROGRAMS
    | filters.PROGRAMS
    | file_programs.PROGRAMS
    | system_programs.PROGRAMS
    | network_programs.PROGRAMS
    | archives.PROGRAMS
    | columns.PROGRAMS
    | comparing.PROGRAMS
    | dumping.PROGRAMS
    | permissions.PROGRAMS
    | running.PROGRAMS
)
