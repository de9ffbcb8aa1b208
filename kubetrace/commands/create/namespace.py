"""`create namespace` (kubectl pkg/cmd/create/create_namespace.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.shared_options import GeneratedOptions

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: GeneratedOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import NAMESPACES
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators.metadata import new_object

    creation = prepare(environment, options, arguments, namespaced=False)
    creation.require_name()
    creation.create(new_object("v1", "Namespace", creation.name), NAMESPACES)


COMMAND = Command(
    run=run,
    options=GeneratedOptions,
    usage="create namespace NAME [--dry-run=server|client|none] [options]",
    description="Create a namespace of that name.",
    examples="""
    # The namespace "shop"
    kubetrace create namespace shop
    """,
)
