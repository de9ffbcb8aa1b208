"""What the API server hands out from ranges: cluster IPs and node ports of Services."""

from __future__ import annotations

import ipaddress
import secrets
from typing import Any

from kubetrace.playground import node_ports, strategies
from kubetrace.playground.catalog import Resource
from kubetrace.playground.status import invalid
from kubetrace.playground.storage import Store

SERVICE_RANGE = ipaddress.ip_network("10.96.0.0/16")
_GENERATION = "deprecated.daemonset.template.generation"


def on_create(store: Store, resource: Resource, item: dict[str, Any], dry_run: bool) -> None:
    """Gives a new Service its addresses and node ports, and a DaemonSet's template its first number."""
    if resource.key == "services":
        _serve(store, item, dry_run)
    if resource.key == "daemonsets.apps":
        item["metadata"].setdefault("annotations", {})[_GENERATION] = "1"


def keep(resource: Resource, old: dict[str, Any], new: dict[str, Any]) -> None:
    """What was handed out stays, where an update leaves it out."""
    if resource.key == "daemonsets.apps":
        _number(old, new)
    if resource.key != "services":
        return
    before, spec = old.get("spec") or {}, new.setdefault("spec", {})
    _drop(before, new)
    if spec.get("type") == "ExternalName":
        _let_go(before, spec)
        return
    old_ips, wanted = before.get("clusterIPs"), spec.get("clusterIP")
    if old_ips and wanted and wanted != before.get("clusterIP") and spec.get("clusterIPs") == old_ips:
        spec["clusterIPs"] = [wanted, *old_ips[1:]]  # who changes one changes both (NormalizeClusterIPs)
    if wanted and not old_ips and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [wanted]
    for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if not spec.get(name) and before.get(name):
            spec[name] = before[name]
    node_ports.keep(before, spec)


def on_update(store: Store, resource: Resource, old: dict[str, Any], item: dict[str, Any], dry_run: bool) -> None:
    """Gives an updated Service the node ports that it needs now."""
    if resource.key != "services":
        return
    if old["spec"].get("type") == "ExternalName" != item["spec"].get("type"):
        strategies.prepare(resource.key, item)
        _serve(store, item, dry_run)
        return
    node_ports.reallocate(store, old, item, dry_run)


_OF_BALANCERS = ("allocateLoadBalancerNodePorts", "loadBalancerClass")


def _drop(before: dict[str, Any], new: dict[str, Any]) -> None:
    """What a Service of another type has no use for, where the update leaves it alone (dropTypeDependentFields)."""
    spec, ports = new["spec"], new["spec"].get("ports") or ()
    balances = [each.get("type") == "LoadBalancer" for each in (before, spec)]
    reached = [kind or each.get("type") == "NodePort" for kind, each in zip(balances, (before, spec), strict=True)]
    used = {port.get("nodePort") for port in before.get("ports") or ()}
    if reached == [True, False] and all(port.get("nodePort") in used for port in ports if port.get("nodePort")):
        for port in ports:
            port.pop("nodePort", None)
    unused = [] if balances != [True, False] else list(_OF_BALANCERS)
    local = [each.get("externalTrafficPolicy") == "Local" for each in (before, spec)]
    if balances[0] and local[0] and not (balances[1] and local[1]):
        unused.append("healthCheckNodePort")
    outside = [each.get("type") == "ClusterIP" and bool(each.get("externalIPs")) for each in (before, spec)]
    if (reached[0] or outside[0]) and not (reached[1] or outside[1]):
        unused.append("externalTrafficPolicy")
    for name in unused:
        if spec.get(name) == before.get(name):
            spec.pop(name, None)
    if not balances[1]:
        new.setdefault("status", {})["loadBalancer"] = {}


def _let_go(before: dict[str, Any], spec: dict[str, Any]) -> None:
    """What a Service has no more use for, where the update leaves it as it was (dropTypeDependentFields)."""
    given = {name: spec.get(name) or before.get(name) for name in ("clusterIP", "clusterIPs")}
    if all(given[name] == before.get(name) for name in given):
        for name in given:
            spec.pop(name, None)
    for name in ("ipFamilies", "ipFamilyPolicy", "externalTrafficPolicy", "internalTrafficPolicy"):
        if spec.get(name) == before.get(name):
            spec.pop(name, None)
    ports, numbers = spec.get("ports") or [], [port.get("nodePort") for port in before.get("ports") or ()]
    if [port.get("nodePort") for port in ports] == numbers:
        for port in ports:
            port.pop("nodePort", None)


def _number(old: dict[str, Any], new: dict[str, Any]) -> None:
    """spec.templateGeneration of old, which apps/v1 keeps in an annotation (pkg/apis/apps/v1/conversion.go)."""
    number = int((old["metadata"].get("annotations") or {}).get(_GENERATION, "1"))
    changed = (old.get("spec") or {}).get("template") != (new.get("spec") or {}).get("template")
    new["metadata"].setdefault("annotations", {})[_GENERATION] = str(number + changed)


def _serve(store: Store, item: dict[str, Any], dry_run: bool) -> None:
    spec = item["spec"]
    if spec.get("type") == "ExternalName":
        return
    services = list(store.select("services"))
    taken = {service["spec"].get("clusterIP") for service in services}
    wanted = spec.get("clusterIP")
    if not wanted:
        while (wanted := str(SERVICE_RANGE[256 + secrets.randbelow(65000)])) in taken:
            pass
        spec["clusterIP"] = wanted
    elif wanted != "None" and ipaddress.ip_address(wanted) not in SERVICE_RANGE:
        told = f"failed to allocate IP {wanted}: the provided network does not match the current range"
        why = f'Invalid value: ["{wanted}"]: {told}'
        raise invalid("Service", "", item["metadata"]["name"], [("spec.clusterIPs", "FieldValueInvalid", why)])
    elif wanted != "None" and wanted in taken:
        why = f'Invalid value: "{wanted}": failed to allocate IP {wanted}: provided IP is already allocated'
        raise invalid("Service", "", item["metadata"]["name"], [("spec.clusterIPs", "FieldValueInvalid", f"{why}")])
    spec["clusterIPs"] = [wanted]
    node_ports.allocate(store, item, dry_run)
