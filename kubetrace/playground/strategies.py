"""What a kind's strategy says: which have a generation and a status of their own, what it sets on a new object
(PrepareForCreate in pkg/registry/*/strategy.go; unlike defaults it is nobody's in managedFields), and when an update
raises the generation.
"""

from __future__ import annotations

from collections.abc import Callable

from kubetrace.playground.catalog import Resource
from kubetrace.playground.objects import Object, now
from kubetrace.playground.pod_defaults import quality_of_service
from kubetrace.playground.validation.hosts import is_windows, visited
from kubetrace.playground.validation.pod_annotations import APPARMOR

# Kinds whose strategy sets metadata.generation (pkg/registry/*/strategy.go).
WITH_GENERATION = frozenset(
    (
        "pods",
        "deployments.apps",
        "replicasets.apps",
        "statefulsets.apps",
        "daemonsets.apps",
        "jobs.batch",
        "cronjobs.batch",
        "ingresses.networking.k8s.io",
        "networkpolicies.networking.k8s.io",
        "podtemplates",
        "poddisruptionbudgets.policy",
        "replicationcontrollers",
        "ingressclasses.networking.k8s.io",
        "endpointslices.discovery.k8s.io",
        "customresourcedefinitions.apiextensions.k8s.io",
        "priorityclasses.scheduling.k8s.io",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        "mutatingadmissionpolicies.admissionregistration.k8s.io",
        "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
        "flowschemas.flowcontrol.apiserver.k8s.io",
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
        "deviceclasses.resource.k8s.io",
        "resourceslices.resource.k8s.io",
    )
)
COUNTED_LATER = ("csidrivers.storage.k8s.io",)
"""Kinds that have a generation from their first change on."""
WITH_STATUS = frozenset(
    (
        "pods",
        "deployments.apps",
        "replicasets.apps",
        "statefulsets.apps",
        "daemonsets.apps",
        "jobs.batch",
        "cronjobs.batch",
        "services",
        "namespaces",
        "nodes",
        "persistentvolumes",
        "persistentvolumeclaims",
        "resourcequotas",
        "replicationcontrollers",
        "ingresses.networking.k8s.io",
        "poddisruptionbudgets.policy",
        "horizontalpodautoscalers.autoscaling",
        "certificatesigningrequests.certificates.k8s.io",
        "customresourcedefinitions.apiextensions.k8s.io",
        "apiservices.apiregistration.k8s.io",
    )
)

CONDITIONAL = frozenset(
    (
        *("customresourcedefinitions.apiextensions.k8s.io", "apiservices.apiregistration.k8s.io"),
        *("validatingwebhookconfigurations.admissionregistration.k8s.io", "leases.coordination.k8s.io"),
        *("mutatingwebhookconfigurations.admissionregistration.k8s.io", "poddisruptionbudgets.policy"),
        *("validatingadmissionpolicies.admissionregistration.k8s.io", "runtimeclasses.node.k8s.io"),
        *("validatingadmissionpolicybindings.admissionregistration.k8s.io", "csidrivers.storage.k8s.io"),
        *("mutatingadmissionpolicies.admissionregistration.k8s.io", "csinodes.storage.k8s.io"),
        *("mutatingadmissionpolicybindings.admissionregistration.k8s.io", "csistoragecapacities.storage.k8s.io"),
        *("volumeattachments.storage.k8s.io",),
    )
)
"""Kinds whose updates must say which version they change (AllowUnconditionalUpdate of their strategies)."""


def prepare(key: str, item: Object) -> list[str]:
    """Changes a new object of a resource ("jobs.batch") in place; what its writer is warned of."""
    normalize(key, item)
    strategy = _STRATEGIES.get(key)
    if strategy is not None:
        strategy(item)
    return _profiles(item) if key == "pods" else []


def normalize(key: str, item: Object) -> None:
    """What is done to new and to changed objects."""
    if key == "statefulsets.apps":  # behind a gate that is closed
        (item["spec"]["updateStrategy"].get("rollingUpdate") or {}).pop("maxUnavailable", None)
    if key == "persistentvolumeclaims":
        _claim(item)


def _job(item: Object) -> None:
    """The labels and the selector by which it knows its pods."""
    spec, metadata = item["spec"], item["metadata"]
    if spec.get("manualSelector"):
        return
    uid, name = metadata["uid"], metadata.get("name", "")
    template = spec["template"]["metadata"].setdefault("labels", {})
    shared = metadata.get("labels") in (None, {}, template)  # those of the template, by default
    for prefix in ("batch.kubernetes.io/", ""):
        template.setdefault(f"{prefix}controller-uid", uid)
        template.setdefault(f"{prefix}job-name", name)
    if shared:
        metadata["labels"] = dict(template)
    chosen = spec.get("selector") or {}
    by_uid = {"batch.kubernetes.io/controller-uid": uid}
    spec["selector"] = chosen | {"matchLabels": dict(sorted((by_uid | (chosen.get("matchLabels") or {})).items()))}


def _service(item: Object) -> None:
    """Addresses in their newer form; the allocator gives what is missing."""
    spec = item["spec"]
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    if spec.get("type") == "ExternalName":
        return
    headless = spec.get("clusterIP") == "None" and not spec.get("selector")
    both = headless and not spec.get("ipFamilies") and not spec.get("ipFamilyPolicy")
    if ":" not in (spec.get("clusterIP") or ""):
        spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if both else ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "RequireDualStack" if both else "SingleStack")


def _claim(item: Object) -> None:
    """The older field and the newer one say the same, and what no provisioner can read is dropped
    (NormalizeDataSources)."""
    spec = item["spec"]
    older, newer = spec.get("dataSource"), spec.get("dataSourceRef")
    if older is not None and not older.get("apiGroup") and older.get("kind") != "PersistentVolumeClaim":
        del spec["dataSource"]
        older = None
    if older is not None and newer is None:
        spec["dataSourceRef"] = dict(older)
    elif newer is not None and older is None and not newer.get("namespace"):
        spec["dataSource"] = dict(newer)


def _namespace(item: Object) -> None:
    labels = item["metadata"].setdefault("labels", {})
    labels["kubernetes.io/metadata.name"] = item["metadata"].get("name", "")
    finalizers = item["spec"].setdefault("finalizers", [])
    if "kubernetes" not in finalizers:
        finalizers.append("kubernetes")
    item["status"] = {"phase": "Active"}


def _pod(item: Object) -> None:
    spec = item["spec"]
    item["status"] = {"phase": "Pending", "qosClass": quality_of_service(spec)}
    _merge_labels(item)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1
    if spec.get("schedulingGates"):
        why = "Scheduling is blocked due to non-empty scheduling gates"
        gated = {"type": "PodScheduled", "status": "False", "lastProbeTime": None, "lastTransitionTime": now()}
        item["status"]["conditions"] = [gated | {"reason": "SchedulingGated", "message": why}]


def _merge_labels(pod: Object) -> None:
    """matchLabelKeys: the pod's own labels become a part of the selectors (mutatePodAffinity and
    mutateTopologySpreadConstraints in pkg/registry/core/pod/strategy.go)."""
    labels, spec = pod["metadata"].get("labels") or {}, pod["spec"]
    terms = list(spec.get("topologySpreadConstraints") or ())
    for name in ("podAffinity", "podAntiAffinity"):
        kind = (spec.get("affinity") or {}).get(name) or {}
        terms += kind.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        liked = kind.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [each["podAffinityTerm"] for each in liked if each.get("podAffinityTerm")]
    for term in terms:
        selector = term.get("labelSelector")
        found = [
            {"key": key, "operator": operator, "values": [labels[key]]}
            for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
            for key in term.get(field) or ()
            if key in labels
        ]
        if selector is not None and found:
            selector["matchExpressions"] = [*(selector.get("matchExpressions") or ()), *found]


def _profiles(pod: Object) -> list[str]:
    """AppArmor profiles that annotations name become fields (applyAppArmorVersionSkew)."""
    spec, annotations = pod["spec"], pod["metadata"].get("annotations") or {}
    if is_windows(spec):
        return []
    of_all = (spec.get("securityContext") or {}).get("appArmorProfile")
    told = []
    for container, _ in visited(spec, "spec"):
        key = f"{APPARMOR}{container.get('name', '')}"
        if key not in annotations or (container.get("securityContext") or {}).get("appArmorProfile") is not None:
            continue
        profile = _app_armor(annotations[key])
        if profile is not None and profile == of_all:
            continue
        if profile is not None:
            container["securityContext"] = (container.get("securityContext") or {}) | {"appArmorProfile": profile}
        advice = 'deprecated since v1.30; use the "appArmorProfile" field instead'
        told.append(f"metadata.annotations[{key}]: {advice}")
    return told


def _app_armor(annotation: str) -> Object | None:
    """The field for an annotation, None where it says nothing that a field could (ApparmorFieldForAnnotation)."""
    kind = {"unconfined": "Unconfined", "runtime/default": "RuntimeDefault"}.get(annotation)
    if kind is not None:
        return {"type": kind}
    local = annotation.removeprefix("localhost/")
    if local == annotation or not local or local.strip() != local:
        return None
    return {"type": "Localhost", "localhostProfile": local}


def _volume(item: Object) -> None:
    item["status"] = {"phase": "Pending", "lastPhaseTransitionTime": now()}


LOCAL = ("Local", "Local APIServices are always available")
"""(reason, message) of an APIService that needs no other server."""


def _api_service(item: Object) -> None:
    """The server's own groups are available at once."""
    if (item.get("spec") or {}).get("service") is None:
        found = {"type": "Available", "status": "True", "lastTransitionTime": now()}
        item["status"] = {"conditions": [found | dict(zip(("reason", "message"), LOCAL, strict=True))]}


_STRATEGIES: dict[str, Callable[[Object], None]] = {
    "jobs.batch": _job,
    "services": _service,
    "namespaces": _namespace,
    "pods": _pod,
    "persistentvolumes": _volume,
    "apiservices.apiregistration.k8s.io": _api_service,
}


def changed(resource: Resource, old: Object, new: Object) -> bool:
    """Does an update raise the generation? A Deployment's annotations count, too (its strategy says so)."""
    if resource.key == "priorityclasses.scheduling.k8s.io":
        return False
    if resource.key == "deployments.apps":
        annotations = (old["metadata"].get("annotations") or {}, new["metadata"].get("annotations") or {})
        if annotations[0] != annotations[1]:
            return True
    if resource.key == "endpointslices.discovery.k8s.io" and _labels(new) != _labels(old):
        return True
    return _content(new) != _content(old)


def _labels(item: Object) -> Object:
    return item["metadata"].get("labels") or {}


def _content(item: Object) -> Object:
    return {name: value for name, value in item.items() if name not in ("metadata", "status", "kind", "apiVersion")}
