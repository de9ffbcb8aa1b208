"""`config get-clusters` (kubectl pkg/cmd/config/get_clusters.go). Sorted by name; kubectl
prints them in no order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command, NoOptions
from kubetrace.commands.config.common import sources
from kubetrace.kubeconfig.loader import starting_config

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: NoOptions, arguments: Arguments) -> None:
    config = starting_config(sources(environment))
    environment.stdout.write("".join(f"{name}\n" for name in ("NAME", *sorted(config.clusters))))


COMMAND = Command(
    run=run,
    usage="config get-clusters [flags] [options]",
    description="List the names of the clusters in the kubeconfig.",
    examples="""
    # Every cluster that the kubeconfig knows
    kubetrace config get-clusters
    """,
)
