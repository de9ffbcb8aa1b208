"""Which local ports lead to which of the pod's: what argv says, a Service's ports translated, and what is refused
(kubectl pkg/cmd/portforward, pkg/util/service_port.go and pod_port.go; client-go tools/portforward)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kubetrace.errors import KubetraceError
from kubetrace.value import Mutable
from kubetrace.wire.go_quote import quote

Object = Mapping[str, Any]


class Forward(Mutable):
    """One pair of ports; a `local` one of 0 is chosen by the system when it is listened on."""

    local: int
    remote: int

    def __str__(self) -> str:
        return f"{{{self.local} {self.remote}}}"


def of_pod(texts: Sequence[str], pod: Object) -> list[str]:
    """The ports with the pod's names as numbers. Raises KubetraceError."""
    declared = [port for container in _containers(pod, "containers") for port in container.get("ports") or ()]
    udp = _udp_only((int(port.get("containerPort") or 0), port.get("protocol")) for port in declared)
    _refuse(udp, texts, lambda name: _container_port(pod, name))
    return [_pod_port(text, pod) for text in texts]


def _pod_port(text: str, pod: Object) -> str:
    local, remote = _split(text)
    if not remote:
        raise KubetraceError("remote port cannot be empty")
    number = remote if _atoi(remote) is not None else str(_container_port(pod, remote))
    return f"{local}:{number}" if local != remote else number


def of_service(texts: Sequence[str], service: Object, pod: Object) -> list[str]:
    """A Service's ports as the pod's. Raises KubetraceError."""
    ports = (service.get("spec") or {}).get("ports") or ()
    udp = _udp_only((int(port.get("port") or 0), port.get("protocol")) for port in ports)
    _refuse(udp, texts, lambda name: _service_port(service, name))
    return [_target_port(text, service, pod) for text in texts]


def _target_port(text: str, service: Object, pod: Object) -> str:
    local, remote = _split(text)
    number = _atoi(remote)
    if number is None:
        number = _service_port(service, remote)
        local = str(number) if local == remote else local
    target = str(_behind(service, pod, number))
    return f"{local}:{target}" if local != target else target


def _behind(service: Object, pod: Object, number: int) -> int:
    """The container port behind a Service's port (LookupContainerPortNumberByServicePort)."""
    spec = service.get("spec") or {}
    for port in spec.get("ports") or ():
        if port.get("port") != number:
            continue
        target = port.get("targetPort") or 0
        if spec.get("clusterIP") == "None" or target == 0:
            return number
        return target if isinstance(target, int) else _container_port(pod, str(target))
    raise KubetraceError(f"Service {_name(service)} does not have a service port {number}")


def _service_port(service: Object, name: str) -> int:
    for port in (service.get("spec") or {}).get("ports") or ():
        if (port.get("name") or "") == name:
            return int(port["port"])
    raise KubetraceError(f"Service '{_name(service)}' does not have a named port '{name}'")


def _container_port(pod: Object, name: str) -> int:
    for container in (*_containers(pod, "containers"), *_containers(pod, "initContainers")):
        for port in container.get("ports") or ():
            if (port.get("name") or "") == name:
                return int(port["containerPort"])
    raise KubetraceError(f"Pod '{_name(pod)}' does not have a named port '{name}'")


def _containers(pod: Object, field: str) -> Sequence[Object]:
    return (pod.get("spec") or {}).get(field) or ()


def _name(value: Object) -> str:
    return str((value.get("metadata") or {}).get("name") or "")


def _udp_only(ports: Any) -> set[int]:
    known = list(ports)
    udp = {number for number, protocol in known if protocol == "UDP"}
    return udp - {number for number, protocol in known if protocol == "TCP"}


def _refuse(udp: set[int], texts: Sequence[str], number_of: Callable[[str], int]) -> None:
    for text in texts:
        _, remote = _split(text)
        number = _atoi(remote)
        if (number_of(remote) if number is None else number) in udp:
            raise KubetraceError(f"UDP protocol is not supported for {remote}")


def _split(text: str) -> tuple[str, str]:
    """Local and remote port; anything but one colon stands for a single port."""
    parts = text.split(":")
    return (parts[0], parts[1]) if len(parts) == 2 else (parts[0], parts[0])


def _atoi(text: str) -> int | None:
    """Go's strconv.Atoi; None where it is no number."""
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else None


def parse(texts: Sequence[str]) -> list[Forward]:
    """parsePorts. Raises KubetraceError in Go's words."""
    return [_parse(text) for text in texts]


def _parse(text: str) -> Forward:
    parts = text.split(":")
    if len(parts) > 2:
        raise KubetraceError(f"invalid port format '{text}'")
    local, remote = parts[0], parts[-1]
    if len(parts) == 2 and not local:
        local = "0"
    local_port, remote_port = _port("local", local), _port("remote", remote)
    if remote_port == 0:
        raise KubetraceError("remote port must be > 0")
    return Forward(local_port, remote_port)


def _port(which: str, text: str) -> int:
    """strconv.ParseUint of 16 bits."""
    why = "" if text.isascii() and text.isdigit() else "invalid syntax"
    if not why and int(text) > 65535:
        why = "value out of range"
    if why:
        parsing = quote(text.encode("utf-8", "surrogateescape"))
        raise KubetraceError(f"error parsing {which} port '{text}': strconv.ParseUint: parsing {parsing}: {why}")
    return int(text)
