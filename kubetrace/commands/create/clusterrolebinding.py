"""`create clusterrolebinding` (kubectl pkg/cmd/create/create_clusterrolebinding.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.create.rolebinding import BindingOptions

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class CreateClusterRoleBindingOptions(BindingOptions):
    clusterrole: str = flag("", help="Cluster role to give.", required=True, completion="names:clusterrole")


def run(environment: Environment, options: CreateClusterRoleBindingOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import CLUSTER_ROLE_BINDINGS
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators import rbac

    creation = prepare(environment, options, arguments, namespaced=False)
    subjects = rbac.subjects(options.user, options.group, options.serviceaccount)
    value = rbac.binding("ClusterRoleBinding", creation.name, "", "ClusterRole", options.clusterrole, subjects)
    creation.create(value, CLUSTER_ROLE_BINDINGS, "failed to create clusterrolebinding: ")


COMMAND = Command(
    run=run,
    options=CreateClusterRoleBindingOptions,
    usage=(
        "create clusterrolebinding NAME --clusterrole=NAME [--user=username] [--group=groupname] "
        "[--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none] [options]"
    ),
    description="Create a cluster role binding: who gets a cluster role everywhere.",
    examples="""
    # The cluster role "cluster-admin" for two users and a group
    kubetrace create clusterrolebinding admins --clusterrole=cluster-admin --user=user1 --user=user2 --group=group1
    """,
)
