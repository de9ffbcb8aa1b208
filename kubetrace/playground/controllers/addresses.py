"""What Services' addresses leave in the API: an IPAddress for each, and ServiceCIDRs that stay while one is in use
(pkg/registry/core/service/ipallocator, pkg/controller/servicecidrs)."""

from __future__ import annotations

import ipaddress
from typing import Any

from kubetrace.playground.controllers.base import Controller, age_of, condition
from kubetrace.playground.objects import Object

ADDRESSES = "ipaddresses.networking.k8s.io"
RANGES = "servicecidrs.networking.k8s.io"
_FAMILY, _MANAGER = "ipaddress.kubernetes.io/ip-family", "ipaddress.kubernetes.io/managed-by"
_ALLOCATOR = "ipallocator.k8s.io"
_FINALIZER = "networking.k8s.io/service-cidr-finalizer"
_IN_USE = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"
_GRACE_SECONDS = 10.0
"""So long a range that nothing uses any more stays, for allocators that have not heard of its end."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(item: Object) -> list[Network]:
    return [ipaddress.ip_network(text) for text in (item.get("spec") or {}).get("cidrs") or ()]


def is_allocated(address: Object) -> bool:
    """Whether an IPAddress is the allocator's, not a person's."""
    return bool((address["metadata"].get("labels") or {}).get(_MANAGER) == _ALLOCATOR)


class Addresses(Controller):
    component = _ALLOCATOR

    def service(self, namespace: str, name: str) -> float | None:
        """Makes and removes the IPAddresses of a Service."""
        service = self.read("services", namespace, name)
        spec: Object = service["spec"] if service is not None else {}
        wanted = {text for text in spec.get("clusterIPs") or () if text not in ("", "None")}
        parent = {"resource": "services", "namespace": namespace, "name": name}
        for item in list(self.store.select(ADDRESSES)):
            if (item.get("spec") or {}).get("parentRef") != parent:
                continue
            if item["metadata"]["name"] not in wanted and is_allocated(item):
                self.delete(ADDRESSES, item)
        for text in sorted(wanted):
            if self.store.get(ADDRESSES, "", text) is None:
                labels = {_FAMILY: f"IPv{ipaddress.ip_address(text).version}", _MANAGER: _ALLOCATOR}
                self.create(
                    ADDRESSES, "", {"metadata": {"name": text, "labels": labels}, "spec": {"parentRef": parent}}
                )
        return None


class Ranges(Controller):
    component = "service-cidr-controller"

    def concerned(self, address: str) -> list[str]:
        """Names of the dying ranges that an IPAddress may hold up."""
        dying = (item for item in self.store.select(RANGES) if item["metadata"].get("deletionTimestamp"))
        return [item["metadata"]["name"] for item in dying if self._holds(item, address)]

    def reconcile(self, _: str, name: str) -> float | None:
        item = self.store.get(RANGES, "", name)
        if item is None:
            return None
        metadata = item["metadata"]
        finalizers = metadata.get("finalizers") or []
        if not metadata.get("deletionTimestamp"):
            if _FINALIZER not in finalizers:
                metadata["finalizers"] = [*finalizers, _FINALIZER]
                item = self.store.put(RANGES, item)
            self._tell(item, "True", "", "Kubernetes Service CIDR is ready")
            return None
        if self._is_needed(item):
            self._tell(item, "False", "Terminating", _IN_USE)
            return None
        left = _GRACE_SECONDS - age_of(metadata["deletionTimestamp"])
        if left > 0:
            return left
        if _FINALIZER in finalizers:
            metadata["finalizers"] = [each for each in finalizers if each != _FINALIZER]
            if metadata["finalizers"]:
                self.store.put(RANGES, item)
            else:
                self.store.remove(RANGES, item)
        return None

    def _tell(self, item: Object, status: str, reason: str, message: str) -> None:
        before: list[dict[str, Any]] = (item.get("status") or {}).get("conditions") or []
        told = condition(before, "Ready", status, reason, message)
        self.apply_status(RANGES, item, {"conditions": [told]}, "service-cidr-controller")

    def _is_needed(self, item: Object) -> bool:
        """Whether a Service's address would be in no range any more."""
        others = [each for each in self.store.select(RANGES) if each["metadata"]["name"] != item["metadata"]["name"]]
        if all(self._within(network, others) for network in _networks(item)):
            return False
        used = (each for each in self.store.select(ADDRESSES) if is_allocated(each))
        names = (each["metadata"]["name"] for each in used)
        return any(self._holds(item, name) and not any(self._holds(each, name) for each in others) for name in names)

    @staticmethod
    def _within(network: Network, ranges: list[Object]) -> bool:
        wider = (each for item in ranges for each in _networks(item))
        return any(network.network_address in each and network.broadcast_address in each for each in wider)

    @staticmethod
    def _holds(item: Object, address: str) -> bool:
        return any(ipaddress.ip_address(address) in network for network in _networks(item))
