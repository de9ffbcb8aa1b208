"""`config view` (kubectl pkg/cmd/config/view.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.colored import colored
from kubetrace.commands.config.common import sources
from kubetrace.commands.config.output import printer
from kubetrace.errors import KubetraceError
from kubetrace.kubeconfig.encode import encode
from kubetrace.kubeconfig.loader import load_file, starting_config
from kubetrace.kubeconfig.view import flattened, minified, redacted
from kubetrace.value import Value, replace

if TYPE_CHECKING:
    from kubetrace.environment import Environment
    from kubetrace.kubeconfig.loader import Sources
    from kubetrace.kubeconfig.sections import Config


class ViewOptions(Value):
    allow_missing_template_keys: bool = flag(
        True, help="A template may name fields that are missing (go-template and jsonpath)."
    )
    flatten: bool = flag(False, help="Put certificate and key files inline, to carry the file elsewhere.")
    merge: bool = flag(True, help="Merge all kubeconfig files.")
    minify: bool = flag(False, help="Show only what the current context uses.")
    output: str = flag(
        "yaml",
        "o",
        help="Output format. One of: (json, yaml, name, go-template, go-template-file, template, templatefile,"
        " jsonpath, jsonpath-as-json, jsonpath-file).",
    )
    raw: bool = flag(False, help="Show binary data, tokens and passwords.")
    show_managed_fields: bool = flag(False, help="Keep managedFields in JSON and YAML.")
    template: str = flag("", help="The template, or its file, for -o go-template and -o go-template-file.")


def run(environment: Environment, options: ViewOptions, arguments: Arguments) -> None:
    arguments.no_words()
    files = sources(environment)
    output = "" if options.template and not arguments.changed("output") else options.output
    out = printer(output, options.template, options.allow_missing_template_keys, environment.environ)
    out = colored(environment, out, output)
    if not options.merge and not files.explicit:
        raise KubetraceError("if merge==false a precise file must be specified")
    config = _shown(
        starting_config(files) if options.merge else _only_file(files), options, environment.options.context
    )
    out.print(encode(config), environment.stdout)


def _only_file(files: Sources) -> Config:
    return load_file(files.explicit, files.note)


def _shown(config: Config, options: ViewOptions, context: str) -> Config:
    if options.minify:
        config = minified(replace(config, current_context=context or config.current_context))
    if options.flatten:
        return flattened(config)
    return config if options.raw else redacted(config)


COMMAND = Command(
    run=run,
    options=ViewOptions,
    usage="config view [flags] [options]",
    description="""
    Show the merged kubeconfig, or the one file that --kubeconfig names.

    With --output jsonpath={...} only the values that a JSONPath expression selects are printed.
    """,
    examples="""
    # The merged kubeconfig
    kubetrace config view

    # With certificates and secrets as they are
    kubetrace config view --raw

    # The password of the user "e2e"
    kubetrace config view -o jsonpath='{.users[?(@.name == "e2e")].user.password}'
    """,
)
