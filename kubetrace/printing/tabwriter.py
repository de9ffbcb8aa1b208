"""Columns aligned as kubectl's tabwriter aligns them (liggitt/tabwriter with cli-runtime's settings).

A column's width is that of its widest cell plus three blanks, six at least; it is reckoned over a run of neighbouring
lines that have the column at all, and remembered from one flush to the next, so that the pages of a watch line up. The
last cell of a line belongs to no column. Widths count code points.
"""

from __future__ import annotations

import re
from typing import Protocol

_MIN_WIDTH = 6
_PADDING = 3
_CELL_ENDS = re.compile("[\t\v]")
_LINE_ENDS = re.compile("(?<=[\n\f])")


def escape_terminal(text: str) -> str:
    """Text that cannot move a terminal's cursor (printers.EscapeTerminal)."""
    return text.replace("\x1b", "^[").replace("\r", "\\r")


class TextSink(Protocol):
    def write(self, text: str, /) -> object: ...


class TabWriter:
    """Collects text with tabs and writes it aligned on `flush`. A column is `min_width` wide at least, or as wide as
    its widest cell and `padding` blanks; `remembers` keeps widths from one flush to the next."""

    def __init__(
        self, out: TextSink, *, min_width: int = _MIN_WIDTH, padding: int = _PADDING, remembers: bool = True
    ) -> None:
        self._out = out
        self._min_width = min_width
        self._padding = padding
        self._remembers = remembers
        self._lines: list[list[str]] = []
        self._rest = ""
        self._remembered: list[int] = []

    def write(self, text: str) -> None:
        """Takes text; a line without any tab ends the block, and what was collected is written."""
        text = self._rest + text
        self._rest = ""
        for line in _LINE_ENDS.split(text):
            if line[-1:] not in ("\n", "\f") or not line:
                self._rest = line
                break
            cells = _CELL_ENDS.split(line[:-1])
            self._lines.append(cells)
            if len(cells) == 1 or line[-1] == "\f":
                self.flush()

    def write_rows(self, rows: list[list[str]]) -> None:
        """Takes lines that are already split into cells, none of them with a tab or a line's end."""
        for cells in rows:
            self._lines.append(cells)
            if len(cells) <= 1:
                self.flush()

    def flush(self) -> None:
        lines, rest = self._lines, self._rest
        self._lines, self._rest = [], ""
        open_line = [*_CELL_ENDS.split(rest)] if rest else []
        if not lines and not open_line:
            return
        if open_line:
            lines.append(open_line)
        aligned = [list(cells) for cells in lines]
        self._align(aligned, 0, len(aligned), 0)
        text = "\n".join(map("".join, aligned))
        self._out.write(text if open_line else text + "\n")

    def forget_widths(self) -> None:
        """Starts anew, as for another kind's table."""
        self._remembered = []

    def _align(self, lines: list[list[str]], start: int, end: int, column: int) -> None:
        at = start
        while at < end:
            if column >= len(lines[at]) - 1:
                at += 1
                continue
            stop = at
            while stop < end and column < len(lines[stop]) - 1:
                stop += 1
            width = max(self._min_width, max(len(lines[i][column]) for i in range(at, stop)) + self._padding)
            width = self._remember(column, width)
            for i in range(at, stop):
                lines[i][column] = lines[i][column].ljust(width)
            self._align(lines, at, stop, column + 1)
            at = stop

    def _remember(self, column: int, width: int) -> int:
        if not self._remembers:
            return width
        if column < len(self._remembered):
            self._remembered[column] = max(self._remembered[column], width)
        else:
            self._remembered.append(width)
        return self._remembered[column]
