"""Colour for people at a terminal: statuses in tables, keys and values in YAML. Only escape sequences are added; what
stands between them stays, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Callable

from kubetrace.printing.printers import Printed, Printer
from kubetrace.printing.tabwriter import TextSink

_RED, _GREEN, _YELLOW, _MAGENTA, _CYAN, _DIM = (f"\x1b[{code}m" for code in (31, 32, 33, 35, 36, 2))
_RESET = "\x1b[0m"


def _paint(style: str, text: str) -> str:
    return f"{style}{text}{_RESET}" if text else text


class PaintedLines:
    """Hands text on line by line, painted; a line that has not ended waits for its end."""

    def __init__(self, out: TextSink, paint: Callable[[str], str]) -> None:
        self._out = out
        self._paint = paint
        self._rest = ""

    def write(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        if lines:
            self._out.write("".join(f"{self._paint(line)}\n" for line in lines))


# --- tables ----------------------------------------------------------------------------------------------------------

_STATUS_COLUMNS = frozenset({"STATUS", "PHASE", "TYPE"})
_CELL = re.compile(r"\S+(?: \S+)*")
_GOOD = frozenset(
    {
        *("Active", "Approved", "Approved,Issued", "Available", "Bound", "Complete", "Completed", "Healthy"),
        *("Ready", "Running", "Succeeded"),
    }
)
_BAD = re.compile(
    "Err|Fail|BackOff|Evicted|OOMKilled|Lost|NotReady|Unhealthy|ExitCode|Signal|Invalid|Denied|Cannot|NotRun|Deadline"
)


class StatusPaint:
    """Paints the statuses below a table's STATUS and PHASE, and events' Warning below TYPE: found by where the header
    has its columns."""

    def __init__(self) -> None:
        self._columns: list[tuple[int, str]] = []

    def __call__(self, line: str) -> str:
        if line and line == line.upper():
            cells = [(match.start(), match[0]) for match in _CELL.finditer(line)]
            if cells[:1] and cells[0][0] == 0 and not cells[0][1][0].isdigit():
                self._columns = [cell for cell in reversed(cells) if cell[1] in _STATUS_COLUMNS]
                return line
        for start, name in self._columns:
            match = _CELL.match(line, start)
            if match is None or line[max(0, start - 1) : start].strip():
                continue
            style = status_style(match[0]) if name != "TYPE" else _YELLOW if match[0] == "Warning" else ""
            if style:
                line = f"{line[:start]}{_paint(style, match[0])}{line[match.end() :]}"
        return line


def status_style(status: str) -> str:
    """Green for what is well, red for what went wrong, yellow for what is on its way."""
    if status in _GOOD:
        return _GREEN
    return _RED if _BAD.search(status) else _YELLOW


# --- YAML ------------------------------------------------------------------------------------------------------------

_ENTRY = re.compile(
    r"""(?P<lead>\ *(?:-\ )*)                                                     # its depth
    (?:(?P<key>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|\?\ |[^\s"'#|>][^:]*(?::[^\s:][^:]*)*)(?P<colon>:)(?=\ |$)\ ?)?
    (?P<value>.*)""",
    re.VERBOSE,
)
_BLOCK = re.compile(r"[|>][-+]?[0-9]?[-+]?$")
_NUMBER = re.compile(r"[-+]?(?:\d[\d_]*\.?\d*(?:[eE][-+]?\d+)?|0x[0-9a-fA-F]+|0o[0-7]+)$")
_WORDS = frozenset({"true", "false", "null", "{}", "[]"})


class YAMLPaint:
    """Paints YAML as Go's writer lays it out: keys, and values by what they are."""

    def __init__(self) -> None:
        self._block_above: int | None = None
        self._quote = ""

    def __call__(self, line: str) -> str:
        if self._quote:
            self._quote = self._still_open(self._quote, line)
            return _paint(_GREEN, line)
        depth = len(line) - len(line.lstrip(" "))
        if self._block_above is not None:
            if not line.strip() or depth > self._block_above:
                return _paint(_GREEN, line)
            self._block_above = None
        if line == "---":
            return _paint(_DIM, line)
        match = _ENTRY.match(line)
        assert match is not None  # every part may be empty
        value = match["value"]
        if _BLOCK.match(value):
            self._block_above = depth if match["key"] is None else match.start("key")
        if value[:1] in ("'", '"'):
            self._quote = self._still_open(value[0], value[1:])
        key = _paint(_CYAN, match["key"]) if match["key"] else ""
        between = line[match.end("key") : match.start("value")] if match["key"] else ""
        return f"{match['lead']}{key}{between}{_paint(_value_style(value), value)}"

    @staticmethod
    def _still_open(quote: str, text: str) -> str:
        """The quote that this line leaves open."""
        if quote == '"':
            return "" if re.sub(r"\\.", "", text).count('"') else quote
        return "" if text.count("'") % 2 else quote


def _value_style(value: str) -> str:
    if value in _WORDS:
        return _MAGENTA
    return _YELLOW if _NUMBER.match(value) else _GREEN


class PaintedYAML:
    """A printer of YAML whose output is painted where it goes to `terminal`."""

    def __init__(self, printer: Printer, terminal: TextSink) -> None:
        self._printer = printer
        self._terminal = terminal
        self._painted = PaintedLines(terminal, YAMLPaint())

    def print(self, value: Printed, out: TextSink) -> None:
        self._printer.print(value, self._painted if out is self._terminal else out)
