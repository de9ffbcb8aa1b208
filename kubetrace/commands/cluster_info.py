"""`cluster-info`: where the API server and the cluster's services are (kubectl pkg/cmd/clusterinfo)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.api.metadata import string_map, text
from kubetrace.cmdline.command import Arguments, Command, NoOptions

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.environment import Environment

SELECTOR = "kubernetes.io/cluster-service=true"


def run(environment: Environment, options: NoOptions, arguments: Arguments) -> None:
    from kubetrace.api.builder import Request, build
    from kubetrace.api.selection import Selection
    from kubetrace.trace.exchange import Purpose

    selection = Selection(label_selector=SELECTOR)
    selection.add_arguments(["services"])
    request = Request(
        selection,
        namespace=environment.options.namespace or "kube-system",
        default_namespace=True,
        purpose=Purpose("cluster-info", "cluster-info: which services belong to the cluster itself?"),
    )
    server = environment.rest_config().server

    def show(info: Info) -> None:
        services = info.object or {}
        _check(services)
        environment.stdout.write(_line("Kubernetes control plane", server))
        for service in services.get("items") or ():
            environment.stdout.write(_service_line(server, service))

    try:
        build(environment.cluster.typed, request).visit(show)
    finally:
        environment.stdout.write("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n")


def _check(services: dict[str, Any]) -> None:
    """Raises KubetraceError for an answer that is no ServiceList, of which kubectl panics."""
    from kubetrace.errors import KubetraceError

    version, kind = str(services.get("apiVersion") or ""), str(services.get("kind") or "")
    if (version, kind) != ("v1", "ServiceList"):
        raise KubetraceError(f"the server answered with a {kind} where a ServiceList was asked for")


def _line(name: str, link: str) -> str:
    return f"{name} is running at {link}\n"


def _service_line(server: str, service: dict[str, Any]) -> str:
    name = string_map(service, "labels").get("kubernetes.io/name") or text(service, "name")
    return _line(name, _link(server, service))


def _link(server: str, service: dict[str, Any]) -> str:
    """A load balancer's own addresses, or the way through the API server's proxy."""
    ports = (service.get("spec") or {}).get("ports") or []
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    if ingress:
        address = ingress[0].get("ip") or ingress[0].get("hostname") or ""
        return "".join(f"http://{address}:{port.get('port') or 0} " for port in ports)
    name = text(service, "name")
    if ports:
        name = _proxy_name(name, ports[0])
    return f"{server}/api/v1/namespaces/{text(service, 'namespace')}/services/{name}/proxy"


def _proxy_name(name: str, port: dict[str, Any]) -> str:
    """SCHEME:NAME:PORT, as the API server's proxy reads it (utilnet.JoinSchemeNamePort)."""
    port_name = port.get("name") or ""
    if port_name == "https" or port.get("port") == 443:
        return f"https:{name}:{port_name}"
    return f"{name}:{port_name}" if port_name else name


COMMAND = Command(
    run=run,
    usage="cluster-info [flags] [options]",
    description=(
        "Show the addresses of the control plane and of the services that carry the label "
        "kubernetes.io/cluster-service=true."
    ),
    examples="""
    # The control plane's address and those of the cluster's own services
    kubetrace cluster-info
    """,
)
