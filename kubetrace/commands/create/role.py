"""`create role` (kubectl pkg/cmd/create/create_role.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import GeneratedOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class CreateRoleOptions(GeneratedOptions):
    resource: tuple[str, ...] = flag((), help="What the rule is about, as RESOURCE[.GROUP][/SUBRESOURCE].")
    resource_name: tuple[str, ...] = flag(
        (), kind="array", help="Name of an object; given, the rule is about these objects only."
    )
    verb: tuple[str, ...] = flag((), help="What may be done with them.")


def run(environment: Environment, options: CreateRoleOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import ROLES
    from kubetrace.commands.create import role_rules
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators import rbac

    creation = prepare(environment, options, arguments, needs_kinds=True)
    creation.require_name()
    verbs, resources = role_rules.unique_verbs(options.verb), role_rules.parse_resources(options.resource)
    if not verbs:
        raise KubetraceError("at least one verb must be specified")
    role_rules.warn_of_verbs(environment, verbs)
    if not resources:
        raise KubetraceError("at least one resource must be specified")
    role_rules.check_resources(environment, resources, verbs)
    named = role_rules.named_resources(environment, resources)
    rules = rbac.rules(verbs, named, tuple(dict.fromkeys(options.resource_name)))
    creation.create(rbac.role(creation.name, creation.namespace, rules), ROLES)


COMMAND = Command(
    run=run,
    options=CreateRoleOptions,
    usage=(
        "create role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] "
        "[--dry-run=server|client|none] [options]"
    ),
    description="Create a role with one rule.",
    examples="""
    # Reading pods
    kubetrace create role pod-reader --verb=get --verb=list --verb=watch --resource=pods

    # Reading two pods
    kubetrace create role pod-reader --verb=get --resource=pods --resource-name=one --resource-name=two

    # Resources of another API group
    kubetrace create role reader --verb=get,list,watch --resource=rs.apps

    # A subresource
    kubetrace create role reader --verb=get,list,watch --resource=pods,pods/status
    """,
)
