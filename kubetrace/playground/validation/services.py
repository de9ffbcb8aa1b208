"""Services (pkg/apis/core/validation ValidateService)."""

from __future__ import annotations

from typing import Any

from kubetrace.playground.validation.causes import (
    PROTOCOLS,
    Cause,
    Object,
    address,
    bad,
    cidr,
    duplicate,
    forbidden,
    label_name,
    labels,
    one_of,
    port,
    port_number,
    qualified_name,
    required,
    subdomain,
    supported,
    unsupported,
)
from kubetrace.playground.validation.endpoints import reachable

_TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]


def service(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    kind, ports = spec.get("type", ""), spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    causes: list[Cause] = []
    addressed = kind != "ExternalName" and (not headless or bool(spec.get("selector")))
    if addressed and spec.get("ipFamilyPolicy") == "RequireDualStack":  # told before anything else is looked at
        why = "this cluster is not configured for dual-stack services"
        families = enumerate(spec.get("ipFamilies") or ())
        none = [
            bad(f"spec.ipFamilies[{i}]", each, "not configured on this cluster")
            for i, each in families
            if each == "IPv6"
        ]
        return [bad("spec.ipFamilyPolicy", "RequireDualStack", why), *none]
    if not ports and not headless and kind != "ExternalName":
        causes.append(required("spec.ports"))
    if headless and kind in ("LoadBalancer", "NodePort"):
        causes.append(bad("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services"))
    if kind == "ExternalName":
        causes += [
            forbidden(f"spec.{name}", "may not be set for ExternalName services")
            for name in ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
            if spec.get(name)
        ]
        name = spec.get("externalName", "").removesuffix(".")
        causes += subdomain("spec.externalName", name) if name else [required("spec.externalName")]
    names: set[str] = set()
    for index, entry in enumerate(ports):
        causes += _port(entry, f"spec.ports[{index}]", len(ports) > 1, names)
    causes += labels("spec.selector", spec.get("selector"))
    causes += one_of("spec.sessionAffinity", spec.get("sessionAffinity"), ["ClientIP", "None"])
    causes += _affinity(spec.get("sessionAffinity"), spec.get("sessionAffinityConfig"))
    causes += _addresses(spec)
    causes += one_of("spec.type", kind, _TYPES)
    if kind == "ClusterIP":
        for index, entry in enumerate(ports):
            if entry.get("nodePort"):
                why = "may not be used when `type` is 'ClusterIP'"
                causes.append(forbidden(f"spec.ports[{index}].nodePort", why))
    return causes + _twice(ports) + _balancer(spec) + _traffic(spec)


def _affinity(affinity: str | None, config: Object | None) -> list[Cause]:
    at = "spec.sessionAffinityConfig"
    if affinity == "None":
        return [] if config is None else [forbidden(at, "must not be set when session affinity is None")]
    seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
    if affinity != "ClientIP" or seconds is None or 0 < seconds <= 86400:
        return []
    why = "must be greater than 0 and less than 86400"
    return [bad(f"{at}.clientIP.timeoutSeconds", seconds, why)]


def _balancer(spec: Object) -> list[Cause]:
    """What only a LoadBalancer may have."""
    causes: list[Cause] = []
    kind, ranges, at = spec.get("type"), spec.get("loadBalancerSourceRanges") or [], "spec.LoadBalancerSourceRanges"
    if ranges:
        if kind != "LoadBalancer":
            causes.append(forbidden(at, "may only be used when `type` is 'LoadBalancer'"))
        for index, text in enumerate(ranges):
            causes += cidr(f"{at}[{index}]", text.strip())
    if kind != "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not None:
        why = "may only be used when `type` is 'LoadBalancer'"
        causes.append(forbidden("spec.allocateLoadBalancerNodePorts", why))
    name = spec.get("loadBalancerClass")
    if name is not None:
        if kind != "LoadBalancer":
            causes.append(forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'"))
        causes += qualified_name("spec.loadBalancerClass", name)
    return causes


_POLICIES = ["Cluster", "Local"]


def _traffic(spec: Object) -> list[Cause]:
    causes: list[Cause] = []
    kind, outside, check = spec.get("type"), spec.get("externalTrafficPolicy"), spec.get("healthCheckNodePort") or 0
    reachable = kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
    at = "spec.externalTrafficPolicy"
    if not reachable:
        if outside:
            causes.append(bad(at, outside, "may only be set for externally-accessible services"))
    elif not outside:
        causes.append(required(at))
    elif outside not in _POLICIES:
        causes.append(unsupported(at, outside, _POLICIES))
    wants_check = kind == "LoadBalancer" and outside == "Local"
    at = "spec.healthCheckNodePort"
    if check and not wants_check:
        why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        causes.append(bad(at, check, why))
    elif check:
        causes += port_number(at, check)
    inside = spec.get("internalTrafficPolicy")
    if inside is None and kind in ("NodePort", "LoadBalancer", "ClusterIP"):
        causes.append(required("spec.internalTrafficPolicy"))
    causes += supported("spec.internalTrafficPolicy", inside, _POLICIES)
    wish = spec.get("trafficDistribution")
    wishes = ["PreferClose", "PreferSameZone", "PreferSameNode"]
    return causes + supported("spec.trafficDistribution", wish, wishes)


def _port(entry: Object, at: str, named: bool, names: set[str]) -> list[Cause]:
    name = entry.get("name", "")
    causes: list[Cause] = []
    if name:
        causes += label_name(f"{at}.name", name)
        causes += [duplicate(f"{at}.name", name)] if name in names else []
        names.add(name)
    elif named:
        causes.append(required(f"{at}.name"))
    causes += port_number(f"{at}.port", entry.get("port") or 0)
    causes += one_of(f"{at}.protocol", entry.get("protocol"), PROTOCOLS)
    causes += port(f"{at}.targetPort", entry.get("targetPort"))
    protocol = entry.get("appProtocol")
    if protocol is not None:
        causes += qualified_name(f"{at}.appProtocol", protocol)
    return causes


_FAMILIES = ["IPv4", "IPv6"]
_FAMILY_POLICIES = ["PreferDualStack", "RequireDualStack", "SingleStack"]


def _addresses(spec: Object) -> list[Cause]:
    causes: list[Cause] = []
    families, policy = spec.get("ipFamilies") or [], spec.get("ipFamilyPolicy")
    for index, family in enumerate(families):
        if family not in _FAMILIES:
            causes.append(unsupported(f"spec.ipFamilies[{index}]", family, _FAMILIES))
        elif family in families[:index]:
            causes.append(duplicate(f"spec.ipFamilies[{index}]", family))
    causes += supported("spec.ipFamilyPolicy", policy, _FAMILY_POLICIES)
    own = spec.get("clusterIPs") or []
    if own[:1] == ["None"] and len(own) > 1:
        causes.append(bad("spec.clusterIPs", own, "'None' must be the first and only value"))
    for index, text in enumerate(own):
        causes += [] if text == "None" and not index else address(f"spec.clusterIPs[{index}]", text)
    for index, text in enumerate(spec.get("externalIPs") or ()):
        at = f"spec.externalIPs[{index}]"
        wrong = address(at, text)
        causes += wrong or reachable(at, text)
    return causes


def _twice(ports: list[Object]) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[tuple[str, Any]] = set()
    for index, entry in enumerate(ports):
        key = (entry.get("protocol", ""), entry.get("nodePort"))
        if entry.get("nodePort") and key in seen:
            causes.append(duplicate(f"spec.ports[{index}].nodePort", entry["nodePort"]))
        seen.add(key)
    known: set[tuple[str, Any]] = set()
    for index, entry in enumerate(ports):
        pair = (entry.get("protocol", ""), entry.get("port"))
        if pair in known:
            shown = {"Name": "", "Protocol": pair[0], "AppProtocol": None, "Port": pair[1], "TargetPort": 0}
            causes.append(duplicate(f"spec.ports[{index}]", shown | {"NodePort": 0}))
        known.add(pair)
    return causes
