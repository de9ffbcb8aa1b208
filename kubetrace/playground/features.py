"""Fields of features that a server of 1.36 has turned off unless told otherwise: it takes them, and drops them
(pkg/api/pod/util.go DropDisabledPodFields and its kin; pkg/features/kube_features.go says what is off)."""

from __future__ import annotations

from kubetrace.playground import pod_security
from kubetrace.playground.objects import Object
from kubetrace.playground.validation.hosts import visited

_SOURCES = ("clusterTrustBundle", "podCertificate")


def drop(key: str, item: Object) -> None:
    """Changes a new or an updated object of a resource ("deployments.apps") in place."""
    pod = item if key == "pods" else pod_security.template_of(key, item)
    if pod is not None:
        _of_pod(pod.get("spec") or {})
    if key == "persistentvolumeclaims":
        ((item.get("spec") or {}).get("dataSourceRef") or {}).pop("namespace", None)


def _of_pod(spec: Object) -> None:
    spec.pop("schedulingGroup", None)
    for volume in spec.get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            for name in _SOURCES:
                source.pop(name, None)
    for container, _ in visited(spec, "spec"):
        hooks = container.get("lifecycle")
        if hooks is not None and hooks.pop("stopSignal", None) is not None and not hooks:
            del container["lifecycle"]
