"""What the API server fills in of pods and their templates (k8s.io/kubernetes pkg/apis/core/v1/defaults.go)."""

from __future__ import annotations

import re

from kubetrace.playground import cluster_defaults, pod_resources
from kubetrace.playground.cluster_defaults import Spec, fill
from kubetrace.playground.quantities import amount

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
        fill(handler["httpGet"], path="/", scheme="HTTP")
    if "grpc" in handler:
        fill(handler["grpc"], service="")


def _container(container: Spec) -> None:
    fill(
        container,
        imagePullPolicy=_image_policy(container.get("image", "")),
        resources={},
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    for port in container.get("ports") or ():
        fill(port, protocol="TCP")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            _probe(container[name])
    for hook in ("postStart", "preStop"):
        _handler((container.get("lifecycle") or {}).get(hook) or {})
    for env in container.get("env") or ():
        _field_reference(env.get("valueFrom") or {})


def _field_reference(source: Spec) -> None:
    if source.get("fileKeyRef") is not None:
        fill(source["fileKeyRef"], optional=False)
    if source.get("fieldRef") is not None:
        fill(source["fieldRef"], apiVersion="v1")


def _volume(volume: Spec) -> None:
    if not any(kind != "name" and source is not None for kind, source in volume.items()):
        volume["emptyDir"] = {}
    for name in ("secret", "configMap", "downwardAPI", "projected"):
        if name in volume:
            fill(volume[name], defaultMode=420)
    projected = (volume.get("projected") or {}).get("sources") or ()
    for source in projected:
        if "serviceAccountToken" in source:
            fill(source["serviceAccountToken"], expirationSeconds=3600)
    for part in (volume, *projected):
        for file in (part.get("downwardAPI") or {}).get("items") or ():
            _field_reference(file)
    cluster_defaults.volume_source(volume)
    if "image" in volume:
        fill(volume["image"], pullPolicy=_image_policy(volume["image"].get("reference", "")))
    template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
    if template is not None:
        template.setdefault("metadata", {})
        fill(template.setdefault("spec", {}), volumeMode="Filesystem")


def pod_spec(spec: Spec, restart: str = "Always") -> None:
    for name in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(name) or ():
            _container(container)
    for volume in spec.get("volumes") or ():
        _volume(volume)
    fill(
        spec,
        restartPolicy=restart,
        dnsPolicy="ClusterFirst",
        terminationGracePeriodSeconds=30,
        schedulerName="default-scheduler",
        securityContext={},
    )
    if spec.get("serviceAccountName") and not spec.get("serviceAccount"):
        spec["serviceAccount"] = spec["serviceAccountName"]


def pod(item: Spec) -> None:
    spec = item.setdefault("spec", {})
    pod_spec(spec)
    for name in ("initContainers", "containers"):
        for container in spec.get(name) or ():
            _requests(container["resources"])
    pod_resources.fill(spec)
    fill(spec, enableServiceLinks=True)
    if spec.get("hostNetwork"):
        for name in ("initContainers", "containers"):
            for port in (port for container in spec.get(name) or () for port in container.get("ports") or ()):
                port["hostPort"] = port.get("hostPort") or port.get("containerPort", 0)


def _requests(resources: Spec) -> None:
    """A limit is a request, too, where there is none: in pods, not in templates."""
    for name, value in (resources.get("limits") or {}).items():
        resources.setdefault("requests", {}).setdefault(name, value)


def quality_of_service(spec: Spec) -> str:
    """BestEffort, Burstable or Guaranteed, by what is said of cpu and memory (pkg/apis/core/helper/qos)."""
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    of_all = spec.get("resources")
    resources = [container.get("resources") or {} for container in containers] if of_all is None else [of_all]
    counted = [[_computed(entry.get(part)) for part in ("limits", "requests")] for entry in resources]
    if not any(limits or requests for limits, requests in counted):
        return "BestEffort"
    for limits, requests in counted:
        if limits.keys() != {"cpu", "memory"} or limits | requests != limits:
            return "Burstable"
    return "Guaranteed"


def _computed(amounts: Spec | None) -> Spec:
    return {name: (amounts or {})[name] for name in ("cpu", "memory") if amount(str((amounts or {}).get(name, "0")))}
