"""Kinds that kubectl's typed clients know without asking the server (client-go kubernetes/typed)."""

from __future__ import annotations

from kubetrace.api.resources import GroupVersionKind, GroupVersionResource, Mapping


def _mapping(group: str, version: str, resource: str, kind: str, namespaced: bool = True) -> Mapping:
    return Mapping(GroupVersionResource(group, version, resource), GroupVersionKind(group, version, kind), namespaced)


_RBAC = "rbac.authorization.k8s.io"

CONFIG_MAPS = _mapping("", "v1", "configmaps", "ConfigMap")
EVENTS = _mapping("", "v1", "events", "Event")
NAMESPACES = _mapping("", "v1", "namespaces", "Namespace", namespaced=False)
NODES = _mapping("", "v1", "nodes", "Node", namespaced=False)
PODS = _mapping("", "v1", "pods", "Pod")
RESOURCE_QUOTAS = _mapping("", "v1", "resourcequotas", "ResourceQuota")
SECRETS = _mapping("", "v1", "secrets", "Secret")
SERVICES = _mapping("", "v1", "services", "Service")
SERVICE_ACCOUNTS = _mapping("", "v1", "serviceaccounts", "ServiceAccount")
DEPLOYMENTS = _mapping("apps", "v1", "deployments", "Deployment")
AUTOSCALERS_V1 = _mapping("autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
AUTOSCALERS_V2 = _mapping("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
CRON_JOBS = _mapping("batch", "v1", "cronjobs", "CronJob")
JOBS = _mapping("batch", "v1", "jobs", "Job")
INGRESSES = _mapping("networking.k8s.io", "v1", "ingresses", "Ingress")
NODE_METRICS = _mapping("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", namespaced=False)
POD_METRICS = _mapping("metrics.k8s.io", "v1beta1", "pods", "PodMetrics")
DISRUPTION_BUDGETS = _mapping("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
CLUSTER_ROLES = _mapping(_RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_ROLE_BINDINGS = _mapping(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False)
ROLES = _mapping(_RBAC, "v1", "roles", "Role")
ROLE_BINDINGS = _mapping(_RBAC, "v1", "rolebindings", "RoleBinding")
ACCESS_REVIEWS = _mapping(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)
RULES_REVIEWS = _mapping(
    "authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", namespaced=False
)
SELF_REVIEWS = tuple(
    _mapping("authentication.k8s.io", version, "selfsubjectreviews", "SelfSubjectReview", namespaced=False)
    for version in ("v1", "v1beta1", "v1alpha1")
)
"""The newest version first."""
PRIORITY_CLASSES = _mapping("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False)

DUMPED_KINDS = (
    ("events", EVENTS),
    ("replication-controllers", _mapping("", "v1", "replicationcontrollers", "ReplicationController")),
    ("services", SERVICES),
    ("daemonsets", _mapping("apps", "v1", "daemonsets", "DaemonSet")),
    ("deployments", DEPLOYMENTS),
    ("replicasets", _mapping("apps", "v1", "replicasets", "ReplicaSet")),
    ("pods", PODS),
)
"""What `cluster-info dump` writes of each namespace, in its order, by the names of its files."""
