"""What the server prints in each kind's table row (k8s.io/kubernetes pkg/printers/internalversion/printers.go).

A function a resource gives the row's cells in the order of the recorded column definitions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubetrace.playground.rare_cells import RARE_CELLS
from kubetrace.playground.row_values import (
    NONE,
    Item,
    access_modes,
    age,
    get,
    human_duration,
    joined,
    selector_text,
    since,
)
from kubetrace.playground.workload_cells import WORKLOAD_CELLS


def _service(item: Item) -> list[Any]:
    spec = item["spec"]
    ports = [
        f"{p['port']}:{p['nodePort']}/{p['protocol']}" if p.get("nodePort") else f"{p['port']}/{p['protocol']}"
        for p in spec.get("ports") or ()
    ]
    kind, external = spec.get("type"), ",".join(spec.get("externalIPs") or ())
    ingress = ",".join(i.get("ip") or i.get("hostname") or "" for i in get(item, "status.loadBalancer.ingress", []))
    if kind == "LoadBalancer":
        outside = ",".join(filter(None, (ingress, external))) or "<pending>"
    elif kind == "ExternalName":
        outside = spec.get("externalName", "")
    else:
        outside = external or NONE
    row = [item["metadata"]["name"], kind, spec.get("clusterIP") or NONE, outside, ",".join(ports) or NONE, age(item)]
    return [*row, joined(spec.get("selector"))]


def _namespace(item: Item) -> list[Any]:
    return [item["metadata"]["name"], get(item, "status.phase", ""), age(item)]


def _config_map(item: Item) -> list[Any]:
    return [item["metadata"]["name"], len(item.get("data") or ()) + len(item.get("binaryData") or ()), age(item)]


def _secret(item: Item) -> list[Any]:
    return [item["metadata"]["name"], item.get("type", ""), len(item.get("data") or ()), age(item)]


def _service_account(item: Item) -> list[Any]:
    return [item["metadata"]["name"], age(item)]


def _node(item: Item) -> list[Any]:
    status, spec, metadata = item.get("status") or {}, item.get("spec") or {}, item["metadata"]
    ready = next((c for c in status.get("conditions") or () if c["type"] == "Ready"), None)
    state = "Unknown" if ready is None else "Ready" if ready["status"] == "True" else "NotReady"
    if spec.get("unschedulable"):
        state += ",SchedulingDisabled"
    prefix = "node-role.kubernetes.io/"
    roles = sorted(key.removeprefix(prefix) for key in metadata.get("labels") or () if key.startswith(prefix))
    addresses = {a["type"]: a["address"] for a in status.get("addresses") or ()}
    info = status.get("nodeInfo") or {}
    row = [metadata["name"], state, ",".join(roles) or NONE, age(item), info.get("kubeletVersion", "")]
    row += [addresses.get("InternalIP", NONE), addresses.get("ExternalIP", NONE)]
    words = ("osImage", "kernelVersion", "containerRuntimeVersion")
    return row + [info.get(word) or "<unknown>" for word in words]


def _event(item: Item) -> list[Any]:
    target = item.get("involvedObject") or item.get("regarding") or {}
    first = item.get("firstTimestamp") or item.get("deprecatedFirstTimestamp") or item.get("eventTime")
    series = item.get("series") or {}
    last = series.get("lastObservedTime") or item.get("lastTimestamp") or item.get("deprecatedLastTimestamp") or first
    name = (
        f"{target.get('kind', '').lower()}/{target.get('name')}"
        if target.get("name")
        else target.get("kind", "").lower()
    )
    component = get(item, "source.component") or item.get("reportingComponent") or ""
    instance = get(item, "source.host") or item.get("reportingInstance") or ""
    source = f"{component}, {instance}" if instance else component
    message = (item.get("message") or item.get("note") or "").strip()
    row = [
        since(last),
        item.get("type", ""),
        item.get("reason", ""),
        name,
        target.get("fieldPath", ""),
        source,
        message,
    ]
    return [*row, since(first), series.get("count") or item.get("count") or 1, item["metadata"]["name"]]


def _endpoints(item: Item) -> list[Any]:
    found: list[str] = []
    for subset in item.get("subsets") or ():
        ports: list[Item] = subset.get("ports") or [{}]
        for port in ports:
            for address in subset.get("addresses") or ():
                found.append(f"{address['ip']}:{port['port']}" if "port" in port else address["ip"])
    text = NONE if not found else ",".join(found[:3]) + (f" + {len(found) - 3} more..." if len(found) > 3 else "")
    return [item["metadata"]["name"], text, age(item)]


def _endpoint_slice(item: Item) -> list[Any]:
    def shortened(values: list[str], word: str) -> str:
        return ",".join(values[:3]) + (f" + {len(values) - 3} more..." if len(values) > 3 else "") or word

    ports = [str(p.get("port", "*")) for p in item.get("ports") or ()]
    addresses = [a for e in item.get("endpoints") or () for a in e.get("addresses") or ()]
    row = [item["metadata"]["name"], item.get("addressType", ""), shortened(ports, "<unset>")]
    return [*row, shortened(addresses, "<unset>"), age(item)]


def _ingress(item: Item) -> list[Any]:
    spec = item.get("spec") or {}
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    text = ",".join(hosts[:3]) + (f" + {len(hosts) - 3} more..." if len(hosts) > 3 else "") or "*"
    ingress = ",".join(i.get("ip") or i.get("hostname") or "" for i in get(item, "status.loadBalancer.ingress", []))
    ports = "80, 443" if spec.get("tls") else "80"
    return [item["metadata"]["name"], spec.get("ingressClassName") or NONE, text, ingress, ports, age(item)]


def _claim(item: Item) -> list[Any]:
    spec, status = item["spec"], item.get("status") or {}
    phase = "Terminating" if item["metadata"].get("deletionTimestamp") else status.get("phase", "")
    capacity, modes = "", ""
    if spec.get("volumeName"):
        capacity, modes = get(status, "capacity.storage", "0"), access_modes(status.get("accessModes"))
    storage_class, attributes = spec.get("storageClassName") or "", spec.get("volumeAttributesClassName") or "<unset>"
    row = [item["metadata"]["name"], phase, spec.get("volumeName", ""), capacity, modes, storage_class, attributes]
    return [*row, age(item), spec.get("volumeMode") or "<unset>"]


def _volume(item: Item) -> list[Any]:
    spec, status = item["spec"], item.get("status") or {}
    claim = spec.get("claimRef")
    phase = "Terminating" if item["metadata"].get("deletionTimestamp") else status.get("phase", "")
    row = [item["metadata"]["name"], get(spec, "capacity.storage", "0"), access_modes(spec.get("accessModes"))]
    row += [
        spec.get("persistentVolumeReclaimPolicy", ""),
        phase,
        f"{claim['namespace']}/{claim['name']}" if claim else "",
    ]
    row += [
        spec.get("storageClassName") or "",
        spec.get("volumeAttributesClassName") or "<unset>",
        status.get("reason", ""),
    ]
    return [*row, age(item), spec.get("volumeMode") or "<unset>"]


def _named(item: Item) -> list[Any]:
    return [item["metadata"]["name"], item["metadata"].get("creationTimestamp")]


def _role_binding(item: Item) -> list[Any]:
    role = f"{item['roleRef']['kind']}/{item['roleRef']['name']}"
    found: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in item.get("subjects") or ():
        prefix = f"{subject.get('namespace')}/" if subject["kind"] == "ServiceAccount" else ""
        found.setdefault(subject["kind"], []).append(prefix + subject["name"])
    people = [", ".join(found[kind]) for kind in ("User", "Group", "ServiceAccount")]
    return [item["metadata"]["name"], role, age(item), *people]


def _metric(metric: Item, known: Item) -> str:
    """What is known of a metric, and what is wanted (formatHPAMetrics)."""
    kind = metric["type"]
    name = kind[:1].lower() + kind[1:]
    source, current = metric.get(name) or {}, get(known, f"{name}.current") or {}
    wanted = source.get("target") or {}
    start = f"{source.get('name', '')}: " if kind in ("Resource", "ContainerResource") else ""
    if wanted.get("averageValue") is not None:
        end = " (avg)" if kind in ("Object", "External") else ""
        return f"{start}{current.get('averageValue', '<unknown>')}/{wanted['averageValue']}{end}"
    if not start:
        return f"{current.get('value', '<unknown>')}/{wanted.get('value')}"
    now, then = (part.get("averageUtilization") for part in (current, wanted))
    return f"{start}{'<unknown>' if now is None else f'{now}%'}/{'<auto>' if then is None else f'{then}%'}"


def _autoscaler(item: Item) -> list[Any]:
    spec, status = item["spec"], item.get("status") or {}
    reference = f"{spec['scaleTargetRef']['kind']}/{spec['scaleTargetRef']['name']}"
    found = status.get("currentMetrics") or []
    targets = [
        _metric(metric, found[index] if index < len(found) else {})
        for index, metric in enumerate(spec.get("metrics") or ())
    ]
    counts = [str(spec.get("minReplicas") or "<unset>"), spec["maxReplicas"], status.get("currentReplicas", 0)]
    more = f" + {len(targets) - 2} more..." if len(targets) > 2 else ""
    return [item["metadata"]["name"], reference, ", ".join(targets[:2]) + more or NONE, *counts, age(item)]


def _network_policy(item: Item) -> list[Any]:
    return [item["metadata"]["name"], selector_text(item["spec"].get("podSelector")), age(item)]


def _budget(item: Item) -> list[Any]:
    spec = item["spec"]
    limits = [str(spec.get(name, "N/A")) for name in ("minAvailable", "maxUnavailable")]
    return [item["metadata"]["name"], *limits, get(item, "status.disruptionsAllowed", 0), age(item)]


def _storage_class(item: Item) -> list[Any]:
    marked = get(item, "metadata.annotations", {}).get("storageclass.kubernetes.io/is-default-class") == "true"
    name = item["metadata"]["name"] + (" (default)" if marked else "")
    row = [name, item["provisioner"], item.get("reclaimPolicy"), item.get("volumeBindingMode")]
    return [*row, bool(item.get("allowVolumeExpansion")), age(item)]


def _quota(item: Item) -> list[Any]:
    hard, used = get(item, "status.hard") or get(item, "spec.hard", {}), get(item, "status.used", {})
    pairs = [(name, f"{name}: {used.get(name, '0')}/{hard[name]}") for name in sorted(hard)]
    limits = ", ".join(text for name, text in pairs if name.startswith("limits"))
    return [item["metadata"]["name"], ", ".join(t for n, t in pairs if not n.startswith("limits")), limits, age(item)]


def _priority_class(item: Item) -> list[Any]:
    row = [item["metadata"]["name"], item["value"], bool(item.get("globalDefault"))]
    return [*row, age(item), item.get("preemptionPolicy", "")]


def _signing_request(item: Item) -> list[Any]:
    conditions = {c["type"] for c in get(item, "status.conditions", [])}
    state = next((word for word in ("Denied", "Approved") if word in conditions), "Pending")
    if "Failed" in conditions:
        state += ",Failed"
    if get(item, "status.certificate"):
        state += ",Issued"
    spec = item["spec"]
    duration = human_duration(spec["expirationSeconds"]) if spec.get("expirationSeconds") else NONE
    row = [item["metadata"]["name"], age(item), spec.get("signerName") or NONE, spec.get("username", "")]
    return [*row, duration, state]


def _lease(item: Item) -> list[Any]:
    return [item["metadata"]["name"], get(item, "spec.holderIdentity", ""), age(item)]


def _api_service(item: Item) -> list[Any]:
    service = get(item, "spec.service")
    name = f"{service['namespace']}/{service['name']}" if service else "Local"
    found = next((c for c in get(item, "status.conditions", []) if c["type"] == "Available"), None)
    state = "Unknown" if found is None else found["status"]
    if found is not None and state != "True":
        state = f"{state} ({found.get('reason')})"
    return [item["metadata"]["name"], name, state, age(item)]


def _component_status(item: Item) -> list[Any]:
    healthy: Item = next((c for c in item.get("conditions") or () if c["type"] == "Healthy"), {})
    state = {"True": "Healthy", "False": "Unhealthy"}.get(healthy.get("status", ""), "Unknown")
    return [item["metadata"]["name"], state, healthy.get("message", ""), healthy.get("error", "")]


def _flow_schema(item: Item) -> list[Any]:
    spec = item["spec"]
    level = get(item, "spec.priorityLevelConfiguration.name", "")
    method = get(item, "spec.distinguisherMethod.type") or NONE
    dangling = next((c["status"] for c in get(item, "status.conditions", []) if c["type"] == "Dangling"), "?")
    return [item["metadata"]["name"], level, spec.get("matchingPrecedence", 1000), method, age(item), dangling]


def _priority_level(item: Item) -> list[Any]:
    kind = item["spec"]["type"]
    queuing = get(item, "spec.limited.limitResponse.queuing") or {}
    shares = get(item, "spec.limited.nominalConcurrencyShares")
    row = [item["metadata"]["name"], kind, NONE if shares is None else str(shares)]
    row += [str(queuing[name]) if name in queuing else NONE for name in ("queues", "handSize", "queueLengthLimit")]
    return [*row, age(item)]


CELLS: dict[str, Callable[[Item], list[Any]]] = (
    WORKLOAD_CELLS
    | RARE_CELLS
    | {
        "services": _service,
        "namespaces": _namespace,
        "configmaps": _config_map,
        "secrets": _secret,
        "serviceaccounts": _service_account,
        "nodes": _node,
        "events": _event,
        "endpoints": _endpoints,
        "endpointslices.discovery.k8s.io": _endpoint_slice,
        "ingresses.networking.k8s.io": _ingress,
        "persistentvolumeclaims": _claim,
        "persistentvolumes": _volume,
        "limitranges": _named,
        "customresourcedefinitions.apiextensions.k8s.io": _named,
        "roles.rbac.authorization.k8s.io": _named,
        "clusterroles.rbac.authorization.k8s.io": _named,
        "rolebindings.rbac.authorization.k8s.io": _role_binding,
        "clusterrolebindings.rbac.authorization.k8s.io": _role_binding,
        "horizontalpodautoscalers.autoscaling": _autoscaler,
        "networkpolicies.networking.k8s.io": _network_policy,
        "poddisruptionbudgets.policy": _budget,
        "storageclasses.storage.k8s.io": _storage_class,
        "resourcequotas": _quota,
        "priorityclasses.scheduling.k8s.io": _priority_class,
        "certificatesigningrequests.certificates.k8s.io": _signing_request,
        "leases.coordination.k8s.io": _lease,
        "componentstatuses": _component_status,
        "apiservices.apiregistration.k8s.io": _api_service,
        "flowschemas.flowcontrol.apiserver.k8s.io": _flow_schema,
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": _priority_level,
    }
)
