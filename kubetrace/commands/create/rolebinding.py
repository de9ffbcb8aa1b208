"""`create rolebinding` (kubectl pkg/cmd/create/create_rolebinding.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import GeneratedOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class BindingOptions(GeneratedOptions):
    """Whom a binding is about."""

    group: tuple[str, ...] = flag((), kind="array", help="Group that gets the role.")
    serviceaccount: tuple[str, ...] = flag(
        (), kind="array", help="Service account that gets the role, as NAMESPACE:NAME."
    )
    user: tuple[str, ...] = flag((), kind="array", help="User who gets the role.")


class CreateRoleBindingOptions(BindingOptions):
    clusterrole: str = flag("", help="Cluster role to give.")
    role: str = flag("", help="Role to give.")


def run(environment: Environment, options: CreateRoleBindingOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import ROLE_BINDINGS
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators import rbac

    creation = prepare(environment, options, arguments)
    creation.require_name()
    if bool(options.clusterrole) == bool(options.role):
        raise KubetraceError("exactly one of clusterrole or role must be specified")
    subjects = rbac.subjects(options.user, options.group, options.serviceaccount)
    kind = "Role" if options.role else "ClusterRole"
    role = options.role or options.clusterrole
    value = rbac.binding("RoleBinding", creation.name, creation.namespace, kind, role, subjects)
    creation.create(value, ROLE_BINDINGS, "failed to create rolebinding: ")


COMMAND = Command(
    run=run,
    options=CreateRoleBindingOptions,
    usage=(
        "create rolebinding NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] "
        "[--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none] [options]"
    ),
    description="Create a role binding: who gets a role or cluster role in a namespace.",
    examples="""
    # The cluster role "admin" for two users and a group
    kubetrace create rolebinding admin --clusterrole=admin --user=user1 --user=user2 --group=group1

    # The role "admin" for a service account
    kubetrace create rolebinding admin-binding --role=admin --serviceaccount=monitoring:sa-dev
    """,
)
