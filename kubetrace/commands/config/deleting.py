"""What `delete-cluster`, `delete-context` and `delete-user` do (kubectl pkg/cmd/config/delete_*.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments
from kubetrace.commands.config.common import show_help, sources
from kubetrace.errors import KubetraceError
from kubetrace.kubeconfig.loader import starting_config
from kubetrace.kubeconfig.modify import modify
from kubetrace.value import replace

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_ACTIVE = 'warning: this removed your active context, use "kubetrace config use-context" to select a different one\n'


def delete(environment: Environment, arguments: Arguments, kind: str) -> None:
    """Takes the named entry of a kind ("cluster", "context", "user") out of the file it stands in."""
    files = sources(environment)
    config = starting_config(files)
    if len(arguments.words) != 1:
        if kind == "user":
            raise arguments.usage_error("user to delete is required")
        show_help(environment, arguments)
        return
    name, where = arguments.words[0], files.default_file()
    entries = getattr(config, f"{kind}s")
    if name not in entries:
        raise KubetraceError(f"cannot delete {kind} {name}, not in {where}")
    if kind == "context" and config.current_context == name:
        environment.stderr.write(_ACTIVE)
    kept: dict[str, Any] = {f"{kind}s": {key: entry for key, entry in entries.items() if key != name}}
    modify(files, replace(config, **kept))
    environment.stdout.write(f"deleted {kind} {name} from {where}\n")
