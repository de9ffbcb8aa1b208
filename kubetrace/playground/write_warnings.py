"""What the writer of an object is warned of, kind by kind (WarningsOnCreate and WarningsOnUpdate of the strategies in
pkg/registry)."""

from __future__ import annotations

import base64
from collections.abc import Callable

from kubetrace.errors import KubetraceError
from kubetrace.playground import pod_warnings
from kubetrace.playground.objects import Object
from kubetrace.playground.pod_warnings import OLD_LABELS, OLD_VOLUMES, VOLUME_TITLES, of_address, of_network
from kubetrace.playground.validation.causes import label_name
from kubetrace.playground.validation.cluster import is_finalizer
from kubetrace.wire.go_quote import quote
from kubetrace.wire.key_pairs import check_key_pair

_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
_BETA_OPTIONS = "volume.beta.kubernetes.io/mount-options"
_OLD_CLASS = 'deprecated since v1.8; use "storageClassName" attribute instead'


def of_creation(key: str, item: Object) -> list[str]:
    """`key`: "deployments.apps"."""
    found = _named(key, item)
    found += _templated(key, item) if key in _TEMPLATES else []
    special = _SPECIAL.get(key)
    return found + (special(item) if special is not None else [])


def of_update(key: str, item: Object, changed: bool) -> list[str]:
    """`changed`: whether the spec is another one now."""
    found = _templated(key, item) if changed and key in _TEMPLATES and key != "pods" else []
    special = None if key in _ONCE else _SPECIAL.get(key)
    return found + (special(item) if special is not None else [])


def of_deletion(key: str, options: Object) -> list[str]:
    """What one is told who does not say what becomes of the dependents (batch/job/storage)."""
    if key != "jobs.batch" or options.get("propagationPolicy") is not None:
        return []
    told = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them "
    return [told + "or set propagationPolicy=Orphan to suppress this warning"]


def of_finalizers(item: Object, old: Object | None) -> list[str]:
    """What the writer of a custom resource is told of new finalizers (registry/customresource)."""
    at, known = "metadata.finalizers", ((old or {}).get("metadata") or {}).get("finalizers") or ()
    found = []
    for name in sorted(set(item["metadata"].get("finalizers") or ()) - set(known)):
        if not is_finalizer(name):
            how = " including a path (/)" if "." in name else ""
            why = f"prefer a domain-qualified finalizer name{how} to avoid accidental conflicts with other finalizer"
            found.append(f"{at}: {quote(name)}: {why} writers")
    return found


def _named(key: str, item: Object) -> list[str]:
    """Names that make no good host names."""
    place = _NAMES.get(key)
    if place is None:
        return []
    name = item["metadata"].get("name", "")
    told = [text.removeprefix(f"Invalid value: {quote(name)}: ") for _, _, text in label_name("metadata.name", name)]
    if not told:
        return []
    why = f"this is used in {place}, which can result in surprising behavior; a DNS label is recommended"
    return [f"metadata.name: {why}: [{' '.join(told)}]"]


_HOSTS = "Pod names and hostnames"
_NAMES = {
    "pods": "the Pod's hostname",
    "deployments.apps": _HOSTS,
    "replicasets.apps": _HOSTS,
    "replicationcontrollers": _HOSTS,
    "jobs.batch": _HOSTS,
    "cronjobs.batch": _HOSTS,
}
_TEMPLATES = {
    "pods": "",
    "podtemplates": "template.",
    "deployments.apps": "spec.template.",
    "replicasets.apps": "spec.template.",
    "statefulsets.apps": "spec.template.",
    "daemonsets.apps": "spec.template.",
    "replicationcontrollers": "spec.template.",
    "jobs.batch": "spec.template.",
    "cronjobs.batch": "spec.jobTemplate.spec.template.",
}
"""Where kinds have what a pod is made from."""


def _templated(key: str, item: Object) -> list[str]:
    at, found = _TEMPLATES[key], item
    for name in at.split(".")[:-1]:
        found = found.get(name) or {}
    return pod_warnings.of_pod(found.get("metadata") or {}, found.get("spec") or {}, at)


def _service(item: Object) -> list[str]:
    spec, kind = item["spec"], item["spec"].get("type", "ClusterIP")
    external = spec.get("externalIPs") or []
    headless = kind == "ClusterIP" and spec.get("clusterIP") == "None"
    found: list[str] = []
    if "service.kubernetes.io/topology-aware-hints" in (item["metadata"].get("annotations") or {}):
        told = "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use "
        found.append(f"{told}service.kubernetes.io/topology-mode instead")
    for index, address in enumerate(spec.get("clusterIPs") or ()):
        found += of_address(f"spec.clusterIPs[{index}]", address)
    if headless:
        ignored = {"loadBalancerIP": spec.get("loadBalancerIP"), "externalIPs": external}
        ignored["SessionAffinity"] = spec.get("sessionAffinity", "None") != "None"
        found += [f"spec.{name} is ignored for headless services" for name, there in ignored.items() if there]
    for index, address in enumerate(external):
        found += of_address(f"spec.externalIPs[{index}]", address)
    if external and not headless and kind != "ExternalName":
        found.append("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
    found += of_address("spec.loadBalancerIP", spec.get("loadBalancerIP") or "")
    for index, network in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        found += of_network(f"spec.loadBalancerSourceRanges[{index}]", network)
    if kind == "ExternalName" and external:
        found.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
    if kind != "ExternalName" and spec.get("externalName"):
        found.append('spec.externalName is ignored when spec.type is not "ExternalName"')
    if spec.get("trafficDistribution") == "PreferClose":
        found.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
    return found


def _claim(item: Object) -> list[str]:
    annotations = item["metadata"].get("annotations") or {}
    found = [f"metadata.annotations[{_BETA_CLASS}]: {_OLD_CLASS}"] if _BETA_CLASS in annotations else []
    return found + pod_warnings.of_claim(item["spec"], "spec")


def _volume(item: Object) -> list[str]:
    annotations, spec = item["metadata"].get("annotations") or {}, item["spec"]
    found = [f"metadata.annotations[{_BETA_CLASS}]: {_OLD_CLASS}"] if _BETA_CLASS in annotations else []
    if _BETA_OPTIONS in annotations:
        told = 'deprecated since v1.31; use "mountOptions" attribute instead'
        found.append(f"metadata.annotations[{_BETA_OPTIONS}]: {told}")
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        told = "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic "
        found.append(f"spec.persistentVolumeReclaimPolicy: {told}provisioning.")
    terms = ((spec.get("nodeAffinity") or {}).get("required") or {}).get("nodeSelectorTerms") or ()
    found += pod_warnings.of_terms(terms, "spec.nodeAffinity.required.nodeSelectorTerms")
    kinds = ("cephfs", "photonPersistentDisk", "scaleIO", "storageos", "glusterfs", "rbd")
    return found + [f"spec.{VOLUME_TITLES.get(k, k)}: {OLD_VOLUMES[k]}" for k in kinds if k in spec]


def _set(item: Object) -> list[str]:
    found = []
    for index, claim in enumerate(item["spec"].get("volumeClaimTemplates") or ()):
        found += pod_warnings.of_claim(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{index}]")
    if (item["spec"].get("revisionHistoryLimit") or 0) < 0:
        told = "a negative value retains all historical revisions; a value >= 0 is recommended"
        found.append(f"spec.revisionHistoryLimit: {told}")
    return found


def _ingress(item: Object) -> list[str]:
    old = "kubernetes.io/ingress.class"
    if old not in (item["metadata"].get("annotations") or {}) or item["spec"].get("ingressClassName"):
        return []
    return [f"annotation {quote(old)} is deprecated, please use 'spec.ingressClassName' instead"]


def _policy(item: Object) -> list[str]:
    found = []
    for group, part in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(item["spec"].get(group) or ()):
            for place, peer in enumerate(rule.get(part) or ()):
                block, at = peer.get("ipBlock") or {}, f"spec.{group}[{index}].{part}[{place}].ipBlock"
                found += of_network(f"{at}.cidr", block.get("cidr", ""))
                for number, network in enumerate(block.get("except") or ()):
                    found += of_network(f"{at}.except[{number}]", network)
    return found


def _node(item: Object) -> list[str]:
    spec = item.get("spec") or {}
    found = ["spec.configSource: the feature is removed"] if spec.get("configSource") else []
    if spec.get("externalID"):
        found.append("spec.externalID: this field is deprecated, and is unused by Kubernetes")
    for index, network in enumerate(spec.get("podCIDRs") or ()):
        found += of_network(f"spec.podCIDRs[{index}]", network)
    return found


def _storage_class(item: Object) -> list[str]:
    return [
        f"allowedTopologies[{index}].matchLabelExpressions[{place}].key: {OLD_LABELS[each['key']]}"
        for index, topology in enumerate(item.get("allowedTopologies") or ())
        for place, each in enumerate(topology.get("matchLabelExpressions") or ())
        if each.get("key") in OLD_LABELS
    ]


def _runtime_class(item: Object) -> list[str]:
    selector = (item.get("scheduling") or {}).get("nodeSelector") or {}
    return [f"scheduling.nodeSelector: {OLD_LABELS[key]}" for key in sorted(selector) if key in OLD_LABELS]


def _secret(item: Object) -> list[str]:
    """Whether a certificate's key is its own."""
    if item.get("type") != "kubernetes.io/tls":
        return []
    data = item.get("data") or {}
    try:
        check_key_pair(*(base64.b64decode(data.get(name) or "") for name in ("tls.crt", "tls.key")))
    except KubetraceError as error:
        return [str(error)]
    return []


_TOKENS = (
    "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible "
    "logging of tokens in volume attributes"
)


def _driver(item: Object) -> list[str]:
    spec = item["spec"]
    return [_TOKENS] if spec.get("tokenRequests") and spec.get("serviceAccountTokenInSecrets") is None else []


def _slice(item: Object) -> list[str]:
    return ["spec.addressType: FQDN endpoints are deprecated"] if item.get("addressType") == "FQDN" else []


_SPECIAL: dict[str, Callable[[Object], list[str]]] = {
    "services": _service,
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _volume,
    "statefulsets.apps": _set,
    "ingresses.networking.k8s.io": _ingress,
    "networkpolicies.networking.k8s.io": _policy,
    "nodes": _node,
    "storageclasses.storage.k8s.io": _storage_class,
    "runtimeclasses.node.k8s.io": _runtime_class,
    "endpointslices.discovery.k8s.io": _slice,
    "secrets": _secret,
    "csidrivers.storage.k8s.io": _driver,
}
_ONCE = ("ingresses.networking.k8s.io", "endpointslices.discovery.k8s.io", "csidrivers.storage.k8s.io")
