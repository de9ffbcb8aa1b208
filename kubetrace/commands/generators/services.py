"""Services as `create service` makes them (kubectl pkg/cmd/create/create_service.go)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubetrace.api import names
from kubetrace.api.go_words import int32, quoted
from kubetrace.commands.generators.metadata import Object, new_object
from kubetrace.errors import KubetraceError
from kubetrace.wire.go_strconv import BadValue, parse_int


def service(
    name: str,
    namespace: str,
    kind: str,
    tcp: Iterable[str],
    *,
    cluster_ip: str = "",
    node_port: int = 0,
    external_name: str = "",
) -> Object:
    """A Service of the type `kind` that selects "app=NAME". Raises KubetraceError for a bad port."""
    result = new_object("v1", "Service", name, namespace)
    result["metadata"]["labels"] = {"app": name}
    ports = [_port(text, node_port) for text in tcp]
    result["spec"] = {
        "ports": ports,
        "selector": {"app": name},
        "clusterIP": cluster_ip,
        "type": kind,
        "externalName": external_name,
    }
    return result


def _port(text: str, node_port: int) -> Object:
    """ "5678:8080" → port 5678, target 8080 (parsePorts)."""
    parts = text.split(":")
    port: dict[str, Any] = {"name": text.replace(":", "-"), "protocol": "TCP", "port": _number(parts[0])}
    port["targetPort"] = port["port"] if len(parts) == 1 else _target(parts[1])
    port["nodePort"] = int32(node_port)
    return port


def _number(text: str) -> int:
    """utilsnet.ParsePort: strconv.ParseUint of 16 bits."""
    if not text.isascii() or not text.isdecimal():
        raise KubetraceError(f"strconv.ParseUint: parsing {quoted(text)}: invalid syntax")
    number = int(text)
    if number > 65535:
        raise KubetraceError(f"strconv.ParseUint: parsing {quoted(text)}: value out of range")
    return number


def _target(text: str) -> int | str:
    try:
        number = parse_int(text, base=10)
    except BadValue:
        problems = names.port_name(text)
        target: int | str = text
    else:
        problems = names.port_number(number)
        target = number
    if problems:
        raise KubetraceError(",".join(problems))
    return target
