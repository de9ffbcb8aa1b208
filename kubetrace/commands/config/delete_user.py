"""`config delete-user` (kubectl pkg/cmd/config/delete_user.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command, NoOptions
from kubetrace.commands.config.deleting import delete

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: NoOptions, arguments: Arguments) -> None:
    delete(environment, arguments, "user")


COMMAND = Command(
    run=run,
    words="user",
    usage="config delete-user NAME [options]",
    description="Delete a user from the kubeconfig.",
    examples="""
    # Forget the user "minikube"
    kubetrace config delete-user minikube
    """,
)
