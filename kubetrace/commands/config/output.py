"""The forms of `config view -o`."""

from __future__ import annotations

from typing import Any

from kubetrace.errors import KubetraceError

_FORMATS = (
    "go-template",
    "go-template-file",
    "json",
    "jsonpath",
    "jsonpath-as-json",
    "jsonpath-file",
    "kyaml",
    "name",
    "template",
    "templatefile",
    "yaml",
)


def check_format(output: str, template: str) -> None:
    """Refuses an unknown -o with kubectl's words (genericclioptions.NoCompatiblePrinterError)."""
    name = output.partition("=")[0]
    if name not in _FORMATS:
        allowed = ",".join(_FORMATS)
        raise KubetraceError(
            f'unable to match a printer suitable for the output format "{output}", allowed formats are: {allowed}'
        )


def render(document: dict[str, Any], output: str, template: str, allow_missing: bool) -> str:
    """The document in the asked form."""
    if output == "yaml":
        from kubetrace.wire.go_yaml import dumps

        return dumps(document)
    if output == "json":
        import json

        text = json.dumps(document, indent=4, ensure_ascii=False)
        return _html_safe(text) + "\n"
    if output == "name":
        return "config/<unknown>\n"  # a Config has no name; kubectl says so
    raise KubetraceError(f"-o {output} is not supported by this command yet")


def _html_safe(text: str) -> str:
    """encoding/json escapes what could end an HTML script."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
