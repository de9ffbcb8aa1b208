"""Which printer an -o value means, and kubectl's words where it means none (cli-runtime pkg/genericclioptions).

One table of formats makes the printers, the help's list and the error's list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from kubetrace.errors import KubetraceError, os_words, read_words
from kubetrace.printing.printers import (
    ColumnsPrinter,
    GoTemplatePrinter,
    JSONPathPrinter,
    JSONPrinter,
    KYAMLPrinter,
    NamePrinter,
    OmitManagedFields,
    Printer,
    TypeSetter,
    YAMLPrinter,
)
from kubetrace.value import Value

_OBJECT = ("json", "yaml", "kyaml")
_TEMPLATE = ("go-template", "go-template-file", "template", "templatefile")
_JSONPATH = ("jsonpath", "jsonpath-as-json", "jsonpath-file")
_COLUMNS = ("custom-columns", "custom-columns-file")

RESOURCE_FORMATS = (*_OBJECT, "name", *_TEMPLATE, *_JSONPATH)
"""What commands that print single objects take (create, apply, delete …)."""

GET_FORMATS = (*_OBJECT, "name", *_TEMPLATE, *_JSONPATH, *_COLUMNS, "wide")


class OutputOptions(Value):
    """The flags of printing. `operation` is what -o name and the default output say was done ("created")."""

    output: str = ""
    template: str = ""
    allow_missing_keys: bool = True
    show_managed_fields: bool = False
    no_headers: bool = False
    operation: str = ""


def unknown_format(output: str, formats: Iterable[str], environ: Mapping[str, str]) -> KubetraceError:
    """kubectl's word on an -o value that nothing understands."""
    from kubetrace.trace.go_text import quote

    known = ",".join(sorted(allowed(formats, environ)))
    quoted = quote(output).decode()
    return KubetraceError(
        f"unable to match a printer suitable for the output format {quoted}, allowed formats are: {known}"
    )


def allowed(formats: Iterable[str], environ: Mapping[str, str]) -> list[str]:
    """The formats on offer; KUBECTL_KYAML=false withdraws kyaml."""
    without_kyaml = environ.get("KUBECTL_KYAML", "").lower() == "false"
    return [name for name in formats if not (name == "kyaml" and without_kyaml)]


def resource_printer(options: OutputOptions, environ: Mapping[str, str]) -> Printer:
    """The printer of a command that prints single objects; without -o the names with what was done.

    Raises KubetraceError for an unknown format or a bad template.
    """
    output = "go-template" if options.template and not options.output else options.output
    printer = _object_printer(options, output.lower(), environ)
    if printer is None and output.lower() in ("", "name"):
        printer = NamePrinter("" if output else options.operation)
    printer = printer or _template_printer(options, output)
    if printer is None:
        raise unknown_format(options.output, RESOURCE_FORMATS, environ)
    return TypeSetter(printer)


def editor_printer(options: OutputOptions, environ: Mapping[str, str]) -> Printer:
    """How objects look in an editor: JSON or YAML. Raises KubetraceError for any other format."""
    printer = _object_printer(options, options.output.lower(), environ)
    if printer is None:
        raise unknown_format(options.output, _OBJECT, environ)
    return printer


def get_printer(options: OutputOptions, environ: Mapping[str, str]) -> Printer | None:
    """`get`'s printer; None for the table's (no -o, or wide). Raises KubetraceError."""
    output = "go-template" if options.template and not options.output else options.output
    printer = _template_printer(options, output) or _object_printer(options, output.lower(), environ)
    if printer is not None:
        return printer
    if output in ("", "wide"):
        return None
    printer = _columns_printer(options, output)
    if printer is None and output.lower() == "name":
        printer = NamePrinter()
    if printer is None:
        raise unknown_format(output, GET_FORMATS, environ)
    return printer


def _object_printer(options: OutputOptions, output: str, environ: Mapping[str, str]) -> Printer | None:
    printer: Printer
    if output not in allowed(_OBJECT, environ):
        return None
    if output == "json":
        printer = JSONPrinter()
    elif output == "yaml":
        printer = YAMLPrinter()
    else:
        printer = KYAMLPrinter()
    return printer if options.show_managed_fields else OmitManagedFields(printer)


def _template_printer(options: OutputOptions, output: str) -> Printer | None:
    name, template = _split(options, output, _JSONPATH)
    if name:
        text = _template_text(name, template)
        return JSONPathPrinter(text, options.allow_missing_keys, name == "jsonpath-as-json")
    name, template = _split(options, output, _TEMPLATE)
    if name:
        return GoTemplatePrinter(_template_text(name, template), options.allow_missing_keys)
    return None


def _split(options: OutputOptions, output: str, formats: tuple[str, ...]) -> tuple[str, str]:
    """The format and its template: "-o FORMAT=TEMPLATE", or --template beside "-o FORMAT"."""
    if options.template:
        return (output, options.template) if output in formats else ("", "")
    name, _, template = output.partition("=")
    return (name, template) if name in formats else ("", "")


_FILES = ("jsonpath-file", "go-template-file", "templatefile")
"""Formats whose template is a file's name."""


def _template_text(name: str, template: str) -> str:
    if not template:
        raise KubetraceError("template format specified but no template given")
    if name not in _FILES:
        return template
    try:
        return Path(template).read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise KubetraceError(f"error reading --template {template}, {read_words(template, error)}") from None


def _columns_printer(options: OutputOptions, output: str) -> Printer | None:
    from kubetrace.printing.custom_columns import CustomColumnsPrinter, parse_spec, parse_template

    name, template = _split(options, output, _COLUMNS)
    if not name:
        return None
    if not template:
        raise KubetraceError("custom-columns format specified but no custom columns given")
    if name == "custom-columns":
        return ColumnsPrinter(CustomColumnsPrinter(parse_spec(template), options.no_headers))
    try:
        text = Path(template).read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise KubetraceError(f"error reading template {template}, {os_words('open', template, error)}\n") from None
    return ColumnsPrinter(CustomColumnsPrinter(parse_template(text)))
