"""What a note's line is made of."""

from __future__ import annotations

from collections.abc import Mapping

from kubetrace.value import Value, fresh


class Line(Value):
    """One log line's form. `pairs` None: printf style. In a pair stands the name of a value, or a text of its own
    behind "=". From the level `below` on the line is not written."""

    source: str
    text: str
    pairs: tuple[tuple[str, str], ...] | None = None
    level: int | None = None
    severity: str | None = None
    below: int | None = None


class NoteSpec(Value):
    """A note's level and severity (a line may have its own), the names of its values, its lines since each release."""

    level: int
    values: tuple[str, ...]
    lines: Mapping[str, Line] = fresh(dict)
    severity: str = "I"


def lines(file: str, text: str, numbers: Mapping[str, int]) -> dict[str, Line]:
    return {release: Line(f"{file}:{number}", text) for release, number in numbers.items()}


def errors(file: str, text: str, numbers: Mapping[str, int]) -> dict[str, Line]:
    return structured(file, text, (("err", "error"),), numbers)


def structured(file: str, text: str, pairs: tuple[tuple[str, str], ...], numbers: Mapping[str, int]) -> dict[str, Line]:
    return {release: Line(f"{file}:{number}", text, pairs) for release, number in numbers.items()}
