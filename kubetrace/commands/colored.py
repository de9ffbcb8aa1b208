"""Standard output in colours, where it may carry them (a terminal, NO_COLOR, --color)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubetrace.environment import Environment
    from kubetrace.printing.printers import Printer
    from kubetrace.printing.tabwriter import TextSink


def table_out(environment: Environment) -> TextSink:
    """Where tables go: statuses are painted."""
    if not environment.colors(environment.stdout):
        return environment.stdout
    from kubetrace.printing.colors import PaintedLines, StatusPaint

    return PaintedLines(environment.stdout, StatusPaint())


def colored(environment: Environment, printer: Printer, output: str) -> Printer:
    """The printer of an -o value: YAML is painted."""
    if output.lower() != "yaml" or not environment.colors(environment.stdout):
        return printer
    from kubetrace.printing.colors import PaintedYAML

    return PaintedYAML(printer, environment.stdout)
