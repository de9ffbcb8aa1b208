"""`create service nodeport` (kubectl pkg/cmd/create/create_service.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.create.service_options import CreateServiceOptions

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class CreateServiceNodePortOptions(CreateServiceOptions):
    node_port: int = flag(0, help="Port of the service on each node.")


def run(environment: Environment, options: CreateServiceNodePortOptions, arguments: Arguments) -> None:
    from kubetrace.commands.create.service_options import create_service

    create_service(environment, options, arguments, "NodePort", node_port=options.node_port)


COMMAND = Command(
    run=run,
    options=CreateServiceNodePortOptions,
    usage="create service nodeport NAME [--tcp=port:targetPort] [--dry-run=server|client|none] [options]",
    description="Create a service of that name that every node serves on a port.",
    examples="""
    # Port 5678, for port 8080 of the pods
    kubetrace create service nodeport web --tcp=5678:8080
    """,
)
