"""`kuberc view`: the preferences as they are; where there are none, the offer to write some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_RECOMMENDED = {
    "kind": "Preference",
    "apiVersion": "kubectl.config.k8s.io/v1beta1",
    "defaults": [
        {"command": "apply", "options": [{"name": "server-side", "default": "true"}]},
        {"command": "delete", "options": [{"name": "interactive", "default": "true"}]},
    ],
}


class ViewOptions(Value):
    allow_missing_template_keys: bool = flag(
        True, help="A template may name fields that are missing (go-template and jsonpath)."
    )
    output: str = flag(
        "yaml",
        "o",
        help="Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, "
        "jsonpath, jsonpath-as-json, jsonpath-file).",
    )
    show_managed_fields: bool = flag(False, help="Print metadata.managedFields, too (json and yaml).")
    template: str = flag("", help="Template, or file with it, for the template formats of -o.")


def run(environment: Environment, options: ViewOptions, arguments: Arguments) -> None:
    from kubetrace.commands.kuberc import file
    from kubetrace.printing.formats import OutputOptions, resource_printer

    path, named = file.kuberc_path(environment)
    data = file.read(path)
    if data is None:
        if named:
            raise KubetraceError(f"kuberc file not found at {path}")
        _offer(environment, path)
        return
    content = file.preference(file.parsed(data))
    content["defaults"] = content["defaults"] or []
    content["aliases"] = content["aliases"] or []
    output = OutputOptions(
        "" if options.template and not arguments.changed("output") else options.output,
        options.template,
        options.allow_missing_template_keys,
        options.show_managed_fields,
    )
    resource_printer(output, environment.environ).print(content, environment.stdout)


def _offer(environment: Environment, path: object) -> None:
    from kubetrace.commands.kuberc import file

    environment.stdout.write(
        f"kuberc file not found at {path}\n"
        "Would you like to generate a default kuberc file with recommended options? (y/N): "
    )
    environment.stdout.flush()
    if environment.stdin.readline().strip().lower() == b"y":
        file.save(environment, _RECOMMENDED, file.kuberc_path(environment)[0])


COMMAND = Command(
    run=run,
    options=ViewOptions,
    usage="kuberc view",
    description="Show the preferences of the kuberc file.",
    examples="""
    # As YAML, and as JSON
    kubetrace kuberc view
    kubetrace kuberc view -o json

    # Another file
    kubetrace kuberc view --kuberc ./kuberc
    """,
)
