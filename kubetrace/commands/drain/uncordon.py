"""`uncordon`: pods may come to a node again (kubectl pkg/cmd/drain)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.drain.nodes import NodeOptions, change_cordon

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: NodeOptions, arguments: Arguments) -> None:
    change_cordon(environment, options, arguments, cordoned=False)


COMMAND = Command(
    run=run,
    options=NodeOptions,
    words="names:node",
    usage="uncordon NODE [options]",
    description="Let pods come to a node again.",
    examples="""
    # Let pods come again
    kubetrace uncordon one
    """,
)
