"""`get -o …`: whole objects in one value, a List where there are several (kubectl pkg/cmd/get, printGeneric)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kubetrace.commands.colored import colored
from kubetrace.errors import KubetraceError
from kubetrace.printing.formats import OutputOptions, get_printer
from kubetrace.printing.printers import Printer, is_list

if TYPE_CHECKING:
    from kubetrace.api.builder import Result
    from kubetrace.commands.get import GetOptions
    from kubetrace.environment import Environment


_NO_TABLE = re.compile("custom-columns|json")
"""Formats for which kubectl does not even try to read a table (get.go, Complete); for others its log says so."""


def output_options(options: GetOptions) -> OutputOptions:
    """The printing flags among get's."""
    return OutputOptions(
        output=options.output,
        template=options.template,
        allow_missing_keys=options.allow_missing_template_keys,
        show_managed_fields=options.show_managed_fields,
        no_headers=options.no_headers,
    )


def object_printer(environment: Environment, options: GetOptions) -> Printer:
    """The printer that -o names (never the table's)."""
    printer = get_printer(output_options(options), environment.environ)
    assert printer is not None
    return colored(environment, printer, options.output)


def print_objects(environment: Environment, options: GetOptions, result: Result) -> None:
    """Prints what was found as one value; then raises what went wrong."""
    from kubetrace.api.aggregates import AggregateError, raise_all
    from kubetrace.api.metadata import text
    from kubetrace.commands.get_table import collect

    infos, failure = collect(result, options)
    if failure is not None and result.single_item:
        raise failure
    errors = [failure] if failure is not None else []
    if infos or not options.ignore_not_found:
        printer = object_printer(environment, options)
        found = [info.object or {} for info in infos]
        value = found[0] if result.single_item and len(found) == 1 else as_list(found)
        note_no_table(environment, options)
        if is_list(value):
            value = as_list(value["items"], text(value, "resourceVersion"))
            if options.sort_by and value["items"]:
                value = _sorted(value, options.sort_by)
        try:
            printer.print(value, environment.stdout)
        except KubetraceError as error:
            errors.append(error)
    raise_all(AggregateError(errors).flat())


def note_no_table(environment: Environment, options: GetOptions) -> None:
    """What kubectl's log says of each value that a format prints for which a table was looked for."""
    if options.server_print and not (options.output == "yaml" or _NO_TABLE.search(options.output)):
        environment.note("table-fallback", error="attempt to decode non-Table object")


def as_list(items: Iterable[Any], resource_version: str = "") -> dict[str, Any]:
    """The List that kubectl shows several objects in."""
    return {
        "apiVersion": "v1",
        "items": list(items),
        "kind": "List",
        "metadata": {"resourceVersion": resource_version},
    }


def _sorted(value: dict[str, Any], field: str) -> dict[str, Any]:
    from kubetrace.printing.sorting import sort_objects

    return {**value, "items": sort_objects(value["items"], field, lambda item: item)}
