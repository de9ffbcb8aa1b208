"""`config delete-context` (kubectl pkg/cmd/config/delete_context.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command, NoOptions
from kubetrace.commands.config.deleting import delete

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: NoOptions, arguments: Arguments) -> None:
    delete(environment, arguments, "context")


COMMAND = Command(
    run=run,
    words="context",
    usage="config delete-context NAME [options]",
    description="Delete a context from the kubeconfig.",
    examples="""
    # Forget the context "minikube"
    kubetrace config delete-context minikube
    """,
)
