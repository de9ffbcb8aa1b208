"""Printers chosen by -o, and what each prints. The words of the errors are kubectl 1.36's."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from kubetrace.errors import KubetraceError
from kubetrace.printing.formats import OutputOptions, get_printer, resource_printer
from kubetrace.printing.printers import WatchEvent
from kubetrace.wire.go_struct import TypedObject

POD: dict[str, Any] = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {"name": "web", "managedFields": [{"manager": "x"}]},
}
WIDGET: dict[str, Any] = {"kind": "Widget", "apiVersion": "example.com/v1", "metadata": {"name": "w"}}
LIST: dict[str, Any] = {"kind": "List", "apiVersion": "v1", "items": [POD, WIDGET], "metadata": {"resourceVersion": ""}}


def printed(value: Any, **options: Any) -> str:
    out = io.StringIO()
    printer = get_printer(OutputOptions(**options), {})
    assert printer is not None
    printer.print(value, out)
    return out.getvalue()


@pytest.mark.parametrize("output", ["", "wide"])
def test_tables_are_printed_elsewhere(output: str) -> None:
    assert get_printer(OutputOptions(output=output), {}) is None


def test_json_has_four_blanks_and_no_managed_fields() -> None:
    assert printed(WIDGET, output="json").startswith('{\n    "apiVersion": "example.com/v1",\n')
    assert "managedFields" not in printed(LIST, output="JSON")
    assert "managedFields" in printed(LIST, output="json", show_managed_fields=True)


def test_hiding_managed_fields_leaves_the_object_alone() -> None:
    printed(POD, output="yaml")
    assert "managedFields" in POD["metadata"]


def test_yaml_documents_are_separated() -> None:
    out = io.StringIO()
    printer = get_printer(OutputOptions(output="yaml"), {})
    assert printer is not None
    printer.print(WIDGET, out)
    printer.print(WIDGET, out)
    document = "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: w\n"
    assert out.getvalue() == f"{document}---\n{document}"


def test_names_carry_the_group_and_lists_are_taken_apart() -> None:
    assert printed(LIST, output="name") == "pod/web\nwidget.example.com/w\n"
    assert printed(WatchEvent("ADDED", POD), output="name") == "pod/web\n"


@pytest.mark.parametrize("items", [[POD], None])
def test_lists_of_structs_have_no_names(items: Any) -> None:
    with pytest.raises(KubetraceError, match=r"^list types are not supported by name printing: \*v1.PodList$"):
        printed(TypedObject(kind="PodList", apiVersion="v1", items=items), output="name")


@pytest.mark.parametrize(("output", "text"), [("", "pod/web created\n"), ("name", "pod/web\n")])
def test_without_a_format_commands_say_what_was_done(output: str, text: str) -> None:
    out = io.StringIO()
    resource_printer(OutputOptions(output=output, operation="created"), {}).print(POD, out)
    assert out.getvalue() == text


def test_templates_may_come_from_files(tmp_path: Path) -> None:
    path = tmp_path / "template"
    path.write_text("{.kind}\n")
    assert printed(POD, output=f"jsonpath-file={path}") == "Pod\n"
    path.write_text("KIND NAME\n.kind .metadata.name\n")
    assert printed(POD, output=f"custom-columns-file={path}") == "KIND   NAME\nPod    web\n"


def test_a_separate_template_serves_the_format_without_one() -> None:
    assert printed(POD, output="jsonpath", template="{.kind}") == "Pod"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"output": "foo"},
            'unable to match a printer suitable for the output format "foo", allowed formats are: '
            "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,"
            "jsonpath-file,kyaml,name,template,templatefile,wide,yaml",
        ),
        ({"output": "jsonpath"}, "template format specified but no template given"),
        ({"output": "jsonpath={.x"}, "error parsing jsonpath {.x, unclosed action"),
        (
            {"output": "jsonpath-file=/nope"},
            "error reading --template /nope, open /nope: no such file or directory",
        ),
        ({"output": "custom-columns"}, "custom-columns format specified but no custom columns given"),
        ({"output": "custom-columns=A"}, "unexpected custom-columns spec: A, expected <header>:<json-path-expr>"),
    ],
)
def test_what_no_printer_understands_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(KubetraceError) as error:
        get_printer(OutputOptions(**options), {})
    assert str(error.value) == message


def test_kyaml_can_be_withdrawn() -> None:
    with pytest.raises(KubetraceError, match=r"allowed formats are: (?!.*kyaml)"):
        get_printer(OutputOptions(output="kyaml"), {"KUBECTL_KYAML": "false"})


def test_a_missing_key_is_told_with_the_template_and_the_object() -> None:
    with pytest.raises(KubetraceError) as error:
        printed(WIDGET, output="jsonpath={.nope}", allow_missing_keys=False)
    assert str(error.value) == (
        'error executing jsonpath "{.nope}": Error executing template: nope is not found. '
        "Printing more information for debugging the template:\n\ttemplate was:\n\t\t{.nope}\n"
        "\tobject given to jsonpath engine was:\n\t\t"
        'map[string]interface {}{"apiVersion":"example.com/v1", "kind":"Widget", '
        '"metadata":map[string]interface {}{"name":"w"}}\n\n\n'
    )
