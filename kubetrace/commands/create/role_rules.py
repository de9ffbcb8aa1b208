"""What `create role` and `create clusterrole` share: which verbs on which resources (kubectl pkg/cmd/create:
create_role.go)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kubetrace.api.resources import GroupResource
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_RBAC = "rbac.authorization.k8s.io"
_ROLES = (GroupResource(_RBAC, "roles"), GroupResource(_RBAC, "clusterroles"))
_VERBS = ("*", "get", "delete", "list", "create", "update", "patch", "watch", "proxy", "deletecollection", "use",
          "bind", "escalate", "impersonate")  # fmt: skip
_SPECIAL_VERBS = {
    "use": (GroupResource("policy", "podsecuritypolicies"), GroupResource("extensions", "podsecuritypolicies")),
    "bind": _ROLES,
    "escalate": _ROLES,
    "impersonate": (
        GroupResource("", "users"),
        GroupResource("", "serviceaccounts"),
        GroupResource("", "groups"),
        GroupResource("authentication.k8s.io", "userextras"),
    ),
}
"""Verbs that only some resources have."""


class ResourceOption(Value):
    """One value of --resource: RESOURCE[.GROUP][/SUBRESOURCE]."""

    group: str
    resource: str
    subresource: str


def unique_verbs(verbs: Iterable[str]) -> list[str]:
    """Each verb once; "*" stands for all."""
    found = list(dict.fromkeys(verbs))
    return ["*"] if "*" in found else found


def parse_resources(values: Iterable[str]) -> list[ResourceOption]:
    """--resource; a "*" of its own stands for all."""
    found: list[ResourceOption] = []
    for value in values:
        path, slash, subresource = value.partition("/")
        resource, dot, group = path.partition(".")
        option = ResourceOption(group, resource, subresource)
        if resource == "*" and not dot and not slash:
            return [option]
        found.append(option)
    return found


def warn_of_verbs(environment: Environment, verbs: Iterable[str]) -> None:
    for verb in verbs:
        if verb not in _VERBS:
            environment.stderr.write(f"Warning: '{verb}' is not a standard resource verb\n")


def check_resources(environment: Environment, resources: Iterable[ResourceOption], verbs: Sequence[str]) -> None:
    """Does the server have them, and can the verbs be used on them? Raises KubetraceError."""
    for option in resources:
        if not option.resource:
            raise KubetraceError("resource must be specified if apiGroup/subresource specified")
        if option.resource == "*":
            return
        found, problem = _known(environment, option)
        for verb in verbs:
            special = _SPECIAL_VERBS.get(verb)
            if special is None:
                continue
            if found not in special:
                raise KubetraceError(f"can not perform '{verb}' on '{found.resource}' in group '{found.group}'")
            problem = None
        if problem is not None:
            raise problem


def _known(environment: Environment, option: ResourceOption) -> tuple[GroupResource, KubetraceError | None]:
    """The resource as the server names it ("rs.apps" → replicasets.apps), or as it was typed and why."""
    from kubetrace.api.resources import GroupVersionResource

    try:
        found = environment.cluster.mapper.resource_for(GroupVersionResource(option.group, "", option.resource))
    except KubetraceError as error:
        return GroupResource(option.group, option.resource), error
    return found.group_resource, None


def named_resources(environment: Environment, resources: Iterable[ResourceOption]) -> list[GroupResource]:
    """The resources of a role's rules, subresources as part of the name."""
    named = []
    for option in resources:
        found, _ = _known(environment, option)
        if option.subresource:
            found = GroupResource(found.group, f"{found.resource}/{option.subresource}")
        named.append(found)
    return named
