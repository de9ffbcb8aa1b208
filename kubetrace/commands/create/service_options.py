"""What the four `create service` commands share (kubectl pkg/cmd/create/create_service.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import GeneratedOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.cmdline.command import Arguments
    from kubetrace.environment import Environment


class CreateServiceOptions(GeneratedOptions):
    tcp: tuple[str, ...] = flag((), help="A port, and the port of the pods: PORT[:TARGETPORT].")


def create_service(
    environment: Environment,
    options: CreateServiceOptions,
    arguments: Arguments,
    kind: str,
    *,
    cluster_ip: str = "",
    node_port: int = 0,
    external_name: str = "",
) -> None:
    """Checks, makes and sends a Service of the type `kind`."""
    from kubetrace.api import names
    from kubetrace.api.typed_kinds import SERVICES
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators.services import service
    from kubetrace.value import replace

    # kubectl has the flag --save-config here and never looks at it.
    creation = prepare(environment, replace(options, save_config=False), arguments)
    if cluster_ip != "None" and not options.tcp and kind != "ExternalName":
        raise KubetraceError("at least one tcp port specifier must be provided")
    if kind == "ExternalName" and names.dns_subdomain(external_name):
        raise KubetraceError(f"invalid service external name {external_name}")
    value = service(
        creation.name,
        creation.namespace,
        kind,
        options.tcp,
        cluster_ip=cluster_ip,
        node_port=node_port,
        external_name=external_name,
    )
    creation.create(value, SERVICES, f"failed to create {kind} service: ")
