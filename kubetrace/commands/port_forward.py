"""`port-forward`: local ports that lead to a pod's (kubectl pkg/cmd/portforward)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import pod_running_timeout
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.environment import Environment
    from kubetrace.transport.spdy import SPDYConnection
    from kubetrace.transport.tunnel_log import TunnelLog

_PROTOCOL = "portforward.k8s.io"
_TUNNEL = f"SPDY/3.1+{_PROTOCOL}"
_TUNNEL_PING, _PING = 10.0, 5.0
"""Seconds between two words that keep a connection open: through a WebSocket, and without one."""


class PortForwardOptions(Value):
    address: tuple[str, ...] = flag(
        ("localhost",),
        help="Where to listen: IP addresses, or localhost for 127.0.0.1 and ::1 (one of the two will do).",
    )
    pod_running_timeout: float = pod_running_timeout(60.0)


def run(environment: Environment, options: PortForwardOptions, arguments: Arguments) -> None:
    if len(arguments.words) < 2:
        raise arguments.usage_error("TYPE/NAME and list of ports are required for port-forward")
    _ = environment.namespace
    if options.pod_running_timeout <= 0:
        raise arguments.usage_error("--pod-running-timeout must be higher than zero")
    name, ports = _target(environment, options, arguments)
    environment.make_client()
    environment.rest_config()
    environment.make_client()
    _require_running(environment, name)
    try:
        _forward(environment, name, ports, options.address)
    except KeyboardInterrupt:  # kubectl's stop channel: an end like any other
        return


# --- which pod, which ports -------------------------------------------------------------------------------------------


def _target(environment: Environment, options: PortForwardOptions, arguments: Arguments) -> tuple[str, list[str]]:
    """The pod's name, and the ports as numbers of its own. Raises KubetraceError."""
    from kubetrace.api.pods_behind import attachable_pod
    from kubetrace.forwarding import ports

    value = _object(environment, arguments.words[0])
    pod = attachable_pod(environment.cluster, value, options.pod_running_timeout)
    texts = arguments.words[1:]
    is_service = value.get("kind") == "Service" and value.get("apiVersion") == "v1"
    found = ports.of_service(texts, value, pod) if is_service else ports.of_pod(texts, pod)
    return str(pod["metadata"]["name"]), found


def _object(environment: Environment, word: str) -> dict[str, Any]:
    from kubetrace.api.builder import Request, build
    from kubetrace.api.selection import Selection
    from kubetrace.api.typed_kinds import CLIENT_SCHEME
    from kubetrace.trace.exchange import Purpose

    selection = Selection()
    selection.add_names("pods", (word,))
    request = Request(
        selection=selection,
        namespace=environment.namespace,
        default_namespace=True,
        continue_on_error=True,
        scheme=CLIENT_SCHEME,
        purpose=Purpose("port-forward", "port-forward: which pod is meant, and which ports has it?"),
    )
    value = build(environment.cluster.typed, request).infos()[0].object
    assert value is not None
    return value


def _require_running(environment: Environment, name: str) -> None:
    from kubetrace.api.related import Related
    from kubetrace.api.typed_kinds import PODS
    from kubetrace.trace.exchange import Purpose

    purpose = Purpose("port-forward", "port-forward: does the pod run?")
    pod = Related(environment.cluster.objects).one(PODS, environment.namespace, name, purpose=purpose)
    phase = (pod.get("status") or {}).get("phase") or ""
    if phase != "Running":
        raise KubetraceError(f"unable to forward port because pod is not running. Current status={phase}")


# --- forwarding -------------------------------------------------------------------------------------------------------


def _forward(environment: Environment, name: str, texts: list[str], hosts: tuple[str, ...]) -> None:
    from kubetrace.forwarding.forwarder import Forwarder
    from kubetrace.forwarding.listening import addresses, listen
    from kubetrace.forwarding.ports import parse

    places, forwards = addresses(hosts), parse(texts)

    def say(line: str) -> None:
        environment.stdout.write(f"{line}\n")
        environment.stdout.flush()

    connection, ping = _connect(environment, name)
    try:
        opened = listen(forwards, places, say, lambda line: environment.stderr.write(f"{line}\n"))
        Forwarder(connection, opened, ping=ping, say=say, note=environment.note).run()
    finally:
        connection.close()


def _connect(environment: Environment, name: str) -> tuple[SPDYConnection, float]:
    """SPDY in a WebSocket; where the server makes none, SPDY alone (FallbackDialer). Raises KubetraceError."""
    from kubetrace.api.resources import resource_path
    from kubetrace.api.typed_kinds import PODS
    from kubetrace.trace.exchange import Purpose
    from kubetrace.transport.call import Call
    from kubetrace.transport.spdy import SPDYConnection
    from kubetrace.transport.upgrade import SPDY, WEBSOCKET, Offer, UpgradeError, UpgradeRefused

    path = resource_path(PODS.resource, environment.namespace, name, "portforward")
    purpose = Purpose("port-forward", "port-forward: open a connection to the pod")
    environment.note("tunnel-negotiating")
    try:
        call = Call("GET", path, operation="stream", purpose=purpose)
        connection = environment.client.upgrade(call, Offer(WEBSOCKET, (_TUNNEL,)))
        environment.note("tunnel-negotiated", protocol=_PROTOCOL)
        return SPDYConnection(connection, in_websocket=True, log=_tunnel_log(environment)), _TUNNEL_PING
    except UpgradeRefused as refusal:
        environment.note("tunnel-fallback", error=str(refusal))
    except UpgradeError as error:
        raise KubetraceError(f"error upgrading connection: {error}") from error
    try:
        again = Purpose("port-forward", "port-forward: no WebSocket here, so SPDY as before")
        call = Call("POST", path, operation="stream", purpose=again)
        connection = environment.client.upgrade(call, Offer(SPDY, (_PROTOCOL,)))
    except UpgradeRefused as refusal:
        raise KubetraceError(f"error upgrading connection: {refusal}") from refusal
    except UpgradeError as error:
        why = f'error sending request: Post "{error.url}": {error}'
        raise KubetraceError(f"error upgrading connection: {why}") from error
    if connection.subprotocol != _PROTOCOL:
        from kubetrace.wire.go_quote import quote

        connection.close()
        raise KubetraceError(
            f"unable to negotiate protocol: client supports {quote(_PROTOCOL)}, "
            f"server returned {quote(connection.subprotocol)}"
        )
    return SPDYConnection(connection, in_websocket=False), _PING


def _tunnel_log(environment: Environment) -> TunnelLog | None:
    """None where no level asks for it: telling of every few bytes takes its time."""
    if not environment.logs(4, "tunneling_connection.go"):
        return None
    from kubetrace.transport.tunnel_log import TunnelLog

    return TunnelLog(environment.note, shows_data=environment.own.unmask)


COMMAND = Command(
    run=run,
    usage="port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]",
    description="""
    Let local ports lead to ports of a pod.

    TYPE/NAME is a pod (the type may be left out) or something that has pods, of which one is taken: a deployment, a
    stateful set, a service. A service's port leads to the pod's port behind it; ports may be named. It forwards until
    you press Ctrl-C, or until the pod is gone: then the command has to be run again.
    """,
    options=PortForwardOptions,
    words="pods-ports",
    examples="""
    # Ports 5000 and 6000, here and in the pod
    kubetrace port-forward pod/web 5000 6000

    # Port 8080 here is port 80 in a pod of the deployment
    kubetrace port-forward deployment/web 8080:80

    # The port that the service calls "https"
    kubetrace port-forward service/web 8443:https

    # Any free port here
    kubetrace port-forward pod/web :80

    # For other machines, too
    kubetrace port-forward --address 0.0.0.0 pod/web 8080:80

    # See every frame that passes
    kubetrace port-forward pod/web 8080:80 -v=9
    """,
)
