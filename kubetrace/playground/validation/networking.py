"""Ingresses, NetworkPolicies, the addresses of Services (pkg/apis/networking/validation)."""

from __future__ import annotations

import re

from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    cidr,
    forbidden,
    is_address,
    label_name,
    label_selector,
    network,
    path_segment,
    port,
    port_name,
    port_number,
    required,
    subdomain,
    supported,
    unchanged,
    unsupported,
)
from kubetrace.playground.validation.internal import internal

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
        if is_address(host):
            causes.append(bad(f"{where}.host", host, "must be a DNS name, not an IP address"))
        causes += _host(f"{where}.host", host) if host else []
        if rule.get("http") is not None:
            causes += _paths(rule["http"].get("paths") or [], f"{where}.http.paths")
    for index, entry in enumerate(spec.get("tls") or ()):
        for number, host in enumerate(entry.get("hosts") or ()):
            causes += _host(f"spec.tls[{index}].hosts[{number}]", host)
        if entry.get("secretName"):
            causes += subdomain(f"spec.tls[{index}].secretName", entry["secretName"])
    if spec.get("ingressClassName") is not None:
        causes += subdomain("spec.ingressClassName", spec["ingressClassName"])
    return causes


def _host(at: str, name: str) -> list[Cause]:
    """A name, or a wildcard of names."""
    if "*" not in name:
        return subdomain(at, name)
    return [] if _HOST.fullmatch(name) else [bad(at, name, _HOST_WORDS)]


def new_ingress(item: Object) -> list[Cause]:
    """ValidateIngressCreate: who names a class in both ways names the same one."""
    name = (item.get("spec") or {}).get("ingressClassName")
    told = (item["metadata"].get("annotations") or {}).get("kubernetes.io/ingress.class")
    if name is None or told in (None, name):
        return []
    why = "must match `ingressClassName` when both are specified"
    return [bad("annotations.kubernetes.io/ingress.class", told, why)]


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
        return _reference(resource, f"{at}.resource")
    if found is None:
        return [bad(at, "", "resource or service backend is required")]
    name = found.get("name", "")
    causes = label_name(f"{at}.service.name", name) if name else [required(f"{at}.service.name")]
    target = found.get("port") or {}
    if target.get("name") and target.get("number"):
        causes.append(bad(at, "", "cannot set both port name & port number"))
    elif target.get("number"):
        causes += port_number(f"{at}.service.port.number", target["number"])
    elif target.get("name"):
        causes += port_name(f"{at}.service.port.name", target["name"])
    else:
        causes.append(required(at, "port name or number is required"))
    return causes


def _reference(resource: Object, at: str) -> list[Cause]:
    """A TypedLocalObjectReference (networking ValidateIngressTypedLocalObjectReference)."""
    causes: list[Cause] = []
    if resource.get("apiGroup") is not None:
        causes += subdomain(f"{at}.apiGroup", resource["apiGroup"])
    for name in ("kind", "name"):
        value, field = resource.get(name, ""), f"{at}.{name}"
        causes += path_segment(field, value) if value else [required(field)]
    return causes


def network_policy(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    causes = label_selector("spec.podSelector", spec.get("podSelector"))
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or ()):
            where = f"spec.{direction}[{index}]"
            for number, entry in enumerate(rule.get("ports") or ()):
                causes += _policy_port(entry, f"{where}.ports[{number}]")
            for number, peer in enumerate(rule.get(peers) or ()):
                causes += _peer(peer, f"{where}.{peers}[{number}]")
    types = spec.get("policyTypes") or []
    if len(types) > 2:
        causes.append(bad("spec.policyTypes", types, "may not specify more than two policyTypes"))
    else:
        for index, kind in enumerate(types):
            causes += supported(f"spec.policyTypes[{index}]", kind, ["Ingress", "Egress"])
    return causes


def _policy_port(entry: Object, at: str) -> list[Cause]:
    causes = supported(f"{at}.protocol", entry.get("protocol"), ["TCP", "UDP", "SCTP"])
    start, end = entry.get("port"), entry.get("endPort")
    if start is None:
        why = "may not be specified when `port` is not specified"
        return causes if end is None else [*causes, bad(f"{at}.endPort", end, why)]
    if end is not None and isinstance(start, str):
        causes.append(bad(f"{at}.endPort", end, "may not be specified when `port` is non-numeric"))
    causes += port(f"{at}.port", start)
    if end is None or isinstance(start, str):
        return causes
    if end < start:
        causes.append(bad(f"{at}.endPort", start, "must be greater than or equal to `port`"))
    return causes + port_number(f"{at}.endPort", end)


def _peer(peer: Object, at: str) -> list[Cause]:
    kinds = [kind for kind in ("podSelector", "namespaceSelector", "ipBlock") if kind in peer]
    causes: list[Cause] = []
    for kind in kinds:
        causes += (
            _block(peer[kind], f"{at}.ipBlock") if kind == "ipBlock" else label_selector(f"{at}.{kind}", peer[kind])
        )
    if not kinds:
        causes.append(required(at, "must specify a peer"))
    elif "ipBlock" in kinds and len(kinds) > 1:
        causes.append(forbidden(at, "may not specify both ipBlock and another peer"))
    return causes


def _block(block: Object, at: str) -> list[Cause]:
    text = block.get("cidr", "")
    if not text:
        return [required(f"{at}.cidr")]
    causes, whole = cidr(f"{at}.cidr", text), network(text)
    for index, part in enumerate(block.get("except") or ()):
        where, inner = f"{at}.except[{index}]", network(part)
        causes += cidr(where, part)
        if whole is None or inner is None:
            continue
        outside = inner.version != whole.version or inner.network_address not in whole
        if outside or whole.prefixlen >= inner.prefixlen:
            causes.append(bad(where, part, "must be a strict subset of `cidr`"))
    return causes


def ingress_class(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    controller, at = spec.get("controller", ""), "spec.controller"
    causes = domain_path(at, controller) if controller else [required(at)]
    parameters, at = spec.get("parameters"), "spec.parameters"
    if parameters is None:
        return causes
    causes += _reference(parameters, at)
    scope, place = parameters.get("scope"), parameters.get("namespace")
    if scope is not None and scope not in ("Cluster", "Namespace"):
        causes.append(unsupported(f"{at}.scope", scope, ["Cluster", "Namespace"]))
    elif scope == "Namespace" and place is None:
        causes.append(required(f"{at}.namespace", "`parameters.scope` is set to 'Namespace'"))
    elif scope == "Namespace":
        causes += label_name(f"{at}.namespace", place)
    elif place is not None:
        causes.append(forbidden(f"{at}.namespace", "`parameters.scope` is set to 'Cluster'"))
    return causes


def domain_path(field: str, text: str) -> list[Cause]:
    """example.com/path (IsDomainPrefixedPath)."""
    domain, slash, path = text.partition("/")
    if not slash:
        return [bad(field, text, 'must be a domain-prefixed path (such as "acme.io/foo")')]
    causes = subdomain(field, domain)
    if not path:
        causes.append(bad(field, text, 'must be a domain-prefixed path (such as "acme.io/foo")'))
    return causes


def ip_address(item: Object) -> list[Cause]:
    """Whose an address is; its name is the address."""
    parent, at = (item.get("spec") or {}).get("parentRef"), "spec.parentRef"
    if parent is None:
        return [required(at)]
    group = parent.get("group", "")
    causes = subdomain(f"{at}.group", group) if group else []
    for name in ("resource", "name", "namespace"):
        value = parent.get(name, "")
        if value:
            causes += path_segment(f"{at}.{name}", value)
        elif name != "namespace":
            causes.append(required(f"{at}.{name}"))
    return causes


def ip_address_update(old: Object, new: Object) -> list[Cause]:
    before, after = ((item.get("spec") or {}).get("parentRef") for item in (old, new))
    if before == after:
        return []
    missing = [] if after else [required("spec.parentRef")]
    return [*missing, bad("spec.parentRef", internal("networking.ParentReference", after), "field is immutable")]


def service_cidr(item: Object) -> list[Cause]:
    at, ranges = "spec.cidrs", (item.get("spec") or {}).get("cidrs") or []
    if not ranges:
        return [required(at, "at least one CIDR required")]
    if len(ranges) > 2:
        return [bad(at, {"CIDRs": ranges}, "may only hold up to 2 values")]
    causes = [cause for index, text in enumerate(ranges) for cause in cidr(f"{at}[{index}]", text)]
    found = [network(text) for text in ranges]
    if len(found) == 2 and found[0] and found[1] and found[0].version == found[1].version:
        why = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
        causes.append(bad(at, ranges, why))
    return causes


def service_cidr_update(old: Object, new: Object) -> list[Cause]:
    before, after = ((item.get("spec") or {}).get("cidrs") or [] for item in (old, new))
    if len(before) != len(after) and (len(before), len(after)) != (1, 2):
        return [bad("spec.cidrs", after or None, "field is immutable")]
    pairs = enumerate(zip(before, after, strict=False))
    return [cause for index, (was, now) in pairs for cause in unchanged(f"spec.cidrs[{index}]", was, now)]
