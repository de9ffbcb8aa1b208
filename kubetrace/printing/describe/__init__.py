"""Descriptions of objects for people (kubectl pkg/describe).

    text = describe(related, mapping, "default", "web-0", now)

A description is a function of a writer, an object as the server sent it, and what else the server may be asked. The
table says which kind has which; every other kind is shown field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from kubetrace.api.related import Related
from kubetrace.api.resources import Mapping as ResourceMapping
from kubetrace.api.typed_kinds import PRIORITY_CLASSES, typed
from kubetrace.errors import KubetraceError
from kubetrace.printing.describe.writer import Writer
from kubetrace.trace.exchange import Purpose

Description = Callable[[Writer, Mapping[str, Any], Related], None]

WHAT_IS_IT = Purpose("describe", "describe: the object itself")

_RBAC, _NETWORK, _STORAGE = "rbac.authorization.k8s.io", "networking.k8s.io", "storage.k8s.io"
_PRIORITY_CLASS = ("cluster.priority_class", PRIORITY_CLASSES)


def _kinds(
    module: str, group: str, *kinds: tuple[str, str, str], namespaced: bool = True, version: str = "v1"
) -> dict[tuple[str, str], tuple[str, ResourceMapping]]:
    return {
        (group, kind): (f"{module}.{function}", typed(group, version, resource, kind, namespaced))
        for kind, resource, function in kinds
    }


_DESCRIPTIONS: dict[tuple[str, str], tuple[str, ResourceMapping]] = {
    **_kinds("pods", "", ("Pod", "pods", "pod")),
    **_kinds("workloads", "", ("ReplicationController", "replicationcontrollers", "replication_controller")),
    **_kinds(
        "workloads",
        "apps",
        ("ReplicaSet", "replicasets", "replica_set"),
        ("Deployment", "deployments", "deployment"),
        ("StatefulSet", "statefulsets", "stateful_set"),
        ("DaemonSet", "daemonsets", "daemon_set"),
    ),
    **_kinds("workloads", "batch", ("Job", "jobs", "job"), ("CronJob", "cronjobs", "cron_job")),
    **_kinds(
        "configuration",
        "",
        ("ConfigMap", "configmaps", "config_map"),
        ("Secret", "secrets", "secret"),
        ("ServiceAccount", "serviceaccounts", "service_account"),
    ),
    **_kinds("configuration", _RBAC, ("Role", "roles", "role"), ("RoleBinding", "rolebindings", "role_binding")),
    **_kinds(
        "configuration",
        _RBAC,
        ("ClusterRole", "clusterroles", "role"),
        ("ClusterRoleBinding", "clusterrolebindings", "role_binding"),
        namespaced=False,
    ),
    **_kinds(
        "configuration",
        "certificates.k8s.io",
        ("CertificateSigningRequest", "certificatesigningrequests", "signing_request"),
        namespaced=False,
    ),
    **_kinds("networking", "", ("Service", "services", "service"), ("Endpoints", "endpoints", "endpoints")),
    **_kinds("networking", "discovery.k8s.io", ("EndpointSlice", "endpointslices", "endpoint_slice")),
    **_kinds(
        "networking",
        _NETWORK,
        ("Ingress", "ingresses", "ingress"),
        ("NetworkPolicy", "networkpolicies", "network_policy"),
    ),
    **_kinds(
        "networking",
        _NETWORK,
        ("IngressClass", "ingressclasses", "ingress_class"),
        ("ServiceCIDR", "servicecidrs", "service_cidr"),
        ("IPAddress", "ipaddresses", "ip_address"),
        namespaced=False,
    ),
    **_kinds("claims", "", ("PersistentVolumeClaim", "persistentvolumeclaims", "persistent_volume_claim")),
    **_kinds("claims", "", ("PersistentVolume", "persistentvolumes", "persistent_volume"), namespaced=False),
    **_kinds(
        "claims",
        _STORAGE,
        ("StorageClass", "storageclasses", "storage_class_"),
        ("CSINode", "csinodes", "csi_node"),
        ("VolumeAttributesClass", "volumeattributesclasses", "volume_attributes_class"),
        namespaced=False,
    ),
    **_kinds("cluster", "", ("Node", "nodes", "node"), ("Namespace", "namespaces", "namespace"), namespaced=False),
    **_kinds(
        "cluster",
        "",
        ("LimitRange", "limitranges", "limit_range"),
        ("ResourceQuota", "resourcequotas", "resource_quota"),
    ),
    ("", "PriorityClass"): _PRIORITY_CLASS,
    ("scheduling.k8s.io", "PriorityClass"): _PRIORITY_CLASS,
    **_kinds(
        "scaling",
        "autoscaling",
        ("HorizontalPodAutoscaler", "horizontalpodautoscalers", "autoscaler"),
        version="v2",
    ),
    **_kinds("scaling", "policy", ("PodDisruptionBudget", "poddisruptionbudgets", "disruption_budget")),
}
_OLDER = {
    ("autoscaling", "HorizontalPodAutoscaler"): "v1",
    (_NETWORK, "ServiceCIDR"): "v1beta1",
    (_NETWORK, "IPAddress"): "v1beta1",
}
"""Kinds that are looked for in an older version where a server lacks the newer one."""


def describe(related: Related, mapping: ResourceMapping, namespace: str, name: str, now: float) -> str:
    """One object's description. `now` is in seconds since the epoch. Raises StatusError, TransportError,
    KubetraceError."""
    key = (mapping.kind.group, mapping.kind.kind)
    found = _DESCRIPTIONS.get(key)
    if found is None:
        from kubetrace.printing.describe.generic import anything

        value = related.one(mapping, namespace, name, "dynamic-get", WHAT_IS_IT)
        return _written(anything, value, related, now)
    function, known = found
    try:
        value = related.one(known, namespace, name, purpose=WHAT_IS_IT)
    except KubetraceError:
        if key not in _OLDER:
            raise
        older = typed(key[0], _OLDER[key], known.resource.resource, key[1], known.namespaced)
        value = related.one(older, namespace, name, purpose=WHAT_IS_IT)
    module, _, attribute = function.rpartition(".")
    description: Description = getattr(import_module(f"{__name__}.{module}"), attribute)
    return _written(description, value, related, now)


def _written(description: Description, value: Mapping[str, Any], related: Related, now: float) -> str:
    writer = Writer(now)
    description(writer, value, related)
    return writer.text
