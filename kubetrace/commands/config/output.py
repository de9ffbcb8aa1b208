"""The forms of `config view -o`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.printing.printers import Printed, Printer
    from kubetrace.printing.tabwriter import TextSink


class TypedJSONPrinter(Value):
    """-o json of a typed object: its fields stand in the order of client-go's structs, not sorted."""

    def print(self, value: Printed, out: TextSink) -> None:
        import json

        text = json.dumps(value, indent=4, ensure_ascii=False)
        for character in "<>&\u2028\u2029":  # encoding/json escapes what could end an HTML script
            text = text.replace(character, f"\\u{ord(character):04x}")
        out.write(text + "\n")


class NamelessPrinter(Value):
    """-o name: a kubeconfig has no name, and kubectl says so."""

    def print(self, value: Printed, out: TextSink) -> None:
        out.write("config/<unknown>\n")


class PlainYAMLPrinter(Value):
    """The default: one YAML document."""

    def print(self, value: Printed, out: TextSink) -> None:
        from kubetrace.wire.go_yaml import dumps

        out.write(dumps(value))


class TypedKYAMLPrinter(Value):
    """-o kyaml: the fields in the structs' order, too."""

    def print(self, value: Printed, out: TextSink) -> None:
        from kubetrace.wire.go_kyaml import dumps

        out.write(dumps(value, in_order=True))


_OWN: dict[str, Any] = {"json": TypedJSONPrinter, "name": NamelessPrinter, "yaml": PlainYAMLPrinter}


def printer(output: str, template: str, allow_missing_keys: bool, environ: Mapping[str, str]) -> Printer:
    """The printer of an -o value. Raises KubetraceError with kubectl's words for an unknown one."""
    own = _OWN.get(output.lower())
    if output.lower() == "kyaml" and environ.get("KUBECTL_KYAML", "").lower() != "false":
        own = TypedKYAMLPrinter
    if own is not None:
        made: Printer = own()
        return made
    from kubetrace.printing.formats import OutputOptions, resource_printer

    return resource_printer(OutputOptions(output, template, allow_missing_keys), environ)
