"""What the API server fills in (k8s.io/kubernetes pkg/apis/*/v1/defaults.go), for the kinds that people write."""

from __future__ import annotations

import re
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


# Their Go fields are pointers: an empty string is not the same as none.
_POINTERS = frozenset(
    (
        *("volumeMode", "completionMode", "internalTrafficPolicy", "podReplacementPolicy", "preemptionPolicy"),
        *("volumeBindingMode", "serviceName", "service", "maxSurge", "maxUnavailable", "selectPolicy"),
        *("failurePolicy", "matchPolicy", "reinvocationPolicy", "scope"),
    )
)


def _fill(target: Spec, **values: Any) -> None:
    for name, value in values.items():
        found = target.get(name)
        if found is None or (found == "" and name not in _POINTERS):
            target[name] = value


_IMAGE = re.compile(r"([\w.-]+(:\d+)?/)?[a-z0-9._/-]+(:[\w.-]{1,128})?(@\w+:[0-9a-f]{32,})?")


def _image_policy(image: str) -> str:
    if not _IMAGE.fullmatch(image):
        return "IfNotPresent"
    last = image.rpartition("/")[2]
    if "@" in last:
        return "IfNotPresent"
    tag = last.partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _probe(probe: Spec) -> None:
    for name, value in (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)):
        probe[name] = probe.get(name) or value  # no pointers: 0 is none
    _handler(probe)


def _handler(handler: Spec) -> None:
    if "httpGet" in handler:
        _fill(handler["httpGet"], path="/", scheme="HTTP")
    if "grpc" in handler:
        _fill(handler["grpc"], service="")


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
    for hook in ("postStart", "preStop"):
        _handler((container.get("lifecycle") or {}).get(hook) or {})
    for env in container.get("env") or ():
        _field_reference(env.get("valueFrom") or {})


def _field_reference(source: Spec) -> None:
    if source.get("fieldRef") is not None:
        _fill(source["fieldRef"], apiVersion="v1")


def _volume(volume: Spec) -> None:
    if not any(kind != "name" and source is not None for kind, source in volume.items()):
        volume["emptyDir"] = {}
    for name in ("secret", "configMap", "downwardAPI", "projected"):
        if name in volume:
            _fill(volume[name], defaultMode=420)
    projected = (volume.get("projected") or {}).get("sources") or ()
    for source in projected:
        if "serviceAccountToken" in source:
            _fill(source["serviceAccountToken"], expirationSeconds=3600)
    for part in (volume, *projected):
        for file in (part.get("downwardAPI") or {}).get("items") or ():
            _field_reference(file)
    if "hostPath" in volume:
        _fill(volume["hostPath"], type="")
    if "image" in volume:
        _fill(volume["image"], pullPolicy=_image_policy(volume["image"].get("reference", "")))
    template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
    if template is not None:
        template.setdefault("metadata", {})
        _fill(template.setdefault("spec", {}), volumeMode="Filesystem")


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
        spec["updateStrategy"]["rollingUpdate"].pop("maxUnavailable", None)  # behind a gate that is closed
    _fill(spec, persistentVolumeClaimRetentionPolicy={})
    _fill(spec["persistentVolumeClaimRetentionPolicy"], whenDeleted="Retain", whenScaled="Retain")
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
    failures = spec.get("podFailurePolicy")
    _fill(spec, podReplacementPolicy="TerminatingOrFailed" if failures is None else "Failed", manualSelector=False)
    for rule in (failures or {}).get("rules") or ():
        for pattern in rule.get("onPodConditions") or ():
            _fill(pattern, status="True")


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
    if spec["type"] in ("NodePort", "LoadBalancer") or spec.get("externalIPs"):
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
    spec = item.setdefault("spec", {})
    _fill(spec, volumeMode="Filesystem")
    _data_source(spec)
    _fill(item, status={})
    _fill(item["status"], phase="Pending")


def _data_source(spec: Spec) -> None:
    """The older field and the newer one say the same, and what no provisioner can read is dropped
    (pkg/registry/core/persistentvolumeclaim NormalizeDataSources)."""
    older, newer = spec.get("dataSource"), spec.get("dataSourceRef")
    if older is not None and not older.get("apiGroup") and older.get("kind") != "PersistentVolumeClaim":
        del spec["dataSource"]
        older = None
    if older is not None and newer is None:
        spec["dataSourceRef"] = dict(older)
    elif newer is not None and older is None and not newer.get("namespace"):
        spec["dataSource"] = dict(newer)


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
    _scaling_rules(spec.get("behavior"))
    _fill(item, status={"currentMetrics": None, "desiredReplicas": 0})


def _scaling_rules(behavior: Spec | None) -> None:
    if behavior is None:
        return
    percent = {"type": "Percent", "value": 100, "periodSeconds": 15}
    up = {"policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}, percent], "stabilizationWindowSeconds": 0}
    for name, usual in (("scaleUp", up), ("scaleDown", {"policies": [percent]})):
        _fill(behavior, **{name: {}})
        _fill(behavior[name], selectPolicy="Max", **usual)


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


def _endpoints(item: Spec) -> None:
    for subset in item.get("subsets") or ():
        for port in subset.get("ports") or ():
            _fill(port, protocol="TCP")


def _endpoint_slice(item: Spec) -> None:
    for port in item.get("ports") or ():
        _fill(port, name="", protocol="TCP")


def _node(item: Spec) -> None:
    status = item.get("status") or {}
    if status.get("capacity") is not None and status.get("allocatable") is None:
        status["allocatable"] = dict(status["capacity"])


def _webhooks(item: Spec) -> None:
    """What asks other servers whether a write is fine."""
    for webhook in item.get("webhooks") or ():
        _fill(webhook, failurePolicy="Fail", matchPolicy="Equivalent", namespaceSelector={}, objectSelector={})
        _fill(webhook, timeoutSeconds=10)
        service = (webhook.get("clientConfig") or {}).get("service")
        if service is not None:
            _fill(service, port=443)
        for rule in webhook.get("rules") or ():
            _fill(rule, scope="*")


def _mutating_webhooks(item: Spec) -> None:
    _webhooks(item)
    for webhook in item.get("webhooks") or ():
        _fill(webhook, reinvocationPolicy="Never")


def _admission_policy(item: Spec) -> None:
    spec = item.get("spec") or {}
    _fill(spec, failurePolicy="Fail")
    _match_resources(spec.get("matchConstraints"))


def _policy_binding(item: Spec) -> None:
    _match_resources((item.get("spec") or {}).get("matchResources"))


def _match_resources(match: Spec | None) -> None:
    if match is None:
        return
    _fill(match, matchPolicy="Equivalent", namespaceSelector={}, objectSelector={})
    for name in ("resourceRules", "excludeResourceRules"):
        for rule in match.get(name) or ():
            _fill(rule, scope="*")


def _csi_driver(item: Spec) -> None:
    spec = item.setdefault("spec", {})
    _fill(spec, attachRequired=True, podInfoOnMount=False, storageCapacity=False, requiresRepublish=False)
    _fill(spec, fsGroupPolicy="ReadWriteOnceWithFSType", volumeLifecycleModes=["Persistent"], seLinuxMount=False)


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
    "csidrivers.storage.k8s.io": _csi_driver,
    "endpoints": _endpoints,
    "endpointslices.discovery.k8s.io": _endpoint_slice,
    "nodes": _node,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": _webhooks,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": _mutating_webhooks,
    "validatingadmissionpolicies.admissionregistration.k8s.io": _admission_policy,
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": _policy_binding,
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
