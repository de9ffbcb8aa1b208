"""What the API server fills in (k8s.io/kubernetes pkg/apis/*/v1/defaults.go), for the kinds that people write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubetrace.playground import cluster_defaults
from kubetrace.playground.cluster_defaults import Spec, fill
from kubetrace.playground.pod_defaults import pod, pod_spec


def apply(key: str, item: dict[str, Any]) -> None:
    """Fills in the defaults of an object of a resource ("deployments.apps"), in place."""
    default = _BY_RESOURCE.get(key)
    if default is not None:
        default(item)
    if key in _HAS_STATUS and "status" not in item:
        item["status"] = {}


def _template(item: Spec) -> None:
    template = item.setdefault("spec", {}).setdefault("template", {})
    template.setdefault("metadata", {})
    pod_spec(template.setdefault("spec", {}))


def _deployment(item: Spec) -> None:
    _template(item)
    spec = item["spec"]
    fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    strategy = spec["strategy"]
    fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill(strategy, rollingUpdate={})
        fill(strategy["rollingUpdate"], maxUnavailable="25%", maxSurge="25%")


def _pod_template(item: Spec) -> None:
    template = item.setdefault("template", {})
    template.setdefault("metadata", {})
    pod_spec(template.setdefault("spec", {}))


def _replicas(item: Spec) -> None:
    _template(item)
    fill(item["spec"], replicas=1)


def _replication_controller(item: Spec) -> None:
    if "template" not in item.setdefault("spec", {}):
        fill(item["spec"], replicas=1)
        return
    _replicas(item)
    labels = item["spec"]["template"]["metadata"].get("labels")
    if labels:
        fill(item["spec"], selector=dict(labels))
        fill(item["metadata"], labels=dict(labels))


def _stateful_set(item: Spec) -> None:
    _replicas(item)
    spec = item["spec"]
    fill(spec, podManagementPolicy="OrderedReady", revisionHistoryLimit=10, updateStrategy={}, serviceName="")
    if not spec["serviceName"]:
        del spec["serviceName"]
    strategy = spec["updateStrategy"]
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        fill(strategy, rollingUpdate={})
    if strategy["type"] == "RollingUpdate" and strategy.get("rollingUpdate") is not None:
        fill(strategy["rollingUpdate"], partition=0)
    fill(spec, persistentVolumeClaimRetentionPolicy={})
    fill(spec["persistentVolumeClaimRetentionPolicy"], whenDeleted="Retain", whenScaled="Retain")
    for claim in spec.get("volumeClaimTemplates") or ():
        claim["apiVersion"], claim["kind"] = "v1", "PersistentVolumeClaim"
        fill(claim.setdefault("spec", {}), volumeMode="Filesystem")
        fill(claim, status={"phase": "Pending"})


def _daemon_set(item: Spec) -> None:
    _template(item)
    generation = str(item["metadata"].get("generation", 1))
    item["metadata"].setdefault("annotations", {}).setdefault("deprecated.daemonset.template.generation", generation)
    spec = item["spec"]
    fill(spec, revisionHistoryLimit=10, updateStrategy={})
    fill(spec["updateStrategy"], type="RollingUpdate")
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        fill(spec["updateStrategy"], rollingUpdate={})
        fill(spec["updateStrategy"]["rollingUpdate"], maxUnavailable=1, maxSurge=0)


_WITHOUT_END = 2**31 - 1


def job_spec(item: Spec) -> None:
    _template(item)
    spec = item["spec"]
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = spec["parallelism"] = 1
    retries = 6 if spec.get("backoffLimitPerIndex") is None else _WITHOUT_END
    fill(spec, parallelism=1, backoffLimit=retries, completionMode="NonIndexed", suspend=False)
    failures = spec.get("podFailurePolicy")
    fill(spec, podReplacementPolicy="TerminatingOrFailed" if failures is None else "Failed", manualSelector=False)
    for rule in (failures or {}).get("rules") or ():
        for pattern in rule.get("onPodConditions") or ():
            fill(pattern, status="True")


def _job(item: Spec) -> None:
    job_spec(item)
    labels = (item["spec"]["template"].get("metadata") or {}).get("labels")
    if labels and not item["metadata"].get("labels"):
        item["metadata"]["labels"] = dict(labels)


def _cron_job(item: Spec) -> None:
    spec = item.setdefault("spec", {})
    fill(spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    template = spec.setdefault("jobTemplate", {})
    template.setdefault("metadata", {})
    _template(template)


def _service(item: Spec) -> None:
    spec = item.setdefault("spec", {})
    fill(spec, sessionAffinity="None", type="ClusterIP")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        affinity = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        fill(affinity, timeoutSeconds=10800)
    for port in spec.get("ports") or ():
        fill(port, protocol="TCP")
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port")
    fill(item, status={"loadBalancer": {}})
    if spec["type"] == "ExternalName":
        return
    fill(spec, internalTrafficPolicy="Cluster")
    if spec["type"] in ("NodePort", "LoadBalancer") or spec.get("externalIPs"):
        fill(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        fill(spec, allocateLoadBalancerNodePorts=True)
        for entry in (item["status"].get("loadBalancer") or {}).get("ingress") or ():
            fill(entry, **({"ipMode": "VIP"} if entry.get("ip") else {}))


def _limit_range(item: Spec) -> None:
    """Containers: a limit where there is a maximum, a request where there is a limit or a minimum."""
    for limit in (item.get("spec") or {}).get("limits") or ():
        if limit.get("type") != "Container":
            continue
        parts = {name: limit.get(name) or {} for name in ("max", "default", "defaultRequest", "min")}
        usual = parts["max"] | parts["default"]
        asked = parts["min"] | usual | parts["defaultRequest"]
        for name, values in (("default", usual), ("defaultRequest", asked)):
            if values:
                limit[name] = {key: values[key] for key in sorted(values)}


def _cluster_role(item: Spec) -> None:
    item.setdefault("rules", None)


def _secret(item: Spec) -> None:
    fill(item, type="Opaque")
    fold_strings(item)


def fold_strings(item: Spec) -> None:
    """A Secret's stringData as data."""
    import base64

    for name, value in (item.pop("stringData", None) or {}).items():
        item.setdefault("data", {})[name] = base64.b64encode(value.encode()).decode()


def _namespace(item: Spec) -> None:
    labels = item["metadata"].setdefault("labels", {})
    if item["metadata"].get("name"):  # else its strategy adds the label
        labels["kubernetes.io/metadata.name"] = item["metadata"]["name"]
    item.setdefault("spec", {})
    fill(item.setdefault("status", {}), phase="Active")


def _persistent_volume_claim(item: Spec) -> None:
    spec = item.setdefault("spec", {})
    fill(spec, volumeMode="Filesystem")
    fill(item, status={})
    fill(item["status"], phase="Pending")


def _persistent_volume(item: Spec) -> None:
    fill(item.setdefault("spec", {}), persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")
    cluster_defaults.volume_source(item["spec"])
    fill(item.setdefault("status", {}), phase="Pending")


def _binding(item: Spec) -> None:
    fill(item.setdefault("roleRef", {}), apiGroup="rbac.authorization.k8s.io")
    for subject in item.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            fill(subject, apiGroup="rbac.authorization.k8s.io")


def _horizontal_autoscaler(item: Spec) -> None:
    spec = item.setdefault("spec", {})
    fill(spec, minReplicas=1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    _scaling_rules(spec.get("behavior"))
    fill(item, status={"currentMetrics": None, "desiredReplicas": 0})


def _scaling_rules(behavior: Spec | None) -> None:
    if behavior is None:
        return
    percent = {"type": "Percent", "value": 100, "periodSeconds": 15}
    up = {"policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}, percent], "stabilizationWindowSeconds": 0}
    for name, usual in (("scaleUp", up), ("scaleDown", {"policies": [percent]})):
        fill(behavior, **{name: {}})
        fill(behavior[name], selectPolicy="Max", **usual)


def _network_policy(item: Spec) -> None:
    spec = item.setdefault("spec", {})
    fill(spec, podSelector={}, policyTypes=["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    for rule in [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]:
        for port in rule.get("ports") or ():
            fill(port, protocol="TCP")


def _storage_class(item: Spec) -> None:
    fill(item, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def _ingress(item: Spec) -> None:
    fill(item, status={"loadBalancer": {}})


def _endpoints(item: Spec) -> None:
    for subset in item.get("subsets") or ():
        for port in subset.get("ports") or ():
            fill(port, protocol="TCP")


def _endpoint_slice(item: Spec) -> None:
    for port in item.get("ports") or ():
        fill(port, name="")
        if port.get("protocol") is None:  # a pointer: "" is something
            port["protocol"] = "TCP"


def _node(item: Spec) -> None:
    spec = item.get("spec") or {}
    if spec.get("podCIDR") and (spec.get("podCIDRs") or [""])[0] != spec["podCIDR"]:  # pkg/apis/core/v1/conversion.go
        spec["podCIDRs"] = [spec["podCIDR"]]
    elif spec.get("podCIDRs"):
        spec["podCIDR"] = spec["podCIDRs"][0]
    status = item.get("status") or {}
    if status.get("capacity") is not None and status.get("allocatable") is None:
        status["allocatable"] = dict(status["capacity"])


_BY_RESOURCE: dict[str, Callable[[Spec], None]] = {
    **cluster_defaults.BY_RESOURCE,
    "pods": pod,
    "podtemplates": _pod_template,
    "deployments.apps": _deployment,
    "replicasets.apps": _replicas,
    "replicationcontrollers": _replication_controller,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
    "services": _service,
    "secrets": _secret,
    "limitranges": _limit_range,
    "clusterroles.rbac.authorization.k8s.io": _cluster_role,
    "namespaces": _namespace,
    "persistentvolumeclaims": _persistent_volume_claim,
    "persistentvolumes": _persistent_volume,
    "rolebindings.rbac.authorization.k8s.io": _binding,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
    "horizontalpodautoscalers.autoscaling": _horizontal_autoscaler,
    "networkpolicies.networking.k8s.io": _network_policy,
    "storageclasses.storage.k8s.io": _storage_class,
    "ingresses.networking.k8s.io": _ingress,
    "endpoints": _endpoints,
    "endpointslices.discovery.k8s.io": _endpoint_slice,
    "nodes": _node,
}
_HAS_STATUS = frozenset(
    (
        "nodes",
        "resourcequotas",
        "deployments.apps",
        "replicasets.apps",
        "statefulsets.apps",
        "daemonsets.apps",
        "jobs.batch",
        "cronjobs.batch",
        "poddisruptionbudgets.policy",
        "replicationcontrollers",
        "customresourcedefinitions.apiextensions.k8s.io",
        "certificatesigningrequests.certificates.k8s.io",
        "apiservices.apiregistration.k8s.io",
    )
)
