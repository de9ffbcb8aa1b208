"""Printers of objects. Each has one method, `print(value, out)`; printers wrap printers.

A value is what JSON decodes to. A watch event that is to be printed as such is wrapped in `WatchEvent`.
"""

from __future__ import annotations

from typing import Any, Protocol

from kubetrace.api.metadata import is_status, metadata, text
from kubetrace.errors import KubetraceError
from kubetrace.printing.jsonpath import JSONPath
from kubetrace.printing.jsonpath_parser import JSONPathError
from kubetrace.printing.tabwriter import TextSink
from kubetrace.value import Value
from kubetrace.wire.go_struct import TypedObject, go_type_of

Object = dict[str, Any]


class WatchEvent(Value):
    """An event of a watch: its type ("ADDED") and the object."""

    type: str
    object: Object

    def data(self) -> Object:
        """The event as JSON has it."""
        return {"type": self.type, "object": self.object}


Printed = Object | WatchEvent


class Printer(Protocol):
    def print(self, value: Printed, out: TextSink) -> None: ...


def is_list(value: Any) -> bool:
    """Is this a list of objects (it has items)?"""
    return isinstance(value, dict) and isinstance(value.get("items"), list)


def _with_kind(value: Object) -> Object:
    """The object; one that does not say what it is has its struct's kind (TypeSetterPrinter). Raises KubetraceError."""
    if value.get("kind") or value.get("apiVersion"):
        return value
    if not isinstance(value, TypedObject) or value.struct is None:
        raise KubetraceError(
            "missing apiVersion or kind; try GetObjectKind().SetGroupVersionKind() if you know the type"
        )
    version, kind = value.struct
    return TypedObject({"kind": kind, "apiVersion": version, **value})


def _compact(value: Printed) -> bytes:
    """JSON on one line; a watch event's type stands first."""
    from kubetrace.wire.go_json import dumps

    if isinstance(value, WatchEvent):
        return b'{"type":%b,"object":%b}' % (dumps(value.type), _compact(value.object))
    if is_status(value):
        from kubetrace.api.status import ordered
        from kubetrace.wire.go_json import dumps_in_order

        return dumps_in_order(ordered(value))
    return dumps(value)


class JSONPrinter:
    """-o json: four blanks, keys sorted or in their struct's order; a watch event stands on one line."""

    def print(self, value: Printed, out: TextSink) -> None:
        from kubetrace.api.go_words import struct_json
        from kubetrace.api.status import ordered
        from kubetrace.wire.go_json import dumps_in_order, dumps_indented, indented

        if isinstance(value, WatchEvent):
            out.write(_compact(value).decode() + "\n")
            return
        value = _with_kind(value)
        if is_status(value):  # kubectl's is a Go struct
            out.write(struct_json(ordered(value), indent=4).decode() + "\n")
            return
        text = indented(dumps_in_order(value)) if isinstance(value, TypedObject) else dumps_indented(value)
        out.write(text.decode() + "\n")


class YAMLPrinter:
    """-o yaml: documents after the first begin with a separator."""

    def __init__(self) -> None:
        from kubetrace.wire.go_yaml import Writer

        self._writer = Writer()
        self._count = 0

    def print(self, value: Printed, out: TextSink) -> None:
        from kubetrace.wire.go_yaml import UnrepresentableError

        self._count += 1
        if self._count > 1:
            out.write("---\n")
        if isinstance(value, dict):
            value = _with_kind(value)
        try:
            out.write(self._writer.dumps(value.data() if isinstance(value, WatchEvent) else value))
        except UnrepresentableError as error:
            raise KubetraceError(str(error)) from None


class KYAMLPrinter:
    """-o kyaml; every document begins with a separator."""

    def print(self, value: Printed, out: TextSink) -> None:
        from kubetrace.wire.go_kyaml import dumps, render
        from kubetrace.wire.go_yaml import UnrepresentableError

        try:
            if isinstance(value, WatchEvent):
                event, item = render(value.type), render(value.object, 1)
                out.write(f"---\n{{\n  type: {event},\n  object: {item},\n}}\n")
                return
            value = _with_kind(value)
            out.write(dumps(value, in_order=isinstance(value, TypedObject)))
        except UnrepresentableError as error:
            raise KubetraceError(f"error decoding: {error}") from None


class NamePrinter:
    """-o name: "pod/web", "deployment.apps/web"; with an `operation` what was done to it ("pod/web created")."""

    def __init__(self, operation: str = "") -> None:
        self._operation = f" {operation}" if operation else ""

    def print(self, value: Printed, out: TextSink) -> None:
        if isinstance(value, WatchEvent):
            value = value.object
        if isinstance(value, TypedObject) and "items" in value:
            raise KubetraceError(f"list types are not supported by name printing: {go_type_of(value)}")
        if is_list(value):
            out.write("".join(self._line(item) for item in value["items"]))
        else:
            out.write(self._line(value))

    def _line(self, value: Object) -> str:
        return f"{resource_name(value)}{self._operation}\n"


def resource_name(value: Object) -> str:
    """An object as kubectl names it: kind in lower case, its group, its name."""
    value = _with_kind(value)
    kind, group = value.get("kind"), str(value.get("apiVersion") or "").rpartition("/")[0]
    name = text(value, "name") or "<unknown>"
    if not kind:
        raise KubetraceError(f"missing kind for resource with name {name}")
    return f"{str(kind).lower()}.{group}/{name}" if group else f"{str(kind).lower()}/{name}"


class TypeSetter:
    """An item of a typed list says what it is before it is printed, in templates, too (cli-runtime
    pkg/printers/typesetter.go)."""

    def __init__(self, delegate: Printer) -> None:
        self._delegate = delegate

    def print(self, value: Printed, out: TextSink) -> None:
        if isinstance(value, TypedObject) and value.struct is not None:
            value = _with_kind(value)
        self._delegate.print(value, out)


class OmitManagedFields:
    """Takes metadata.managedFields out of objects and of lists' items. Watch events keep theirs, as in kubectl."""

    def __init__(self, delegate: Printer) -> None:
        self._delegate = delegate

    def print(self, value: Printed, out: TextSink) -> None:
        if isinstance(value, dict):
            value = (
                type(value)({**value, "items": [_unmanaged(item) for item in value["items"]]})
                if is_list(value)
                else _unmanaged(value)
            )
        self._delegate.print(value, out)


def _unmanaged(value: Any) -> Any:
    fields = metadata(value)
    if "managedFields" not in fields:
        return value
    kept = {key: item for key, item in fields.items() if key != "managedFields"}
    return type(value)({**value, "metadata": kept})


class JSONPathPrinter:
    """-o jsonpath and -o jsonpath-as-json."""

    def __init__(self, template: str, allow_missing_keys: bool, as_json: bool) -> None:
        try:
            self._path = JSONPath(template, allow_missing_keys)
        except JSONPathError as error:
            raise KubetraceError(f"error parsing jsonpath {template}, {error}") from None
        self._template = template
        self._as_json = as_json

    def print(self, value: Printed, out: TextSink) -> None:
        data = value.data() if isinstance(value, WatchEvent) else value
        if isinstance(data, TypedObject):
            data = _with_floats(data)
        try:
            out.write(self._path.render_json(data) if self._as_json else self._path.render(data))
        except JSONPathError as error:
            raise self._failure(error, data) from None

    def _failure(self, error: JSONPathError, data: Object) -> KubetraceError:
        from kubetrace.printing.go_values import go_syntax
        from kubetrace.wire.go_quote import quote

        return KubetraceError(
            f"error executing jsonpath {quote(self._template)}: Error executing template: {error}. "
            "Printing more information for debugging the template:\n"
            f"\ttemplate was:\n\t\t{self._template}\n"
            f"\tobject given to jsonpath engine was:\n\t\t{go_syntax(data)}\n\n\n"
        )


def _with_floats(value: Any) -> Any:
    """A struct's JSON as encoding/json reads it back: every number is a float."""
    if type(value) is int:
        return float(value)
    if isinstance(value, list):
        return [_with_floats(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_floats(item) for key, item in value.items()}
    return value


class GoTemplatePrinter:
    """-o go-template. A template that fails says so on stdout, too, below what it wrote before (cli-runtime
    pkg/printers/template.go)."""

    def __init__(self, template: str, allow_missing_keys: bool) -> None:
        from kubetrace.printing.go_template import GoTemplate, TemplateError

        try:
            self._template = GoTemplate(template, allow_missing_keys)
        except TemplateError as error:
            raise KubetraceError(f"error parsing template {template}, {error}") from None
        self._text = template

    def print(self, value: Printed, out: TextSink) -> None:
        from kubetrace.printing.go_template import TemplateError
        from kubetrace.wire.go_json import loads

        raw = _compact(value)
        data = loads(raw)  # not `value`: a float without a fraction (2.0) has become an integer
        try:
            self._template.execute(data, out.write)
        except TemplateError as error:
            from kubetrace.printing.go_values import sprint
            from kubetrace.wire.go_quote import quote

            out.write(
                f"Error executing template: {error}. Printing more information for debugging the template:\n"
                f"\ttemplate was:\n\t\t{self._text}\n"
                f"\traw data was:\n\t\t{raw.decode()}\n"
                f"\tobject given to template engine was:\n\t\t{sprint(data)}\n\n"
            )
            raise KubetraceError(f"error executing template {quote(self._text)}: {error}") from None


class ColumnsPrinter:
    """-o custom-columns; the header is printed once for each kind of value."""

    def __init__(self, printer: Any) -> None:
        self._printer = printer

    def print(self, value: Printed, out: TextSink) -> None:
        if isinstance(value, WatchEvent):
            self._printer.print(value.data(), out, kind="event")
        else:
            self._printer.print(value, out, value["items"] if is_list(value) else None)
