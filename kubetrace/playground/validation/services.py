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
    legacy_address,
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
    causes += _outside(spec.get("externalIPs") or [])
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
    return causes + _class(spec)


def _class(spec: Object, before: Object | None = None) -> list[Cause]:
    """Who balances; `before`: the spec that an update replaces (validateLoadBalancerClassField)."""
    at, name, causes = "spec.loadBalancerClass", spec.get("loadBalancerClass"), list[Cause]()
    if spec.get("type") != "LoadBalancer":
        return causes if name is None else [forbidden(at, "may only be used when `type` is 'LoadBalancer'")]
    if before is not None and before.get("type") == "LoadBalancer" and before.get("loadBalancerClass") != name:
        causes.append(bad(at, name, "may not change once set"))
    return causes if name is None else causes + qualified_name(at, name)


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


def _is_ipv6(text: str) -> bool:
    return ":" in text


def families(item: Object, old: Object | None) -> list[Cause]:
    """What is told alone, before anything else is looked at: addresses and families that do not fit each other, or a
    cluster of IPv4 (initIPFamilyFields in pkg/registry/core/service/storage/alloc.go)."""
    spec, before = item.get("spec") or {}, (old or {}).get("spec") or {}
    if spec.get("type") == "ExternalName":
        return []
    own, policy, found = spec.get("clusterIPs") or [], spec.get("ipFamilyPolicy"), spec.get("ipFamilies") or []
    same = all(spec.get(name) == before.get(name) for name in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"))
    if policy == "PreferDualStack" and same:
        return []
    causes = _cluster_ips(spec, before.get("clusterIPs") or []) if spec else []
    if causes:
        return causes
    if policy in (None, "SingleStack"):
        why = "must be 'RequireDualStack' or 'PreferDualStack' when multiple {} are specified"
        for names, told in ((own, "cluster IPs"), (found, "IP families")):
            causes += [bad("spec.ipFamilyPolicy", policy, why.format(told))] if len(names) == 2 else []
    for index, text in enumerate(own):
        if index >= len(found) and _is_ipv6(text):
            causes.append(bad(f"spec.clusterIPs[{index}]", own, "IPv6 is not configured on this cluster"))
    if causes or (spec.get("clusterIP") == "None" and not spec.get("selector")):
        return causes
    if policy == "RequireDualStack":
        why = "this cluster is not configured for dual-stack services"
        causes.append(bad("spec.ipFamilyPolicy", policy, why))
    for index, each in enumerate(found):
        if each == "IPv6":
            causes.append(bad(f"spec.ipFamilies[{index}]", each, "not configured on this cluster"))
    return causes


def _cluster_ips(spec: Object, known: list[str]) -> list[Cause]:
    """`known`: the addresses that it had before (ValidateServiceClusterIPsRelatedFields)."""
    at, first, own = "spec.clusterIPs", spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    causes: list[Cause] = []
    if first and not own:
        causes.append(required(at))
    elif first and own[0] != first:
        causes.append(bad(at, own, "first value must match `clusterIP`"))
    elif own and not first:
        causes.append(bad(at, own, "must be empty when `clusterIP` is not specified"))
    found = spec.get("ipFamilies") or []
    for index, family in enumerate(found):
        field = f"spec.ipFamilies[{index}]"
        causes += [] if family in _FAMILIES else [unsupported(field, family, _FAMILIES)]
        causes += [duplicate(field, family)] if family in found[:index] else []
    causes += supported("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), _FAMILY_POLICIES)
    wrong = [bad(at, own, "'None' must be the first and only value")] if own[:1] == ["None"] and len(own) > 1 else []
    for index, text in enumerate(own):
        wrong += [] if text == "None" and not index else legacy_address(f"{at}[{index}]", text, known)
    causes += wrong + ([bad(at, own, "may only hold up to 2 values")] if len(own) > 2 else [])
    if wrong:
        return causes
    if len(own) > 1 and not (len(own) == 2 and _is_ipv6(own[0]) != _is_ipv6(own[1])):
        causes.append(bad(at, own, "may specify no more than one IP for each IP family"))
    for index, (text, family) in enumerate(zip(own, found, strict=False)):
        if first != "None" and family in _FAMILIES and (family == "IPv6") != _is_ipv6(text):
            why = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
            causes.append(bad(f"{at}[{index}]", text, why))
    return causes


def _outside(found: list[str]) -> list[Cause]:
    causes: list[Cause] = []
    for index, text in enumerate(found):
        at = f"spec.externalIPs[{index}]"
        wrong = address(at, text)
        causes += wrong or reachable(at, text)
    return causes


def changed(old: Object, new: Object) -> list[Cause]:
    """What an update leaves as it is (ValidateServiceUpdate)."""
    before, after = old["spec"], new["spec"]
    causes: list[Cause] = []
    if "ExternalName" not in (before.get("type"), after.get("type")):
        causes += _moved(before, after)
    causes += _class(after, before)
    checked = [each.get("type") == "LoadBalancer" and each.get("externalTrafficPolicy") == "Local"
               for each in (before, after)]  # fmt: skip
    if all(checked) and before.get("healthCheckNodePort") != after.get("healthCheckNodePort"):
        causes.append(forbidden("spec.healthCheckNodePort", "field is immutable"))
    return causes


def _moved(before: Object, after: Object) -> list[Cause]:
    headless = [each.get("clusterIP") == "None" for each in (before, after)]
    why, causes = "may not change once set", list[Cause]()
    known, wanted = before.get("clusterIPs") or [], after.get("clusterIPs") or []
    if not all(headless) and known and known[:1] != wanted[:1]:
        causes.append(bad("spec.clusterIPs[0]", wanted, why))
    known, wanted = before.get("ipFamilies") or [], after.get("ipFamilies") or []
    if not any(headless) and known and known[:1] != wanted[:1]:
        causes.append(bad("spec.ipFamilies[0]", wanted, why))
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
