"""`create service clusterip` (kubectl pkg/cmd/create/create_service.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.create.service_options import CreateServiceOptions

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class CreateServiceClusterIPOptions(CreateServiceOptions):
    clusterip: str = flag("", help="Address of the service; 'None' for a headless one.")


def run(environment: Environment, options: CreateServiceClusterIPOptions, arguments: Arguments) -> None:
    from kubetrace.commands.create.service_options import create_service

    create_service(environment, options, arguments, "ClusterIP", cluster_ip=options.clusterip)


COMMAND = Command(
    run=run,
    options=CreateServiceClusterIPOptions,
    usage="create service clusterip NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none] [options]",
    description="Create a service of that name with an address in the cluster.",
    examples="""
    # Port 5678, for port 8080 of the pods
    kubetrace create service clusterip web --tcp=5678:8080

    # Headless
    kubetrace create service clusterip web --clusterip=None
    """,
)
