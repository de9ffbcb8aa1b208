"""`create serviceaccount` (kubectl pkg/cmd/create/create_serviceaccount.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.shared_options import GeneratedOptions

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: GeneratedOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import SERVICE_ACCOUNTS
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators.metadata import new_object

    creation = prepare(environment, options, arguments)
    creation.require_name()
    value = new_object("v1", "ServiceAccount", creation.name, creation.namespace)
    creation.create(value, SERVICE_ACCOUNTS, "failed to create serviceaccount: ")


COMMAND = Command(
    run=run,
    options=GeneratedOptions,
    usage="create serviceaccount NAME [--dry-run=server|client|none] [options]",
    description="Create a service account of that name.",
    examples="""
    # The service account "builder"
    kubetrace create serviceaccount builder
    """,
)
