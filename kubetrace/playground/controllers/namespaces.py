"""Namespaces: a live one is furnished, a dying one loses its content, then itself (pkg/controller/namespace)."""

from __future__ import annotations

from collections import Counter

from kubetrace.playground.controllers.base import Controller, condition
from kubetrace.playground.objects import Object, new_uid, now

_RETRY_SECONDS = 0.3


_CA_NOTE = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


class Namespaces(Controller):
    component = "namespace-controller"

    def reconcile(self, _: str, name: str) -> float | None:
        found = self.store.get("namespaces", "", name)
        if found is None:
            return None
        if not found["metadata"].get("deletionTimestamp"):
            self._furnish(name)
            return None
        self._empty(name)
        if not self.store.resources_of(name):
            self._finish(found)
            return None
        self._report(found)
        return _RETRY_SECONDS

    def _empty(self, name: str) -> None:
        for key in sorted(self.store.resources_of(name), key=lambda key: key == "pods"):
            for item in list(self.store.select(key, name)):
                if self.verbs.catalog.preferred(key) is None:
                    self.store.remove(key, item)
                else:
                    self.delete(key, item)

    def _finish(self, found: Object) -> None:
        finalizers = [entry for entry in found["spec"].get("finalizers") or () if entry != "kubernetes"]
        own = found["metadata"].get("finalizers")
        if finalizers or own:
            if finalizers != found["spec"].get("finalizers"):
                found["spec"]["finalizers"] = finalizers
                self.store.put("namespaces", found)
            return
        self.store.remove("namespaces", found)

    def _report(self, found: Object) -> None:
        """What is still there, and which finalizers hold it."""
        name, kinds, holders = found["metadata"]["name"], Counter[str](), Counter[str]()
        for key in self.store.resources_of(name):
            for item in self.store.select(key, name):
                resource, _, group = key.partition(".")
                kinds[f"{resource}.{group}"] += 1
                holders.update(item["metadata"].get("finalizers") or ())
        before: list[Object] = (found.get("status") or {}).get("conditions") or []
        left = ", ".join(f"{kind} has {count} resource instances" for kind, count in sorted(kinds.items()))
        held = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(holders.items()))
        told = (
            (
                "NamespaceDeletionDiscoveryFailure",
                False,
                "ResourcesDiscovered",
                "All resources successfully discovered",
            ),
            (
                "NamespaceDeletionGroupVersionParsingFailure",
                False,
                "ParsedGroupVersions",
                "All legacy kube types successfully parsed",
            ),
            (
                "NamespaceDeletionContentFailure",
                False,
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization",
            ),
            (
                "NamespaceContentRemaining",
                True,
                "SomeResourcesRemain",
                f"Some resources are remaining: {left}",
            ),
            (
                "NamespaceFinalizersRemaining",
                bool(held),
                "SomeFinalizersRemain" if held else "ContentHasNoFinalizers",
                f"Some content in the namespace has finalizers remaining: {held}"
                if held
                else "All content-preserving finalizers finished",
            ),
        )
        entries = [condition(before, kind, str(state), reason, message) for kind, state, reason, message in told]
        self.put_status("namespaces", found, {"phase": "Terminating", "conditions": entries})

    def _furnish(self, name: str) -> None:
        metadata = {"namespace": name, "uid": new_uid(), "creationTimestamp": now()}
        if self.store.get("serviceaccounts", name, "default") is None:
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"} | metadata}
            self.store.put("serviceaccounts", account)
        if self.store.get("configmaps", name, "kube-root-ca.crt") is None:
            certificate = self.store.fact("ca") or ""
            extra: Object = {"uid": new_uid(), "annotations": {"kubernetes.io/description": _CA_NOTE}}
            own = {"name": "kube-root-ca.crt"} | metadata | extra
            item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": own, "data": {"ca.crt": certificate}}
            self.store.put("configmaps", item)
