"""EndpointSlices: what is behind a Service."""

from __future__ import annotations

from kubetrace.playground.objects import Object
from kubetrace.playground.storage import Store

KEY = "endpointslices.discovery.k8s.io"
SERVICE = "kubernetes.io/service-name"
"""The label that names a slice's Service."""


def service_of(item: Object) -> str | None:
    name: str | None = (item["metadata"].get("labels") or {}).get(SERVICE)
    return name


def slices_of(store: Store, namespace: str, service: str) -> list[Object]:
    return [item for item in store.select(KEY, namespace) if service_of(item) == service]


def has_ready(item: Object) -> bool:
    """Whether somebody in the slice answers; who does not say is ready."""
    return any((each.get("conditions") or {}).get("ready", True) for each in item.get("endpoints") or ())
