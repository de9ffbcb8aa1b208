"""Kinds that kubectl knows without asking the server, mostly through its typed clients (client-go kubernetes/typed)."""

from __future__ import annotations

from collections.abc import Mapping as Mapping_
from typing import Any

from kubetrace.api.resources import GroupVersionKind, GroupVersionResource, Mapping
from kubetrace.errors import KubetraceError


def typed(group: str, version: str, resource: str, kind: str, namespaced: bool = True) -> Mapping:
    """A kind of this table, and of the one that `describe` has."""
    return Mapping(GroupVersionResource(group, version, resource), GroupVersionKind(group, version, kind), namespaced)


KUBECTL_SCHEME = "pkg/scheme/scheme.go:28"
CLIENT_SCHEME = "k8s.io/client-go/kubernetes/scheme/register.go:82"
"""Where kubectl's table of structs is made, and client-go's, which port-forward uses."""


def require_registered(value: Mapping_[str, Any], scheme: str) -> None:
    """Raises KubetraceError for an object of a kind that kubectl has no struct for: typed commands can't read it."""
    version, kind = str(value.get("apiVersion") or ""), str(value.get("kind") or "")
    if (version, kind) == ("v1", "Pod"):  # what is mostly asked for need not wait for the table of structs
        return
    if problem := unregistered(version, kind, scheme):
        raise KubetraceError(problem)


def unregistered(version: str, kind: str, scheme: str = KUBECTL_SCHEME) -> str:
    """kubectl's words for a kind that it has no struct for; "" for others (runtime.Scheme)."""
    from kubetrace.api.go_words import quoted
    from kubetrace.wire.go_struct import is_registered

    if is_registered(version, kind.removesuffix("List")) or (version, kind) == ("v1", "List"):
        return ""
    return f"no kind {quoted(kind)} is registered for version {quoted(version)} in scheme {quoted(scheme)}"


_RBAC = "rbac.authorization.k8s.io"

CONFIG_MAPS = typed("", "v1", "configmaps", "ConfigMap")
EVENTS = typed("", "v1", "events", "Event")
LIMIT_RANGES = typed("", "v1", "limitranges", "LimitRange")
NAMESPACES = typed("", "v1", "namespaces", "Namespace", namespaced=False)
NODES = typed("", "v1", "nodes", "Node", namespaced=False)
PODS = typed("", "v1", "pods", "Pod")
REPLICATION_CONTROLLERS = typed("", "v1", "replicationcontrollers", "ReplicationController")
RESOURCE_QUOTAS = typed("", "v1", "resourcequotas", "ResourceQuota")
SECRETS = typed("", "v1", "secrets", "Secret")
SERVICES = typed("", "v1", "services", "Service")
SERVICE_ACCOUNTS = typed("", "v1", "serviceaccounts", "ServiceAccount")
CUSTOM_RESOURCE_DEFINITIONS = typed(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
CONTROLLER_REVISIONS = typed("apps", "v1", "controllerrevisions", "ControllerRevision")
DAEMON_SETS = typed("apps", "v1", "daemonsets", "DaemonSet")
DEPLOYMENTS = typed("apps", "v1", "deployments", "Deployment")
REPLICA_SETS = typed("apps", "v1", "replicasets", "ReplicaSet")
STATEFUL_SETS = typed("apps", "v1", "statefulsets", "StatefulSet")
AUTOSCALERS = {
    f"autoscaling/{version}": typed("autoscaling", version, "horizontalpodautoscalers", "HorizontalPodAutoscaler")
    for version in ("v2", "v1")
}
"""By apiVersion."""
CRON_JOBS = typed("batch", "v1", "cronjobs", "CronJob")
JOBS = typed("batch", "v1", "jobs", "Job")
SIGNING_REQUESTS = typed(
    "certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest", namespaced=False
)
LEASES = typed("coordination.k8s.io", "v1", "leases", "Lease")
ENDPOINT_SLICES = typed("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
INGRESSES = typed("networking.k8s.io", "v1", "ingresses", "Ingress")
NODE_METRICS = typed("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", namespaced=False)
POD_METRICS = typed("metrics.k8s.io", "v1beta1", "pods", "PodMetrics")
DISRUPTION_BUDGETS = typed("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
CLUSTER_ROLES = typed(_RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_ROLE_BINDINGS = typed(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False)
ROLES = typed(_RBAC, "v1", "roles", "Role")
ROLE_BINDINGS = typed(_RBAC, "v1", "rolebindings", "RoleBinding")
ACCESS_REVIEWS = typed(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)
RULES_REVIEWS = typed(
    "authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", namespaced=False
)
SELF_REVIEWS = tuple(
    typed("authentication.k8s.io", version, "selfsubjectreviews", "SelfSubjectReview", namespaced=False)
    for version in ("v1", "v1beta1", "v1alpha1")
)
"""The newest version first."""
RESOURCE_SLICES = typed("resource.k8s.io", "v1", "resourceslices", "ResourceSlice", namespaced=False)
PRIORITY_CLASSES = typed("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False)

DUMPED_KINDS = (
    ("events", EVENTS),
    ("replication-controllers", REPLICATION_CONTROLLERS),
    ("services", SERVICES),
    ("daemonsets", DAEMON_SETS),
    ("deployments", DEPLOYMENTS),
    ("replicasets", REPLICA_SETS),
    ("pods", PODS),
)
"""What `cluster-info dump` writes of each namespace, in its order, by the names of its files."""
