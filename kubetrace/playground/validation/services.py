"""Services, Ingresses and NetworkPolicies (pkg/apis/core/validation, pkg/apis/networking/validation)."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    duplicate,
    forbidden,
    label_name,
    label_selector,
    labels,
    one_of,
    port,
    port_number,
    required,
    subdomain,
    unsupported,
)

_TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]
_PROTOCOLS = ["SCTP", "TCP", "UDP"]


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
    if spec.get("sessionAffinity") == "None" and spec.get("sessionAffinityConfig") is not None:
        at = "spec.sessionAffinityConfig"
        causes.append(forbidden(at, "must not be set when session affinity is None"))
    causes += _addresses(spec)
    causes += one_of("spec.type", kind, _TYPES)
    if kind == "ClusterIP":
        for index, entry in enumerate(ports):
            if entry.get("nodePort"):
                why = "may not be used when `type` is 'ClusterIP'"
                causes.append(forbidden(f"spec.ports[{index}].nodePort", why))
    return causes + _twice(ports)


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
    causes += one_of(f"{at}.protocol", entry.get("protocol"), _PROTOCOLS)
    return causes + port(f"{at}.targetPort", entry.get("targetPort"))


def _addresses(spec: Object) -> list[Cause]:
    causes: list[Cause] = []
    for index, address in enumerate(spec.get("clusterIPs") or ()):
        if address != "None" and not _is_address(address):
            words = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            causes.append(bad(f"spec.clusterIPs[{index}]", address, words))
    for index, address in enumerate(spec.get("externalIPs") or ()):
        if not _is_address(address):
            words = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            causes.append(bad(f"spec.externalIPs[{index}]", address, words))
    return causes


def _is_address(text: Any) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


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


_HOST = re.compile(r"\*(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+")
_HOST_WORDS = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', "
    "regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def ingress(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    causes: list[Cause] = []
    rules, backend = spec.get("rules") or [], spec.get("defaultBackend")
    if backend is None and not rules:
        causes.append(bad("spec", None, "either `defaultBackend` or `rules` must be specified"))
    if backend is not None:
        causes += _backend(backend, "spec.defaultBackend")
    for index, rule in enumerate(rules):
        where, host = f"spec.rules[{index}]", rule.get("host", "")
        if _is_address(host):
            causes.append(bad(f"{where}.host", host, "must be a DNS name, not an IP address"))
        elif host.startswith("*"):
            causes += [] if _HOST.fullmatch(host) else [bad(f"{where}.host", host, _HOST_WORDS)]
        elif host:
            causes += subdomain(f"{where}.host", host)
        if rule.get("http") is not None:
            causes += _paths(rule["http"].get("paths") or [], f"{where}.http.paths")
    if spec.get("ingressClassName"):
        causes += subdomain("spec.ingressClassName", spec["ingressClassName"])
    return causes


def _paths(paths: list[Object], at: str) -> list[Cause]:
    if not paths:
        return [required(at)]
    causes: list[Cause] = []
    for index, entry in enumerate(paths):
        where, kind, path = f"{at}[{index}]", entry.get("pathType"), entry.get("path", "")
        if kind is None:
            causes.append(required(f"{where}.pathType", "pathType must be specified"))
            continue
        if kind in ("Exact", "Prefix"):
            if not path.startswith("/"):
                causes.append(bad(f"{where}.path", path, "must be an absolute path"))
            for sequence in ("//", "/./", "/../", "%2f", "%2F"):
                if sequence in path:
                    causes.append(bad(f"{where}.path", path, f"must not contain '{sequence}'"))
            for suffix in ("/..", "/."):
                if path.endswith(suffix):
                    causes.append(bad(f"{where}.path", path, f"cannot end with '{suffix}'"))
        elif kind == "ImplementationSpecific":
            if path and not path.startswith("/"):
                causes.append(bad(f"{where}.path", path, "must be an absolute path"))
        else:
            kinds = ["Exact", "ImplementationSpecific", "Prefix"]
            causes.append(unsupported(f"{where}.pathType", kind, kinds))
        causes += _backend(entry.get("backend") or {}, f"{where}.backend")
    return causes


def _backend(backend: Object, at: str) -> list[Cause]:
    found, resource = backend.get("service"), backend.get("resource")
    if found is not None and resource is not None:
        return [bad(at, "", "cannot set both resource and service backends")]
    if resource is not None:
        return []
    if found is None:
        return [bad(at, "", "resource or service backend is required")]
    causes = [] if found.get("name") else [required(f"{at}.service.name")]
    target = found.get("port") or {}
    if target.get("name") and target.get("number"):
        causes.append(bad(at, "", "cannot set both port name & port number"))
    elif target.get("number"):
        causes += port_number(f"{at}.service.port.number", target["number"])
    elif not target.get("name"):
        causes.append(required(at, "port name or number is required"))
    return causes


def network_policy(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    causes = label_selector("spec.podSelector", spec.get("podSelector"))
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or ()):
            where = f"spec.{direction}[{index}]"
            for number, entry in enumerate(rule.get("ports") or ()):
                at = f"{where}.ports[{number}]"
                causes += one_of(f"{at}.protocol", entry.get("protocol"), _PROTOCOLS, is_required=False)
                if entry.get("port") is not None:
                    causes += port(f"{at}.port", entry["port"])
            for number, peer in enumerate(rule.get(peers) or ()):
                at = f"{where}.{peers}[{number}]"
                kinds = [kind for kind in ("podSelector", "namespaceSelector", "ipBlock") if kind in peer]
                if not kinds:
                    causes.append(required(at, "must specify a peer"))
                elif "ipBlock" in kinds and len(kinds) > 1:
                    causes.append(forbidden(at, "may not specify both ipBlock and another peer"))
                for kind in kinds:
                    if kind != "ipBlock":
                        causes += label_selector(f"{at}.{kind}", peer[kind])
                    elif not peer[kind].get("cidr"):
                        causes.append(required(f"{at}.ipBlock.cidr"))
    types = spec.get("policyTypes") or []
    if len(types) > 2:
        causes.append(bad("spec.policyTypes", types, "may not specify more than two policyTypes"))
    else:
        for index, kind in enumerate(types):
            causes += one_of(f"spec.policyTypes[{index}]", kind, ["Egress", "Ingress"])
    return causes
