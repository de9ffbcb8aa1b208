"""`config set-context` (kubectl pkg/cmd/config/set_context.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.config.common import sources, wrong_arguments
from kubetrace.errors import KubetraceError
from kubetrace.kubeconfig.loader import starting_config
from kubetrace.kubeconfig.modify import modify
from kubetrace.kubeconfig.sections import Context
from kubetrace.value import Value, replace
from kubetrace.wire.go_strconv import go_quote

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class SetContextOptions(Value):
    cluster: str = flag("", help="The context's cluster.")
    current: bool = flag(False, help="Change the current context.")
    namespace: str = flag("", "n", help="The context's namespace.", completion="namespace")
    user: str = flag("", help="The context's user.")


def run(environment: Environment, options: SetContextOptions, arguments: Arguments) -> None:
    if len(arguments.words) > 1:
        raise wrong_arguments(environment, arguments)
    name = arguments.words[0] if arguments.words else ""
    if not name and not options.current:
        raise KubetraceError("you must specify a non-empty context name or --current")
    if name and options.current:
        raise KubetraceError("you cannot specify both a context name and --current")
    files = sources(environment)
    config = starting_config(files)
    if options.current:
        name = config.current_context
        if not name:
            raise KubetraceError("no current context is set")
    changes: dict[str, Any] = {
        field: getattr(options, field) for field in ("cluster", "user", "namespace") if arguments.changed(field)
    }
    context = replace(config.contexts.get(name) or Context(), **changes)
    modify(files, replace(config, contexts={**config.contexts, name: context}))
    done = "modified" if name in config.contexts else "created"
    environment.stdout.write(f"Context {go_quote(name)} {done}.\n")


COMMAND = Command(
    run=run,
    options=SetContextOptions,
    words="context",
    usage=(
        "config set-context [NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname]"
        " [--namespace=namespace] [options]"
    ),
    description="""
    Add a context to the kubeconfig, or change one.

    Of a context that exists, only the given fields change.
    """,
    examples="""
    # The context "gce" uses the user "cluster-admin"
    kubetrace config set-context gce --user=cluster-admin
    """,
)
