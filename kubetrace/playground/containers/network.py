"""The simulated network: names of Services and pods, and who listens where."""

from __future__ import annotations

import ipaddress
import itertools
from typing import Any, Protocol

from kubetrace.playground.containers import api_access, echo
from kubetrace.playground.containers.pipes import Bytes, Kept, Sink, Source
from kubetrace.playground.http import Handler
from kubetrace.playground.pods import is_ready
from kubetrace.playground.storage import Store


class Logged(Protocol):
    def note(self, pod: dict[str, Any], port: int, text: str) -> None:
        """A line for the log of the container that listens on a port."""


def _ports(pod: dict[str, Any]) -> list[tuple[str, int, str]]:
    """(container, port, name) of every declared port."""
    return [
        (container["name"], int(port["containerPort"]), port.get("name", ""))
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or ()
    ]


def listens(pod: dict[str, Any], port: int) -> bool:
    """A simulated pod listens on the ports that it declares; one that declares none, on every port."""
    declared = _ports(pod)
    running = any("running" in (e.get("state") or {}) for e in (pod.get("status") or {}).get("containerStatuses") or ())
    return running and (not declared or any(number == port for _, number, _ in declared))


def port_number(pod: dict[str, Any], port: int | str) -> int | None:
    """A port by number or by name."""
    if isinstance(port, int) or port.isdigit():
        return int(port)
    return next((number for _, number, name in _ports(pod) if name == port), None)


class PodNetwork:
    def __init__(self, store: Store, logged: Logged) -> None:
        self._store, self._logged = store, logged
        self._turn = itertools.count()
        self.api: Handler | None = None
        """The API server's own handler, which answers at kubernetes.default."""

    def addresses(self, host: str, namespace: str) -> list[str]:
        if _is_address(host):
            return [host]
        if host == "localhost":
            return ["127.0.0.1"]
        parts = host.rstrip(".").removesuffix(".cluster.local").split(".")
        if parts[-1:] == ["svc"]:
            parts = parts[:-1]
        for count, place in ((1, namespace), (2, parts[-1])):
            service = self._store.get("services", place, parts[0]) if len(parts) == count else None
            if service is not None:
                return self._service_addresses(service)
        if len(parts) in (2, 3):  # a StatefulSet's pod: NAME.SERVICE[.NAMESPACE]
            place = parts[2] if len(parts) == 3 else namespace
            pod = self._store.get("pods", place, parts[0])
            if pod is not None and pod["spec"].get("subdomain") == parts[1] and pod["status"].get("podIP"):
                return [pod["status"]["podIP"]]
        return []

    def full_name(self, host: str, namespace: str) -> str:
        if _is_address(host) or host == "localhost" or host.endswith(".cluster.local"):
            return host
        parts = host.removesuffix(".svc").split(".")
        if len(parts) == 1 or (len(parts) == 2 and self._store.get("services", parts[1], parts[0]) is None):
            parts.append(namespace)
        return ".".join([*parts, "svc.cluster.local"])

    def is_api(self, host: str, port: int, namespace: str) -> bool:
        service = self._store.get("services", "default", "kubernetes")
        own = {service["spec"].get("clusterIP")} if service is not None else set()
        return port == 443 and bool(own & set(self.addresses(host, namespace)))

    def is_pod(self, address: str) -> bool:
        return any((pod.get("status") or {}).get("podIP") == address for pod in self._store.select("pods"))

    def _service_addresses(self, service: dict[str, Any]) -> list[str]:
        if service["spec"].get("type") == "ExternalName":
            return []
        address = service["spec"].get("clusterIP")
        if address not in ("None", "", None):
            return [address]
        return [pod["status"]["podIP"] for pod in self.endpoints(service)]

    def endpoints(self, service: dict[str, Any]) -> list[dict[str, Any]]:
        """The ready pods behind a Service."""
        selector = service["spec"].get("selector")
        if not selector:
            return []
        found = self._store.select("pods", service["metadata"]["namespace"])
        return [
            pod
            for pod in found
            if all((pod["metadata"].get("labels") or {}).get(key) == value for key, value in selector.items())
            and (is_ready(pod) or service["spec"].get("publishNotReadyAddresses"))
            and not pod["metadata"].get("deletionTimestamp")
            and (pod.get("status") or {}).get("podIP")
        ]

    def through(self, service: dict[str, Any], port: dict[str, Any]) -> tuple[dict[str, Any], int] | None:
        """The (pod, port) that a Service's port leads to this time; None where no pod is ready that has such a port."""
        wanted = port.get("targetPort", port["port"])
        numbers = [(pod, port_number(pod, wanted)) for pod in self.endpoints(service)]
        found = [(pod, number) for pod, number in numbers if number is not None]
        return found[next(self._turn) % len(found)] if found else None

    def _target(self, host: str, port: int, namespace: str) -> tuple[dict[str, Any], int]:
        found = self.addresses(host, namespace)
        if not found:
            raise LookupError(host)
        address = found[next(self._turn) % len(found)]
        for pod in self._store.select("pods"):
            if (pod.get("status") or {}).get("podIP") == address:
                return pod, port
        for service in self._store.select("services"):
            if service["spec"].get("clusterIP") == address:
                entry = next((entry for entry in service["spec"].get("ports") or () if entry["port"] == port), None)
                if entry is None:
                    raise TimeoutError
                through = self.through(service, entry)
                if through is None:
                    raise ConnectionRefusedError
                return through
        raise TimeoutError

    async def request(self, host: str, port: int, namespace: str, raw: bytes, tls: bool = False) -> bytes:
        if self.api is not None and self.is_api(host, port, namespace):
            return await api_access.exchange(self.api, raw, tls)
        pod, number = self._target(host, port, namespace)
        kept = Kept()
        await self.serve(pod, number, Bytes(raw), kept)
        return bytes(kept.data)

    async def serve(self, pod: dict[str, Any], port: int, source: Source, sink: Sink) -> None:
        """A connection to a pod's port. Raises ConnectionRefusedError where nobody listens."""
        if not listens(pod, port):
            raise ConnectionRefusedError
        metadata, spec = pod["metadata"], pod["spec"]
        container = next((name for name, number, _ in _ports(pod) if number == port), spec["containers"][0]["name"])
        image = next(entry.get("image", "") for entry in spec["containers"] if entry["name"] == container)
        place = [("Pod", f"{metadata['namespace']}/{metadata['name']}"), ("Container", container), ("Image", image)]
        place += [("Node", spec.get("nodeName", "")), ("Address", f"{pod['status'].get('podIP', '')}:{port}")]
        await echo.serve(source, sink, place, lambda text: self._logged.note(pod, port, text))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
