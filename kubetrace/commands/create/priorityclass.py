"""`create priorityclass` (kubectl pkg/cmd/create/create_priorityclass.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import GeneratedOptions

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class CreatePriorityClassOptions(GeneratedOptions):
    description: str = flag("", help="What the class is for.")
    global_default: bool = flag(False, help="Pods without a class get this one.")
    preemption_policy: str = flag("PreemptLowerPriority", help="May its pods push out others of lower priority?")
    value: int = flag(0, kind="int32", help="The priority.")


def run(environment: Environment, options: CreatePriorityClassOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import PRIORITY_CLASSES
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators.policies import priority_class

    creation = prepare(environment, options, arguments, namespaced=False)
    value = priority_class(
        creation.name, options.value, options.global_default, options.description, options.preemption_policy
    )
    creation.create(value, PRIORITY_CLASSES, "failed to create priorityclass: ")


COMMAND = Command(
    run=run,
    options=CreatePriorityClassOptions,
    usage="create priorityclass NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none] [options]",
    description="Create a priority class: which pods come first where there is not room for all.",
    examples="""
    # A class of priority 1000
    kubetrace create priorityclass high --value=1000 --description="comes first"

    # The class of pods that name none
    kubetrace create priorityclass usual --value=100 --global-default=true --description="all others"

    # Pods that wait instead of pushing others out
    kubetrace create priorityclass patient --value=1000 --preemption-policy=Never
    """,
)
