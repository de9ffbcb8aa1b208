"""`get` for people: tables, kind after kind (kubectl pkg/cmd/get, Run)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from kubetrace.commands.colored import table_out
from kubetrace.errors import KubetraceError
from kubetrace.printing.table import TableOptions, TablePrinter, is_table, table_problem
from kubetrace.printing.tabwriter import TabWriter, TextSink

if TYPE_CHECKING:
    from kubetrace.api.builder import Info, Result
    from kubetrace.api.resources import Mapping
    from kubetrace.commands.get import GetOptions
    from kubetrace.environment import Environment


class _Separated:
    """Writes an empty line before the next text once it is asked to, and knows whether anything was written."""

    def __init__(self, out: TextSink) -> None:
        self._out = out
        self.written = False
        self.separate = False

    def write(self, text: str) -> None:
        if not text:
            return
        if self.separate:
            self._out.write("\n")
            self.separate = False
        self._out.write(text)
        self.written = True


def collect(result: Result, options: GetOptions) -> tuple[list[Info], KubetraceError | None]:
    """What was found, and what went wrong on the way (missing objects left out with --ignore-not-found)."""
    found: list[Info] = []
    try:
        result.visit(found.append)
    except KubetraceError as error:
        return found, _worth_telling(error, options)
    return found, None


def _worth_telling(error: KubetraceError, options: GetOptions) -> KubetraceError | None:
    from kubetrace.api.aggregates import without
    from kubetrace.api.status import is_not_found

    return without(error, is_not_found) if options.ignore_not_found else error


def print_tables(environment: Environment, options: GetOptions, result: Result) -> None:
    """Prints what was found; then raises what went wrong."""
    from kubetrace.api.aggregates import AggregateError

    infos, failure = collect(result, options)
    if options.sort_by:
        infos = sorted_infos(infos, options.sort_by)
    out = _Separated(table_out(environment))
    _Tables(options, out, _has_several_kinds(infos), environment.note).print(infos)
    if failure is not None:
        raise AggregateError([failure])
    if not out.written and not options.ignore_not_found:
        namespaced = not options.all_namespaces and all(info.namespaced for info in infos)
        where = f" in {environment.namespace} namespace." if namespaced else ""
        environment.stderr.write(f"No resources found{where}\n")


def _has_several_kinds(infos: Sequence[Info]) -> bool:
    return len({info.mapping.kind for info in infos if info.mapping}) > 1


def table_printer(options: GetOptions, mapping: Mapping | None, namespace: bool, kind: bool) -> TablePrinter:
    """The printer for one kind's tables."""
    return TablePrinter(
        TableOptions(
            no_headers=options.no_headers,
            with_namespace=namespace,
            with_kind=options.show_kind or kind,
            wide=options.output == "wide",
            show_labels=options.show_labels,
            kind=str(mapping.kind.group_kind) if mapping else "",
            column_labels=options.label_columns,
        ),
        time.time,
    )


class _Tables:
    """Prints infos, with a new printer and an empty line before each new kind."""

    def __init__(self, options: GetOptions, out: _Separated, with_kind: bool, note: Callable[..., object]) -> None:
        self._note = note
        self._options = options
        self._out = out
        self._with_kind = with_kind
        self._writer = TabWriter(out)
        self._printer: TablePrinter | None = None
        self._mapping: Mapping | None = None
        self._with_namespace = False
        """Once a namespaced kind was printed with -A, the column stays for the kinds behind it, as in kubectl."""

    def print(self, infos: Sequence[Info]) -> None:
        for info in infos:
            printer = self._printer_for(info.mapping)
            value = _sorted_table(info.object or {}, self._options.sort_by)
            if value is not None:
                problem = table_problem(value) if self._options.server_print else ""
                if problem:
                    self._note("table-fallback", error=problem)
                printer.print(value, self._writer)
        self._writer.flush()

    def _printer_for(self, mapping: Mapping | None) -> TablePrinter:
        last = self._mapping
        if self._printer is not None and last and mapping and mapping.resource == last.resource:
            return self._printer
        self._writer.flush()
        self._writer.forget_widths()
        if last is not None and not self._options.no_headers and self._out.written:
            self._out.separate = True
        if self._options.all_namespaces and (mapping is None or mapping.namespaced):
            self._with_namespace = True
        self._printer = table_printer(self._options, mapping, self._with_namespace, self._with_kind)
        self._mapping = mapping
        return self._printer


# --- --sort-by -------------------------------------------------------------------------------------------------------


def sorted_infos(infos: list[Info], field: str) -> list[Info]:
    """Sorts what the calls gave, objects or whole tables. Raises KubetraceError for a field that none of them has."""
    from kubetrace.printing.sorting import sort_objects

    return infos if len(infos) < 2 else sort_objects(infos, field, lambda info: info.object)


def _sorted_table(value: dict[str, Any], field: str) -> dict[str, Any] | None:
    """A table with its rows sorted; None for one that can't be, which kubectl drops without a word. Raises
    UnsortableError."""
    rows = value.get("rows") or []
    if not field or not is_table(value) or len(rows) < 2:
        return value
    from kubetrace.printing.sorting import UnsortableError, sort_rows

    try:
        return {**value, "rows": sort_rows(rows, field, lambda row: row.get("object"))}
    except UnsortableError:
        raise
    except KubetraceError:
        return None
