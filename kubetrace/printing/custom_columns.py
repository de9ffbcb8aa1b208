"""-o custom-columns (kubectl pkg/cmd/get/customcolumn.go)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubetrace.errors import KubetraceError
from kubetrace.printing.go_values import sprint
from kubetrace.printing.jsonpath import JSONPath
from kubetrace.printing.jsonpath_parser import JSONPathError, relaxed
from kubetrace.printing.tabwriter import TabWriter, TextSink, escape_terminal
from kubetrace.value import Value


class Column(Value):
    header: str
    path: str


def parse_spec(spec: str) -> list[Column]:
    """Columns written as "NAME:.metadata.name,IP:.status.podIP". Raises KubetraceError."""
    if not spec:
        raise KubetraceError("custom-columns format specified but no custom columns given")
    columns = []
    for part in spec.split(","):
        header, colon, path = part.partition(":")
        if not colon:
            raise KubetraceError(f"unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>")
        columns.append(Column(header, _relaxed(path)))
    return columns


def parse_template(text: str) -> list[Column]:
    """Columns written as a line of headers and a line of paths. Raises KubetraceError."""
    lines = text.removesuffix("\n").split("\n") if text else []
    expected = "Expected format is one line of space separated headers, one line of space separated column specs."
    for count, what in enumerate(("header", "spec")):
        if len(lines) <= count:
            raise KubetraceError(f"invalid template, missing {what} line. {expected}")
    headers, paths = lines[0].split(), lines[1].split()
    if len(headers) != len(paths):
        raise KubetraceError(f"number of headers ({len(headers)}) and field specifications ({len(paths)}) don't match")
    return [Column(header, _relaxed(path)) for header, path in zip(headers, paths, strict=True)]


def _relaxed(path: str) -> str:
    try:
        return relaxed(path)
    except JSONPathError as error:
        raise KubetraceError(str(error)) from None


class CustomColumnsPrinter:
    """Prints lists and single objects; the header stands once for each kind of value."""

    def __init__(self, columns: Sequence[Column], no_headers: bool = False) -> None:
        self._columns = columns
        self._no_headers = no_headers
        self._last_kind = ""

    def print(self, value: dict[str, Any], out: TextSink, items: Sequence[Any] | None = None, kind: str = "") -> None:
        """Prints one object, or the `items` of a list. `kind` tells what the header was last printed for. A tab writer
        as `out` is left to its owner to flush."""
        writer = out if isinstance(out, TabWriter) else TabWriter(out)
        kind = kind or ("list" if items is not None else "object")
        if not self._no_headers and kind != self._last_kind:
            writer.write("\t".join(column.header for column in self._columns) + "\n")
            self._last_kind = kind
        try:
            paths = [JSONPath(column.path, allow_missing_keys=True) for column in self._columns]
            for item in [value] if items is None else items:
                writer.write("\t".join(_cell(path, item) for path in paths) + "\n")
        except JSONPathError as error:
            raise KubetraceError(str(error)) from None
        finally:
            if writer is not out:
                writer.flush()


def _cell(path: JSONPath, item: Any) -> str:
    found = path.find(item)
    texts = [escape_terminal(sprint(value)) for values in found for value in values]
    if not found or not found[0]:
        texts.insert(0, "<none>")
    return ",".join(texts)
