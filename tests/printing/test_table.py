"""Tables as text. data/tables.json holds what cli-runtime v0.36.3's table printer wrote for random tables."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from kubetrace.printing.table import TableOptions, TablePrinter
from kubetrace.printing.tabwriter import TabWriter

RECORDED = json.loads((Path(__file__).parent / "data" / "tables.json").read_text())["vectors"]


def options_of(recorded: dict[str, Any]) -> TableOptions:
    kind = recorded["Kind"]
    return TableOptions(
        no_headers=recorded["NoHeaders"],
        with_namespace=recorded["WithNamespace"],
        with_kind=recorded["WithKind"],
        wide=recorded["Wide"],
        show_labels=recorded["ShowLabels"],
        kind=f"{kind['Kind']}.{kind['Group']}".rstrip("."),
        column_labels=tuple(recorded["ColumnLabels"] or ()),
    )


def printed(values: list[dict[str, Any]], options: TableOptions, event: str = "") -> str:
    out = io.StringIO()
    writer = TabWriter(out)
    printer = TablePrinter(options, lambda: 1_000_000_000.0)
    for value in values:
        printer.print(value, writer, event)
    writer.flush()
    return out.getvalue()


@pytest.mark.parametrize("vector", RECORDED, ids=range(len(RECORDED)))
def test_tables_are_laid_out_as_cli_runtime_lays_them_out(vector: dict[str, Any]) -> None:
    assert printed([vector["table"]], options_of(vector["options"])) == vector["text"]


POD = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "creationTimestamp": "2001-09-09T01:41:40Z",
        "labels": {"app": "x"},
    },
}


def test_objects_without_a_table_show_name_and_age() -> None:
    assert printed([POD, POD], TableOptions()) == "NAME   AGE\nweb    5m\nweb    5m\n"


def test_objects_without_a_table_take_the_same_added_columns() -> None:
    options = TableOptions(with_namespace=True, with_kind=True, kind="Pod", show_labels=True, column_labels=("app",))
    assert printed([POD], options) == (
        "NAMESPACE   NAME      AGE   APP   LABELS\nshop        pod/web   5m    x     app=x\n"
    )


TABLE = {
    "kind": "Table",
    "apiVersion": "meta.k8s.io/v1",
    "columnDefinitions": [{"name": "Name", "type": "string", "format": "name"}, {"name": "Status", "type": "string"}],
    "rows": [{"cells": ["web", "Running"]}],
}


def test_later_tables_of_a_watch_repeat_no_header_and_keep_the_columns() -> None:
    later = {**TABLE, "columnDefinitions": None, "rows": [{"cells": ["w", "Done"]}]}
    assert printed([TABLE, later], TableOptions()) == "NAME   STATUS\nweb    Running\nw      Done\n"


def test_watch_events_get_a_column() -> None:
    assert printed([TABLE], TableOptions(), "ADDED") == "EVENT      NAME   STATUS\nADDED      web    Running\n"


def test_widths_are_remembered_from_flush_to_flush_until_forgotten() -> None:
    out = io.StringIO()
    writer = TabWriter(out)
    writer.write("a long first cell\tb\n")
    writer.flush()
    writer.write("c\td\n")
    writer.flush()
    writer.forget_widths()
    writer.write("c\td\n")
    writer.flush()
    assert out.getvalue() == "a long first cell   b\nc                   d\nc     d\n"
