"""What the API server fills in for the kinds that run a cluster: webhooks and policies, flow control, drivers,
devices, APIServices (k8s.io/kubernetes pkg/apis/*/v1/defaults.go)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Spec = dict[str, Any]

# Their Go fields are pointers: an empty string is not the same as none.
_POINTERS = frozenset(
    (
        *("volumeMode", "completionMode", "internalTrafficPolicy", "podReplacementPolicy", "preemptionPolicy"),
        *("volumeBindingMode", "serviceName", "service", "maxSurge", "maxUnavailable", "selectPolicy"),
        *("failurePolicy", "matchPolicy", "reinvocationPolicy", "scope", "fsGroupPolicy"),
    )
)


def fill(target: Spec, **values: Any) -> None:
    for name, value in values.items():
        found = target.get(name)
        if found is None or (found == "" and name not in _POINTERS):
            target[name] = value


def volume_source(holder: Spec) -> None:
    """What a volume of a pod, or a PersistentVolume's spec, says of where it is."""
    for kind, values in _SOURCES.items():
        if holder.get(kind) is not None:
            fill(holder[kind], **values)
    disk = holder.get("azureDisk")
    if disk is not None:  # whose fields are pointers
        disk.update({name: value for name, value in _AZURE_DISK.items() if disk.get(name) is None})


_AZURE_DISK: Spec = {"cachingMode": "ReadWrite", "fsType": "ext4", "readOnly": False, "kind": "Shared"}


_SOURCES: dict[str, Spec] = {
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}


def _webhooks(item: Spec) -> None:
    """What asks other servers whether a write is fine."""
    for webhook in item.get("webhooks") or ():
        fill(webhook, failurePolicy="Fail", matchPolicy="Equivalent", namespaceSelector={}, objectSelector={})
        fill(webhook, timeoutSeconds=10)
        service = (webhook.get("clientConfig") or {}).get("service")
        if service is not None:
            fill(service, port=443)
        for rule in webhook.get("rules") or ():
            fill(rule, scope="*")


def _mutating_webhooks(item: Spec) -> None:
    _webhooks(item)
    for webhook in item.get("webhooks") or ():
        fill(webhook, reinvocationPolicy="Never")


def _admission_policy(item: Spec) -> None:
    spec = item.get("spec") or {}
    fill(spec, failurePolicy="Fail")
    _match_resources(spec.get("matchConstraints"))


def _policy_binding(item: Spec) -> None:
    _match_resources((item.get("spec") or {}).get("matchResources"))


def _match_resources(match: Spec | None) -> None:
    if match is None:
        return
    fill(match, matchPolicy="Equivalent", namespaceSelector={}, objectSelector={})
    for name in ("resourceRules", "excludeResourceRules"):
        for rule in match.get(name) or ():
            fill(rule, scope="*")


def _csi_driver(item: Spec) -> None:
    spec = item.setdefault("spec", {})
    fill(spec, attachRequired=True, podInfoOnMount=False, storageCapacity=False, requiresRepublish=False)
    fill(spec, fsGroupPolicy="ReadWriteOnceWithFSType", volumeLifecycleModes=["Persistent"], seLinuxMount=False)


def _priority_class(item: Spec) -> None:
    fill(item, preemptionPolicy="PreemptLowerPriority")


def _flow_schema(item: Spec) -> None:
    spec = item.setdefault("spec", {})
    spec["matchingPrecedence"] = spec.get("matchingPrecedence") or 1000


def _priority_level(item: Spec) -> None:
    spec = item.setdefault("spec", {})
    if spec.get("exempt") is not None:
        fill(spec["exempt"], nominalConcurrencyShares=0, lendablePercent=0)
    limited = spec.get("limited")
    if limited is not None:
        fill(limited, nominalConcurrencyShares=30, lendablePercent=0)
        queuing = (limited.get("limitResponse") or {}).get("queuing")
        if queuing is not None:
            for name, value in (("handSize", 8), ("queues", 64), ("queueLengthLimit", 50)):
                queuing[name] = queuing.get(name) or value


def _api_service(item: Spec) -> None:
    spec = item.get("spec") or {}
    if spec.get("insecureSkipTLSVerify") is False:  # which Go leaves out
        del spec["insecureSkipTLSVerify"]
    if spec.get("service") is not None:
        fill(spec["service"], port=443)


def _device_claim(item: Spec) -> None:
    spec = item.get("spec") or {}
    for request in ((spec.get("spec") or spec).get("devices") or {}).get("requests") or ():
        exactly = request.get("exactly")
        for wanted in (*((exactly,) if exactly is not None else ()), *(request.get("firstAvailable") or ())):
            wanted["allocationMode"] = wanted.get("allocationMode") or "ExactCount"
            if wanted["allocationMode"] == "ExactCount":
                wanted["count"] = wanted.get("count") or 1


def _ingress_class(item: Spec) -> None:
    parameters = (item.get("spec") or {}).get("parameters")
    if parameters is not None:
        fill(parameters, scope="Cluster")


BY_RESOURCE: dict[str, Callable[[Spec], None]] = {
    "priorityclasses.scheduling.k8s.io": _priority_class,
    "csidrivers.storage.k8s.io": _csi_driver,
    "ingressclasses.networking.k8s.io": _ingress_class,
    "flowschemas.flowcontrol.apiserver.k8s.io": _flow_schema,
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": _priority_level,
    "apiservices.apiregistration.k8s.io": _api_service,
    "resourceclaims.resource.k8s.io": _device_claim,
    "resourceclaimtemplates.resource.k8s.io": _device_claim,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": _webhooks,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": _mutating_webhooks,
    "validatingadmissionpolicies.admissionregistration.k8s.io": _admission_policy,
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": _policy_binding,
    "mutatingadmissionpolicies.admissionregistration.k8s.io": _admission_policy,
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": _policy_binding,
}
