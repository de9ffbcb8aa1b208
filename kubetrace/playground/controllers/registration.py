"""APIServices: which groups other API servers serve, and whether they can be reached (kube-aggregator pkg/controllers).

What a Service leads to here is a simulated container, which speaks no TLS: an API server is never behind it.
"""

from __future__ import annotations

import copy

from kubetrace.playground import definitions, deletion, slices
from kubetrace.playground.controllers.base import Controller, condition
from kubetrace.playground.objects import Object
from kubetrace.playground.strategies import LOCAL

KEY = "apiservices.apiregistration.k8s.io"
DEFINITIONS = deletion.DEFINITIONS
_MANAGED = {"kube-aggregator.kubernetes.io/automanaged": "true"}
_CUSTOM_PRIORITY = {"groupPriorityMinimum": 1000, "versionPriority": 100}
_RETRY_SECONDS = 30.0
_POLL_SECONDS = 0.5


class Registrations(Controller):
    component = "apiservice-registration-controller"

    def reconcile(self, _: str, name: str) -> float | None:
        """Says in an APIService's status whether its server is there."""
        item = self.read(KEY, "", name)
        if item is None:
            return None
        service = item["spec"].get("service")
        reason, told = self._state(item, service) if service else LOCAL
        before = (item.get("status") or {}).get("conditions") or []
        found = condition(before, "Available", str(not service), reason, told)
        if found not in before:
            others = [entry for entry in before if entry["type"] != "Available"]
            self.put_status(KEY, item, {"conditions": [*others, found]})
        return _RETRY_SECONDS if service else None

    def _state(self, item: Object, wanted: Object) -> tuple[str, str]:
        """(reason, message) of what is in the way; in the order in which the aggregator looks."""
        name, place, port = wanted["name"], wanted["namespace"], wanted.get("port", 443)
        title = f'service/{name} in "{place}"'
        service = self.store.get("services", place, name)
        if service is None:
            return "ServiceNotFound", f"{title} is not present"
        spec, host = service["spec"], service["spec"].get("externalName")
        if spec.get("type") == "ClusterIP":
            entry = next((entry for entry in spec.get("ports") or () if entry["port"] == port), None)
            if entry is None:
                return "ServicePortError", f"{title} is not listening on port {port}"
            found = slices.slices_of(self.store, place, name)
            if not found:
                return "EndpointsNotFound", f"cannot find endpointslices for {title}"
            if not any(slices.has_ready(each) and _has_port(each, entry.get("name", "")) for each in found):
                why = f'have no addresses with port name "{entry.get("name", "")}"'
                return "MissingEndpoints", f"endpointslices for {title} {why}"
        address = host if spec.get("type") == "ExternalName" else spec.get("clusterIP")
        url = f"https://{address}:{port}/apis/{item['spec']['group']}/{item['spec']['version']}"
        why = "http: server gave HTTP response to HTTPS client"
        if spec.get("type") == "ExternalName":
            why = f"dial tcp: lookup {host}: no such host"
        return "FailedDiscoveryCheck", f'failing or missing response from {url}: Get "{url}": {why}'

    def concerned(self, namespace: str, service: str) -> list[str]:
        """The APIServices that a Service is meant to lead to."""
        found = []
        for item in self.store.select(KEY):
            wanted = item["spec"].get("service") or {}
            if (wanted.get("namespace"), wanted.get("name")) == (namespace, service):
                found.append(item["metadata"]["name"])
        return found

    def definition(self, _: str, name: str) -> float | None:
        """A definition's names are accepted (naming, establish), and a custom group's versions are registered while a
        definition serves them (crdregistration). One that is to go goes after its objects (finalizer)."""
        item = self.store.get(DEFINITIONS, "", name)
        if item is not None and item["metadata"].get("deletionTimestamp"):
            return self._clean_up(item)
        if item is not None and not (item.get("status") or {}).get("conditions"):
            self.put_status(DEFINITIONS, item, definitions.established(item))
        group = name.partition(".")[2]
        served = {
            version["name"]
            for item in self.store.select(DEFINITIONS)
            if item["spec"]["group"] == group
            for version in item["spec"]["versions"]
            if version.get("served")
        }
        for version in served:
            title = f"{version}.{group}"
            if self.store.get(KEY, "", title) is None:
                spec = {"group": group, "version": version} | _CUSTOM_PRIORITY
                self.create(KEY, "", {"metadata": {"name": title, "labels": dict(_MANAGED)}, "spec": spec})
        for item in list(self.store.select(KEY)):
            ours = (item["metadata"].get("labels") or {}).items() >= _MANAGED.items()
            if ours and item["spec"].get("group") == group and item["spec"]["version"] not in served:
                self.delete(KEY, item)
        return None

    def _clean_up(self, item: Object) -> float | None:
        name, held = item["metadata"]["name"], item["metadata"].get("finalizers") or ()
        if deletion.CLEANUP not in held:
            return None
        deletion.terminating(item, "InstanceDeletionInProgress", "CustomResource deletion is in progress")
        self.put_status(DEFINITIONS, item, item["status"])
        for custom in list(self.store.select(name)):
            self.delete(name, custom)
        if next(iter(self.store.select(name)), None) is not None:
            return _POLL_SECONDS
        fresh = copy.deepcopy(self.store.get(DEFINITIONS, "", name) or item)
        fresh["metadata"]["finalizers"] = [finalizer for finalizer in held if finalizer != deletion.CLEANUP]
        deletion.terminating(fresh, "InstanceDeletionCompleted", "removed all instances", "False")
        if deletion.may_go(DEFINITIONS, fresh):
            self.store.remove(DEFINITIONS, fresh)
        else:
            self.store.put(DEFINITIONS, fresh)
        return None


def _has_port(item: Object, port: str) -> bool:
    return any(each.get("name", "") == port and each.get("port") for each in item.get("ports") or ())
