"""Endpoints and EndpointSlices of Services with selectors."""

from __future__ import annotations

from typing import cast

from kubetrace.playground import slices
from kubetrace.playground.controllers.attribution import AttributedStore, program_of
from kubetrace.playground.objects import Object, generated_name, new_uid, now
from kubetrace.playground.pods import is_done, is_ready
from kubetrace.playground.storage import Store
from kubetrace.playground.verbs import Verbs
from kubetrace.playground.webhooks import Unasked

_HEADLESS, _TRIGGER = "service.kubernetes.io/headless", "endpoints.kubernetes.io/last-change-trigger-time"
_MANAGED = "endpointslice.kubernetes.io/managed-by"
_MOST = 100
"""Endpoints that a slice holds."""


_Times = tuple[str, dict[str, str]]
"""When a Service was made, and since when each of its pods is as ready as it is."""


class _TriggerTimes:
    """When what a Service's endpoints follow has changed last (endpointslice/util/trigger_time_tracker.go)."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], _Times] = {}

    def forget(self, namespace: str, name: str) -> None:
        self._known.pop((namespace, name), None)

    def known(self, namespace: str, name: str) -> _Times | None:
        return self._known.get((namespace, name))

    def remember(self, namespace: str, name: str, times: _Times | None) -> None:
        """Takes back what the last question has noted."""
        if times is None:
            self.forget(namespace, name)
        else:
            self._known[(namespace, name)] = times

    def moment(self, service: Object, pods: list[Object]) -> str:
        """The earliest of the changes since the last question; "" for none."""
        metadata = service["metadata"]
        key, created = (metadata["namespace"], metadata["name"]), metadata["creationTimestamp"]
        times = {pod["metadata"]["name"]: since for pod in pods if (since := _ready_since(pod))}
        known = self._known.get(key)
        self._known[key] = created, times
        if known is None:
            return str(created)
        changed = [since.partition(" ")[0] for name, since in times.items() if since > known[1].get(name, "")]
        return min([*changed, *([created] if created > known[0] else [])], default="")


class Networking:
    def __init__(self, verbs: Verbs) -> None:
        self._store = cast(Store, AttributedStore(verbs, program_of("endpoint-controller"), asks=True))
        self._times = _TriggerTimes()

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
            self._times.forget(namespace, name)
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
        selector = service["spec"]["selector"].items()
        pods = [
            pod
            for pod in self._store.select("pods", namespace)
            if all((pod["metadata"].get("labels") or {}).get(key) == value for key, value in selector)
        ]
        before = self._times.known(namespace, name)
        since = self._times.moment(service, pods)
        pods = [pod for pod in pods if (pod.get("status") or {}).get("podIP") and not is_done(pod)]
        try:
            self._put_endpoints(service, pods, since)
            self._put_slices(service, pods, found, since)
        except Unasked:  # it comes again with the webhook's answer
            self._times.remember(namespace, name, before)
            raise
        return None

    def _put_endpoints(self, service: Object, pods: list[Object], since: str) -> None:
        metadata = service["metadata"]
        name, namespace = metadata["name"], metadata["namespace"]
        unready = service["spec"].get("publishNotReadyAddresses", False)
        groups: dict[str, Object] = {}
        for pod in sorted(pods, key=lambda pod: str(pod["status"]["podIP"])):
            ports = _ports(service, pod)
            if (pod["metadata"].get("deletionTimestamp") and not unready) or not (ports or _portless(service)):
                continue
            group = groups.setdefault(repr(ports), {"ports": ports})
            kind = "addresses" if unready or is_ready(pod) else "notReadyAddresses"
            group.setdefault(kind, []).append(
                {"ip": pod["status"]["podIP"]}
                | _hostname(service, pod)
                | {"nodeName": pod["spec"].get("nodeName"), "targetRef": _reference(pod)}
            )
        old = self._store.get("endpoints", namespace, name)
        labels = _labels(service) | {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}
        item: Object = {"apiVersion": "v1", "kind": "Endpoints"}
        item["metadata"] = _metadata(old, name, namespace, labels, since)
        for group in groups.values():
            kept = [{k: v for k, v in port.items() if v != ""} for port in group.pop("ports")]
            item.setdefault("subsets", []).append(group | ({"ports": sorted(kept, key=_order)} if kept else {}))
        if old is None or (old.get("subsets"), old["metadata"].get("labels")) != (item.get("subsets"), labels):
            self._store.put("endpoints", item)

    def _put_slices(self, service: Object, pods: list[Object], found: list[Object], since: str) -> None:
        """A slice for each set of ports that pods have, or an empty one; slices that are left over are used again."""
        groups: dict[str, tuple[list[Object], dict[str, Object]]] = {}
        for pod in pods:
            ports = sorted(_ports(service, pod), key=_slice_order)
            group = groups.setdefault(repr(ports), (ports, {}))
            group[1][pod["metadata"]["uid"]] = self._endpoint(service, pod)
        ours = [item for item in found if (item["metadata"].get("labels") or {}).get(_MANAGED) == _CONTROLLER]
        wanted: list[tuple[Object | None, list[Object], list[Object]]] = []
        free = []
        for item in ours:
            ports, endpoints = groups.get(repr(item.get("ports") or []), ([], {}))
            uids = [_uid(entry) for entry in item.get("endpoints") or ()]
            kept = [endpoints.pop(uid) for uid in uids if uid in endpoints]
            if kept:
                wanted.append((item, ports, kept))
            else:
                free.append(item)
        for ports, endpoints in groups.values():
            rest = list(endpoints.values())
            for _, others, kept in wanted:
                if others == ports:
                    room = max(0, _MOST - len(kept))
                    kept += rest[:room]
                    rest = rest[room:]
            for start in range(0, len(rest), _MOST):
                wanted.append((free.pop(0) if free else None, ports, rest[start : start + _MOST]))
        if not wanted:
            wanted.append((free.pop(0) if free else None, [], []))
        for item in free:
            self._store.remove(slices.KEY, item)
        for old, ports, kept in wanted:
            self._put_slice(service, old, ports, kept, since)

    def _put_slice(
        self, service: Object, old: Object | None, ports: list[Object], endpoints: list[Object], since: str
    ) -> None:
        metadata = service["metadata"]
        name, namespace = metadata["name"], metadata["namespace"]
        owner = {"apiVersion": "v1", "blockOwnerDeletion": True, "controller": True, "kind": "Service"}
        owner |= {"name": name, "uid": metadata["uid"]}
        labels = _labels(service) | {_MANAGED: _CONTROLLER, slices.SERVICE: name}
        own = old["metadata"]["name"] if old else generated_name(f"{name}-")
        item: Object = {"addressType": "IPv4", "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice"}
        item["endpoints"], item["ports"] = endpoints or None, ports or None
        item["metadata"] = _metadata(old, own, namespace, labels, since) | {
            "generateName": f"{name}-",
            "ownerReferences": [owner],
        }
        shown = ("endpoints", "ports")
        same = old is not None and all((old.get(part) or None) == item[part] for part in shown)
        if old is None or not same or old["metadata"].get("labels") != labels:
            generation = (old or {"metadata": {}})["metadata"].get("generation", 0)
            item["metadata"]["generation"] = generation + 1  # what changes in the metadata counts, too
            self._store.put(slices.KEY, item)

    def _endpoint(self, service: Object, pod: Object) -> Object:
        serving, terminating = is_ready(pod), bool(pod["metadata"].get("deletionTimestamp"))
        ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
        conditions = {"ready": ready, "serving": serving, "terminating": terminating}
        found: Object = {"addresses": [pod["status"]["podIP"]], "conditions": conditions} | _hostname(service, pod)
        found |= {"nodeName": pod["spec"].get("nodeName"), "targetRef": _reference(pod)}
        node = self._store.get("nodes", "", pod["spec"].get("nodeName", "")) or {"metadata": {}}
        zone = (node["metadata"].get("labels") or {}).get("topology.kubernetes.io/zone")
        return found | ({"zone": zone} if zone else {})


_CONTROLLER = "endpointslice-controller.k8s.io"


def _ready_since(pod: Object) -> str:
    """When a pod's Ready has changed, and what it is since then: a simulated pod is ready within a second."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((f"{c.get('lastTransitionTime') or ''} {c['status']}" for c in conditions if c["type"] == "Ready"), "")


def _portless(service: Object) -> bool:
    """Whether it is a headless Service without ports, which a pod needs none for."""
    return not service["spec"].get("ports") and service["spec"].get("clusterIP") == "None"


def _ports(service: Object, pod: Object) -> list[Object]:
    """The Service's ports as a pod has them; those that it names and the pod does not have are left out."""
    found = []
    for port in service["spec"].get("ports") or ():
        number = port.get("targetPort", port["port"])
        if isinstance(number, str):
            number = _named_port(pod, number, port.get("protocol", "TCP"))
        if number is not None:
            entry = {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
            found.append(entry | ({"appProtocol": port["appProtocol"]} if port.get("appProtocol") else {}))
    return found


def _fnv(text: str) -> int:
    """FNV-1a of 128 bits."""
    value = 0x6C62272E07BB014262B821756295C58D
    for byte in text.encode():
        value = (value ^ byte) * 0x0000000001000000000000000000013B % (1 << 128)
    return value


def _order(port: Object) -> int:
    """What the ports of Endpoints are ordered by: the hash of how Go's spew prints one (pkg/api/v1/endpoints)."""
    text = f"(v1.EndpointPort){{Name:(string){port.get('name', '')} Port:(int32){port['port']} "
    return _fnv(f"{text}Protocol:(v1.Protocol){port['protocol']} AppProtocol:(*string){_application(port)}}}")


def _slice_order(port: Object) -> int:
    """The same for EndpointSlices (endpointslice/util/controller_utils.go)."""
    text = f"(v1.EndpointPort){{Name:(*string){port['name']} Protocol:(*v1.Protocol){port['protocol']} "
    return _fnv(f"{text}Port:(*int32){port['port']} AppProtocol:(*string){_application(port)}}}")


def _application(port: Object) -> str:
    return str(port.get("appProtocol", "<nil>"))


def _labels(service: Object) -> dict[str, str]:
    labels = dict(service["metadata"].get("labels") or {})
    labels.pop(_HEADLESS, None)
    return labels | ({_HEADLESS: ""} if service["spec"].get("clusterIP") == "None" else {})


def _hostname(service: Object, pod: Object) -> Object:
    spec = pod["spec"]
    named = spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]
    return {"hostname": spec["hostname"]} if named else {}


def _uid(endpoint: Object) -> str:
    return str((endpoint.get("targetRef") or {}).get("uid", ""))


def _metadata(old: Object | None, name: str, namespace: str, labels: dict[str, str], since: str) -> Object:
    if old is None:
        found: Object = {"name": name, "namespace": namespace, "uid": new_uid(), "creationTimestamp": now()}
    else:
        found = dict(old["metadata"])
    annotations = {key: text for key, text in (found.pop("annotations", None) or {}).items() if key != _TRIGGER}
    annotations |= {_TRIGGER: since} if since else {}
    return found | {"labels": labels} | ({"annotations": annotations} if annotations else {})


def _named_port(pod: Object, name: str, protocol: str) -> int | None:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            if port.get("name") == name and port.get("protocol", "TCP") == protocol:
                return int(port["containerPort"])
    return None


def _reference(pod: Object) -> Object:
    metadata = pod["metadata"]
    return {"kind": "Pod", "name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"]}
