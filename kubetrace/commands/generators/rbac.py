"""Roles, ClusterRoles and their bindings (kubectl pkg/cmd/create: create_role.go, create_clusterrole.go,
create_rolebinding.go, create_clusterrolebinding.go)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kubetrace.api.resources import GroupResource
from kubetrace.commands.generators.metadata import Object, new_object
from kubetrace.errors import KubetraceError

GROUP = "rbac.authorization.k8s.io"
_API_VERSION = f"{GROUP}/v1"


def rules(
    verbs: Sequence[str],
    resources: Iterable[GroupResource],
    resource_names: Sequence[str],
    non_resource_urls: Sequence[str] = (),
) -> list[Object]:
    """One rule an API group, and one for URLs. A subresource is part of its resource's name ("pods/log")."""
    by_group: dict[str, list[str]] = {}
    for resource in resources:
        known = by_group.setdefault(resource.group, [])
        if resource.resource not in known:
            known.append(resource.resource)
    found: list[Object] = [
        {"verbs": list(verbs), "apiGroups": [group], "resources": by_group[group],
         "resourceNames": list(resource_names)}
        for group in sorted(by_group)
    ]  # fmt: skip
    if non_resource_urls:
        found.append({"verbs": list(verbs), "nonResourceURLs": list(non_resource_urls)})
    return found


def role(name: str, namespace: str, found: list[Object]) -> Object:
    return {**new_object(_API_VERSION, "Role", name, namespace), "rules": found}


def cluster_role(name: str, found: list[Object]) -> Object:
    return {**new_object(_API_VERSION, "ClusterRole", name), "rules": found}


def aggregated_cluster_role(name: str, labels: Mapping[str, str]) -> Object:
    """A ClusterRole that takes in all others with these labels."""
    selectors = [{"matchLabels": dict(labels)}]
    return {**new_object(_API_VERSION, "ClusterRole", name), "aggregationRule": {"clusterRoleSelectors": selectors}}


def subjects(users: Iterable[str], groups: Iterable[str], service_accounts: Iterable[str]) -> list[Object]:
    """Whom a binding is about; service accounts are NAMESPACE:NAME. Raises KubetraceError."""
    found = [{"kind": "User", "apiGroup": GROUP, "name": user} for user in users]
    found += [{"kind": "Group", "apiGroup": GROUP, "name": group} for group in groups]
    for account in service_accounts:
        parts = account.split(":")
        if len(parts) != 2 or not all(parts):
            raise KubetraceError("serviceaccount must be <namespace>:<name>")
        found.append({"kind": "ServiceAccount", "namespace": parts[0], "name": parts[1]})
    return found


def binding(kind: str, name: str, namespace: str, role_kind: str, role_name: str, found: list[Object]) -> Object:
    """A RoleBinding or ClusterRoleBinding."""
    result = new_object(_API_VERSION, kind, name, namespace)
    result["subjects"] = found
    result["roleRef"] = {"apiGroup": GROUP, "kind": role_kind, "name": role_name}
    return result
