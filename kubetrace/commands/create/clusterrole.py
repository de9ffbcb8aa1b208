"""`create clusterrole` (kubectl pkg/cmd/create/create_clusterrole.go)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.create.role import CreateRoleOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_URL_VERBS = ("*", "get", "post", "put", "delete", "patch", "head", "options")


class CreateClusterRoleOptions(CreateRoleOptions):
    aggregation_rule: tuple[str, ...] = flag(
        (), kind="map", help="Labels of cluster roles that this one takes in, as KEY=VALUE,KEY=VALUE."
    )
    non_resource_url: tuple[str, ...] = flag((), help="URL, or its beginning followed by '*'.")


def run(environment: Environment, options: CreateClusterRoleOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import CLUSTER_ROLES
    from kubetrace.commands.create import role_rules
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators import rbac

    creation = prepare(environment, options, arguments, needs_kinds=True)
    creation.require_name()
    verbs, resources = role_rules.unique_verbs(options.verb), role_rules.parse_resources(options.resource)
    urls = tuple(dict.fromkeys(options.non_resource_url))
    if options.aggregation_rule:
        if urls or verbs or resources or options.resource_name:
            raise KubetraceError(
                "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames"
            )
        labels = dict(pair.split("=", 1) for pair in options.aggregation_rule)
        creation.create(rbac.aggregated_cluster_role(creation.name, labels), CLUSTER_ROLES)
        return
    if not verbs:
        raise KubetraceError("at least one verb must be specified")
    if not resources and not urls:
        raise KubetraceError("one of resource or nonResourceURL must be specified")
    if resources:
        role_rules.warn_of_verbs(environment, verbs)
        role_rules.check_resources(environment, resources, verbs)
    _check_urls(urls, verbs)
    named = role_rules.named_resources(environment, resources)
    rules = rbac.rules(verbs, named, tuple(dict.fromkeys(options.resource_name)), urls)
    creation.create(rbac.cluster_role(creation.name, rules), CLUSTER_ROLES)


def _check_urls(urls: Sequence[str], verbs: Iterable[str]) -> None:
    if not urls:
        return
    for verb in verbs:
        if verb not in _URL_VERBS:
            raise KubetraceError(f"invalid verb: '{verb}' for nonResourceURL")
    for url in urls:
        if url == "*":
            continue
        if not url.startswith("/"):
            raise KubetraceError("nonResourceURL should start with /")
        if "*" in url[:-1]:
            raise KubetraceError("nonResourceURL only supports wildcard matches when '*' is at the end")


COMMAND = Command(
    run=run,
    options=CreateClusterRoleOptions,
    usage=(
        "create clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename] "
        "[--dry-run=server|client|none] [options]"
    ),
    description="Create a cluster role.",
    examples="""
    # Reading pods, in every namespace
    kubetrace create clusterrole pod-reader --verb=get,list,watch --resource=pods

    # Reading two pods
    kubetrace create clusterrole pod-reader --verb=get --resource=pods --resource-name=one --resource-name=two

    # Resources of another API group
    kubetrace create clusterrole reader --verb=get,list,watch --resource=rs.apps

    # A subresource
    kubetrace create clusterrole reader --verb=get,list,watch --resource=pods,pods/status

    # URLs that are no resources
    kubetrace create clusterrole logs --verb=get --non-resource-url=/logs/*

    # All cluster roles with this label, in one
    kubetrace create clusterrole monitoring --aggregation-rule="rbac.example.com/aggregate-to-monitoring=true"
    """,
)
