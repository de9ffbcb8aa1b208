"""`config delete-cluster` (kubectl pkg/cmd/config/delete_cluster.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command, NoOptions
from kubetrace.commands.config.deleting import delete

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: NoOptions, arguments: Arguments) -> None:
    delete(environment, arguments, "cluster")


COMMAND = Command(
    run=run,
    words="cluster",
    usage="config delete-cluster NAME [options]",
    description="Delete a cluster from the kubeconfig.",
    examples="""
    # Forget the cluster "minikube"
    kubetrace config delete-cluster minikube
    """,
)
