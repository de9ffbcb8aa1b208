"""What an object says of its state (status.conditions), as the tables that descriptions show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubetrace.printing.describe.writer import Writer, date

Condition = Mapping[str, Any]


def describe_conditions(
    w: Writer,
    conditions: Sequence[Condition] | None,
    columns: Sequence[str] = ("Type", "Status", "LastTransitionTime", "Reason", "Message"),
) -> None:
    """A column a field; nothing where there are no conditions."""
    if conditions:
        w.line("Conditions:")
        w.table(columns, [_cells(one, columns) for one in conditions])


def describe_watched_conditions(w: Writer, conditions: Sequence[Condition] | None, watched: str) -> None:
    """Conditions that also say when they were last looked at, in the column `watched`. kubectl writes a blank after
    every cell, and as long a line below "LastProbeTime" as below "LastHeartbeatTime"."""
    if conditions:
        columns = ("Type", "Status", watched, "LastTransitionTime", "Reason", "Message")
        w.line("Conditions:")
        w.line("\t".join(columns), 1)
        w.line("----\t------\t-----------------\t------------------\t------\t-------", 1)
        for one in conditions:
            w.line(" \t".join(_cells(one, columns)), 1)


def _cells(condition: Condition, columns: Sequence[str]) -> list[str]:
    found = [(column, condition.get(column[0].lower() + column[1:])) for column in columns]
    return [date(value) if column.endswith("Time") else str(value or "") for column, value in found]
