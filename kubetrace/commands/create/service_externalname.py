"""`create service externalname` (kubectl pkg/cmd/create/create_service.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.create.service_options import CreateServiceOptions

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class CreateServiceExternalNameOptions(CreateServiceOptions):
    external_name: str = flag("", help="DNS name that the service stands for.", required=True)


def run(environment: Environment, options: CreateServiceExternalNameOptions, arguments: Arguments) -> None:
    from kubetrace.commands.create.service_options import create_service

    create_service(environment, options, arguments, "ExternalName", external_name=options.external_name)


COMMAND = Command(
    run=run,
    options=CreateServiceExternalNameOptions,
    usage="create service externalname NAME --external-name external.name [--dry-run=server|client|none] [options]",
    description="""
    Create a service of that name that stands for a DNS name.

    Pods that ask for the service get that name: no address and no ports of the cluster are involved.
    """,
    examples="""
    # What "db" means in this namespace
    kubetrace create service externalname db --external-name db.example.com
    """,
)
