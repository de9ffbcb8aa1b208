"""Endpoints and EndpointSlices (pkg/apis/core/validation, pkg/apis/discovery/validation)."""

from __future__ import annotations

import ipaddress
from typing import Any

from kubetrace.playground.validation.causes import (
    PROTOCOLS,
    Cause,
    Object,
    address,
    bad,
    duplicate,
    is_address,
    label_name,
    label_value,
    labels,
    one_of,
    port_number,
    qualified_name,
    required,
    subdomain,
    unsupported,
)


def reachable(field: str, text: str) -> list[Cause]:
    """Neither unspecified, nor of the machine or the link alone (ValidateNonSpecialIP)."""
    if not is_address(text):
        return []
    found = ipaddress.ip_address(text)
    causes: list[Cause] = []
    if found.is_unspecified:
        causes.append(bad(field, text, f"may not be unspecified ({text})"))
    if found.is_loopback:
        causes.append(bad(field, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)"))
    if found.is_link_local:
        causes.append(bad(field, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"))
    if found in ipaddress.ip_network("224.0.0.0/24" if found.version == 4 else "ff02::/16"):
        causes.append(bad(field, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"))
    return causes


def endpoints(item: Object) -> list[Cause]:
    causes: list[Cause] = []
    for index, subset in enumerate(item.get("subsets") or ()):
        at, groups = f"subsets[{index}]", ("addresses", "notReadyAddresses")
        if not any(subset.get(group) for group in groups):
            causes.append(required(at, "must specify `addresses` or `notReadyAddresses`"))
        for group in groups:
            for number, entry in enumerate(subset.get(group) or ()):
                causes += _address(entry, f"{at}.{group}[{number}]")
        ports = subset.get("ports") or []
        for number, entry in enumerate(ports):
            causes += _port(entry, f"{at}.ports[{number}]", len(ports) > 1)
    return causes


def _address(entry: Object, at: str) -> list[Cause]:
    text = entry.get("ip", "")
    wrong = address(f"{at}.ip", text)
    causes = [*wrong, bad(f"{at}.ip", text, "must be a valid IP address")] if wrong else reachable(f"{at}.ip", text)
    if entry.get("hostname"):
        causes += label_name(f"{at}.hostname", entry["hostname"])
    if entry.get("nodeName") is not None:
        causes += subdomain(f"{at}.nodeName", entry["nodeName"])
    return causes


def _port(entry: Object, at: str, named: bool) -> list[Cause]:
    name = entry.get("name", "")
    causes = label_name(f"{at}.name", name) if name else [required(f"{at}.name")] if named else []
    causes += port_number(f"{at}.port", entry.get("port") or 0)
    causes += one_of(f"{at}.protocol", entry.get("protocol"), PROTOCOLS)
    return causes + _app_protocol(entry, at)


def _app_protocol(entry: Object, at: str) -> list[Cause]:
    protocol = entry.get("appProtocol")
    return [] if protocol is None else qualified_name(f"{at}.appProtocol", protocol)


def endpoint_slice(item: Object) -> list[Cause]:
    kind = item.get("addressType", "")
    causes = one_of("addressType", kind, ["FQDN", "IPv4", "IPv6"])
    causes += _slice_ports(item.get("ports") or [])
    for index, entry in enumerate(item.get("endpoints") or ()):
        causes += _endpoint(entry, f"endpoints[{index}]", kind)
    return causes


def _endpoint(entry: Object, at: str, kind: str) -> list[Cause]:
    addresses = entry.get("addresses") or []
    causes = [] if addresses else [required(f"{at}.addresses", "must contain at least 1 address")]
    for index, text in enumerate(addresses):
        field = f"{at}.addresses[{index}]"
        if kind == "FQDN":
            causes += subdomain(field, text)
        else:
            causes += address(field, text) or _of_family(f"{at}.addresses", text, kind) + reachable(field, text)
    if entry.get("nodeName") is not None:
        causes += subdomain(f"{at}.nodeName", entry["nodeName"])
    causes += labels(f"{at}.deprecatedTopology", entry.get("deprecatedTopology"))
    if entry.get("hostname") is not None:
        causes += label_name(f"{at}.hostname", entry["hostname"])
    hints = entry.get("hints") or {}
    for part, check in (("forZones", label_value), ("forNodes", subdomain)):
        seen: set[str] = set()
        for index, hint in enumerate(hints.get(part) or ()):
            name, field = hint.get("name", ""), f"{at}.hints.{part}[{index}].name"
            causes += [duplicate(field, name)] if name in seen else check(field, name)
            seen.add(name)
    return causes


def _of_family(field: str, text: str, kind: str) -> list[Cause]:
    version = ipaddress.ip_address(text).version
    if (kind, version) in (("IPv4", 6), ("IPv6", 4)):
        return [bad(field, text, f"must be an {kind} address")]
    return []


def _slice_ports(ports: list[Object]) -> list[Cause]:
    causes: list[Cause] = []
    names: set[Any] = set()
    for index, entry in enumerate(ports):
        at, name, protocol = f"ports[{index}]", entry.get("name") or "", entry.get("protocol", "")
        causes += label_name(f"{at}.name", name) if name else []
        causes += [duplicate(f"{at}.name", name)] if name in names else []
        names.add(name)
        if protocol not in PROTOCOLS:
            causes.append(unsupported(f"{at}.protocol", protocol, PROTOCOLS))
        causes += _app_protocol(entry, at)
    return causes
