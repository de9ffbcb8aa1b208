"""`create service loadbalancer` (kubectl pkg/cmd/create/create_service.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.create.service_options import CreateServiceOptions

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: CreateServiceOptions, arguments: Arguments) -> None:
    from kubetrace.commands.create.service_options import create_service

    create_service(environment, options, arguments, "LoadBalancer")


COMMAND = Command(
    run=run,
    options=CreateServiceOptions,
    usage="create service loadbalancer NAME [--tcp=port:targetPort] [--dry-run=server|client|none] [options]",
    description="Create a service of that name behind a load balancer.",
    examples="""
    # Port 5678, for port 8080 of the pods
    kubetrace create service loadbalancer web --tcp=5678:8080
    """,
)
