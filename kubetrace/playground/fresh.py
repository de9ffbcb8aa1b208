"""What a new playground holds before anybody has written to it: namespaces, a node, roles, the people's bindings."""

from __future__ import annotations

import copy
from typing import Any

from kubetrace.playground import allocation
from kubetrace.playground.admission import DEFAULT_CLASS
from kubetrace.playground.catalog import Catalog, Resource, server_facts
from kubetrace.playground.managed import Manager, track
from kubetrace.playground.objects import new_uid, now
from kubetrace.playground.storage import Store
from kubetrace.playground.strategies import WITH_GENERATION

NODE = "playground-node"
MOST_NODES = 50
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
_SERVER, _KUBELET = "kube-apiserver", "kubelet"
_FILLED_IN = {"finalizers", "clusterIPs", "ipFamilies"}
_RBAC = "rbac.authorization.k8s.io"


def fill(store: Store, catalog: Catalog) -> None:
    """Once for a playground; what is there already stays as it is."""
    if store.fact("filled") is not None:
        return
    for name in NAMESPACES:
        labels = {"kubernetes.io/metadata.name": name}
        _put(
            store,
            catalog,
            "namespaces",
            {"metadata": {"name": name, "labels": labels}}
            | {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}},
            _SERVER,
        )
    for path, items in server_facts()["fresh"].items():
        parts = path.split("/")
        resource = catalog.find(parts[2], parts[3], parts[4])
        if resource is not None:
            for item in items:
                _put(store, catalog, resource.key, _own_range(_timed(copy.deepcopy(item))))
    _put(store, catalog, "nodes", node(), _KUBELET)
    _put(store, catalog, "storageclasses.storage.k8s.io", _storage_class())
    _put(store, catalog, "services", _kubernetes_service(), _SERVER)
    for name, message in (("scheduler", "ok"), ("controller-manager", "ok"), ("etcd-0", "ok")):
        healthy = {"type": "Healthy", "status": "True", "message": message}
        store.put("componentstatuses", {"metadata": {"name": name}, "conditions": [healthy]})
    for item in people():
        _put(
            store,
            catalog,
            f"{'rolebindings' if 'namespace' in item['metadata'] else 'clusterrolebindings'}.{_RBAC}",
            item,
        )
    store.remember("filled", now())


def _own_range(item: dict[str, Any]) -> dict[str, Any]:
    """The range of Services is this server's, not that of the one that was recorded."""
    if "cidrs" in (item.get("spec") or {}):
        item["spec"]["cidrs"] = [str(allocation.SERVICE_RANGE)]
    return item


def _timed(item: dict[str, Any]) -> dict[str, Any]:
    """A recorded object whose conditions and managers came to be now."""
    for entry in item["metadata"].get("managedFields") or ():
        rest = {name: entry.pop(name) for name in ("fieldsType", "fieldsV1", "subresource") if name in entry}
        entry |= {"time": now(), **rest}
    for condition in (item.get("status") or {}).get("conditions") or ():
        condition.setdefault("lastTransitionTime", now())
    return item


def _put(store: Store, catalog: Catalog, key: str, item: dict[str, Any], program: str = "") -> None:
    """`program` is whose fields it has, but for those that every server fills in."""
    resource = catalog.preferred(key)
    assert isinstance(resource, Resource)
    metadata = item["metadata"]
    if store.get(key, metadata.get("namespace", ""), metadata["name"]) is None:
        metadata |= {"uid": new_uid(), "creationTimestamp": now()}
        if key in WITH_GENERATION:
            metadata.setdefault("generation", 1)
        item = {"apiVersion": resource.api_version, "kind": resource.kind} | item
        if program:
            spec = {name: value for name, value in item.get("spec", {}).items() if name not in _FILLED_IN}
            track(resource, None, item | {"spec": spec}, Manager(program))
        if program == _KUBELET:
            bare = {name: value for name, value in item.items() if name != "status"}
            track(resource, bare, item, Manager(program, subresource="status"), metadata["managedFields"])
        store.put(key, item)


def _condition(kind: str, status: str, reason: str, message: str) -> dict[str, str]:
    times = {"lastHeartbeatTime": now(), "lastTransitionTime": now()}
    return {"type": kind, "status": status, **times, "reason": reason, "message": message}


def add_nodes(store: Store, catalog: Catalog, count: int) -> None:
    """Brings the number of nodes up to `count`; none is ever taken away."""
    for number in range(2, min(count, MOST_NODES) + 1):
        _put(store, catalog, "nodes", node(number), _KUBELET)


def publish(store: Store, catalog: Catalog, port: int) -> None:
    """Says where the API server itself is: the endpoints of the Service `kubernetes`."""
    service = store.get("services", "default", "kubernetes")
    if service is not None and service["spec"]["ports"][0].get("targetPort") != port:
        service["spec"]["ports"][0]["targetPort"] = port
        store.put("services", service)
    ports = [{"name": "https", "port": port, "protocol": "TCP"}]
    wanted: dict[str, dict[str, Any]] = {
        "endpoints": {
            "metadata": {"labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
            "subsets": [{"addresses": [{"ip": "127.0.0.1"}], "ports": ports}],
        },
        "endpointslices.discovery.k8s.io": {
            "metadata": {"labels": {"kubernetes.io/service-name": "kubernetes"}, "generation": 1},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
            "ports": ports,
        },
    }
    for key, item in wanted.items():
        item["metadata"] = {"name": "kubernetes", "namespace": "default"} | item["metadata"]
        old = store.get(key, "default", "kubernetes")
        if old is None:
            _put(store, catalog, key, item, _SERVER)
        elif any(old.get(part) != item[part] for part in ("subsets", "ports") if part in item):
            store.put(key, old | {part: value for part, value in item.items() if part != "metadata"})


def _storage_class() -> dict[str, Any]:
    """The default class, whose volumes the playground makes itself."""
    return {
        "metadata": {"name": "standard", "annotations": {DEFAULT_CLASS: "true"}},
        "provisioner": "kubetrace.dev/simulated",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
        "allowVolumeExpansion": True,
    }


def node_name(number: int) -> str:
    return NODE if number == 1 else f"{NODE}-{number}"


def node(number: int = 1) -> dict[str, Any]:
    """The first of the nodes of a playground, which every fresh one has, or one of the others."""
    name = node_name(number)
    version = server_facts()["version"]["gitVersion"]
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
    }
    if number == 1:
        labels["node-role.kubernetes.io/control-plane"] = ""
    room = {"cpu": "8", "ephemeral-storage": "100Gi", "memory": "16Gi", "pods": "110"}
    conditions = [
        _condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        _condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        _condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        _condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ]
    info = {
        "architecture": "amd64",
        "bootID": new_uid(),
        "containerRuntimeVersion": "simulated://kubetrace",
        "kernelVersion": "simulated",
        "kubeProxyVersion": version,
        "kubeletVersion": version,
        "machineID": new_uid().replace("-", ""),
        "operatingSystem": "linux",
        "osImage": "kubetrace playground (simulated)",
        "systemUUID": new_uid(),
    }
    addresses = [{"type": "InternalIP", "address": f"172.18.0.{number + 1}"}, {"type": "Hostname", "address": name}]
    status = {"addresses": addresses, "allocatable": room, "capacity": room, "conditions": conditions, "nodeInfo": info}
    network = f"10.244.{number - 1}.0/24"
    spec = {"podCIDR": network, "podCIDRs": [network]}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": status}


def is_ours(name: str) -> bool:
    """Whether a node is one of the playground's, which has a simulated kubelet."""
    return any(name == node_name(number) for number in range(1, MOST_NODES + 1))


def _kubernetes_service() -> dict[str, Any]:
    spec = {
        "clusterIP": "10.96.0.1",
        "clusterIPs": ["10.96.0.1"],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }
    labels = {"component": "apiserver", "provider": "kubernetes"}
    metadata = {"name": "kubernetes", "namespace": "default", "labels": labels}
    return {"metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}}


def people() -> list[dict[str, Any]]:
    """The bindings of the kubeconfig's contexts."""

    def bound(name: str, group: str, role: str, namespace: str = "") -> dict[str, Any]:
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        subjects = [{"kind": "Group", "apiGroup": _RBAC, "name": group}]
        return {
            "metadata": metadata,
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
            "subjects": subjects,
        }

    return [bound("developers", "developers", "edit", "default"), bound("viewers", "viewers", "view")]
