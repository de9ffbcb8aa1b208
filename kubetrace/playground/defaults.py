"""What the API server fills in (k8s.io/kubernetes pkg/apis/*/v1/defaults.go), for the kinds that people write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Spec = dict[str, Any]


def apply(key: str, item: dict[str, Any]) -> None:
    """Fills in the defaults of an object of a resource ("deployments.apps"), in place."""
    default = _BY_RESOURCE.get(key)
    if default is not None:
        default(item)
    if key in _HAS_STATUS and "status" not in item:
        item["status"] = {}


def _fill(target: Spec, **values: Any) -> None:
    for name, value in values.items():
        if target.get(name) is None:
            target[name] = value


def _image_policy(image: str) -> str:
    last = image.rpartition("/")[2]
    if "@" in last:
        return "IfNotPresent"
    tag = last.partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _probe(probe: Spec) -> None:
    _fill(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if "httpGet" in probe:
        _fill(probe["httpGet"], path="/", scheme="HTTP")
    if "grpc" in probe:
        _fill(probe["grpc"], service="")


def _container(container: Spec) -> None:
    _fill(
        container,
        imagePullPolicy=_image_policy(container.get("image", "")),
        resources={},
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    resources = container["resources"]
    for name, value in (resources.get("limits") or {}).items():
        resources.setdefault("requests", {}).setdefault(name, value)
    for port in container.get("ports") or ():
        _fill(port, protocol="TCP")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            _probe(container[name])
    for env in container.get("env") or ():
        reference = (env.get("valueFrom") or {}).get("fieldRef")
        if reference is not None:
            _fill(reference, apiVersion="v1")


def _volume(volume: Spec) -> None:
    if set(volume) == {"name"}:
        volume["emptyDir"] = {}
    for name in ("secret", "configMap", "downwardAPI", "projected"):
        if name in volume:
            _fill(volume[name], defaultMode=420)
    for source in (volume.get("projected") or {}).get("sources") or ():
        if "serviceAccountToken" in source:
            _fill(source["serviceAccountToken"], expirationSeconds=3600)
    if "hostPath" in volume:
        _fill(volume["hostPath"], type="")


def pod_spec(spec: Spec, restart: str = "Always") -> None:
    for name in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(name) or ():
            _container(container)
    for volume in spec.get("volumes") or ():
        _volume(volume)
    _fill(
        spec,
        restartPolicy=restart,
        dnsPolicy="ClusterFirst",
        terminationGracePeriodSeconds=30,
        schedulerName="default-scheduler",
        securityContext={},
    )
    if spec.get("serviceAccountName") and not spec.get("serviceAccount"):
        spec["serviceAccount"] = spec["serviceAccountName"]


def _template(item: Spec) -> None:
    template = item.setdefault("spec", {}).setdefault("template", {})
    template.setdefault("metadata", {})
    pod_spec(template.setdefault("spec", {}))


def _pod(item: Spec) -> None:
    spec = item.setdefault("spec", {})
    pod_spec(spec)
    _fill(spec, enableServiceLinks=True)


def quality_of_service(spec: Spec) -> str:
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    resources = [container.get("resources") or {} for container in containers]
    if not any(entry.get("requests") or entry.get("limits") for entry in resources):
        return "BestEffort"
    for entry in resources:
        limits, requests = entry.get("limits") or {}, entry.get("requests") or {}
        if not {"cpu", "memory"} <= set(limits) or any(
            requests.get(k, limits[k]) != limits[k] for k in ("cpu", "memory")
        ):
            return "Burstable"
    return "Guaranteed"


def _deployment(item: Spec) -> None:
    _template(item)
    spec = item["spec"]
    _fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    strategy = spec["strategy"]
    _fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _fill(strategy, rollingUpdate={})
        _fill(strategy["rollingUpdate"], maxUnavailable="25%", maxSurge="25%")


def _pod_template(item: Spec) -> None:
    template = item.setdefault("template", {})
    template.setdefault("metadata", {})
    pod_spec(template.setdefault("spec", {}))


def _replicas(item: Spec) -> None:
    _template(item)
    _fill(item["spec"], replicas=1)


def _replication_controller(item: Spec) -> None:
    _replicas(item)
    labels = item["spec"]["template"]["metadata"].get("labels")
    if labels:
        _fill(item["spec"], selector=dict(labels))
        _fill(item["metadata"], labels=dict(labels))


def _stateful_set(item: Spec) -> None:
    _replicas(item)
    spec = item["spec"]
    _fill(spec, podManagementPolicy="OrderedReady", revisionHistoryLimit=10, updateStrategy={}, serviceName="")
    if not spec["serviceName"]:
        del spec["serviceName"]
    _fill(spec["updateStrategy"], type="RollingUpdate")
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        _fill(spec["updateStrategy"], rollingUpdate={})
        _fill(spec["updateStrategy"]["rollingUpdate"], partition=0)
    _fill(spec, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain", "whenScaled": "Retain"})
    for claim in spec.get("volumeClaimTemplates") or ():
        claim["apiVersion"], claim["kind"] = "v1", "PersistentVolumeClaim"
        _fill(claim.setdefault("spec", {}), volumeMode="Filesystem")
        _fill(claim, status={"phase": "Pending"})


def _daemon_set(item: Spec) -> None:
    _template(item)
    generation = str(item["metadata"].get("generation", 1))
    item["metadata"].setdefault("annotations", {}).setdefault("deprecated.daemonset.template.generation", generation)
    spec = item["spec"]
    _fill(spec, revisionHistoryLimit=10, updateStrategy={})
    _fill(spec["updateStrategy"], type="RollingUpdate")
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        _fill(spec["updateStrategy"], rollingUpdate={})
        _fill(spec["updateStrategy"]["rollingUpdate"], maxUnavailable=1, maxSurge=0)


def job_spec(item: Spec) -> None:
    _template(item)
    spec = item["spec"]
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = spec["parallelism"] = 1
    _fill(spec, parallelism=1, backoffLimit=6, completionMode="NonIndexed", suspend=False)
    _fill(spec, podReplacementPolicy="TerminatingOrFailed", manualSelector=False)


def _job(item: Spec) -> None:
    job_spec(item)


def _cron_job(item: Spec) -> None:
    spec = item.setdefault("spec", {})
    _fill(spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    template = spec.setdefault("jobTemplate", {})
    template.setdefault("metadata", {})
    _template(template)


def _service(item: Spec) -> None:
    spec = item.setdefault("spec", {})
    _fill(spec, sessionAffinity="None", type="ClusterIP")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        affinity = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        _fill(affinity, timeoutSeconds=10800)
    for port in spec.get("ports") or ():
        _fill(port, protocol="TCP")
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port")
    _fill(item, status={"loadBalancer": {}})
    if spec["type"] == "ExternalName":
        return
    _fill(spec, internalTrafficPolicy="Cluster")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        _fill(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        _fill(spec, allocateLoadBalancerNodePorts=True)


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
    _fill(item, type="Opaque")
    fold_strings(item)


def fold_strings(item: Spec) -> None:
    """A Secret's stringData as data."""
    import base64

    for name, value in (item.pop("stringData", None) or {}).items():
        item.setdefault("data", {})[name] = base64.b64encode(value.encode()).decode()


def _namespace(item: Spec) -> None:
    labels = item["metadata"].setdefault("labels", {})
    labels["kubernetes.io/metadata.name"] = item["metadata"].get("name", "")
    item.setdefault("spec", {})


def _persistent_volume_claim(item: Spec) -> None:
    _fill(item.setdefault("spec", {}), volumeMode="Filesystem")
    _fill(item, status={})
    _fill(item["status"], phase="Pending")


def _persistent_volume(item: Spec) -> None:
    _fill(item.setdefault("spec", {}), persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")
    if "hostPath" in item["spec"]:
        _fill(item["spec"]["hostPath"], type="")


def _binding(item: Spec) -> None:
    _fill(item.setdefault("roleRef", {}), apiGroup="rbac.authorization.k8s.io")
    for subject in item.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            _fill(subject, apiGroup="rbac.authorization.k8s.io")


def _horizontal_autoscaler(item: Spec) -> None:
    spec = item.setdefault("spec", {})
    _fill(spec, minReplicas=1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    _fill(item, status={"currentMetrics": None, "desiredReplicas": 0})


def _network_policy(item: Spec) -> None:
    spec = item.setdefault("spec", {})
    _fill(spec, podSelector={}, policyTypes=["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    for rule in [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]:
        for port in rule.get("ports") or ():
            _fill(port, protocol="TCP")


def _storage_class(item: Spec) -> None:
    _fill(item, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def _ingress(item: Spec) -> None:
    _fill(item, status={"loadBalancer": {}})


def _priority_class(item: Spec) -> None:
    _fill(item, preemptionPolicy="PreemptLowerPriority")


_BY_RESOURCE: dict[str, Callable[[Spec], None]] = {
    "pods": _pod,
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
    "priorityclasses.scheduling.k8s.io": _priority_class,
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
    )
)
