"""The Service that `expose` makes of what another object says (kubectl pkg/cmd/expose, pkg/polymorphichelpers)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kubetrace.api.metadata import string_map
from kubetrace.commands.generators.metadata import Object
from kubetrace.errors import KubetraceError
from kubetrace.wire.go_struct import struct_of

EXPOSABLE = {
    ("", "ReplicationController"),
    ("", "Service"),
    ("", "Pod"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("extensions", "Deployment"),
    ("extensions", "ReplicaSet"),
}
"""Groups and kinds of what has pods behind it that a service can find."""


def pod_selector(value: Object) -> dict[str, str]:
    """The labels of the pods behind an object. Raises KubetraceError."""
    _, kind = struct_of(value)
    spec = value.get("spec") or {}
    if kind == "Pod":
        return _some(string_map(value, "labels"), "the pod has no labels and cannot be exposed")
    selector = spec.get("selector")
    if kind == "ReplicationController":
        return dict(selector or {})
    if kind == "Service":
        if selector is None:
            raise KubetraceError("the service has no pod selector set")
        return dict(selector)
    words = {"Deployment": "deployment", "ReplicaSet": "replicaset"}[kind]
    labels = (selector or {}).get("matchLabels") or {}
    _some(labels, f"invalid {words}: no selectors, therefore cannot be exposed")
    if expressions := (selector or {}).get("matchExpressions"):
        raise KubetraceError(f'couldn\'t convert expressions - "{_shown(expressions)}" to map-based selector format')
    return dict(labels)


def _some(labels: Mapping[str, str], problem: str) -> dict[str, str]:
    if not labels:
        raise KubetraceError(problem)
    return dict(labels)


def _shown(expressions: Sequence[Mapping[str, Any]]) -> str:
    """LabelSelectorRequirements as %+v shows them."""
    texts = (
        f"{{Key:{one.get('key', '')} Operator:{one.get('operator', '')} Values:[{' '.join(one.get('values') or ())}]}}"
        for one in expressions
    )
    return f"[{' '.join(texts)}]"


def protocols_of(value: Object) -> dict[str, list[str]]:
    """The ports that an object has, in order, each with its protocols, as often as it has them. Raises
    KubetraceError."""
    found: dict[str, list[str]] = {}
    for port, protocol in _ports(value):
        if "/" in protocol:
            raise KubetraceError(f"unexpected port protocol mapping: {port}/{protocol}")
        found.setdefault(port, []).append(protocol)
    return found


def _ports(value: Object) -> Iterator[tuple[str, str]]:
    spec = value.get("spec") or {}
    _, kind = struct_of(value)
    if kind == "Service":
        for port in spec.get("ports") or ():
            yield str(port.get("port", 0)), str(port.get("protocol") or "TCP")
        return
    if kind != "Pod":
        spec = (spec.get("template") or {}).get("spec") or {}
    for container in spec.get("containers") or ():
        for port in container.get("ports") or ():
            yield str(port.get("containerPort", 0)), str(port.get("protocol") or "TCP")


def service_ports(numbers: Sequence[str], protocol: str, known: Mapping[str, Sequence[str]]) -> Iterator[Object]:
    """The service's ports; several need names. Raises KubetraceError."""
    from kubetrace.commands.generators.pods import whole

    for index, number in enumerate(numbers, 1):
        port = whole(number)
        name = f"port-{index}" if len(numbers) > 1 else ""
        wanted = [protocol] if protocol else list(known.get(number) or ("TCP",))
        for one in wanted:
            found: Object = {"port": port, "protocol": one, "targetPort": port}
            if len(wanted) > 1:
                found["name"] = f"port-{index}-{one.lower()}"
            elif name:
                found["name"] = name
            yield found
