"""`cordon`: no more pods come to a node (kubectl pkg/cmd/drain)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.drain.nodes import NodeOptions, change_cordon

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: NodeOptions, arguments: Arguments) -> None:
    change_cordon(environment, options, arguments, cordoned=True)


COMMAND = Command(
    run=run,
    options=NodeOptions,
    words="names:node",
    usage="cordon NODE [options]",
    description="Let no more pods come to a node. Those that are there stay.",
    examples="""
    # Keep pods off a node
    kubetrace cordon one
    """,
)
