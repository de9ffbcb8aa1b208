"""What the writer of a pod, or of a template of pods, is warned of (pkg/api/pod/warnings.go)."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterable
from typing import Any

from kubetrace.playground.objects import Object
from kubetrace.playground.quantities import amount
from kubetrace.playground.validation.causes import loose_address
from kubetrace.playground.validation.hosts import visited
from kubetrace.playground.validation.pod_annotations import APPARMOR, POD_SECCOMP, SECCOMP
from kubetrace.wire.go_quote import quote

OLD_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
"""Labels of nodes that nobody should select by (pkg/api/node/util.go)."""
_OLD_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
OLD_VOLUMES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
"""Kinds of volumes that are no more, by their fields' names."""
VOLUME_TITLES = {"storageos": "storageOS"}
"""What messages call them, where that is not the field's name."""
_NO_SELECTOR = "a null labelSelector results in matching no pod"


def of_pod(metadata: Object, spec: Object, at: str = "") -> list[str]:
    """`at`: the path of the template with its dot, "spec.template."; empty for a pod."""
    annotations = metadata.get("annotations") or {}
    found = [*_node_labels(spec, at), *_spreading(spec, at)]
    found += [f"{at}metadata.annotations[{k}]: {told}" for k, told in _OLD_ANNOTATIONS.items() if k in annotations]
    found += _volumes(spec, at)
    found += _overlaps(spec.get("volumes") or ())
    found += _twice(spec, at)
    found += fractions(spec.get("overhead") or {}, f"{at}spec.overhead")
    if POD_SECCOMP in annotations and not (spec.get("securityContext") or {}).get("seccompProfile"):
        told = 'non-functional in v1.27+; use the "seccompProfile" field instead'
        found.append(f"{at}metadata.annotations[{POD_SECCOMP}]: {told}")
    for container, path in visited(spec, f"{at}spec"):
        found += _of_container(container, path, annotations, spec, at)
    found += _ports(spec, at)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        told = "must be >= 0; negative values are invalid and will be treated as 1"
        found.append(f"{at}spec.terminationGracePeriodSeconds: {told}")
    found += _affinity(spec, at)
    for index, address in enumerate((spec.get("dnsConfig") or {}).get("nameservers") or ()):
        found += of_address(f"{at}spec.dnsConfig.nameservers[{index}]", address)
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        found += of_address(f"{at}spec.hostAliases[{index}].ip", alias.get("ip", ""))
    return found


def of_terms(terms: Iterable[Object], at: str) -> list[str]:
    """Node selector terms: labels that are out of use."""
    return [
        f"{at}[{index}].matchExpressions[{place}].key: {each['key']} is {OLD_LABELS[each['key']]}"
        for index, term in enumerate(terms)
        for place, each in enumerate(term.get("matchExpressions") or ())
        if each.get("key") in OLD_LABELS
    ]


def _node_labels(spec: Object, at: str) -> list[str]:
    wanted = sorted(key for key in spec.get("nodeSelector") or {} if key in OLD_LABELS)
    found = [f"{at}spec.nodeSelector[{key}]: {OLD_LABELS[key]}" for key in wanted]
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    path = f"{at}spec.affinity.nodeAffinity"
    needed, liked = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"
    terms = (affinity.get(needed) or {}).get("nodeSelectorTerms") or ()
    found += of_terms(terms, f"{path}.{needed}.nodeSelectorTerms")
    for index, term in enumerate(affinity.get(liked) or ()):
        told = of_terms([term.get("preference") or {}], "")
        found += [text.replace("[0]", f"{path}.{liked}[{index}].preference", 1) for text in told]
    return found


def _spreading(spec: Object, at: str) -> list[str]:
    found = []
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        path, key = f"{at}spec.topologySpreadConstraints[{index}]", constraint.get("topologyKey", "")
        if key in OLD_LABELS:
            found.append(f"{path}.topologyKey: {key} is {OLD_LABELS[key]}")
        if constraint.get("labelSelector") is None:
            found.append(f"{path}.labelSelector: {_NO_SELECTOR}")
    return found


def _volumes(spec: Object, at: str) -> list[str]:
    found = []
    for index, volume in enumerate(spec.get("volumes") or ()):
        path = f"{at}spec.volumes[{index}]"
        found += [f"{path}.{VOLUME_TITLES.get(k, k)}: {told}" for k, told in OLD_VOLUMES.items() if k in volume]
        claim = ((volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}).get("spec")
        if claim:
            found += of_claim(claim, f"{path}.ephemeral.volumeClaimTemplate.spec")
    return found


def of_claim(spec: Object, at: str) -> list[str]:
    """A claim's storage in whole bytes."""
    resources = spec.get("resources") or {}
    parts = ((resources.get(part) or {}, f"{at}.resources.{part}") for part in ("requests", "limits"))
    return [text for amounts, path in parts for text in fractions(amounts, path, ("storage",))]


def fractions(amounts: Object, at: str, names: Iterable[str] = ("memory", "ephemeral-storage")) -> list[str]:
    """Amounts of bytes that are not whole."""
    return [
        f"{at}[{name}]: fractional byte value {quote(str(amounts[name]))} is invalid, must be an integer"
        for name in names
        if name in amounts and math.ceil(amount(str(amounts[name])) * 1000) % 1000
    ]


def _twice(spec: Object, at: str) -> list[str]:
    found = []
    for group, field, title in (("hostAliases", "ip", "ip"), ("imagePullSecrets", "name", "name")):
        seen = set()
        for index, entry in enumerate(spec.get(group) or ()):
            value = entry.get(field, "")
            if value in seen:
                found.append(f"{at}spec.{group}[{index}].{field}: duplicate {title} {quote(value)}")
            seen.add(value)
    for index, entry in enumerate(spec.get("imagePullSecrets") or ()):
        if not entry.get("name"):
            found.append(f'{at}spec.imagePullSecrets[{index}].name: invalid empty name ""')
    return found


def _of_container(container: Object, path: str, annotations: Object, spec: Object, at: str) -> list[str]:
    found, security = [], container.get("securityContext") or {}
    key = SECCOMP + container.get("name", "")
    if key in annotations and not security.get("seccompProfile"):
        told = 'non-functional in v1.27+; use the "seccompProfile" field instead'
        found.append(f"{at}metadata.annotations[{key}]: {told}")
    key, profile = APPARMOR + container.get("name", ""), (spec.get("securityContext") or {}).get("appArmorProfile")
    if at and key in annotations and not security.get("appArmorProfile") and not profile:
        told = 'deprecated since v1.30; use the "appArmorProfile" field instead'
        found.append(f"{at}metadata.annotations[{key}]: {told}")
    resources = container.get("resources") or {}
    for name in ("memory", "ephemeral-storage"):
        for part in ("limits", "requests"):
            found += fractions(resources.get(part) or {}, f"{path}.resources.{part}", (name,))
    seen = set()
    for index, entry in enumerate(container.get("env") or ()):
        name, value = entry.get("name", ""), entry.get("value") or ""
        reference = f"$({name})"
        if name in seen and (entry.get("valueFrom") or value == reference or reference not in value):
            told = f"hides previous definition of {quote(name)}, which may be dropped when using apply"
            found.append(f"{path}.env[{index}]: {told}")
        seen.add(name)
    return found


def _ports(spec: Object, at: str) -> list[str]:
    found: list[str] = []
    known: dict[tuple[Any, Any], list[tuple[str, Object]]] = {}
    for container, path in visited(spec, f"{at}spec"):
        for index, port in enumerate(container.get("ports") or ()):
            here, address, host = f"{path}.ports[{index}]", port.get("hostIP", ""), port.get("hostPort", 0)
            if address and not host:
                shown = f"Name:{port.get('name', '')} HostPort:0 ContainerPort:{port.get('containerPort', 0)} "
                shown += f"Protocol:{port.get('protocol', '')} HostIP:{address}"
                found.append(f"{here}: hostIP set without hostPort: {{{shown}}}")
            others = known.setdefault((port.get("containerPort"), port.get("protocol")), [])
            for there, other in others:
                its_address, its_host = other.get("hostIP", ""), other.get("hostPort", 0)
                if (address, host) == (its_address, its_host):
                    found.append(f"{here}: duplicate port definition with {there}")
                elif not host or not its_host:
                    found.append(f"{here}: overlapping port definition with {there}")
                elif host == its_host and bool(address) != bool(its_address):
                    found.append(f"{here}: dangerously ambiguous port definition with {there}")
            others.append((here, port))
    named: dict[str, str] = {}
    for container, path in visited(spec, f"{at}spec"):
        for index, port in enumerate(container.get("ports") or ()):
            name, here = port.get("name", ""), f"{path}.ports[{index}]"
            if name and named.setdefault(name, here) != here:
                told = (
                    f"duplicate port name {quote(name)} with {named[name]}, services and probes that select ports by "
                )
                found.append(f"{here}: {told}name will use {named[name]}")
    return found


def _affinity(spec: Object, at: str) -> list[str]:
    found = []
    for kind in ("podAffinity", "podAntiAffinity"):
        affinity, path = (spec.get("affinity") or {}).get(kind) or {}, f"{at}spec.affinity.{kind}"
        part = "requiredDuringSchedulingIgnoredDuringExecution"
        for index, term in enumerate(affinity.get(part) or ()):
            if term.get("labelSelector") is None:
                found.append(f"{path}.{part}[{index}].labelSelector: {_NO_SELECTOR}")
        part = "preferredDuringSchedulingIgnoredDuringExecution"
        for index, term in enumerate(affinity.get(part) or ()):
            if (term.get("podAffinityTerm") or {}).get("labelSelector") is None:
                found.append(f"{path}.{part}[{index}].podAffinityTerm.labelSelector: {_NO_SELECTOR}")
    return found


def _overlaps(volumes: Iterable[Object]) -> list[str]:
    """Files of one volume that lie on each other (warningsForOverlappingVirtualPaths)."""
    found = []
    for volume in volumes:
        title = f"volume {quote(volume.get('name', ''))}"
        for field, kind, name in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
            source = volume.get(field) or {}
            told = f"{kind} {quote(source.get(name, ''))}"
            paths = [(item.get("path", ""), "") for item in source.get("items") or ()]
            found += [f"{title} ({told}): overlapping paths: {text}" for text in _collisions(paths)]
        paths = [(item.get("path", ""), "") for item in (volume.get("downwardAPI") or {}).get("items") or ()]
        found += [f"{title} (DownwardAPI): overlapping paths: {text}" for text in _collisions(paths)]
        if volume.get("projected"):
            sources = volume["projected"].get("sources") or ()
            found += [f"{title} (Projected) has no sources provided" for source in sources if not source]
            paths = [pair for source in sources for pair in _projected(source)]
            found += [f"{title} (Projected): overlapping paths: {text}" for text in _collisions(paths)]
    return found


def _projected(source: Object) -> list[tuple[str, str]]:
    for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        items = (source.get(field) or {}).get("items")
        if items:
            return [(item.get("path", ""), f"{kind} {quote(source[field].get('name', ''))}") for item in items]
    if source.get("downwardAPI"):
        return [(item.get("path", ""), "DownwardAPI") for item in source["downwardAPI"].get("items") or ()]
    if source.get("serviceAccountToken"):
        return [(source["serviceAccountToken"].get("path", ""), "ServiceAccountToken")]
    bundle = source.get("clusterTrustBundle")
    if bundle:
        name = bundle.get("name") or bundle.get("signerName", "")
        return [(bundle.get("path", ""), f"ClusterTrustBundle {quote(name)}")]
    return []


def _collisions(paths: Iterable[tuple[str, str]]) -> list[str]:
    found: list[str] = []
    known: list[tuple[str, str]] = []
    for path, source in paths:
        own = (path.rstrip("/"), source)
        for other in known:
            one, two = f"{own[0]}/", f"{other[0]}/"
            if own[0] and other[0] and (one.startswith(two) or two.startswith(one)):
                found.append(f"{_sourced(own)} with {_sourced(other)}")
        known.append(own)
    return found


def _sourced(pair: tuple[str, str]) -> str:
    return f"{quote(pair[0])} ({pair[1]})" if pair[1] else quote(pair[0])


def of_address(at: str, text: str) -> list[str]:
    """An address that is not written as it should be (GetWarningsForIP)."""
    address = loose_address(text)
    if address is None:
        return []
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None or (address.version == 4 and str(address) != text):
        return [f"{at}: non-standard IP address {quote(text)} is invalid: use {quote(str(mapped or address))}"]
    if address.version == 6 and str(address) != text:
        return [f"{at}: IPv6 address {quote(text)} should be in RFC 5952 canonical format ({quote(str(address))})"]
    return []


def of_network(at: str, text: str) -> list[str]:
    """A CIDR that is not written as it should be (GetWarningsForCIDR)."""
    start, _, bits = text.partition("/")
    address = loose_address(start)
    if address is None or not bits.isdigit():
        return []
    network = ipaddress.ip_network(f"{address}/{int(bits)}", strict=False)
    found = []
    if address != network.network_address:
        single = f"{address}/{address.max_prefixlen}"
        told = f"is ambiguous in this context (should be {quote(str(network))} or {quote(single)}?)"
        found.append(f"{at}: CIDR value {quote(text)} {told}")
    if getattr(address, "ipv4_mapped", None) is not None or (address.version == 4 and str(address) != start):
        found.append(f"{at}: non-standard CIDR value {quote(text)} is invalid: use {quote(str(network))}")
    if not found and address.version == 6 and str(network) != text:
        told = f"should be in RFC 5952 canonical format ({quote(str(network))})"
        found.append(f"{at}: IPv6 CIDR value {quote(text)} {told}")
    return found
