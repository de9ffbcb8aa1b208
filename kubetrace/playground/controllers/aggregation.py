"""ClusterRoles that hold the rules of others, found by their labels (pkg/controller/clusterroleaggregation)."""

from __future__ import annotations

from kubetrace.playground.controllers.base import Controller
from kubetrace.playground.objects import Object
from kubetrace.playground.selectors import matches_labels
from kubetrace.playground.write import Write

KEY = "clusterroles.rbac.authorization.k8s.io"


class Aggregation(Controller):
    component = "clusterrole-aggregation-controller"

    def aggregated(self) -> list[str]:
        """Names of the roles that a changed role may be a part of."""
        return [item["metadata"]["name"] for item in self.store.select(KEY) if item.get("aggregationRule")]

    def reconcile(self, _: str, name: str) -> float | None:
        item = self.read(KEY, "", name)
        if item is None or not item.get("aggregationRule"):
            return None
        rules: list[Object] = []
        for selector in item["aggregationRule"].get("clusterRoleSelectors") or ():
            for role in self.store.select(KEY):
                if role["metadata"]["name"] != name and matches_labels(selector, role["metadata"].get("labels") or {}):
                    rules += [rule for rule in role.get("rules") or () if rule not in rules]
        resource = self.verbs.catalog.preferred(KEY)
        if resource is None or rules == (item.get("rules") or []):
            return None
        body: Object = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": name}}
        if rules:  # where none are found, it has nothing to say
            body["rules"] = rules
        self.verbs.apply(resource, "", name, body, Write(manager=self.component), force=True)
        return None
