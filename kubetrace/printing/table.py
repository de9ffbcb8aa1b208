"""Tables from the server, and objects that came without one, as text (cli-runtime pkg/printers/tableprinter.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kubetrace.api.labels import format_labels
from kubetrace.api.metadata import is_status, string_map, text
from kubetrace.printing.durations import age
from kubetrace.printing.go_values import sprint, type_name
from kubetrace.printing.tabwriter import TabWriter, escape_terminal
from kubetrace.value import Value, replace
from kubetrace.wire.go_json import dumps

_LINE_END = re.compile("[\f\n\r]")
_EVENT_TYPES = {"ADDED": "ADDED   ", "MODIFIED": "MODIFIED", "DELETED": "DELETED ", "ERROR": "ERROR   "}


class TableOptions(Value):
    """What the table is to show. `kind` is "Pod" or "Deployment.apps", used with `with_kind`."""

    no_headers: bool = False
    with_namespace: bool = False
    with_kind: bool = False
    wide: bool = False
    show_labels: bool = False
    kind: str = ""
    column_labels: tuple[str, ...] = ()


def is_table(value: Mapping[str, Any]) -> bool:
    """Is this answer a Table that kubectl prints as one?"""
    return not table_problem(value)


def table_problem(value: Mapping[str, Any]) -> str:
    """Why an answer is no Table: kubectl prints it as any other object then, and its log says so (decodeIntoTable)."""
    if value.get("kind") != "Table" or value.get("apiVersion") not in ("meta.k8s.io/v1", "meta.k8s.io/v1beta1"):
        return "attempt to decode non-Table object"
    columns, rows = value.get("columnDefinitions"), value.get("rows")
    return (
        _not_structs(columns)
        or next((problem for column in columns or () if (problem := _column_problem(column))), "")
        or _not_structs(rows)
        or next((problem for row in rows or () if (problem := _row_problem(row))), "")
    )


def _not_structs(values: Any) -> str:
    if values is None:
        return ""
    if not isinstance(values, list):
        return f"cannot restore slice from {_reflected(values)}"
    bad = next((item for item in values if not isinstance(item, dict)), None)
    return f"cannot restore struct from: {_reflected(bad)}" if bad is not None else ""


def _reflected(value: Any) -> str:
    """reflect's kind of a value: maps and slices without their types."""
    return "map" if isinstance(value, dict) else "slice" if isinstance(value, list) else type_name(value)


def _column_problem(column: Mapping[str, Any]) -> str:
    texts = (column.get(key) for key in ("name", "type", "format", "description"))
    bad = next((text for text in texts if text is not None and not isinstance(text, str)), None)
    if bad is None and not isinstance(column.get("priority") or 0, int):
        return f"cannot convert {type_name(column['priority'])} to int32"
    return f"cannot convert {type_name(bad)} to string" if bad is not None else ""


def _row_problem(row: Mapping[str, Any]) -> str:
    cells, item = row.get("cells"), row.get("object")
    if cells is not None and not isinstance(cells, list):
        return f"cannot restore slice from {_reflected(cells)}"
    if item is not None and not (isinstance(item, dict) and item.get("kind")):
        return f"Object 'Kind' is missing in '{dumps(item).decode()}'"
    return ""


class TablePrinter:
    """Prints Tables and objects one after the other, headers only where the columns change."""

    def __init__(self, options: TableOptions, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._columns: list[Mapping[str, Any]] = []
        self._printed_headers = False
        self._last_headers: tuple[str, ...] | None = None

    def print(self, value: Mapping[str, Any], writer: TabWriter, event_type: str = "") -> None:
        """Writes a Table's rows, or one row (or a row an item) for anything else. `event_type` ("ADDED" …) adds the
        EVENT column of --output-watch-events."""
        if is_table(value):
            self._print_table(value, writer, event_type)
        elif is_status(value):
            row = [sprint(value.get(key) or "") for key in ("status", "reason", "message")]
            self._print_plain(("STATUS", "REASON", "MESSAGE"), [(value, row)], writer, event_type)
        else:
            items = value["items"] if isinstance(value.get("items"), list) else [value]
            rows = [(item, [text(item, "name"), age(text(item, "creationTimestamp"), self._clock())]) for item in items]
            self._print_plain(("NAME", "AGE"), rows, writer, event_type)

    # --- server-side tables

    def _print_table(self, table: Mapping[str, Any], writer: TabWriter, event_type: str) -> None:
        columns = table.get("columnDefinitions") or []
        options = self._options
        if self._printed_headers and (not columns or columns == self._columns):
            options = replace(options, no_headers=True)
        if not columns:
            columns = self._columns
        elif columns != self._columns:
            self._columns = columns
            self._printed_headers = False
        rows = table.get("rows") or []
        if rows:
            self._printed_headers = True
        layout = _Layout(columns, options, event_type)
        if not options.no_headers and rows:
            writer.write_rows([layout.header()])
        writer.write_rows([layout.row(row) for row in rows])

    # --- objects without a table

    def _print_plain(
        self,
        headers: tuple[str, ...],
        rows: Sequence[tuple[Mapping[str, Any], list[str]]],
        writer: TabWriter,
        event_type: str,
    ) -> None:
        options = self._options
        if self._last_headers not in (None, headers) and not options.no_headers:
            writer.write("\n")
        if self._last_headers != headers and not options.no_headers:
            writer.write_rows([self._plain_header(headers, event_type)])
        self._last_headers = headers
        for item, cells in rows:
            if options.with_kind and options.kind:
                cells[0] = f"{options.kind.lower()}/{cells[0]}"
            line = [_EVENT_TYPES.get(event_type, event_type)] if event_type else []
            if options.with_namespace:
                line.append(text(item, "namespace"))
            writer.write("\t".join([*line, *cells, *label_cells(item, options)]) + "\n")

    def _plain_header(self, headers: tuple[str, ...], event_type: str) -> list[str]:
        options = self._options
        line = ["EVENT"] if event_type else []
        if options.with_namespace:
            line.append("NAMESPACE")
        return [*line, *headers, *label_headers(options)]


class _Layout:
    """Which cells of a row are shown, in which order, between which added columns."""

    def __init__(self, columns: Sequence[Mapping[str, Any]], options: TableOptions, event_type: str) -> None:
        self._options = options
        self._before = [_EVENT_TYPES.get(event_type, event_type)] if event_type else []
        before = ["EVENT"] if event_type else []
        if options.with_namespace:
            before.append("NAMESPACE")
        names = [str(column.get("name", "")).upper() for column in columns]
        shown = [options.wide or not column.get("priority") for column in columns]
        after = label_headers(options)
        self._names = [*before, *names, *after]
        visible = [True] * len(before) + shown + [True] * len(after)
        self._shown = [i for i, is_visible in enumerate(visible) if is_visible]
        self._added = bool(before or after)
        self._prefix_at = -1
        if options.with_kind and options.kind:
            named = (i for i, c in enumerate(columns) if c.get("format") == "name" and c.get("type") == "string")
            self._prefix_at = next(named, -1)

    def header(self) -> list[str]:
        return [self._names[i] for i in self._shown]

    def row(self, row: Mapping[str, Any]) -> list[str]:
        """A row's texts. Cells without a column are put under the added ones, as kubectl puts them."""
        cells = row.get("cells") or []
        if 0 <= self._prefix_at < len(cells):
            cells = list(cells)
            cells[self._prefix_at] = f"{self._options.kind.lower()}/{sprint(cells[self._prefix_at])}"
        if self._added:
            item = row.get("object")
            namespace = [text(item, "namespace")] if self._options.with_namespace else []
            cells = [*self._before, *namespace, *cells, *label_cells(item, self._options)]
        count = len(cells)
        line = [_cell(cells[i]) for i in self._shown if i < count]
        joined = "\t".join(line)
        if joined.count("\t") >= len(line) or "\v" in joined:
            return joined.replace("\v", "\t").split("\t")
        return line


def _cell(value: Any) -> str:
    """A cell, cut at its first line end, with what a terminal would obey made visible."""
    if type(value) is not str:
        return "" if value is None else escape_terminal(sprint(value))
    if value.isprintable():
        return value
    match = _LINE_END.search(value)
    if match:
        return escape_terminal(value[: match.start()]) + "..."
    return escape_terminal(value)


def label_headers(options: TableOptions) -> list[str]:
    """The headers of -L's columns (the part behind the slash) and of --show-labels."""
    headers = [label.rpartition("/")[2].upper() for label in options.column_labels]
    return [*headers, "LABELS"] if options.show_labels else headers


def label_cells(item: Any, options: TableOptions) -> list[str]:
    """An object's values for -L and --show-labels."""
    if not options.column_labels and not options.show_labels:
        return []
    labels = string_map(item, "labels")
    cells = [labels.get(label, "") for label in options.column_labels]
    if options.show_labels:
        cells.append(format_labels(labels))
    return cells
