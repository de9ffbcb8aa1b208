"""Endpoints and EndpointSlices of Services with selectors."""

from __future__ import annotations

from typing import Any

from kubetrace.playground import slices
from kubetrace.playground.objects import Object, generated_name, new_uid, now
from kubetrace.playground.pods import is_done, is_ready
from kubetrace.playground.verbs import Verbs


class Networking:
    def __init__(self, verbs: Verbs) -> None:
        self._store = verbs.store

    def services_of(self, namespace: str, labels: dict[str, str]) -> list[str]:
        """Names of the services that select those labels."""
        found = []
        for service in self._store.select("services", namespace):
            selector = service["spec"].get("selector")
            if selector and all(labels.get(key) == value for key, value in selector.items()):
                found.append(service["metadata"]["name"])
        return found

    def service(self, namespace: str, name: str) -> float | None:
        service = self._store.get("services", namespace, name)
        found = slices.slices_of(self._store, namespace, name)
        if service is None:
            for item in found:
                self._store.remove(slices.KEY, item)
            endpoints = self._store.get("endpoints", namespace, name)
            if endpoints is not None and (endpoints["metadata"].get("labels") or {}).get(
                "endpoints.kubernetes.io/managed-by"
            ):
                self._store.remove("endpoints", endpoints)
            return None
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return None
        pods = self._pods(service)
        self._put_endpoints(service, pods)
        self._put_slice(service, pods, found[0] if found else None)
        return None

    def _pods(self, service: Object) -> list[Object]:
        """The pods that have an address and, where the Service's ports are names, one of these ports."""
        selector = service["spec"]["selector"].items()
        names = [port.get("targetPort", port["port"]) for port in service["spec"].get("ports") or ()]
        named = [name for name in names if isinstance(name, str)]
        free = not names or len(named) < len(names)
        pods = self._store.select("pods", service["metadata"]["namespace"])
        return [
            pod
            for pod in pods
            if all((pod["metadata"].get("labels") or {}).get(key) == value for key, value in selector)
            and (pod.get("status") or {}).get("podIP")
            and not is_done(pod)
            and not pod["metadata"].get("deletionTimestamp")
            and (free or any(_named_port(pod, name) for name in named))
        ]

    def _ports(self, service: Object, pods: list[Object]) -> list[dict[str, Any]]:
        ports = []
        for port in service["spec"].get("ports") or ():
            number = port.get("targetPort", port["port"])
            if isinstance(number, str):
                number = next((n for pod in pods for n in [_named_port(pod, number)] if n), None)
            if number is not None:
                ports.append({"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")})
        return ports

    def _put_endpoints(self, service: Object, pods: list[Object]) -> None:
        metadata = service["metadata"]
        name, namespace = metadata["name"], metadata["namespace"]
        groups: dict[str, list[Object]] = {"addresses": [], "notReadyAddresses": []}
        for pod in pods:
            address = {
                "ip": pod["status"]["podIP"],
                "nodeName": pod["spec"].get("nodeName"),
                "targetRef": _reference(pod),
            }
            groups["addresses" if is_ready(pod) else "notReadyAddresses"].append(address)
        ports = [{k: v for k, v in port.items() if v != ""} for port in self._ports(service, pods)]
        filled = {kind: entries for kind, entries in groups.items() if entries}
        old = self._store.get("endpoints", namespace, name)
        labels = dict(metadata.get("labels") or {}) | {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}
        item: Object = {"apiVersion": "v1", "kind": "Endpoints", "metadata": _metadata(old, name, namespace, labels)}
        if filled:
            item["subsets"] = [filled | {"ports": ports}]
        if old is None or old.get("subsets") != item.get("subsets"):
            self._store.put("endpoints", item)

    def _put_slice(self, service: Object, pods: list[Object], old: Object | None) -> None:
        metadata = service["metadata"]
        name, namespace = metadata["name"], metadata["namespace"]
        owner = {"apiVersion": "v1", "blockOwnerDeletion": True, "controller": True, "kind": "Service"}
        owner |= {"name": name, "uid": metadata["uid"]}
        labels = dict(metadata.get("labels") or {}) | {
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            slices.SERVICE: name,
        }
        own = old["metadata"]["name"] if old else generated_name(f"{name}-")
        item: Object = {"addressType": "IPv4", "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice"}
        item["endpoints"] = [_endpoint(pod) for pod in pods]
        item["metadata"] = _metadata(old, own, namespace, labels) | {
            "generateName": f"{name}-",
            "ownerReferences": [owner],
        }
        item["ports"] = self._ports(service, pods)
        if old is None or (old.get("endpoints"), old.get("ports")) != (item["endpoints"], item["ports"]):
            item["metadata"]["generation"] = (old or {"metadata": {}})["metadata"].get("generation", 0) + 1
            self._store.put(slices.KEY, item)


def _metadata(old: Object | None, name: str, namespace: str, labels: dict[str, str]) -> Object:
    if old is not None:
        return dict(old["metadata"]) | {"labels": labels}
    return {"name": name, "namespace": namespace, "uid": new_uid(), "creationTimestamp": now(), "labels": labels}


def _named_port(pod: Object, name: str) -> int | None:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            if port.get("name") == name:
                return int(port["containerPort"])
    return None


def _reference(pod: Object) -> Object:
    metadata = pod["metadata"]
    return {"kind": "Pod", "name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"]}


def _endpoint(pod: Object) -> Object:
    ready = is_ready(pod)
    conditions = {"ready": ready, "serving": ready, "terminating": False}
    found: Object = {"addresses": [pod["status"]["podIP"]], "conditions": conditions}
    return found | {"nodeName": pod["spec"].get("nodeName"), "targetRef": _reference(pod)}
