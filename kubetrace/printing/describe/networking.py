"""Services, their endpoints, and what leads traffic to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubetrace.api.labels import format_labels
from kubetrace.api.related import Related
from kubetrace.api.typed_kinds import ENDPOINT_SLICES, SERVICES
from kubetrace.errors import KubetraceError
from kubetrace.printing.describe.conditions import describe_conditions
from kubetrace.printing.describe.containers import join_host
from kubetrace.printing.describe.events import describe_events
from kubetrace.printing.describe.selectors import shown_selector
from kubetrace.printing.describe.writer import NONE, UNSET, Writer, full_date, go_value, or_none

Object = Mapping[str, Any]

_SHOWN = 3
"""Endpoints that are named before the rest is only counted."""


def _namespace(value: Object) -> str:
    return (value.get("metadata") or {}).get("namespace") or ""


def service(w: Writer, value: Object, related: Related) -> None:
    slices = _slices(value, (value.get("metadata") or {}).get("name") or "", related)
    events = related.events(value)
    spec, status = value.get("spec") or {}, value.get("status") or {}
    w.head(value)
    w.row("Selector", format_labels(spec.get("selector")))
    w.row("Type", spec.get("type"))
    if spec.get("ipFamilyPolicy") is not None:
        w.row("IP Family Policy", spec["ipFamilyPolicy"])
    w.row("IP Families", or_none(",".join(spec.get("ipFamilies") or ())))
    w.row("IP", spec.get("clusterIP"))
    w.row("IPs", or_none(",".join(spec.get("clusterIPs") or ())))
    if spec.get("externalIPs"):
        w.row("External IPs", ",".join(spec["externalIPs"]))
    for label, field in (("Desired LoadBalancer IP", "loadBalancerIP"), ("External Name", "externalName")):
        if spec.get(field):
            w.row(label, spec[field])
    ingress = (status.get("loadBalancer") or {}).get("ingress")
    if ingress:
        w.row("LoadBalancer Ingress", ", ".join(map(_ingress_point, ingress)))
    for port in spec.get("ports") or ():
        _service_port(w, port, slices)
    w.row("Session Affinity", spec.get("sessionAffinity"))
    for label, field in (
        ("External Traffic Policy", "externalTrafficPolicy"),
        ("Internal Traffic Policy", "internalTrafficPolicy"),
        ("HealthCheck NodePort", "healthCheckNodePort"),
    ):
        if spec.get(field):
            w.row(label, spec[field])
    if spec.get("loadBalancerSourceRanges"):
        w.row("LoadBalancer Source Ranges", ",".join(spec["loadBalancerSourceRanges"]))
    if spec.get("trafficDistribution") is not None:
        w.row("Traffic Distribution", spec["trafficDistribution"])
    describe_events(w, events)


def _ingress_point(point: Object) -> str:
    if not point.get("ip"):
        return str(point.get("hostname") or "")
    return str(point["ip"]) + (f" ({point['ipMode']})" if point.get("ipMode") is not None else "")


def _service_port(w: Writer, port: Object, slices: Sequence[Object]) -> None:
    name, protocol = port.get("name") or UNSET, port.get("protocol") or ""
    w.line(f"Port:\t{name}\t{port.get('port') or 0}/{protocol}")
    w.row("TargetPort", f"{port.get('targetPort', 0)}/{protocol}")
    if port.get("appProtocol") is not None:
        w.row("AppProtocol", port["appProtocol"])
    if port.get("nodePort"):
        w.line(f"NodePort:\t{name}\t{port['nodePort']}/{protocol}")
    w.row("Endpoints", endpoints_text(slices, port.get("name") or ""))


def _slices(value: Object, service_name: str, related: Related) -> list[dict[str, Any]]:
    try:
        return related.many(
            ENDPOINT_SLICES, _namespace(value), labels=f"kubernetes.io/service-name={service_name}", paged=False
        )
    except KubetraceError:
        return []


def endpoints_text(slices: Sequence[Object], port_name: str) -> str:
    """The first ready endpoints of a port, and how many more there are (formatEndpointSlices)."""
    if not slices:
        return NONE
    shown: list[str] = []
    count = 0
    more = False
    for one in slices:
        named = [port for port in one.get("ports") or () if (port.get("name") or "") == port_name]
        for port in named if one.get("ports") else [None]:
            for endpoint in one.get("endpoints") or ():
                more = more or len(shown) == _SHOWN
                if (endpoint.get("conditions") or {}).get("ready") is False:
                    continue
                if not more:
                    address = (endpoint.get("addresses") or [""])[0]
                    shown.append(address if port is None else f"{join_host(address)}:{port.get('port') or 0}")
                count += 1
    text = ",".join(shown)
    return f"{text} + {count - _SHOWN} more..." if more else text


def endpoints(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    w.head(value)
    w.line("Subsets:")
    for subset in value.get("subsets") or ():
        for label, field in (("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")):
            addresses = ",".join(str(address.get("ip", "")) for address in subset.get(field) or ())
            w.row(label, or_none(addresses), 1)
        if subset.get("ports"):
            w.line("Ports:", 1)
            rows = [
                (port.get("name") or UNSET, str(port.get("port") or 0), port.get("protocol") or "")
                for port in subset["ports"]
            ]
            w.table(("Name", "Port", "Protocol"), rows, 2)
        w.line("")
    describe_events(w, events)


def endpoint_slice(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    w.head(value)
    w.row("AddressType", value.get("addressType"))
    ports = value.get("ports")
    w.line("Ports:" if ports else f"Ports: {UNSET}")
    if ports:
        rows = [
            (port.get("name") or UNSET, str(port.get("port", UNSET)), str(port.get("protocol", ""))) for port in ports
        ]
        w.table(("Name", "Port", "Protocol"), rows)
    found = value.get("endpoints")
    w.line("Endpoints:" if found else f"Endpoints: {NONE}")
    for endpoint in found or ():
        w.row("- Addresses", or_none(", ".join(endpoint.get("addresses") or ())), 1)
        w.line("Conditions:", 2)
        ready = (endpoint.get("conditions") or {}).get("ready")
        w.row("Ready", UNSET if ready is None else ready, 3)
        w.row("Hostname", endpoint.get("hostname", UNSET), 2)
        target = endpoint.get("targetRef")
        if target is not None:
            w.row("TargetRef", f"{target.get('kind', '')}/{target.get('name', '')}", 2)
        w.row("NodeName", endpoint.get("nodeName", UNSET), 2)
        w.row("Zone", endpoint.get("zone", UNSET), 2)
    describe_events(w, events)


def ingress(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    metadata, spec = value.get("metadata") or {}, value.get("spec") or {}
    w.row("Name", metadata.get("name"))
    w.pairs("Labels", metadata.get("labels"))
    w.row("Namespace", metadata.get("namespace"))
    points = ((value.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    w.row("Address", ",".join(sorted({str(one.get("ip") or one.get("hostname") or "") for one in points} - {""})))
    w.row("Ingress Class", spec.get("ingressClassName", NONE))
    default = spec.get("defaultBackend")
    default_text = "<default>" if default is None else _backend(value, default, related)
    w.row("Default backend", default_text)
    _ingress_tls(w, spec.get("tls") or ())
    w.line("Rules:")
    w.line("Host\tPath\tBackends", 1)
    w.line("----\t----\t--------", 1)
    rules = [rule for rule in spec.get("rules") or () if rule.get("http") is not None]
    for rule in rules:
        w.line(f"{rule.get('host') or '*'}\t", 1)
        for path in rule["http"].get("paths") or ():
            w.line(f"\t{path.get('path') or ''} \t{_backend(value, path.get('backend') or {}, related)}", 2)
    if not rules:
        w.line(f"*\t*\t{default_text}", 1)
    w.annotations(metadata.get("annotations"))
    describe_events(w, events)


def _ingress_tls(w: Writer, entries: Sequence[Object]) -> None:
    if entries:
        w.line("TLS:")
    for entry in entries:
        hosts = ",".join(entry.get("hosts") or ())
        secret = entry.get("secretName")
        w.line(f"{secret} terminates {hosts}" if secret else f"SNI routes {hosts}", 1)


def _backend(value: Object, backend: Object, related: Related) -> str:
    """Where a rule leads: the service and its endpoints, or another resource."""
    target = backend.get("service")
    if target is not None:
        return _service_backend(_namespace(value), target, related)
    resource = backend.get("resource")
    if resource is None:
        return ""
    group = resource.get("apiGroup", NONE)
    return f"APIGroup: {group}, Kind: {resource.get('kind', '')}, Name: {resource.get('name', '')}"


def _service_backend(namespace: str, target: Object, related: Related) -> str:
    name, port = str(target.get("name") or ""), target.get("port") or {}
    text = f"{name}:{port.get('number') or port.get('name') or ''}"
    try:
        labels = f"kubernetes.io/service-name={name}"
        slices = related.many(ENDPOINT_SLICES, namespace, labels=labels, paged=False)
        found = related.one(SERVICES, namespace, name)
    except KubetraceError as error:
        return f"{text} (<error: {error}>)"
    port_name = ""
    for one in (found.get("spec") or {}).get("ports") or ():
        same_number = port.get("number") and port["number"] == one.get("port")
        if same_number or (port.get("name") and port["name"] == one.get("name")):
            port_name = one.get("name") or ""
    return f"{text} ({endpoints_text(slices, port_name)})"


def ingress_class(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    spec = value.get("spec") or {}
    w.head(value, namespace=False)
    w.row("Controller", spec.get("controller"))
    parameters = spec.get("parameters")
    if parameters is not None:
        w.line("Parameters:")
        if parameters.get("apiGroup") is not None:
            w.row("APIGroup", parameters["apiGroup"], 1)
        w.row("Kind", parameters.get("kind"), 1)
        w.row("Name", parameters.get("name"), 1)
    describe_events(w, events)


def service_cidr(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    w.head(value, namespace=False)
    w.row("CIDRs", ", ".join((value.get("spec") or {}).get("cidrs") or ()))
    conditions = (value.get("status") or {}).get("conditions")
    if conditions:
        w.line("Status:")
        describe_conditions(w, conditions)
    describe_events(w, events)


def ip_address(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    w.head(value, namespace=False)
    parent = (value.get("spec") or {}).get("parentRef")
    if parent is not None:
        w.line("Parent Reference:")
        for field in ("group", "resource", "namespace", "name"):
            w.row(field.capitalize(), parent.get(field), 1)
    describe_events(w, events)


def network_policy(w: Writer, value: Object, related: Related) -> None:
    metadata, spec = value.get("metadata") or {}, value.get("spec") or {}
    w.row("Name", metadata.get("name"))
    w.row("Namespace", metadata.get("namespace"))
    w.row("Created on", full_date(metadata.get("creationTimestamp")))
    w.labels_and_annotations(metadata)
    w.line("Spec:")
    selector = spec.get("podSelector") or {}
    chosen = selector.get("matchLabels") or selector.get("matchExpressions")
    everything = f"{NONE} (Allowing the specific traffic to all pods in this namespace)"
    w.write("PodSelector: ", 1)
    w.line(shown_selector(selector) if chosen else everything, 2)
    types = spec.get("policyTypes") or ()
    for kind, peers in (("ingress", "from"), ("egress", "to")):
        if kind.capitalize() in types:
            w.line(f"Allowing {kind} traffic:", 1)
            _policy_rules(w, spec.get(kind) or (), kind, peers)
        else:
            w.line(f"Not affecting {kind} traffic", 1)
    w.line(f"Policy Types: {or_none(', '.join(types))}", 1)


def _policy_rules(w: Writer, rules: Sequence[Object], kind: str, peers: str) -> None:
    indent = "    "
    if not rules:
        w.line(f"{indent}{NONE} (Selected pods are isolated for {kind} connectivity)")
    for number, rule in enumerate(rules):
        if not rule.get("ports"):
            w.line(f"{indent}To Port: <any> (traffic allowed to all ports)")
        for port in rule.get("ports") or ():
            protocol, shown = port.get("protocol") or "TCP", go_value(port.get("port", "<nil>"))
            if port.get("endPort") is None:
                w.line(f"{indent}To Port: {shown}/{protocol}")
            else:
                w.line(f"{indent}To Port Range: {shown}-{port['endPort']}/{protocol}")
        title = peers.capitalize()
        if not rule.get(peers):
            side = "source" if peers == "from" else "destination"
            w.line(f"{indent}{title}: <any> (traffic not restricted by {side})")
        for peer in rule.get(peers) or ():
            w.line(f"{indent}{title}:")
            _policy_peer(w, peer, indent)
        if number != len(rules) - 1:
            w.line(f"{indent}----------")


def _policy_peer(w: Writer, peer: Object, indent: str) -> None:
    block = peer.get("ipBlock")
    selected = False
    for label in ("NamespaceSelector", "PodSelector"):
        selector = peer.get(label[0].lower() + label[1:])
        if selector is not None:
            selected = True
            w.line(f"{indent}{label}: {shown_selector(selector)}", 1)
    if not selected and block is not None:
        w.line(f"{indent}IPBlock:", 1)
        w.line(f"{indent}CIDR: {block.get('cidr', '')}", 2)
        w.line(f"{indent}Except: {', '.join(block.get('except') or ())}", 2)
