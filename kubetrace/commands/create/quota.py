"""`create quota` (kubectl pkg/cmd/create/create_quota.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import GeneratedOptions

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class CreateQuotaOptions(GeneratedOptions):
    hard: str = flag("", help="Hard limits, as RESOURCE=QUANTITY,RESOURCE=QUANTITY.")
    scopes: str = flag("", help="Scopes, with commas between; an object counts that is in all of them.")


def run(environment: Environment, options: CreateQuotaOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import RESOURCE_QUOTAS
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators.policies import quota

    creation = prepare(environment, options, arguments)
    creation.require_name()
    value = quota(creation.name, creation.namespace, options.hard, options.scopes)
    creation.create(value, RESOURCE_QUOTAS, "failed to create quota: ")


COMMAND = Command(
    run=run,
    options=CreateQuotaOptions,
    usage=(
        "create quota NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2] "
        "[--dry-run=server|client|none] [options]"
    ),
    description="Create a resource quota: how much a namespace may use.",
    examples="""
    # Limits for a namespace
    kubetrace create quota small --hard=cpu=1,memory=1G,pods=2,services=3

    # A limit for pods of the class "best effort"
    kubetrace create quota rest --hard=pods=100 --scopes=BestEffort
    """,
)
